import functools
import itertools
import logging
import sqlite3
import time
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from segments import add_segment, delivery, publish_all

from receiver.deliveries import delivery as reading
from receiver.deliveries.event import contact_key
from receiver.store import contacts, merging, seen
from receiver.store.compaction import compact
from receiver.store.folder import DataFolder
from receiver.store.manifest import current_manifest, live_files
from receiver.store.verification import verify

ONE_BYTE_KEY = functools.partial(contact_key, size_bytes=1)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str]:
    """Two contacts who share a key, since it has one byte only, and one who has his own."""
    monkeypatch.setattr(reading, "contact_key", ONE_BYTE_KEY)
    key_of = {str(contact): ONE_BYTE_KEY("messenger", "1", str(contact)) for contact in range(100, 400)}
    one, other = next(
        pair for pair in itertools.combinations(key_of, 2) if key_of[pair[0]] == key_of[pair[1]]
    )
    return one, other, next(contact for contact in key_of if key_of[contact] != key_of[one])


def message(name: str, contact: str) -> bytes:
    return delivery(name).replace(b'"7"', f'"{contact}"'.encode())


def shared(folder: DataFolder) -> list[int]:
    """Publish what is sealed, with an index that is opened anew; events under somebody else's key, by segment."""
    return [publication.shared_keys for publication in publish_all(folder)]


def stored(folder: DataFolder) -> list[str]:
    files = live_files(folder, current_manifest(folder)).values()
    return sorted(name for file in files for name in pq.read_table(file)["contact_id"].to_pylist())


def test_a_key_of_two_people_is_noticed_when_the_second_is_published_and_later(
    folder: DataFolder, people: tuple[str, str, str]
) -> None:
    one, other, third = people
    add_segment(folder, 0, message("m_1", one), message("m_2", other), message("m_3", third))
    assert shared(folder) == [1]
    add_segment(folder, 1, message("m_4", other))
    assert shared(folder) == [1]
    add_segment(folder, 2, message("m_5", one), message("m_6", third))
    assert shared(folder) == [0]
    assert stored(folder) == sorted([one, one, third, third, other, other])


def test_an_index_that_is_made_again_knows_whose_a_key_is(
    folder: DataFolder, people: tuple[str, str, str]
) -> None:
    one, other, third = people
    add_segment(folder, 0, message("m_1", one), message("m_2", third))
    assert shared(folder) == [0]
    (folder.index / "seen.sqlite").unlink()
    add_segment(folder, 1, message("m_3", other))
    assert shared(folder) == [1]


def test_the_log_says_so_without_naming_anybody(
    folder: DataFolder, people: tuple[str, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    one, other, _ = people
    add_segment(folder, 0, message("m_1", one), message("m_2", other))
    publish_all(folder)
    compact(folder)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert len(said) == 2
    assert all("one contact_key stands for two people" in line for line in said)
    assert not any(one in line.replace("run-1", "") or other in line.replace("run-1", "") for line in said)


@pytest.mark.parametrize("max_rows", [merging.SLOT_ROWS, 2])
def test_a_key_of_two_people_is_noticed_when_their_rows_meet(
    folder: DataFolder, people: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch, max_rows: int
) -> None:
    one, other, third = people
    monkeypatch.setattr(merging, "SLOT_ROWS", max_rows)
    monkeypatch.setattr(merging, "CHUNK_ROWS", max_rows)  # with few, a slot is read back in several tables
    for number in range(4):
        names = [(f"m_{number}_{of}_{contact}", contact) for of in range(4) for contact in (one, third)]
        add_segment(folder, number, *itertools.starmap(message, names))
    publish_all(folder)
    (folder.index / "seen.sqlite").unlink()  # as if another receiver had published the other
    add_segment(folder, 0, message("m_other", other), receiver="run-0")
    publish_all(folder)
    done = compact(folder)
    assert (done.events, done.shared_keys) == (33, 1)
    assert stored(folder) == sorted([one] * 16 + [third] * 16 + [other])


def test_verify_names_the_key_also_when_the_rows_are_in_different_files(
    folder: DataFolder, people: tuple[str, str, str]
) -> None:
    one, other, third = people
    add_segment(folder, 0, message("m_1", one), message("m_2", third))
    publish_all(folder)
    compact(folder)
    assert verify(folder).is_sound
    add_segment(folder, 1, message("m_3", other))
    publish_all(folder)
    (fault,) = verify(folder).faults
    assert fault.startswith(
        f"contact_key {ONE_BYTE_KEY('messenger', '1', one)}: stands for more than one contact"
    )


def test_people_with_keys_of_their_own_and_events_of_nobody_are_no_news(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts, "CACHED_CONTACTS", 3)
    for number in range(2):
        bodies = (message(f"m_{number}_{contact}", str(contact)) for contact in range(100, 120))
        add_segment(folder, number, *bodies, b"no json", b"[%d]" % number)
    assert shared(folder) == [0, 0]
    done = compact(folder)
    assert (done.events, done.shared_keys) == (43, 0)
    assert verify(folder).is_sound


def test_who_was_not_heard_of_for_a_month_is_forgotten_and_who_was_is_not(
    folder: DataFolder, people: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _, third = people
    now = time.time()

    def known() -> set[int]:
        with sqlite3.connect(folder.index / "seen.sqlite") as index:
            return {key for (key,) in index.execute("SELECT contact_key FROM contacts")}

    add_segment(folder, 0, message("m_1", one), message("m_2", third))
    publish_all(folder)
    for days, number, left in ((14, 1, {one, third}), (28, 2, {third}), (80, 3, {third})):
        compact(folder, grace_seconds=0)
        monkeypatch.setattr(seen, "time", SimpleNamespace(time=lambda later=days * 86400: now + later))
        add_segment(folder, number, message(f"m_later_{number}", third))
        publish_all(folder)
        assert known() == {ONE_BYTE_KEY("messenger", "1", contact) for contact in left}
