import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from receiving import Receiver, message, published, wait_until
from segments import add_segment, delivery, publish_all

from receiver.store import background
from receiver.store.background import BackgroundCompaction
from receiver.store.folder import DataFolder, locked
from receiver.store.manifest import current_manifest

TWO_HOURS = 7200


@pytest.fixture
def due(folder: DataFolder) -> DataFolder:
    """A folder whose recent files are older than an hour."""
    add_segment(folder, 0, delivery("m_1", "m_2"))
    publish_all(folder)
    for path in folder.generation(1).glob("run-*"):
        os.utime(path, (time.time() - TWO_HOURS,) * 2)
    return folder


def test_what_is_due_is_compacted_and_counted_once(due: DataFolder) -> None:
    compaction = BackgroundCompaction(due)
    done = wait_until(compaction.look)
    assert done["compacted_events"] == 2
    assert len(current_manifest(due).settled) == 1
    assert compaction.look() == {}
    assert not (due.index / "compacting").exists()
    compaction.stop()


def test_what_is_not_due_is_left_alone(folder: DataFolder) -> None:
    add_segment(folder, 0, delivery("m_1"))
    publish_all(folder)
    compaction = BackgroundCompaction(folder)
    assert compaction.look() == {}
    compaction.stop()
    assert not list(folder.events.glob("recent/*/CLOSED"))


def test_one_that_fails_is_counted_and_not_tried_again_at_once(
    due: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[None] = []

    def fail(*_: Any, **__: Any) -> None:
        calls.append(None)
        raise OSError("no disk")

    monkeypatch.setattr(background, "compact", fail)
    monkeypatch.setattr(background, "LOOK_SECONDS", 0.0)
    compaction = BackgroundCompaction(due)
    assert wait_until(compaction.look) == {"compaction_failures": 1}
    assert [compaction.look() for _ in range(3)] == [{}, {}, {}]
    compaction.stop()
    assert len(calls) == 1


def test_one_that_ended_the_process_is_not_tried_again_for_an_hour(due: DataFolder) -> None:
    marker = due.index / "compacting"
    marker.touch()
    compaction = BackgroundCompaction(due)
    compaction.look()
    compaction.stop()
    assert not list(due.events.glob("recent/*/CLOSED"))
    os.utime(marker, (time.time() - TWO_HOURS,) * 2)
    compaction = BackgroundCompaction(due)
    assert wait_until(compaction.look)["compacted_events"] == 2


def test_it_is_given_up_when_the_publisher_is_to_end(
    due: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    working, seen = threading.Event(), []

    def work(*_: Any, is_stopped: Callable[[], bool], **__: Any) -> None:
        working.set()
        wait_until(is_stopped)
        seen.append((due.index / "compacting").exists())
        raise background.Interrupted

    monkeypatch.setattr(background, "compact", work)
    compaction = BackgroundCompaction(due)
    compaction.look()
    assert working.wait(30)
    compaction.stop()
    # Its marker lay there while it worked, and is gone once `stop` has come back.
    assert seen == [True]
    assert not (due.index / "compacting").exists()
    assert compaction.look() == {}


def test_a_receiver_compacts_by_itself_while_it_publishes(
    due: DataFolder, start: Callable[..., Receiver], data: Path
) -> None:
    receiver = start()
    assert receiver.post(message("m_3")).status_code == 200
    wait_until(lambda: current_manifest(due).settled)
    wait_until(
        lambda: 'ctm_published_total{what="compacted_events"} 2' in receiver.get_private("/metrics").text
    )
    wait_until(lambda: len(published(data)) == 3)
    assert receiver.stop() == 0
    assert len(published(data)) == 3


def test_a_receiver_that_cannot_publish_at_the_moment_still_answers_and_publishes_later(
    due: DataFolder, start: Callable[..., Receiver], data: Path
) -> None:
    receiver = start()
    assert receiver.post(message("m_3")).status_code == 200
    wait_until(lambda: len(published(data)) == 3)
    with locked(due.publishing_lock):
        assert receiver.post(message("m_4")).status_code == 200
        wait_until(lambda: list(data.glob("journal/*/*.wal")))
        beats = len(list(data.glob("heartbeats/*")))
        assert (beats, len(published(data))) == (1, 3)
    wait_until(lambda: len(published(data)) == 4)
    assert receiver.stop() == 0
