"""A day of deliveries that wait to be published holds up no answer and fills no memory."""

import itertools
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from faults.size import scaled
from receiving import Receiver, message, wait_until
from segments import add_segment, delivery, publish_all

from receiver.store.folder import DataFolder
from receiver.store.manifest import current_manifest, live_files

EVENTS = scaled(5_000_000)
EVENTS_PER_DELIVERY, DELIVERIES_PER_SEGMENT = 20, 4_000  # some 16 MiB, as a journal seals them
MAX_RESIDENT_BYTES = 300 * 1024 * 1024
ANSWER_SECONDS = 2.0
PATIENCE_SECONDS = 3_600


def add_backlog(folder: DataFolder, first: int, end: int) -> None:
    """Seal segments of new events, with these numbers."""
    events = first
    for number in itertools.count():
        if events >= end:
            return
        bodies = []
        while events < end and len(bodies) < DELIVERIES_PER_SEGMENT:
            bodies.append(delivery(*(f"m_{events + of}" for of in range(EVENTS_PER_DELIVERY))))
            events += EVENTS_PER_DELIVERY
        add_segment(folder, number, *bodies, receiver=f"run-{first}")


def publish_long_ago(folder: DataFolder) -> None:
    """Publish what waits, so that its compaction is due at once."""
    publish_all(folder)
    for file in folder.generation(1).glob("run-*"):
        os.utime(file, (time.time() - 7200,) * 2)


def most_resident_bytes(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]  # a search without a match fails the test


def test_a_backlog_of_five_million_events_is_published_beside_a_compaction_and_answers(
    start: Callable[..., Receiver], data: Path
) -> None:
    os.umask(0o077)
    folder = DataFolder(data)
    folder.create()
    add_backlog(folder, 0, EVENTS // 4)
    publish_long_ago(folder)
    add_backlog(folder, EVENTS // 4, EVENTS)
    begun_at = time.monotonic()
    receiver = start()
    assert receiver.post(message("m_while_behind")).status_code == 200
    answered_seconds = time.monotonic() - begun_at
    publisher = receiver.publisher_pid()
    wait_until(lambda: not any(folder.journal.glob(f"run-{EVENTS // 4}/*.wal")), PATIENCE_SECONDS)
    published_seconds = time.monotonic() - begun_at
    wait_until(lambda: current_manifest(folder).settled, PATIENCE_SECONDS)
    resident = [most_resident_bytes(process) for process in (receiver.process.pid, publisher)]
    assert receiver.stop() == 0
    rows = sum(
        pq.read_metadata(file).num_rows for file in live_files(folder, current_manifest(folder)).values()
    )
    print(
        f"{EVENTS} events: first answer after {answered_seconds:.1f} s, published after {published_seconds:.0f} s, "
        f"receiver {resident[0] >> 20} MiB, publisher {resident[1] >> 20} MiB at most"
    )
    shutil.rmtree(data)  # gigabytes
    assert rows == EVENTS + 1
    assert answered_seconds < ANSWER_SECONDS
    assert max(resident) < MAX_RESIDENT_BYTES
