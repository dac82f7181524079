"""What was answered with 200 survives a power cut; without the sync it does not, so the test can tell."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.disk import Disk
from faults.load import Load, assert_stored_once
from faults.mutants import MUTANTS, copy_project
from faults.size import scaled
from receiving import Receiver, published, wait_until

from receiver.store.folder import DataFolder
from receiver.store.verification import verify

NewDisk = Callable[[str], Disk]


def capture_until_power_fails(disk: Disk, environ: dict[str, str], *, kill_first: bool) -> list[str]:
    """Run a receiver under load, cut the power, and mount again; what was acknowledged while there was power."""
    receiver = Receiver(disk.folder / "data", [], environ, log_folder=disk.folder.parent)
    load = Load(receiver.url)
    enough = random.randrange(50, 2_000)
    wait_until(lambda: len(load.acknowledged) >= enough)
    if kill_first:
        receiver.kill()
        acknowledged = load.stop()
        disk.cut_power()
    else:
        # A sync that is under way as the simulated cut begins may return without having reached the disk.
        acknowledged = list(load.acknowledged)
        disk.cut_power()
        receiver.kill()
        load.stop()
    disk.unmount()
    disk.mount()
    return acknowledged


def events_after_recovery(disk: Disk) -> list[dict[str, Any]]:
    receiver = Receiver(disk.folder / "data", [], {}, log_folder=disk.folder.parent)
    assert receiver.stop() == 0
    assert verify(DataFolder(disk.folder / "data")).is_sound
    return published(disk.folder / "data")


@pytest.mark.parametrize(("kind", "cuts"), [("ext4", 50), ("xfs", 20)])
def test_nothing_acknowledged_is_lost_when_the_power_fails(new_disk: NewDisk, kind: str, cuts: int) -> None:
    disk = new_disk(kind)
    random.seed(20261126)
    acknowledged: list[str] = []
    for number in range(scaled(cuts)):
        acknowledged += capture_until_power_fails(disk, {}, kill_first=number % 3 > 0)
    print(f"{kind}: {scaled(cuts)} power cuts, {len(acknowledged)} acknowledged")
    assert_stored_once(acknowledged, events_after_recovery(disk))


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_receiver_that_does_not_sync_loses_what_it_acknowledged(
    new_disk: NewDisk, tmp_path: Path, kind: str
) -> None:
    (mutant,) = [mutant for mutant in MUTANTS if mutant.name == "no sync before the answer"]
    project = copy_project(tmp_path / "project", mutant)
    disk = new_disk(kind)
    environ = {"PYTHONPATH": str(project), "PYTHONSAFEPATH": "1"}
    acknowledged = capture_until_power_fails(disk, environ, kill_first=True)
    stored = {row["message_id"] for row in events_after_recovery(disk)}
    print(f"{kind}: without the sync {len(set(acknowledged) - stored)} of {len(acknowledged)} are lost")
    assert set(acknowledged) - stored
