"""Commands on a data folder whose events are published to an object store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from segments import add_segment, delivery

from receiver.deliveries import ReadingOptions
from receiver.store.folder import DataFolder
from receiver.store.object_store import ObjectStore
from receiver.store.publisher import publish_journal
from receiver.store.shared_events import read_shared_manifest


def test_commands_publish_compact_check_and_query_what_is_in_the_store(
    tmp_path: Path, ctm: Callable[..., Any], events_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTM_EVENTS_URL", events_url)
    folder, store = DataFolder(tmp_path / "data"), ObjectStore(events_url)
    folder.create()
    add_segment(folder, 0, delivery("m_1", "m_2"))

    def said(*arguments: str) -> tuple[int, str]:
        outcome = ctm(*arguments, "--data", folder.root)
        return outcome.exit_code, (outcome.text or outcome.stderr).splitlines()[0]

    sound = "2 events in 1 files: 0 lost, 0 stored twice."
    assert said("publish") == (0, "2 events published.")
    assert said("verify") == (0, sound)
    assert said("compact") == (0, "1 file became 1, with 2 events.")
    assert said("verify") == (0, sound)
    rows = ctm("sql", "select message_id from events order by 1", "--format", "csv", "--data", folder.root)
    assert rows.text.split() == ["message_id", "m_1", "m_2"]
    exit_code, refusal = said("erase", "--contact", "7")
    assert (exit_code, f"`ctm erase` does not reach {events_url} yet" in refusal) == (2, True)
    (entry,) = read_shared_manifest(store)[0].settled
    content, _ = store.get(entry.file)
    store.write(entry.file, content + b" ")
    assert said("verify") == (1, "0 events in 1 files: 2 lost, 0 stored twice.")
    assert f"{events_url}/{entry.file}: cannot be read" in ctm("verify", "--data", folder.root).text
    store.delete([entry.file])
    assert f"{entry.file}: missing, though the manifest" in ctm("verify", "--data", folder.root).text


def test_a_folder_without_events_that_names_a_store_is_not_taken_for_an_empty_one(
    tmp_path: Path, ctm: Callable[..., Any], events_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(tmp_path / "receiver")
    folder.create()
    add_segment(folder, 0, delivery("m_1"))
    publish_journal(folder, ReadingOptions(), ObjectStore(events_url))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ctm.toml").write_text(f'events_url = "{events_url}"\n')
    monkeypatch.chdir(tmp_path)
    rows = ctm("sql", "select message_id from events", "--format", "csv")
    assert rows.text.split() == ["message_id", "m_1"], "not the sample's"


def test_a_store_that_refuses_is_said_in_one_sentence(
    tmp_path: Path, ctm: Callable[..., Any], events_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTM_EVENTS_URL", events_url)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    folder = DataFolder(tmp_path / "data")
    folder.create()
    add_segment(folder, 0, delivery("m_1"))
    for command in ("publish", "compact", "verify", "ads"):
        outcome = ctm(command, "--data", folder.root)
        assert outcome.exit_code == 1
        assert outcome.stderr.startswith(f"ctm: {events_url}")
        assert "PermissionDenied" in outcome.stderr
        assert outcome.stderr.count("\n") == 1
        assert "wrong" not in outcome.stderr
