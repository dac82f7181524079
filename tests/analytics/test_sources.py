"""A reader sees one state of the manifest, or is told to start again."""

import json
from datetime import datetime
from pathlib import Path

import pytest

import ctm_analytics as ctm
from ctm_analytics import sources
from ctm_analytics.errors import InvalidFile
from ctm_analytics.sources import find_sources


def names(data: Path) -> list[str]:
    return [str(file.relative_to(data / "events")) for file in find_sources(data).files["raw_events"]]


def settle(data: Path) -> None:
    """Do what a compaction does between two looks of a reader."""
    events = data / "events"
    settled = events / "settled" / "day=2026-11-02" / "g000001-0.parquet"
    settled.parent.mkdir(parents=True)
    (events / "recent" / "g=000001" / "test-1.parquet").rename(settled)
    third = events / "recent" / "g=000003"
    third.mkdir()
    (third / "0-schema.parquet").write_bytes(
        (events / "recent" / "g=000002" / "0-schema.parquet").read_bytes()
    )
    entry = {"file": str(settled.relative_to(events)), "rows": 1, "sha256": "", "generation": 1}
    (events / "manifest.json").write_text(json.dumps({"version": 1, "settled": [entry], "live": [2, 3]}))


@pytest.fixture
def data(world) -> Path:
    world.event("anna", datetime(2026, 11, 2, 8, 0))
    return world.write()


def test_a_compaction_while_files_are_listed_makes_the_reader_list_again(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed_files, listed = sources._listed_files, []

    def list_then_compact(*arguments):
        listed.append(listed_files(*arguments))
        if len(listed) == 1:
            settle(data)
        return listed[-1]

    monkeypatch.setattr(sources, "_listed_files", list_then_compact)
    assert names(data) == [
        "settled/day=2026-11-02/g000001-0.parquet",
        "recent/g=000002/0-schema.parquet",
        "recent/g=000003/0-schema.parquet",
    ]
    assert len(listed) == 2


def test_a_workbench_that_outlives_its_files_says_so_in_one_sentence(data: Path) -> None:
    workbench = ctm.open(data)
    assert len(workbench.sql("select event_id from events").df) == 1
    settle(data)
    for ask in (lambda: workbench.sql("select event_id from events"), workbench.conversations):
        with pytest.raises(InvalidFile, match="Open the workbench again"):
            ask()
    assert len(ctm.open(data).sql("select event_id from events").df) == 1
