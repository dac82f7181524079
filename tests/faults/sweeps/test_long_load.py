"""Minutes of load, one delivery in twenty forged: every forged one is refused, and memory stays flat."""

import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from faults.load import Load, assert_stored_once
from faults.size import scaled
from receiving import Receiver, published, wait_until

SECONDS = scaled(600)
SAMPLES = 60
MAX_GROWTH_BYTES = 16 * 1024 * 1024


def resident_bytes(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]  # a search without a match fails the test


def test_memory_is_flat_under_load_and_every_forged_delivery_is_refused(
    start: Callable[..., Receiver], data: Path
) -> None:
    receiver = start()
    load = Load(receiver.url, forged_every=20)
    processes = receiver.process.pid, receiver.publisher_pid()
    wait_until(lambda: published(data))  # everything has been loaded and used once
    samples: list[tuple[int, ...]] = []
    for _ in range(SAMPLES):
        time.sleep(SECONDS / SAMPLES)
        samples.append(tuple(map(resident_bytes, processes)))
    acknowledged = load.stop()
    assert receiver.stop() == 0
    assert load.forged > 0
    assert_stored_once(acknowledged, published(data))
    half = SAMPLES // 2
    for name, sizes in zip(("receiver", "publisher"), zip(*samples, strict=True), strict=True):
        early, late = statistics.median(sizes[:half]), statistics.median(sizes[half:])
        print(f"{name}: {early / 2**20:.0f} MiB in the first half, {late / 2**20:.0f} MiB in the second")
        assert late - early < MAX_GROWTH_BYTES, name
    print(f"{len(acknowledged)} acknowledged and {load.forged} forged in {SECONDS} s")
