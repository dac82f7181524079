"""`ctm compact` also forgets: days that are too old, and what people took back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from people import CANARY, CLEO, files_with, wrote
from receiving import data
from segments import add_segment, folder, publish_all

import ctm_analytics
from receiver.store.folder import DataFolder
from receiver.store.segment import Delivery, encode_segment

__all__ = ["data", "folder"]


def receive(folder: DataFolder, number: int, ago: timedelta, *bodies: bytes) -> None:
    instant = int((datetime.now(UTC) - ago).timestamp() * 1e6)
    path = add_segment(folder, number, *bodies)
    frames = [Delivery(sequence, instant, bytes(32), body) for sequence, body in enumerate(bodies)]
    path.write_bytes(encode_segment(frames, f"run-1-{number:016}"))


def test_days_older_than_the_setting_go_and_the_workbench_says_where_data_begin(
    ctm, folder: DataFolder
) -> None:
    young, old = timedelta(days=20), timedelta(days=40)
    for number, ago in enumerate((old, young)):
        receive(
            folder,
            number,
            ago,
            wrote(CLEO, f"m_{number}", seconds=int((datetime.now(UTC) - ago).timestamp())),
        )
    publish_all(folder)
    (folder.root / "ctm.toml").write_text("retention_days = 30\n")
    run = ctm("compact", "--grace", "0", "--data", folder.root)
    assert (run.exit_code, run.text) == (0, "")
    assert run.stderr.splitlines()[-1] == "1 events are older than 30 days, and gone."
    first_day = (datetime.now(UTC) - young).date()
    assert f"Events   1      {first_day} to {first_day}" in str(ctm_analytics.open(folder.root))


def test_what_people_took_back_goes(ctm, folder: DataFolder) -> None:
    receive(folder, 0, timedelta(days=1), wrote(CLEO, "m_1"), wrote(CLEO, "m_1", is_deleted=True))
    publish_all(folder, store_text=True)
    run = ctm("compact", "--grace", "0", "--data", folder.root)
    assert (run.exit_code, run.text) == (0, "")
    assert run.stderr.splitlines()[-1] == "1 messages were taken back: their text is gone."
    assert files_with(folder.root, CANARY) == []


def test_a_wrong_number_of_days_is_refused_before_anything_is_done(
    ctm, folder: DataFolder, tmp_path: Path
) -> None:
    (folder.root / "ctm.toml").write_text("retention_days = 3\n")
    run = ctm("compact", "--data", folder.root)
    assert run.exit_code == 2
    assert "retention_days: 3 is not a whole number of days, at least 8" in run.stderr
