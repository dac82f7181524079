"""Several receivers that are started at once on one folder: one gets it, and each event is published once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.load import assert_stored_once
from receiving import Receiver, message, published
from segments import add_segment, delivery

from receiver.store.folder import DataFolder
from receiver.store.verification import verify


def test_of_receivers_that_race_for_a_folder_one_publishes(
    start: Callable[..., Receiver], data: Path
) -> None:
    folder = DataFolder(data)
    folder.create()
    mids = [f"m_{number}" for number in range(20)]
    for number, mid in enumerate(mids):
        add_segment(folder, number, delivery(mid))
    with ThreadPoolExecutor(3) as threads:
        receivers = list(threads.map(lambda _: start(), range(3)))
    alive = [receiver for receiver in receivers if receiver.process.poll() is None]
    refused = [receiver for receiver in receivers if receiver.process.poll() is not None]
    assert len(alive) == 1
    for receiver in refused:
        assert receiver.process.returncode == 1
        assert "another receiver publishes from this folder" in receiver.log
    assert alive[0].post(message("m_new")).status_code == 200
    assert alive[0].stop() == 0
    assert_stored_once([*mids, "m_new"], published(data))
    assert verify(folder).is_sound
