"""One run of a report at a time: a lock that the operating system takes back when its holder ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ctm_analytics.errors import CtmError


class AlreadyRunning(CtmError):
    """Another run makes the same report."""


@contextmanager
def only_run(file: Path, what: str) -> Iterator[None]:
    """Hold a lock file for as long as the block runs.

    Parameters
    ----------
    file : Path; it stays where it is, and holds who runs
    what : str, what the holder makes, told to whoever comes second

    Raises
    ------
    AlreadyRunning
        Saying who holds it and since when.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            who = held.read() or "another run"
            raise AlreadyRunning(
                f"{file.parent.name}: {who} is making this report. Wait until it has ended, and run it again."
            ) from None
        _write(
            held.fileno(),
            f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, for {what},",
        )
        try:
            yield
        finally:
            held.truncate(0)


@contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """Wait for a folder that runs share, and hold it for a moment."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, text.encode())
