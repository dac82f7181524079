"""The publisher as a process of its own: parsing never delays an answer, and a crash in it loses nothing."""

import asyncio
import contextlib
import json
import logging
import os
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from receiver.deliveries import ReadingOptions
from receiver.errors import EXIT_FAILED, FolderInUse, ReceiverError
from receiver.store.folder import DataFolder, try_lock
from receiver.store.journal import remove_empty_journals
from receiver.store.publisher import Publisher, remove_unfinished

POLL_SECONDS = 0.25
LOCK_SECONDS = 3.0
CLEAN_SECONDS = 3600.0
DRAIN = b"drain\n"

logger = logging.getLogger("receiver")


class PublisherProcess:
    """The receiver's end: starts the process, reads what it did, and lets it finish.

    Attributes
    ----------
    totals : Counter of str, events, duplicates, damaged and unreadable since the start
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.totals: Counter[str] = Counter()
        self._process = process
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, folder: DataFolder, options: ReadingOptions, environ: Mapping[str, str]
    ) -> "PublisherProcess":
        """Start the process and wait until it alone publishes from the folder.

        Raises
        ------
        FolderInUse
            If another publisher does.
        """
        settings = {
            "data": str(folder.root),
            "store_text": options.store_text,
            "bot_app_ids": sorted(options.bot_app_ids),
            "human_app_ids": sorted(options.human_app_ids),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, json.dumps(settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Whoever reads bodies needs no secret.
            env={name: text for name, text in environ.items() if not ("SECRET" in name or "TOKEN" in name)},
        )  # fmt: skip
        assert process.stdout is not None
        if await process.stdout.readline() != b"ready\n":
            await process.wait()
            raise FolderInUse(f"{folder.root}: the publisher did not start; the line above says why.")
        return cls(process)

    async def exited(self) -> int:
        """Wait for the end of the process; its exit code."""
        return await self._process.wait()

    async def drain(self) -> int:
        """Have everything published that is sealed, and end the process; its exit code."""
        assert self._process.stdin is not None
        if self._process.returncode is None:
            with contextlib.suppress(ConnectionError):  # it is ending by itself: its exit code says how
                self._process.stdin.write(DRAIN)
                await self._process.stdin.drain()
        await self._reading
        return await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.totals.update(json.loads(line))


def main(arguments: list[str]) -> int:
    """Publish until the receiver says ``drain`` on standard input, or is gone.

    Parameters
    ----------
    arguments : list of one str, the settings as JSON

    Returns
    -------
    int
        0 when everything sealed was published, else 1.
    """
    # A terminal or a supervisor signals the whole group, but the receiver decides when all is published.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.umask(0o077)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    settings = json.loads(arguments[0])
    folder = DataFolder(Path(settings["data"]))
    options = ReadingOptions(
        store_text=settings["store_text"],
        bot_app_ids=frozenset(settings["bot_app_ids"]),
        human_app_ids=frozenset(settings["human_app_ids"]),
    )
    try:
        _lock(folder)
        # Before the receiver goes on: from then on it writes into staging/ and journal/ too.
        remove_unfinished(folder)
        remove_empty_journals(folder.journal)
        print("ready", flush=True)
        return _publish_until_drained(folder, options)
    except (ReceiverError, OSError) as error:
        logger.critical("publisher: %s", error)
        return EXIT_FAILED


def _lock(folder: DataFolder) -> None:
    # The publisher of a receiver that was killed ends after the segment in its hands.
    give_up = time.monotonic() + LOCK_SECONDS
    while try_lock(folder.lock) is None:
        if time.monotonic() > give_up:
            raise FolderInUse(f"{folder.root}: another receiver publishes from this folder. Stop it first.")
        time.sleep(POLL_SECONDS)


def _publish_until_drained(folder: DataFolder, options: ReadingOptions) -> int:
    publisher = Publisher(folder, options)
    draining = False
    clean_at = 0.0
    while True:
        segments = publisher.sealed_segments()
        for segment in segments:
            print(json.dumps(asdict(publisher.publish(segment))), flush=True)
            draining = draining or _is_told_to_drain(0)
        if draining and not segments:
            publisher.close()
            remove_empty_journals(folder.journal)
            return 0
        if time.monotonic() >= clean_at:
            publisher.remove_old_segments()
            clean_at = time.monotonic() + CLEAN_SECONDS
        draining = draining or _is_told_to_drain(POLL_SECONDS)


def _is_told_to_drain(timeout_seconds: float) -> bool:
    """Listen to the receiver; False when it says nothing.

    Raises
    ------
    ReceiverError
        When it is gone: the next receiver must find the folder free.
    """
    readable, _, _ = select.select([sys.stdin], [], [], timeout_seconds)
    if readable and os.read(sys.stdin.fileno(), len(DRAIN)) != DRAIN:
        raise ReceiverError("the receiver is gone; what it acknowledged is published at the next start")
    return bool(readable)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
