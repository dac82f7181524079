"""A full disk is answered with 503, costs nothing that was acknowledged, and is over when there is space again."""

import random
from collections.abc import Callable

import httpx
from faults.disk import Disk
from faults.load import Load, assert_stored_once
from faults.size import scaled
from receiving import Receiver, message, published, wait_until

from receiver.errors import EXIT_STORAGE
from receiver.store.folder import RESERVE_BYTES, DataFolder
from receiver.store.verification import verify

NewDisk = Callable[[str], Disk]
MEBIBYTE = 1024 * 1024


def receiver_on(disk: Disk) -> Receiver:
    return Receiver(disk.folder / "data", [], {}, log_folder=disk.folder.parent)


def status_of(receiver: Receiver, mid: str) -> int:
    return receiver.post(message(mid)).status_code


def is_refused(receiver: Receiver) -> bool:
    """Whether a large delivery is: what was set aside for the open segment takes a few of them."""
    try:
        return receiver.post(message("m_large", "x" * MEBIBYTE)).status_code == 503
    except httpx.HTTPError:
        return receiver.process.poll() is not None


def test_a_disk_that_was_full_accepts_again_without_a_restart(new_disk: NewDisk) -> None:
    disk = new_disk("ext4")
    receiver = receiver_on(disk)
    try:
        assert status_of(receiver, "m_before") == 200
        for _ in range(3):
            filler = disk.fill(RESERVE_BYTES // 2)
            wait_until(lambda: is_refused(receiver))
            assert receiver.get_private("/readyz").status_code == 503
            filler.unlink()
            wait_until(lambda: status_of(receiver, "m_after") == 200)
        assert receiver.stop() == 0
    finally:
        receiver.kill()
    stored = {row["message_id"] for row in published(disk.folder / "data")}
    assert {"m_before", "m_after"} <= stored


def test_a_disk_that_is_full_at_the_start_refuses_until_there_is_space(new_disk: NewDisk) -> None:
    disk = new_disk("ext4")
    filler = disk.fill(MEBIBYTE)
    receiver = receiver_on(disk)
    try:
        assert status_of(receiver, "m_1") == 503
        assert receiver.get_private("/readyz").status_code == 503
        assert receiver.get("/healthz").status_code == 200
        filler.unlink()
        wait_until(lambda: status_of(receiver, "m_1") == 200)
        assert receiver.stop() == 0
    finally:
        receiver.kill()


def test_a_disk_that_fills_up_under_load_loses_nothing_acknowledged(new_disk: NewDisk) -> None:
    disk = new_disk("ext4")
    random.seed(20261127)
    acknowledged: list[str] = []
    ended = 0
    for _ in range(scaled(20)):
        receiver = receiver_on(disk)
        # Long messages, since what was set aside for the journal is used up first.
        load = Load(receiver.url, text_bytes=50_000)
        wait_until(lambda load=load: len(load.acknowledged) >= 50)
        filler = disk.fill(random.randrange(0, MEBIBYTE))
        wait_until(lambda receiver=receiver: is_refused(receiver))
        filler.unlink()
        acknowledged += load.stop()
        if receiver.process.poll() is None:
            wait_until(lambda receiver=receiver: status_of(receiver, "m_after") == 200)
            acknowledged.append("m_after")
        else:
            assert receiver.process.returncode == EXIT_STORAGE
            ended += 1
        receiver.kill()
    print(f"{scaled(20)} times full, {ended} times ended, {len(acknowledged)} acknowledged")
    last = receiver_on(disk)
    assert last.stop() == 0
    assert_stored_once(acknowledged, published(disk.folder / "data"))
    assert verify(DataFolder(disk.folder / "data")).is_sound
