"""Everything that was answered with 200 is published once, however often the receiver is killed."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.load import Load, assert_stored_once
from faults.size import scaled, sized
from receiving import Receiver, published, wait_until

KILLS = sized(10, scaled(200))


@pytest.mark.parametrize("workers", sized(["1"], ["1", "2"]))
def test_every_acknowledged_event_is_published_once_after_kills_under_load(
    start: Callable[..., Receiver], data: Path, workers: str
) -> None:
    acknowledged: list[str] = []
    random.seed(20261123)
    for _ in range(KILLS):
        receiver = start("--workers", workers)
        load = Load(receiver.url)
        # Kills fall at random into the two seconds of a segment, so also into sealing and publishing.
        enough = random.randrange(50, 800)
        wait_until(lambda load=load, enough=enough: len(load.acknowledged) >= enough)
        receiver.kill()
        acknowledged += load.stop()
    assert start().stop() == 0
    assert_stored_once(acknowledged, published(data))
    assert len(acknowledged) >= KILLS * 50
