"""Sweeps may have a file system of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.disk import Disk


@pytest.fixture
def new_disk(tmp_path: Path) -> Iterator[Callable[[str], Disk]]:
    """Make and mount a file system: ``new_disk("ext4")``."""
    disks: list[Disk] = []

    def make(kind: str) -> Disk:
        disks.append(Disk(tmp_path, kind))
        return disks[-1]

    yield make
    for disk in disks:
        disk.remove()
