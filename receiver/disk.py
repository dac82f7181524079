"""The disk under the data folder: whether its promises can be believed, and when it is full."""

import os
import statistics
import tempfile
import time
from collections import deque
from pathlib import Path

# What these acknowledge is in memory, on another machine, or somebody else's to keep.
_DISTRUSTED = ("tmpfs", "ramfs", "overlay", "nfs", "cifs", "smb", "9p", "fuse", "virtiofs")
PROBED_SYNCS = 5
# No disk writes so fast, not even one with a battery behind its cache.
LEAST_SYNC_SECONDS = 20e-6
TREND_SECONDS = 3600.0
SAMPLE_SECONDS = 15.0
LEAST_TREND_SECONDS = 60.0


def disk_warnings(folder: Path) -> list[str]:
    """Say in sentences why a sync in this folder may promise more than the disk keeps.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    found = []
    kind = file_system_of(folder, Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    if kind.startswith(_DISTRUSTED):
        found.append(
            f"{folder} is on {kind}: what is acknowledged may not survive a power cut. Use a local ext4 or XFS."
        )
    seconds = _median_sync_seconds(folder)
    if seconds < LEAST_SYNC_SECONDS:
        found.append(
            f"{folder}: a sync takes {seconds * 1e6:.0f} microseconds. No disk is so fast: its cache"
            " acknowledges what it has not written, and a power cut may lose it."
        )
    return found


def file_system_of(folder: Path, mounts: str) -> str:
    """Find the kind of file system that a folder is on, in the text of ``/proc/self/mountinfo``."""
    best, kind = -1, "unknown"
    for line in mounts.splitlines():
        mounted, _, described = line.partition(" - ")
        place = Path(mounted.split()[4].replace("\\040", " "))
        if folder.resolve().is_relative_to(place) and len(place.parts) >= best:
            best, kind = len(place.parts), described.split()[0]
    return kind


def _median_sync_seconds(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder) as file:
        took = []
        for number in range(PROBED_SYNCS):
            os.pwrite(file.fileno(), bytes(4096), number * 4096)
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    return statistics.median(took)


class DiskTrend:
    """Free space over the last hour, and when it ends if it goes on like that."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def seconds_to_full(self, now: float, free_bytes: int) -> float:
        """Note the free space at an instant (seconds, of any clock) and say how long it lasts; infinite if it grows."""
        if not self._samples or now >= self._samples[-1][0] + SAMPLE_SECONDS:
            self._samples.append((now, free_bytes))
        while self._samples[0][0] < now - TREND_SECONDS:
            self._samples.popleft()
        first_at, first_free = self._samples[0]
        if now - first_at < LEAST_TREND_SECONDS or free_bytes >= first_free:
            return float("inf")
        return free_bytes * (now - first_at) / (first_free - free_bytes)
