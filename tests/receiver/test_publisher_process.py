import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.settings import ReadingSettings
from receiver.store import publisher_process
from receiver.store.folder import DataFolder
from receiver.store.publisher_process import Beat, PublisherProcess

BEAT = Beat("run-1", datetime(2026, 11, 16, 8, tzinfo=UTC), datetime(2026, 11, 16, 9, tzinfo=UTC))


def run(data: Path, use: Callable[[PublisherProcess], Awaitable[None]]) -> int:
    """Start a publisher, use it, drain it; its exit code."""

    async def session() -> int:
        folder = DataFolder(data)
        folder.create()
        publisher = PublisherProcess(folder, ReadingSettings(), os.environ)
        async with asyncio.timeout(90):
            await publisher.start()
            await use(publisher)
            return await publisher.drain(BEAT)

    return asyncio.run(session())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


def publisher_pids() -> list[int]:
    """Find our publisher; a server of other tests may be a child of this process too."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"receiver.store.publishing" in _command(pid)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def test_no_answer_waits_until_parquet_is_imported() -> None:
    """It takes longer than all that the publisher does before it is ready, and the receiver waits for that."""
    program = "import sys, receiver.store.publishing; print('pyarrow' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False\n"


def test_a_publisher_that_hangs_is_silent_until_it_goes_on(data: Path) -> None:
    async def use(publisher: PublisherProcess) -> None:
        publisher.beat(BEAT)
        assert publisher.silent_seconds > 0
        await until(lambda: publisher.silent_seconds == 0)
        os.kill(publisher_pids()[0], signal.SIGSTOP)
        for _ in range(10_000):  # one is written, the others would fill the pipe
            publisher.beat(BEAT)
        await until(lambda: publisher.silent_seconds > 1)
        os.kill(publisher_pids()[0], signal.SIGCONT)
        await until(lambda: publisher.silent_seconds == 0)
        publisher.beat(BEAT)
        await until(lambda: publisher.silent_seconds == 0)
        assert publisher.failures == 0

    assert run(data, use) == 0
    assert [path.name for path in data.glob("heartbeats/*")] == ["run-1.parquet"]


def test_a_publisher_that_is_being_started_again_hears_that_it_is_to_drain(data: Path) -> None:
    async def use(publisher: PublisherProcess) -> None:
        os.kill(publisher_pids()[0], signal.SIGKILL)
        await until(lambda: publisher.failures == 1)
        while not publisher_pids():  # the next one is there, but nobody can speak to it yet
            await asyncio.sleep(0)
        assert not publisher.is_running

    assert run(data, use) == 0


def test_the_index_may_be_deleted_at_any_time(data: Path) -> None:
    async def use(publisher: PublisherProcess) -> None:
        shutil.rmtree(data / "index")
        os.kill(publisher_pids()[0], signal.SIGKILL)
        await until(lambda: publisher.failures == 1)
        await until(lambda: publisher.is_running)

    assert run(data, use) == 0


def test_a_publisher_that_hangs_when_it_is_to_drain_is_ended(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_process, "SILENT_SECONDS", 0.5)

    async def use(publisher: PublisherProcess) -> None:
        os.kill(publisher_pids()[0], signal.SIGSTOP)

    assert run(data, use) == -signal.SIGKILL
