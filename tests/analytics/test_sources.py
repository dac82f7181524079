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
        "recent/g=000003/0-schema.parquet",
    ]
    assert len(listed) == 2


def test_what_is_published_while_files_are_listed_is_found_only_with_all_that_was_before(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recent = data / "events" / "recent"
    content = (recent / "g=000001" / "test-1.parquet").read_bytes()
    parquet_files, listed = sources._parquet_files, []

    def list_then_publish(folder: Path) -> tuple[Path, ...]:
        listed.append(parquet_files(folder))
        if "recent" in folder.parts and not (recent / "g=000002" / "after.parquet").exists():
            (recent / "g=000001" / "before.parquet").write_bytes(content)
            (recent / "g=000002" / "after.parquet").write_bytes(content)  # the first is closed now
        return listed[-1]

    monkeypatch.setattr(sources, "_parquet_files", list_then_publish)
    found = {Path(name).name for name in names(data)}
    assert "test-1.parquet" in found
    assert "before.parquet" in found or "after.parquet" not in found
    assert {"before.parquet", "after.parquet"} < {Path(name).name for name in names(data)}


def test_a_file_that_goes_from_one_generation_to_the_next_is_read_there_only(data: Path) -> None:
    recent = data / "events" / "recent"
    (recent / "g=000002" / "test-1.parquet").hardlink_to(recent / "g=000001" / "test-1.parquet")
    assert names(data) == ["recent/g=000002/0-schema.parquet", "recent/g=000002/test-1.parquet"]


def test_settled_files_that_the_manifest_does_not_list_are_no_events(data: Path) -> None:
    settle(data)
    other = data / "events" / "settled" / "day=2026-11-02" / "g000001-1.parquet"
    other.write_bytes(b"what an interrupted compaction left")
    assert str(other.relative_to(data / "events")) not in names(data)


def test_a_workbench_that_outlives_its_files_says_so_in_one_sentence(data: Path) -> None:
    workbench = ctm.open(data)
    assert len(workbench.sql("select event_id from events").df) == 1
    settle(data)
    for ask in (lambda: workbench.sql("select event_id from events"), workbench.conversations):
        with pytest.raises(InvalidFile, match="Open the workbench again"):
            ask()
    assert len(ctm.open(data).sql("select event_id from events").df) == 1
