"""Whole days of events go when they are older than they may be, and not one day sooner."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from people import CLEO, wrote
from receiving import wait_until
from segments import add_segment, publish_all

from receiver.store import retention
from receiver.store.background import BackgroundCompaction
from receiver.store.compaction import compact
from receiver.store.folder import DataFolder
from receiver.store.manifest import current_manifest
from receiver.store.segment import Delivery, encode_segment
from receiver.store.verification import verify

NOW = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)


def receive_on(folder: DataFolder, day: datetime, number: int) -> None:
    """Publish one message that came on a day, and settle it."""
    path = add_segment(folder, number, b"{}")
    body = wrote(CLEO, f"m_{number}")
    received_at = int(day.timestamp() * 1e6)
    path.write_bytes(encode_segment([Delivery(0, received_at, bytes(32), body)], f"run-1-{number:016}"))
    publish_all(folder)
    compact(folder, grace_seconds=0)


@pytest.fixture
def three_days(folder: DataFolder) -> DataFolder:
    """Events of the last microsecond of the 9th, the first of the 10th, and of today."""
    receive_on(folder, NOW - timedelta(days=10, microseconds=1), 0)
    receive_on(folder, NOW - timedelta(days=10), 1)
    receive_on(folder, NOW, 2)
    return folder


def days(folder: DataFolder) -> list[str]:
    return sorted(entry.day for entry in current_manifest(folder).settled)


def test_a_day_goes_when_all_of_it_is_older_than_it_may_be(three_days: DataFolder) -> None:
    assert days(three_days) == ["2026-11-09", "2026-11-10", "2026-11-20"]
    assert not retention.is_due(three_days, 11, NOW)
    assert retention.forget_old(three_days, 11, NOW).total() == 0
    assert retention.is_due(three_days, 10, NOW)
    assert retention.forget_old(three_days, 10, NOW) == {"events": 1, "days": 1, "quarantined": 0}
    assert days(three_days) == ["2026-11-10", "2026-11-20"]
    assert not retention.is_due(three_days, 10, NOW)
    folders = sorted(path.name for path in (three_days.events / "settled").iterdir())
    assert folders == ["day=2026-11-10", "day=2026-11-20"]
    assert verify(three_days).events == 2


def test_what_readers_have_worked_out_goes_with_a_day_and_only_then(three_days: DataFolder) -> None:
    three_days.derived.mkdir()
    (three_days.derived / "touches-1-2.parquet").write_bytes(CLEO.encode())
    retention.forget_old(three_days, 11, NOW)
    assert three_days.derived.exists()
    retention.forget_old(three_days, 10, NOW)
    assert not list(three_days.root.glob("derived*"))


def test_what_was_forgotten_is_not_missed_by_the_index(three_days: DataFolder) -> None:
    retention.forget_old(three_days, 10, NOW)
    index = (three_days.index / "seen.sqlite").stat().st_ino
    add_segment(three_days, 3, wrote(CLEO, "m_1"), wrote(CLEO, "m_new"))
    (publication,) = publish_all(three_days)
    assert (publication.events, publication.duplicates) == (1, 1)
    assert (three_days.index / "seen.sqlite").stat().st_ino == index


def test_an_interrupted_run_is_completed_by_the_next(
    three_days: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OSError, match="the disk is gone"):
        retention.forget_old(three_days, 10, NOW)
    monkeypatch.undo()
    assert days(three_days) == [
        "2026-11-10",
        "2026-11-20",
    ]  # the manifest comes first: no reader looks for the file
    assert (three_days.events / "settled" / "day=2026-11-09").exists()
    retention.forget_old(three_days, 10, NOW)
    assert not (three_days.events / "settled" / "day=2026-11-09").exists()


def test_old_files_of_the_quarantine_go_too(folder: DataFolder) -> None:
    for name, age in (("old", timedelta(days=10, seconds=1)), ("young", timedelta(days=10))):
        path = folder.quarantine / name
        path.write_bytes(b"?")
        os.utime(path, ((NOW - age).timestamp(),) * 2)
    assert retention.is_due(folder, 10, NOW)
    assert retention.forget_old(folder, 10, NOW)["quarantined"] == 1
    assert [path.name for path in folder.quarantine.iterdir()] == ["young"]


def test_a_running_publisher_forgets_by_itself(folder: DataFolder) -> None:
    receive_on(folder, datetime.now(UTC) - timedelta(days=40), 0)
    receive_on(folder, datetime.now(UTC) - timedelta(days=20), 1)
    note = folder.erasures / "unsent" / "run-1.json"
    note.write_text("[]")
    os.utime(note, (0, 0))
    background = BackgroundCompaction(folder, 30)
    try:
        tally = wait_until(background.look)
    finally:
        background.stop()
    assert tally["outdated_days"] == 1
    assert len(current_manifest(folder).settled) == 1
    assert not note.exists()


def test_without_the_setting_nothing_is_forgotten(folder: DataFolder) -> None:
    receive_on(folder, NOW - timedelta(days=4000), 0)
    background = BackgroundCompaction(folder)
    background._look_at = 0.0
    assert background.look() == {}
    assert background._thread is None
    background.stop()
    assert len(current_manifest(folder).settled) == 1
