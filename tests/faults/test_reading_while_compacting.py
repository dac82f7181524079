"""Readers loop through publication and compaction: the count never falls and never exceeds the truth."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from faults.load import Load
from faults.size import scaled, sized
from receiving import Receiver, published, wait_until

import ctm_analytics as ctm
from ctm_analytics.engines.duckdb import DuckDBEngine
from ctm_analytics.errors import InvalidFile
from ctm_analytics.sources import SCHEMAS, find_sources
from receiver.store.compaction import compact
from receiver.store.folder import DataFolder
from receiver.store.manifest import current_manifest
from receiver.store.verification import verify

SECONDS = sized(4, scaled(600))
GRACE_SECONDS = 1.0
VISIBLE_SECONDS = 3
COUNT = "select count(*) as events, count(distinct event_id) as ids from raw_events"


class Reader:
    """A reader that has listed the files once, and how many events it has seen in them."""

    def __init__(self, data: Path) -> None:
        self._engine = DuckDBEngine(find_sources(data).files, SCHEMAS)
        self.events = 0
        self.count()

    def count(self) -> int:
        (row,) = self._engine.query(COUNT).to_pylist()
        assert row["events"] == row["ids"], "an event was read twice"
        assert self.events in (0, row["events"]), "a list of files gave two answers"
        self.events = row["events"]
        return self.events


@contextlib.contextmanager
def compacting(folder: DataFolder) -> Iterator[list[int]]:
    """Compact again and again, as a receiver does every hour; how many files each compaction read."""
    compacted: list[int] = []
    stop = threading.Event()

    def go_on() -> None:
        while not stop.wait(0.2):
            compacted.append(compact(folder, grace_seconds=GRACE_SECONDS).files)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield compacted
    finally:
        stop.set()
        thread.join()


def test_every_reader_is_exact_or_says_that_it_is_to_be_opened_again(
    start: Callable[..., Receiver], data: Path
) -> None:
    receiver = start()
    load = Load(receiver.url, pause_seconds=0.02)
    wait_until(lambda: published(data))
    fresh = loud = late = 0
    last, old = 0, Reader(data)
    with compacting(DataFolder(data)) as compacted:
        # As long as is asked for, and until a reader has outlived its files.
        give_up, ends_at = time.monotonic() + SECONDS + 60, time.monotonic() + SECONDS
        while time.monotonic() < ends_at or not loud:
            assert time.monotonic() < give_up, "no reader outlived its files"
            due = sum(at <= time.monotonic() - VISIBLE_SECONDS for at in list(load.acknowledged_at))
            count = Reader(data).count()
            assert count >= last, "the count fell"
            assert count <= load.begun
            fresh, late, last = fresh + 1, late + (count < due), count
            try:
                old.count()
            except InvalidFile as error:
                loud += str(error).endswith("Open the workbench again.")
                old = Reader(data)
        acknowledged = load.stop()
        assert receiver.stop() == 0
    # How late is a matter of the machine, so it is said and not asserted.
    print(f"{fresh} fresh readers, {late} of them without an event of {VISIBLE_SECONDS} s before;")
    print(f"{loud} readers outlived their files, {sum(compacted)} files were compacted")
    assert len(current_manifest(DataFolder(data)).settled) >= 1
    assert verify(DataFolder(data)).is_sound
    workbench = ctm.open(data)
    stored = workbench.sql("select message_id from events").df["message_id"]
    assert stored.is_unique
    assert set(acknowledged) <= set(stored)
