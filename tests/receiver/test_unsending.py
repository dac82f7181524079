"""What a person takes back is gone from events and raw deliveries, and nothing else is."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from people import ANNA, CLEO, files_with, said, wamid, whatsapp, wrote
from segments import add_segment, publish_all

from receiver.deliveries import ReadingOptions, read_delivery
from receiver.store.compaction import compact
from receiver.store.folder import DataFolder
from receiver.store.manifest import current_manifest, live_files
from receiver.store.unsending import TakenBack, forget_taken_back, is_due
from receiver.store.verification import verify

SECRET = "my pin is 4711-0815"


def rows(folder: DataFolder) -> dict[tuple[str, str], dict[str, Any]]:
    files = live_files(folder, current_manifest(folder)).values()
    events = [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]
    return {(row["event_type"], row["message_id"]): row for row in events}


def revoke(number: str, serial: int, target: str) -> bytes:
    revoked = {"type": "revoke", "revoke": {"original_message_id": target}}
    return whatsapp(said(number, serial, seconds=1749416999) | revoked)


UNSENT = {
    "Messenger": (wrote(CLEO, "m_1", text=SECRET), wrote(CLEO, "m_1", text=SECRET, is_deleted=True), "m_1"),
    "an attachment": (
        wrote(CLEO, "m_1", attachments=[{"type": "image", "payload": {"url": SECRET}}]),
        wrote(CLEO, "m_1", is_deleted=True),
        "m_1",
    ),
    "WhatsApp": (whatsapp(said(ANNA, 1, SECRET)), revoke(ANNA, 2, wamid(ANNA, 1)), wamid(ANNA, 1)),
}
unsent = pytest.mark.parametrize(("message", "deletion", "message_id"), UNSENT.values(), ids=UNSENT)


@unsent
@pytest.mark.parametrize("is_settled", [True, False])
def test_the_text_goes_from_everywhere_and_the_event_stays(
    folder: DataFolder, message: bytes, deletion: bytes, message_id: str, is_settled: bool
) -> None:
    add_segment(folder, 0, message, wrote(CLEO, "m_other"))
    publish_all(folder, store_text=True)
    if is_settled:
        compact(folder, grace_seconds=0)
    before = rows(folder)
    add_segment(folder, 1, deletion)
    publish_all(folder, store_text=True)
    assert len(files_with(folder.root, SECRET)) >= 2
    assert forget_taken_back(folder)["texts"] == 1
    assert files_with(folder.root, SECRET) == []
    after = rows(folder)
    kept = after["message", message_id]
    assert kept["text"] is None
    assert {name for name in kept if kept[name] != before["message", message_id][name]} <= {"text", "payload"}
    assert after["message", "m_other"] == before["message", "m_other"]
    assert after["deletion", message_id]["message_id"] == message_id
    assert verify(folder).is_sound


def test_without_store_text_the_raw_delivery_goes_all_the_same(folder: DataFolder) -> None:
    add_segment(folder, 0, wrote(CLEO, "m_1", text=SECRET), wrote(CLEO, "m_2"))
    add_segment(folder, 1, wrote(CLEO, "m_1", is_deleted=True))
    publish_all(folder)
    assert files_with(folder.root, SECRET) == [f"done/run-1-{0:016}.wal"]
    assert forget_taken_back(folder) == {"texts": 0, "deliveries": 2, "quarantined": 0}
    assert files_with(folder.root, SECRET) == []
    assert verify(folder).deliveries == 1


def test_an_edit_and_the_words_before_it_go_with_the_message(folder: DataFolder) -> None:
    item = json.loads(wrote(CLEO, "m_1"))
    event = item["entry"][0]["messaging"][0]
    del event["message"]
    event["message_edit"] = {"mid": "m_1", "text": SECRET, "num_edit": 1}
    add_segment(folder, 0, wrote(CLEO, "m_1", text=SECRET), json.dumps(item).encode())
    add_segment(folder, 1, wrote(CLEO, "m_1", is_deleted=True))
    publish_all(folder, store_text=True)
    assert forget_taken_back(folder)["texts"] == 2
    assert files_with(folder.root, SECRET) == []


def test_a_message_of_another_account_with_the_same_id_stays(folder: DataFolder) -> None:
    other = wrote(CLEO, "m_1", text="theirs").replace(b"1906385232743451", b"2906385232743451")
    add_segment(folder, 0, wrote(CLEO, "m_1", text=SECRET), other, wrote(CLEO, "m_1", is_deleted=True))
    publish_all(folder, store_text=True)
    forget_taken_back(folder)
    files = live_files(folder, current_manifest(folder)).values()
    texts = [row["text"] for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]
    assert sorted(text or "" for text in texts) == ["", "", "theirs"]


@pytest.mark.parametrize("is_carried_out", [True, False])
def test_a_message_that_comes_after_its_deletion_is_stored_without_text(
    folder: DataFolder, is_carried_out: bool
) -> None:
    add_segment(folder, 0, wrote(CLEO, "m_1", is_deleted=True))
    publish_all(folder, store_text=True)
    if is_carried_out:
        forget_taken_back(folder)
    add_segment(folder, 1, wrote(CLEO, "m_1", text=SECRET))
    publish_all(folder, store_text=True)
    kept = rows(folder)["message", "m_1"]
    assert kept["text"] is None
    assert SECRET not in kept["payload"]


def test_what_was_noted_is_carried_out_after_some_minutes_and_once(folder: DataFolder) -> None:
    add_segment(folder, 0, wrote(CLEO, "m_1"), wrote(CLEO, "m_1", is_deleted=True))
    assert not is_due(folder)
    publish_all(folder)
    assert not is_due(folder)
    (note,) = (folder.erasures / "unsent").glob("run-*.json")
    os.utime(note, (0, 0))
    assert is_due(folder)
    forget_taken_back(folder)
    assert not is_due(folder)
    assert forget_taken_back(folder).total() == 0


def test_a_deletion_is_noted_before_it_is_published(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_segment(folder, 0, wrote(CLEO, "m_1", text=SECRET), wrote(CLEO, "m_1", is_deleted=True))
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name.endswith(".parquet.tmp") and not path.name.startswith(("1-0", "2-0")):
            raise OSError("the disk is gone")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="the disk is gone"):
        publish_all(folder, store_text=True)
    assert len(list((folder.erasures / "unsent").glob("run-*.json"))) == 1
    monkeypatch.undo()
    publish_all(folder, store_text=True)
    assert files_with(folder.events, SECRET) == []


def test_what_was_taken_back_long_ago_is_remembered_no_more(folder: DataFolder) -> None:
    add_segment(folder, 0, wrote(CLEO, "m_1", is_deleted=True))
    publish_all(folder)
    forget_taken_back(folder)
    kept = folder.erasures / "unsent" / "kept.json"
    (entry,) = json.loads(kept.read_text())
    kept.write_text(json.dumps([[*entry[:3], "2020-01-01"]]))
    forget_taken_back(folder)
    assert json.loads(kept.read_text()) == []


def test_a_publisher_that_runs_remembers_no_more_than_the_folder_does(folder: DataFolder) -> None:
    (event,) = read_delivery(
        wrote(CLEO, "m_1", text=SECRET), received_at=0, options=ReadingOptions(store_text=True)
    )
    taken_back = TakenBack(folder)

    def text_of_event() -> str | None:
        taken_back.refresh()
        return taken_back.filtered(event).text

    assert text_of_event() == SECRET
    add_segment(folder, 0, wrote(CLEO, "m_1", is_deleted=True), wrote(CLEO, "m_2", is_deleted=True))
    publish_all(folder)
    assert text_of_event() is None
    forget_taken_back(folder)
    assert text_of_event() is None
    kept = folder.erasures / "unsent" / "kept.json"
    kept.write_text(json.dumps([[*entry[:3], "2020-01-01"] for entry in json.loads(kept.read_text())]))
    assert text_of_event() is None
    forget_taken_back(folder)
    assert text_of_event() == SECRET


@pytest.mark.parametrize("is_deleted_first", [True, False])
def test_a_message_of_absurd_nesting_holds_up_nothing_and_goes_as_well(
    folder: DataFolder, is_deleted_first: bool
) -> None:
    deep = wrote(CLEO, "m_1", text=SECRET, more="@").replace(b'"@"', b"[" * 700 + b"]" * 700)
    bodies = [deep, wrote(CLEO, "m_1", is_deleted=True)]
    for number, body in enumerate(reversed(bodies) if is_deleted_first else bodies):
        add_segment(folder, number, body)
        publish_all(folder, store_text=True)
    add_segment(folder, 2, wrote(CLEO, "m_2"))
    publish_all(folder, store_text=True)
    forget_taken_back(folder)
    assert ("message", "m_2") in rows(folder)
    assert files_with(folder.root, SECRET) == []
