"""`ctm erase`: nothing that names the person is left in any byte, and everybody else is as before."""

import gzip
import json
import os
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from people import ACCOUNT, ANNA, ANNA_USER_ID, BEN, CLEO, files_with, said, wamid, whatsapp, wrote
from receiving import data
from segments import add_segment, folder, publish_all

from receiver.store.compaction import compact
from receiver.store.deletion_requests import open_requests, store_request
from receiver.store.folder import DataFolder
from receiver.store.manifest import current_manifest, live_files
from receiver.store.unsending import forget_taken_back
from receiver.store.verification import verify

__all__ = ["data", "folder"]

SALES = f"""sale_id,sold_at,gross_amount,currency,contact_id,email,phone,customer_id,ref,ad_id
S1,2025-06-09T10:00:00Z,80.00,USD,{ANNA},anna@example.com,,c_anna,r-anna,120226305854810726
S2,2025-06-10T10:00:00Z,30.00,USD,,anna@example.com,,,,
S3,2025-06-11T10:00:00Z,20.00,USD,,,+554188887777,,,
S4,2025-06-12T10:00:00Z,10.00,USD,{BEN},ben@example.com,,c_ben,r-ben,
"""
CONTACTS = (
    f"contact_id,email,customer_id\n{ANNA_USER_ID},anna.b@example.com,c_anna\n{BEN},ben@example.com,c_ben\n"
)
NEEDLES = (ANNA, ANNA_USER_ID, "554188887777", "anna", wamid(ANNA, 1)[:24])


def rows(folder: DataFolder) -> list[dict[str, object]]:
    files = live_files(folder, current_manifest(folder)).values()
    return [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]


@pytest.fixture
def captured(folder: DataFolder, ctm, tmp_path: Path) -> DataFolder:
    """Anna and others, in every place: events, raw deliveries, quarantine, a dead journal, imports."""
    add_segment(
        folder, 0, whatsapp(said(ANNA, 1, user_id=ANNA_USER_ID)), whatsapp(said(BEN, 1)), wrote(CLEO, "m_1")
    )
    publish_all(folder, store_text=True)
    compact(folder, grace_seconds=0)
    add_segment(
        folder,
        1,
        whatsapp(said(ANNA, 2), said(BEN, 2, f"call {ANNA}, now")),
        b"no JSON: " + ANNA.encode(),
    )
    add_segment(folder, 2, wrote(CLEO, "m_2"))
    publish_all(folder, store_text=True)
    dead = add_segment(folder, 3, whatsapp(said(ANNA, 3, user_id=ANNA_USER_ID)), whatsapp(said(BEN, 3)))
    dead.rename(dead.with_suffix(".open"))
    (folder.quarantine / "run-1-7.body").write_bytes(json.dumps({"x": ANNA}).encode())
    (folder.quarantine / "run-1-8.body").write_bytes(json.dumps({"x": BEN}).encode())
    for kind, content in (("sales", SALES), ("contacts", CONTACTS)):
        (tmp_path / f"{kind}.csv").write_text(content)
        assert ctm("import", kind, tmp_path / f"{kind}.csv", "--data", folder.root).exit_code == 0
    assert ctm("conversations", "--data", folder.root).exit_code == 0
    assert files_with(folder.root / "derived", ANNA) != []
    (folder.root / "derived-0123.removed").mkdir()  # an erasure that was killed has left this
    (folder.root / "derived-0123.removed" / "touches-1-2.parquet").write_bytes(ANNA.encode())
    return folder


def test_nothing_that_names_the_person_is_left_in_any_byte_of_any_file(captured: DataFolder, ctm) -> None:
    assert len(files_with(captured.root, *NEEDLES)) >= 8
    run = ctm("erase", "--contact", ANNA, "--data", captured.root)
    assert (run.exit_code, run.text) == (0, "")
    assert run.stderr.startswith(
        "erased: 4 events, mentions in 1 events of others, 4 raw deliveries, 1 files in quarantine, 1 rows of"
        " contacts; 3 sales lost their keys and keep their amounts\n"
    )
    assert run.stderr.endswith("left: nothing\n")
    assert files_with(captured.root, *NEEDLES) == []


def test_everybody_else_is_as_before(captured: DataFolder, ctm) -> None:
    before = {row["event_id"]: row for row in rows(captured) if row["contact_id"] in (BEN, CLEO)}
    ctm("erase", "--contact", ANNA_USER_ID, "--data", captured.root)
    after = {row["event_id"]: row for row in rows(captured)}
    assert {row["contact_id"] for row in after.values()} == {BEN, CLEO}
    named = {wamid(BEN, 2)}
    for event_id, row in before.items():
        if row["message_id"] not in named:
            assert after[event_id] == row
        else:
            assert after[event_id]["text"] == "call erased, now"
    # What had not been published yet is published, without Anna.
    assert {row["message_id"] for row in after.values()} == {
        wamid(BEN, 1),
        wamid(BEN, 2),
        wamid(BEN, 3),
        "m_1",
        "m_2",
    }
    assert [path.name for path in captured.quarantine.iterdir()] == ["run-1-8.body"]


def snapshot(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and "LOCK" not in path.name}


def test_a_dry_run_counts_and_changes_nothing(captured: DataFolder, ctm) -> None:
    before = snapshot(captured.root)
    run = ctm("erase", "--contact", ANNA, "--dry-run", "--data", captured.root)
    assert (run.exit_code, run.text) == (0, "")
    assert run.stderr.startswith("would erase: 3 events, mentions in 1 events of others, 3 raw deliveries")
    pepper = captured.erasures / "pepper"
    assert {path: content for path, content in snapshot(captured.root).items() if path != pepper} == before


def test_the_folder_is_sound_afterwards(captured: DataFolder, ctm) -> None:
    ctm("erase", "--contact", ANNA, "--data", captured.root)
    found = verify(captured)
    assert (found.is_sound, found.lost, found.faults) == (True, 0, [])
    compact(captured, grace_seconds=0)
    assert verify(captured).is_sound
    assert files_with(captured.root, *NEEDLES) == []


def test_a_second_run_finds_nothing_and_says_so(captured: DataFolder, ctm) -> None:
    ctm("erase", "--contact", ANNA, "--data", captured.root)
    again = ctm("erase", "--contact", ANNA, "--data", captured.root)
    assert again.exit_code == 0
    assert again.stderr.startswith(
        "erased: 0 events, mentions in 0 events of others, 0 raw deliveries, 0 files"
    )


@pytest.mark.parametrize("id_", [ANNA, ANNA_USER_ID, "554188887777"])
def test_any_id_of_the_person_erases_all_of_them(captured: DataFolder, ctm, id_: str) -> None:
    assert ctm("erase", "--contact", id_, "--data", captured.root).exit_code == 0
    assert files_with(captured.root, *NEEDLES) == []


def test_what_comes_again_of_the_past_stays_out_and_what_comes_anew_is_kept(
    captured: DataFolder, ctm
) -> None:
    ctm("erase", "--contact", ANNA, "--data", captured.root)
    late = whatsapp(said(ANNA, 1), said(BEN, 5))
    add_segment(captured, 4, late, whatsapp(said(ANNA_USER_ID, 9)), receiver="run-2")
    (captured.index / "seen.sqlite").unlink()  # it is the tombstone that knows, not the cache
    (publication,) = publish_all(captured)
    assert (publication.erased, publication.events) == (2, 1)
    assert files_with(captured.root, *NEEDLES) == []
    assert {row["message_id"] for row in rows(captured)} >= {wamid(BEN, 5)}
    add_segment(captured, 5, whatsapp(said(ANNA, 77, seconds=4102444800)), receiver="run-2")
    assert publish_all(captured)[0].events == 1
    assert [row["message_id"] for row in rows(captured) if row["contact_id"] == ANNA] == [wamid(ANNA, 77)]
    assert verify(captured).is_sound


def test_a_publication_that_was_interrupted_leaves_nothing_of_the_person_either(
    captured: DataFolder, ctm
) -> None:
    ctm("erase", "--contact", ANNA, "--data", captured.root)
    segment = add_segment(captured, 4, whatsapp(said(ANNA, 1)), whatsapp(said(BEN, 5)), receiver="run-2")
    content = segment.read_bytes()
    publish_all(captured)
    # As if it had been ended when the file was published and its segment was not moved yet.
    (captured.done / f"run-2-{4:016}.wal").unlink()
    segment.write_bytes(content)
    publish_all(captured)
    assert files_with(captured.root, *NEEDLES) == []
    assert verify(captured).is_sound


def test_only_the_named_account_is_erased(folder: DataFolder, ctm) -> None:
    other = whatsapp(said(ANNA, 2)).replace(b"106540352242922", b"206540352242922")
    add_segment(folder, 0, whatsapp(said(ANNA, 1)), other, wrote(ANNA, "m_1"))
    publish_all(folder)
    where = ("--platform", "whatsapp", "--account", "106540352242922", "--data", folder.root)
    run = ctm("erase", "--contact", ANNA, *where)
    assert (run.exit_code, run.text) == (0, "")
    assert run.stderr.startswith("erased: 1 events, mentions in 0 events of others, 1 raw deliveries")
    assert {row["message_id"] for row in rows(folder)} == {wamid(ANNA, 2), "m_1"}
    assert verify(folder).is_sound
    add_segment(
        folder,
        1,
        whatsapp(said(ANNA, 1)),
        whatsapp(said(ANNA, 3)),
        other.replace(b"1749416383", b"1749416384"),
    )
    (publication,) = publish_all(folder)
    assert publication.erased == 2


def test_sales_keep_what_the_books_need_and_lose_whose_they_were(captured: DataFolder, ctm) -> None:
    ctm("erase", "--contact", ANNA, "--data", captured.root)
    (file,) = (captured.root / "imports" / "sales").glob("*.parquet")
    sales = {row["sale_id"]: row for row in pq.read_table(file).to_pylist()}
    assert {sale: int(row["gross_amount"]) for sale, row in sales.items()} == {
        "S1": 80,
        "S2": 30,
        "S3": 20,
        "S4": 10,
    }
    assert sales["S1"]["ad_id"] == "120226305854810726"
    for sale in ("S1", "S2", "S3"):
        keys = {name: sales[sale][name] for name in ("contact_id", "email", "phone", "ref")}
        assert keys == dict.fromkeys(keys)
        assert sales[sale]["customer_id"] == sales["S1"]["customer_id"]
    assert sales["S1"]["customer_id"].startswith("erased-")
    assert (sales["S4"]["contact_id"], sales["S4"]["email"], sales["S4"]["customer_id"]) == (
        BEN,
        "ben@example.com",
        "c_ben",
    )
    (file,) = (captured.root / "imports" / "contacts").glob("*.parquet")
    assert [row["contact_id"] for row in pq.read_table(file).to_pylist()] == [BEN]


def test_a_key_that_others_share_proves_nothing_and_is_kept_there(
    folder: DataFolder, ctm, tmp_path: Path
) -> None:
    add_segment(folder, 0, wrote(CLEO, "m_1"))
    publish_all(folder)
    (tmp_path / "contacts.csv").write_text(
        f"contact_id,email\n{CLEO},home@example.com\n9812000011112222,home@example.com\n"
    )
    (tmp_path / "sales.csv").write_text(
        "sale_id,sold_at,gross_amount,currency,email\nS1,2025-06-09T10:00:00Z,80.00,USD,home@example.com\n"
    )
    for kind in ("contacts", "sales"):
        ctm("import", kind, tmp_path / f"{kind}.csv", "--data", folder.root)
    run = ctm("erase", "--contact", CLEO, "--data", folder.root)
    assert run.exit_code == 0
    assert "their email to others too" in run.stderr
    assert "--contact 9812000011112222" in run.stderr
    assert len(files_with(folder.root / "imports", "home@example.com")) == 2
    both = ctm("erase", "--contact", CLEO, "--contact", "9812000011112222", "--data", folder.root)
    assert (both.exit_code, "to others too" in both.stderr) == (0, False)
    assert files_with(folder.root, "home@example.com", CLEO, "9812000011112222") == []


@pytest.mark.parametrize("name", ["reports/weekly/index.html", "reports/weekly/tables/a.csv", "notes.txt.gz"])
def test_a_file_of_somebody_elses_making_that_names_the_person_fails_the_proof(
    captured: DataFolder, ctm, name: str
) -> None:
    file = captured.root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    words = f"<td>{ANNA}</td>".encode()
    file.write_bytes(gzip.compress(bytes(3_000_000) + words) if name.endswith(".gz") else words)
    run = ctm("erase", "--contact", ANNA, "--data", captured.root)
    assert run.exit_code == 1
    assert run.stderr.splitlines()[-1].startswith(f"ctm: still named in {name}. ")
    assert "left: nothing" not in run.stderr
    file.unlink()
    assert ctm("erase", "--contact", ANNA, "--data", captured.root).exit_code == 0


def test_what_interrupted_work_has_left_goes_too(captured: DataFolder, ctm) -> None:
    whole = next(captured.root.glob("events/settled/*/*.parquet")).read_bytes()
    (captured.staging / "compaction").mkdir(exist_ok=True)
    backfill = captured.staging / "backfill-20261101T000000-0"
    backfill.mkdir()
    left = [
        captured.staging / "run-1-9.parquet.tmp",
        captured.staging / "g000001-0.rewritten.tmp",
        captured.staging / "compaction" / "2025-06-08-0.arrow.tmp",
        backfill / f"{0:016}.wal",
    ]
    for path in left:
        path.write_bytes(whole)
    assert ctm("erase", "--contact", ANNA, "--data", captured.root).exit_code == 0
    assert [path for path in left if path.exists()] == []


def test_what_the_person_took_back_is_forgotten_too(captured: DataFolder, ctm) -> None:
    revoked = {"type": "revoke", "revoke": {"original_message_id": wamid(ANNA, 1)}}
    add_segment(captured, 6, whatsapp(said(ANNA, 8) | revoked), wrote(CLEO, "m_1", is_deleted=True))
    publish_all(captured)
    forget_taken_back(captured)
    add_segment(captured, 7, whatsapp(said(ANNA, 9) | revoked))
    publish_all(captured)
    assert any("unsent" in name for name in files_with(captured.root, *NEEDLES))
    assert ctm("erase", "--contact", ANNA, "--data", captured.root).exit_code == 0
    assert files_with(captured.root, *NEEDLES) == []
    assert files_with(captured.erasures, "m_1") == ["unsent/kept.json"]


def test_a_raw_delivery_does_not_become_younger(captured: DataFolder, ctm) -> None:
    an_hour_ago = float(int(time.time()) - 3600)
    segments = sorted(captured.done.iterdir())
    for path in segments:
        os.utime(path, (an_hour_ago, an_hour_ago))
    before = [path.read_bytes() for path in segments]
    ctm("erase", "--contact", ANNA, "--data", captured.root)
    assert [path.read_bytes() for path in segments] != before
    assert {path.stat().st_mtime for path in segments} == {an_hour_ago}


def test_the_proof_opens_parquet_files_of_any_kind(captured: DataFolder, ctm) -> None:
    table = pq.read_table(next(captured.root.glob("events/settled/*/*.parquet")), partitioning=None)
    copy = captured.root / "events" / "settled" / "day=2020-01-01"
    copy.mkdir()
    pq.write_table(table, copy / "copy.parquet")
    export = captured.root / "export.parquet"
    pq.write_table(table.select(["contact_id"]), export)
    run = ctm("erase", "--contact", ANNA, "--data", captured.root)
    assert run.stderr.splitlines()[-1].startswith("ctm: still named in export.parquet. ")
    number, text = pa.array([int(ANNA)]), pa.array([f"{ANNA} wrote"])
    kinds = [
        number,
        text.cast(pa.large_string()),
        text.cast(pa.binary()),
        text.dictionary_encode(),
        pa.array([[ANNA]]),
    ]
    for kind in kinds:
        pq.write_table(pa.table({"a": kind}), export)
        run = ctm("erase", "--contact", ANNA, "--data", captured.root)
        assert run.stderr.splitlines()[-1].startswith("ctm: still named in export.parquet. "), kind.type
    export.write_bytes(b"PAR1 but no more")
    run = ctm("erase", "--contact", ANNA, "--data", captured.root)
    assert "export.parquet (cannot be read" in run.stderr


def test_whoever_wrote_a_number_that_holds_the_id_can_be_erased_afterwards(folder: DataFolder, ctm) -> None:
    location = {"type": "location", "location": {"latitude": float(f"12.{ANNA}"), "longitude": 1}}
    add_segment(
        folder, 0, whatsapp(said(ANNA, 1)), whatsapp(said(BEN, 1, f"her number:\n{ANNA}", **location))
    )
    publish_all(folder, store_text=True)
    assert ctm("erase", "--contact", ANNA, "--data", folder.root).stderr.endswith("left: nothing\n")
    (row,) = rows(folder)
    (message,) = json.loads(str(row["payload"]))["messages"]
    assert (message["location"]["latitude"], message["text"]["body"]) == ("erased", "her number:\nerased")
    assert ctm("erase", "--contact", BEN, "--data", folder.root).stderr.endswith("left: nothing\n")
    assert rows(folder) == []


@pytest.mark.parametrize(
    ("id_", "message"),
    [
        ("106540352242922", "--contact: this id is that of an account"),
        (wamid(BEN, 1), "--contact: this id is that of a message"),
        (" ", "--contact: it is empty"),
        ("text", "--contact: 'text' is no id"),
        ("1", "--contact: '1' is no id"),
    ],
)
def test_an_id_that_is_nobodys_is_refused(captured: DataFolder, ctm, id_: str, message: str) -> None:
    before = snapshot(captured.root / "events")
    run = ctm("erase", "--contact", id_, "--data", captured.root)
    assert run.exit_code != 0
    assert message in run.stderr
    assert len(rows(captured)) >= len([path for path in before if path.suffix == ".parquet"])
    assert not list((captured.erasures / "tombstones").iterdir())


def test_a_tombstone_names_nobody(captured: DataFolder, ctm) -> None:
    ctm("erase", "--contact", ANNA, "--data", captured.root)
    (tombstone,) = (captured.erasures / "tombstones").iterdir()
    record = json.loads(tombstone.read_text())
    assert len(record["contacts"]) == 3
    assert all(len(key) == 32 for key in [*record["contacts"], *record["identities"]])
    assert tombstone.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_does_not_exist_is_not_made(ctm, tmp_path: Path) -> None:
    run = ctm("erase", "--contact", ANNA, "--data", tmp_path / "nowhere")
    assert run.exit_code == 2
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--requests", "--contact", ANNA), "--requests: it carries out all"),
        (("--request", "abc", "--platform", "whatsapp"), "--platform, --account: they say where"),
        (("--account", "106540352242922"), "--platform, --account: they say where"),
    ],
)
def test_an_option_that_would_not_be_heard_is_refused(
    captured: DataFolder, ctm, arguments: tuple[str, ...], message: str
) -> None:
    before = rows(captured)
    done = ctm("erase", *arguments, "--data", captured.root)
    assert (done.exit_code, message in done.stderr) == (2, True)
    assert rows(captured) == before


@pytest.mark.parametrize("is_published", [True, False])
def test_what_lies_there_is_erased_also_if_the_receivers_clock_was_ahead(
    folder: DataFolder, ctm, monkeypatch: pytest.MonkeyPatch, is_published: bool
) -> None:
    ahead = int((time.time() + 7200) * 1_000_000)
    monkeypatch.setattr("segments.RECEIVED_AT", ahead)
    soon = whatsapp(said(ANNA, 2, seconds=ahead // 1_000_000))  # what has no time gets the receiver's
    segment = add_segment(folder, 0, whatsapp(said(ANNA, 1)), soon, wrote(CLEO, "m_1"))
    if is_published:
        publish_all(folder)
    else:
        segment.rename(segment.with_suffix(".open"))
    counted = ctm("erase", "--contact", ANNA, "--dry-run", "--data", folder.root)
    assert counted.stderr.startswith("would erase: 2 events" if is_published else "would erase: 0 events")
    run = ctm("erase", "--contact", ANNA, "--data", folder.root)
    assert (run.exit_code, run.text) == (0, "")
    assert files_with(folder.root, *NEEDLES) == []
    assert [row["message_id"] for row in rows(folder)] == ["m_1"]
    # Only what lies there: her next message, by a clock that is right again, is a new beginning.
    monkeypatch.setattr("segments.RECEIVED_AT", int(time.time() * 1_000_000) + 2_000_000)
    add_segment(folder, 1, whatsapp(said(ANNA, 3, seconds=int(time.time()) + 2)))
    assert publish_all(folder)[0].events == 1


def test_a_request_that_fails_stops_no_other(folder: DataFolder, ctm) -> None:
    add_segment(folder, 0, wrote(ACCOUNT, "m_1"), wrote(CLEO, "m_2"), whatsapp(said(BEN, 3)))
    publish_all(folder)
    codes = [store_request(folder, user_id, user_id.encode()) for user_id in (ACCOUNT, CLEO, BEN)]
    oldest = folder.erasures / "requests" / f"{codes[0]}.json"
    oldest.write_text(
        json.dumps(json.loads(oldest.read_text()) | {"received_at": "2026-01-01T00:00:00+00:00"})
    )
    run = ctm("erase", "--requests", "--data", folder.root)
    assert run.exit_code == 1
    assert f"request {codes[0]} is not carried out: --contact: this id is that of an account" in run.stderr
    assert "1 of 3 open requests failed" in run.stderr
    assert [request.code for request in open_requests(folder)] == codes[:1]
    assert files_with(folder.root, CLEO, BEN) == []
