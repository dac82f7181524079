import asyncio
import errno
import os
import resource
import shutil
import stat
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.errors import StorageBusy, StorageFailed
from receiver.store import journal as journal_module
from receiver.store import open_segment
from receiver.store.folder import RESERVE_BYTES, DataFolder
from receiver.store.journal import (
    MAX_WAITING,
    SEGMENT_BYTES,
    Journal,
)
from receiver.store.open_segment import remove_empty_journals, seal_dead_journals
from receiver.store.segment import (
    FILE_MAGIC,
    FRAME_OVERHEAD_BYTES,
    Damage,
    Delivery,
    encode_frame,
    read_segment,
)

NAME = "20261116T080000-0a1b2c3d-0000000000000000"
DELIVERIES = [
    Delivery(number, 1_783_075_200_000_000 + number, bytes([number]) * 32, body)
    for number, body in enumerate([b'{"object":"page"}', b"", b"\x00\xff" * 40, b'{"a":1}', b"x" * 300])
]
FRAMES = [encode_frame(delivery, NAME) for delivery in DELIVERIES]
SEGMENT = FILE_MAGIC + b"".join(FRAMES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = DataFolder(tmp_path)
    folder.create()
    return folder.journal


def run(use: Callable[[Journal], Awaitable[Any]], root: Path) -> tuple[Journal, list[str]]:
    """Open a journal, use it on a loop of its own, close it; also what ``on_failure`` said."""
    failures: list[str] = []

    async def session() -> Journal:
        journal = Journal(DataFolder(root.parent), lambda: failures.append("failed"))
        journal.open("receiver-1")
        async with asyncio.timeout(30):
            await use(journal)
            await journal.close()
        return journal

    return asyncio.run(session()), failures


def bodies(root: Path) -> list[bytes]:
    """Every body in the segments below a journal root, in order."""
    found: list[bytes] = []
    for segment in sorted(root.glob("*/*.*")):
        deliveries, _ = read_segment(segment.read_bytes(), f"{segment.parent.name}-{segment.stem}")
        found += [delivery.body for delivery in deliveries]
    return found


def test_a_segment_gives_back_what_was_written() -> None:
    assert read_segment(SEGMENT, NAME) == (DELIVERIES, [])


def test_a_segment_cut_at_any_byte_gives_back_every_whole_frame_and_reports_the_rest() -> None:
    for length in range(len(SEGMENT)):
        whole, end = 0, len(FILE_MAGIC)
        while whole < len(FRAMES) and end + len(FRAMES[whole]) <= length:
            end += len(FRAMES[whole])
            whole += 1
        end = end if length >= len(FILE_MAGIC) else 0
        torn = [Damage(end, length, is_tail=True)] if end < length else []
        assert read_segment(SEGMENT[:length], NAME) == (DELIVERIES[:whole], torn), length


def test_a_flipped_bit_costs_its_own_frame_only_and_is_reported() -> None:
    start = len(FILE_MAGIC) + len(FRAMES[0]) + len(FRAMES[1])
    for offset in range(len(FRAMES[2])):
        damaged = bytearray(SEGMENT)
        damaged[start + offset] ^= 0x10
        deliveries, damages = read_segment(bytes(damaged), NAME)
        assert deliveries == [*DELIVERIES[:2], *DELIVERIES[3:]], offset
        assert damages == [Damage(start, start + len(FRAMES[2]), is_tail=False)], offset


def test_damage_to_the_file_header_costs_no_frame() -> None:
    deliveries, damages = read_segment(b"\0" * len(FILE_MAGIC) + SEGMENT[len(FILE_MAGIC) :], NAME)
    assert (deliveries, len(damages)) == (DELIVERIES, 1)


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"\xff" * 4096, FRAMES[0][:4] + b"\xff" * 64])
def test_a_tail_that_is_no_frame_is_reported_whatever_length_it_claims(tail: bytes) -> None:
    deliveries, damages = read_segment(SEGMENT + tail, NAME)
    assert deliveries == DELIVERIES
    assert damages == [Damage(len(SEGMENT), len(SEGMENT) + len(tail), is_tail=True)]


def test_a_frame_of_another_segment_is_never_taken_for_one_of_this() -> None:
    stale = encode_frame(DELIVERIES[0], "20261116T080000-0a1b2c3d-0000000000000001")
    assert read_segment(FILE_MAGIC + stale, NAME) == ([], [Damage(8, 8 + len(stale), is_tail=True)])


def test_a_body_that_imitates_a_frame_stays_a_body() -> None:
    imitation = Delivery(0, 1, b"\0" * 32, encode_frame(DELIVERIES[0], "another"))
    torn = FILE_MAGIC + encode_frame(imitation, NAME)[:-1]
    assert read_segment(torn, NAME) == ([], [Damage(8, len(torn), is_tail=True)])


def test_what_was_appended_is_in_a_sealed_segment_after_close(root: Path) -> None:
    async def use(journal: Journal) -> None:
        await asyncio.gather(*(journal.append(body, b"s" * 32) for body in (b"one", b"two", b"three")))

    journal, failures = run(use, root)
    assert bodies(root) == [b"one", b"two", b"three"]
    assert [path.suffix for path in sorted(root.glob("*/*.*"))] == [".wal"]
    assert (journal.committed, journal.waiting, journal.waiting_bytes, failures) == (3, 0, 0, [])


def test_nobody_else_may_read_the_journal(root: Path) -> None:
    async def use(journal: Journal) -> None:
        await journal.append(b"one", b"s" * 32)

    run(use, root)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")}
    assert modes == {"receiver-1": 0o700, "LOCK": 0o600, "0000000000000000.wal": 0o600}


def test_a_delivery_is_durable_only_after_the_sync_has_returned(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncing, release = threading.Event(), threading.Event()
    sync = os.fdatasync

    def slow_sync(descriptor: int) -> None:
        syncing.set()
        assert release.wait(30)
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow_sync)

    async def use(journal: Journal) -> None:
        durable = journal.append(b"one", b"s" * 32)
        await asyncio.to_thread(syncing.wait, 30)
        await asyncio.sleep(0)
        assert not durable.done()
        release.set()
        await durable

    run(use, root)


def test_what_gathers_during_a_sync_shares_the_next_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncing, release = threading.Event(), threading.Event()
    sync = os.fdatasync

    def slow_sync(descriptor: int) -> None:
        syncing.set()
        assert release.wait(30)
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow_sync)

    async def use(journal: Journal) -> None:
        first = journal.append(b"first", b"s" * 32)
        await asyncio.to_thread(syncing.wait, 30)
        others = [journal.append(b"other", b"s" * 32) for _ in range(100)]
        release.set()
        await asyncio.gather(first, *others)
        assert journal.commits == 2

    run(use, root)


def test_what_comes_in_one_turn_of_the_loop_shares_a_sync(root: Path) -> None:
    async def use(journal: Journal) -> None:
        first = journal.append(b"first", b"s" * 32)
        time.sleep(0.1)  # the turn goes on, and the journal's thread has all the time it needs
        await asyncio.gather(first, journal.append(b"second", b"s" * 32))
        assert journal.commits == 1

    run(use, root)


def test_what_came_just_before_the_close_is_on_disk_after_it(root: Path) -> None:
    async def use(journal: Journal) -> None:
        durable = journal.append(b"one", b"s" * 32)
        await journal.close()
        await durable

    run(use, root)
    assert bodies(root) == [b"one"]


def test_a_request_that_was_given_up_keeps_no_other_waiting(root: Path) -> None:
    async def use(journal: Journal) -> None:
        first, given_up, last = (journal.append(b"x", b"s" * 32) for _ in range(3))
        given_up.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(first, last)
        assert journal.waiting == 0

    run(use, root)
    assert len(bodies(root)) == 3


def test_the_name_of_a_segment_is_durable_before_its_first_delivery_is(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    for name in ("fsync", "fdatasync"):
        call = getattr(os, name)

        def record(descriptor: int, name: str = name, call: Callable[[int], None] = call) -> None:
            synced.append(f"{name} {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
            call(descriptor)

        monkeypatch.setattr(os, name, record)
    monkeypatch.setattr(journal_module, "SEAL_BYTES", 1)  # every group ends its segment

    async def use(journal: Journal) -> None:
        await journal.append(b"one", b"s" * 32)
        await journal.append(b"two", b"s" * 32)

    run(use, root)
    for number, folders in ((0, {"receiver-1", "journal"}), (1, {"receiver-1"})):
        before = synced[: synced.index(f"fdatasync {number:016}.open")]
        behind = before[before.index(f"fsync {number:016}.open") + 1 :]
        assert {f"fsync {folder}" for folder in folders} <= set(behind)


def test_a_journal_closed_while_a_full_segment_is_synced_seals_it_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncing, closing = threading.Event(), threading.Event()
    sync = os.fdatasync

    def slow_sync(descriptor: int) -> None:
        syncing.set()
        assert closing.wait(30)
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow_sync)
    monkeypatch.setattr(journal_module, "SEAL_BYTES", 1)

    async def use(journal: Journal) -> None:
        durable = journal.append(b"one", b"s" * 32)
        await asyncio.to_thread(syncing.wait, 30)
        asyncio.get_running_loop().call_later(0, closing.set)  # once close() waits for the thread
        await journal.close()
        await durable

    journal, failures = run(use, root)
    assert (journal.failure, failures, bodies(root)) == (None, [], [b"one"])
    assert [path.name for path in root.glob("*/0*")] == [f"{0:016}.wal"]


def test_a_failed_sync_is_never_tried_again_and_acknowledges_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def broken_sync(descriptor: int) -> None:
        calls.append(descriptor)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken_sync)

    async def use(journal: Journal) -> None:
        waiting = [journal.append(b"body", b"s" * 32) for _ in range(3)]
        async with asyncio.timeout(5):
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [StorageFailed] * 3
        with pytest.raises(StorageFailed):
            journal.append(b"later", b"s" * 32)

    journal, failures = run(use, root)
    assert (len(calls), failures) == (1, ["failed"])
    assert isinstance(journal.failure, OSError)


def test_a_short_write_is_completed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:7]))

    async def use(journal: Journal) -> None:
        await journal.append(b"a body longer than seven bytes", b"s" * 32)

    run(use, root)
    assert bodies(root) == [b"a body longer than seven bytes"]


def test_a_file_that_may_not_grow_acknowledges_only_what_is_whole_on_disk(root: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    acknowledged: list[bytes] = []

    async def use(journal: Journal) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            for number in range(100):
                body = b"%03d" % number * 50
                await journal.append(body, b"s" * 32)
                acknowledged.append(body)
        except StorageFailed:
            pass
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    _, failures = run(use, root)
    assert failures == ["failed"]
    assert (1000 - len(FILE_MAGIC)) // (FRAME_OVERHEAD_BYTES + 150) == len(acknowledged)
    assert bodies(root) == acknowledged
    # What was written of the next frame up to the limit has been taken back.
    size = len(FILE_MAGIC) + len(acknowledged) * (FRAME_OVERHEAD_BYTES + 150)
    assert (root / "receiver-1" / "0000000000000000.open").stat().st_size == size < 1000


def test_more_than_memory_is_set_aside_for_is_refused_until_it_is_on_disk(root: Path) -> None:
    async def use(journal: Journal) -> None:
        waiting = [journal.append(b"x", b"s" * 32) for _ in range(MAX_WAITING)]
        with pytest.raises(StorageBusy):
            journal.append(b"x", b"s" * 32)
        await asyncio.gather(*waiting)
        await journal.append(b"x", b"s" * 32)

    run(use, root)
    assert len(bodies(root)) == MAX_WAITING + 1


def fill_disk(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    usage = shutil.disk_usage(root)._replace(free=RESERVE_BYTES - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


def test_a_nearly_full_disk_accepts_what_was_set_aside_and_then_nothing_until_there_is_space(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = bytes(SEGMENT_BYTES // 4)

    async def use(journal: Journal) -> None:
        with monkeypatch.context() as patch:
            fill_disk(patch, root)
            patch.setattr(open_segment, "_set_aside", refuse_space)
            await asyncio.gather(*(journal.append(body, b"s" * 32) for _ in range(3)))
            with pytest.raises(StorageBusy):
                journal.append(body, b"s" * 32)
        async with asyncio.timeout(30):
            while not journal.has_room(len(body)):
                await asyncio.sleep(0.02)
        await journal.append(b"y", b"s" * 32)

    run(use, root)
    assert bodies(root) == [body] * 3 + [b"y"]


def refuse_space(*_: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_segment_that_cannot_be_followed_goes_on_until_it_can(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "SEAL_BYTES", 1)  # every group ends its segment

    async def use(journal: Journal) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(open_segment, "_set_aside", refuse_space)
            for body in (b"0", b"1", b"2", b"3"):  # the next segment was there before
                await journal.append(body, b"s" * 32)
        for number in range(4, 8):
            await journal.append(b"%d" % number, b"s" * 32)

    journal, failures = run(use, root)
    assert (journal.failure, failures) == (None, [])
    assert bodies(root) == [b"%d" % number for number in range(8)]
    sealed = [
        read_segment(path.read_bytes(), f"receiver-1-{path.stem}")[0] for path in sorted(root.glob("*/*.wal"))
    ]
    assert max(map(len, sealed)) >= 3
    assert len(sealed) >= 3


def test_space_is_set_aside_for_the_open_segments_and_given_back(root: Path) -> None:
    def allocated(pattern: str) -> list[int]:
        return [path.stat().st_blocks * 512 for path in sorted(root.glob(pattern))]

    async def use(journal: Journal) -> None:
        await journal.append(b"one", b"s" * 32)
        async with asyncio.timeout(30):
            while not all(size >= SEGMENT_BYTES for size in allocated("*/*.open")):
                await asyncio.sleep(0.02)
        dead = root / "dead"
        shutil.copytree(root / "receiver-1", dead)
        descriptor = os.open(dead / f"{0:016}.open", os.O_WRONLY)
        assert open_segment._set_aside(descriptor, SEGMENT_BYTES) == SEGMENT_BYTES
        os.close(descriptor)
        seal_dead_journals(root)

    run(use, root)
    assert len(allocated("*/*.wal")) == 2
    assert max(allocated("*/*.wal")) < SEGMENT_BYTES // 16


def test_a_segment_is_sealed_at_midnight_so_that_its_file_is_of_one_day(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = 1_783_123_200.0  # UTC
    clock = SimpleNamespace(
        time=lambda: midnight - 0.2, time_ns=lambda: int(clock.time() * 1e9), monotonic=time.monotonic
    )
    monkeypatch.setattr(journal_module, "time", clock)
    monkeypatch.setattr(journal_module, "SEAL_SECONDS", 3600.0)

    def sealed() -> list[Path]:
        return sorted(root.glob("*/*.wal"))

    async def use(journal: Journal) -> None:
        await journal.append(b"before", b"s" * 32)
        while not sealed():
            await asyncio.sleep(0.02)
        clock.time = lambda: midnight + 1
        await journal.append(b"after", b"s" * 32)
        await journal.append(b"later", b"s" * 32)
        assert len(sealed()) == 1

    run(use, root)
    names = [f"receiver-1-{path.stem}" for path in sealed()]
    found = [read_segment(path.read_bytes(), name) for path, name in zip(sealed(), names, strict=True)]
    assert [[item.body for item in deliveries] for deliveries, _ in found] == [
        [b"before"],
        [b"after", b"later"],
    ]


def test_an_answer_waits_for_no_seal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEAL_BYTES", 1)
    finishing, release = threading.Event(), threading.Event()
    truncate = os.ftruncate

    def slow(descriptor: int, size: int) -> None:
        finishing.set()
        assert release.wait(30)
        truncate(descriptor, size)

    async def use(journal: Journal) -> None:
        monkeypatch.setattr(os, "ftruncate", slow)
        await journal.append(b"first", b"s" * 32)
        await asyncio.to_thread(finishing.wait, 30)
        await journal.append(b"second", b"s" * 32)
        release.set()

    run(use, root)
    assert bodies(root) == [b"first", b"second"]


def test_a_seal_that_fails_ends_the_journal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEAL_BYTES", 1)

    def refuse(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    async def use(journal: Journal) -> None:
        monkeypatch.setattr(os, "ftruncate", refuse)
        await journal.append(b"first", b"s" * 32)
        async with asyncio.timeout(30):
            while journal.failure is None:
                await asyncio.sleep(0.02)
        monkeypatch.undo()

    journal, failures = run(use, root)
    assert isinstance(journal.failure, OSError)
    assert "failed" in failures
    assert bodies(root) == [b"first"]


def test_a_segment_is_sealed_soon_after_its_first_delivery(root: Path) -> None:
    async def use(journal: Journal) -> None:
        await journal.append(b"one", b"s" * 32)
        async with asyncio.timeout(30):
            while not list(root.glob("*/*.wal")):
                await asyncio.sleep(0.02)
        await journal.append(b"two", b"s" * 32)

    run(use, root)
    assert [path.name for path in sorted(root.glob("*/*.wal"))] == [f"{n:016}.wal" for n in range(2)]


def test_only_the_journals_of_dead_receivers_are_sealed(root: Path) -> None:
    dead = root / "dead"
    dead.mkdir()
    (dead / f"{0:016}.open").write_bytes(SEGMENT)
    (dead / f"{1:016}.open").write_bytes(FILE_MAGIC)  # opened ahead, never written to

    async def use(journal: Journal) -> None:
        await journal.append(b"alive", b"s" * 32)
        assert seal_dead_journals(root) == 1
        assert (root / "receiver-1" / f"{0:016}.open").exists()

    run(use, root)
    assert sorted(path.name for path in dead.iterdir()) == [f"{0:016}.wal", "LOCK"]


def test_only_empty_journals_of_dead_receivers_are_removed(root: Path) -> None:
    for name in ("empty", "unpublished"):
        (root / name).mkdir()
    (root / "unpublished" / f"{0:016}.wal").write_bytes(SEGMENT)
    (root / ".DS_Store").touch()  # no journal

    async def use(journal: Journal) -> None:
        remove_empty_journals(root)
        assert seal_dead_journals(root) == 0

    run(use, root)
    assert sorted(path.name for path in root.iterdir()) == [".DS_Store", "receiver-1", "unpublished"]
