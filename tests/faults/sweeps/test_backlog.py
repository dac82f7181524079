"""A day of deliveries that wait to be published holds up no answer and fills no memory."""

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from faults.size import scaled
from receiving import Receiver, message, wait_until
from segments import add_segment, delivery

from receiver.store.folder import DataFolder

EVENTS = scaled(5_000_000)
EVENTS_PER_DELIVERY, DELIVERIES_PER_SEGMENT = 20, 4_000  # some 16 MiB, as a journal seals them
MAX_RESIDENT_BYTES = 300 * 1024 * 1024
ANSWER_SECONDS = 2.0
PATIENCE_SECONDS = 3_600


def add_backlog(folder: DataFolder) -> int:
    """Seal segments of new events; how many events."""
    events = 0
    for number in range(-(-EVENTS // (EVENTS_PER_DELIVERY * DELIVERIES_PER_SEGMENT))):
        bodies = []
        while events < EVENTS and len(bodies) < DELIVERIES_PER_SEGMENT:
            bodies.append(delivery(*(f"m_{events + of}" for of in range(EVENTS_PER_DELIVERY))))
            events += EVENTS_PER_DELIVERY
        add_segment(folder, number, *bodies)
    return events


def most_resident_bytes(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


def test_a_backlog_of_five_million_events_is_published_behind_the_answers(
    start: Callable[..., Receiver], data: Path
) -> None:
    os.umask(0o077)
    folder = DataFolder(data)
    folder.create()
    events = add_backlog(folder)
    begun_at = time.monotonic()
    receiver = start()
    assert receiver.post(message("m_while_behind")).status_code == 200
    answered_seconds = time.monotonic() - begun_at
    publisher = receiver.publisher_pid()
    wait_until(lambda: not any(folder.journal.glob("run-1/*.wal")), PATIENCE_SECONDS)
    published_seconds = time.monotonic() - begun_at
    resident = [most_resident_bytes(process) for process in (receiver.process.pid, publisher)]
    assert receiver.stop() == 0
    rows = sum(pq.read_metadata(file).num_rows for file in data.glob("events/*/*/*.parquet"))
    print(
        f"{events} events: first answer after {answered_seconds:.1f} s, published after {published_seconds:.0f} s, "
        f"receiver {resident[0] >> 20} MiB, publisher {resident[1] >> 20} MiB at most"
    )
    shutil.rmtree(data)  # gigabytes
    assert rows == events + 1
    assert answered_seconds < ANSWER_SECONDS
    assert max(resident) < MAX_RESIDENT_BYTES
