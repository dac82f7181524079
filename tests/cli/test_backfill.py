"""`ctm backfill`, `ctm publish`, `ctm compact`: what was captured becomes events, each once, by hand."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from receiving import Receiver, message, published, start, wait_until
from segments import add_segment, delivery

from receiver.store.folder import DataFolder
from receiver.store.manifest import current_manifest

__all__ = ["start"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def lines(*records: object) -> bytes:
    return b"\n".join(json.dumps(record).encode() for record in records) + b"\n"


def body(mid: str) -> dict[str, object]:
    return json.loads(message(mid))


def mids(data: Path) -> list[str]:
    return sorted(row["message_id"] for row in published(data))


def nothing_is_left_behind(data: Path) -> bool:
    return not list(data.glob("staging/*")) and not list(data.glob("journal/*"))


def test_bodies_of_every_form_are_stored_once_each(ctm, data, tmp_path):
    file = tmp_path / "captured.jsonl"
    file.write_bytes(
        lines(
            body("m_1"),
            {"received_at": "2026-11-16T08:00:00Z", "body": body("m_2")},
            {"received_at": "2026-11-16T09:30:00+01:00", "body": json.dumps(body("m_3"))},
            {"body": body("m_1")},
        )
        + b"\n"
    )
    run = ctm("backfill", file, "--data", data)
    assert (run.exit_code, run.stderr) == (0, "4 deliveries read. 3 events published, 1 were known.\n")
    received = {row["message_id"]: f"{row['received_at']:%F %T}" for row in published(data)}
    assert (received["m_2"], received["m_3"]) == ("2026-11-16 08:00:00", "2026-11-16 08:30:00")
    assert nothing_is_left_behind(data)


def test_a_gzipped_file_and_standard_input_hold_the_same_events(ctm, data, tmp_path):
    content = lines(*(body(f"m_{number}") for number in range(50)))
    file = tmp_path / "captured.jsonl.gz"
    file.write_bytes(gzip.compress(content))
    assert ctm("backfill", file, "--data", data).stderr == "50 deliveries read. 50 events published.\n"
    again = ctm("backfill", "-", "--data", data, stdin=content)
    assert again.stderr == "50 deliveries read. 0 events published, 50 were known.\n"
    assert len(mids(data)) == 50


def test_a_backfill_of_what_was_settled_long_ago_stores_nothing_twice(ctm, data):
    content = lines(*({"received_at": "2026-01-02T08:00:00Z", "body": body(f"m_{n}")} for n in range(20)))
    ctm("backfill", "-", "--data", data, stdin=content)
    ctm("compact", "--data", data)
    (data / "index" / "seen.sqlite").unlink()
    again = ctm("backfill", "-", "--data", data, stdin=content)
    assert again.stderr == "20 deliveries read. 0 events published, 20 were known.\n"
    assert len(mids(data)) == 20


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"{not json", "line 2: not JSON. Each line is a delivery's body, or an object"),
        (b"[1]", "line 2: a list, but a delivery is an object."),
        (b'{"body": 7}', "line 2: body is of type int. Write an object, or text that holds one."),
        (b'{"received_at": "yesterday", "body": {}}', "line 2: received_at 'yesterday' is no instant."),
        (b'{"received_at": "2026-11-16T08:00:00", "body": {}}', "has no zone. Add Z, or an offset"),
        (b'{"received_at": "2226-11-16T08:00:00Z", "body": {}}', "is not in the past"),
        (b'{"received_at": "0001-01-01T00:00:00+23:59", "body": {}}', "is not in the past"),
    ],
)
def test_a_file_with_a_line_that_does_not_fit_is_not_stored_at_all(ctm, data, tmp_path, line, sentence):
    file = tmp_path / "captured.jsonl"
    file.write_bytes(lines(body("m_1")) + line + b"\n" + lines(body("m_3")))
    run = ctm("backfill", file, "--data", data)
    assert run.exit_code == 1
    assert run.stderr.startswith(f"ctm: {file}: line 2: ")
    assert sentence in run.stderr
    assert run.stderr.count("\n") == 1
    assert nothing_is_left_behind(data)
    assert not list(data.glob("events/recent/*/backfill-*"))


@pytest.mark.parametrize("content", [None, b"\x1f\x8bno gzip", gzip.compress(b"{}" * 999, mtime=0)[:-9]])
def test_a_file_that_cannot_be_read_is_named(ctm, data, tmp_path, content):
    file = tmp_path / "captured.jsonl.gz"
    if content is not None:
        file.write_bytes(content)
    run = ctm("backfill", file, "--data", data)
    assert run.exit_code == 1
    assert run.stderr.startswith(f"ctm: {file}: ")
    assert nothing_is_left_behind(data)


def test_many_deliveries_become_several_segments(ctm, data, monkeypatch):
    monkeypatch.setattr("receiver.store.backfill.SEAL_BYTES", 1_000)
    content = lines(*(body(f"m_{number}") for number in range(20)))
    assert (
        ctm("backfill", "-", "--data", data, stdin=content).stderr
        == "20 deliveries read. 20 events published.\n"
    )
    assert len(list(data.glob("done/backfill-*.wal"))) > 3
    assert len(mids(data)) == 20


def test_a_receiver_that_runs_publishes_a_backfill_and_goes_on(
    ctm, data: Path, start: Callable[..., Receiver]
) -> None:
    receiver = start()
    content = lines(*(body(f"m_{number}") for number in range(20)))
    run = ctm("backfill", "-", "--data", data, stdin=content)
    assert run.stderr == "20 deliveries are in the journal: the receiver that runs here publishes them now.\n"
    assert receiver.post(message("m_live")).status_code == 200
    wait_until(lambda: len(mids(data)) == 21)
    assert receiver.stop() == 0


def test_commands_do_their_work_beside_a_receiver(ctm, data: Path, start: Callable[..., Receiver]) -> None:
    receiver = start()
    for number in range(3):
        assert receiver.post(message(f"m_{number}")).status_code == 200
        wait_until(lambda number=number: f"m_{number}" in mids(data))
        assert ctm("publish", "--data", data).exit_code == 0
        assert ctm("compact", "--data", data, "--grace", "0").exit_code == 0
    assert receiver.post(message("m_1")).status_code == 200
    assert receiver.post(message("m_last")).status_code == 200
    wait_until(lambda: "m_last" in mids(data))
    assert receiver.stop() == 0
    assert mids(data) == ["m_0", "m_1", "m_2", "m_last"]
    assert ctm("verify", "--data", data).exit_code == 0


def test_publish_takes_what_a_killed_receiver_has_left(ctm, data):
    folder = DataFolder(data)
    folder.create()
    sealed = add_segment(folder, 0, delivery("m_1", "m_2"))
    sealed.rename(sealed.with_suffix(".open"))
    run = ctm("publish", "--data", data)
    assert (run.exit_code, run.stderr) == (0, "2 events published.\n")
    assert ctm("publish", "--data", data).stderr == "0 events published.\n"
    assert nothing_is_left_behind(data)


def test_compact_says_what_became_of_what_and_what_still_waits(ctm, data):
    for number in range(2):
        ctm("backfill", "-", "--data", data, stdin=lines(body(f"m_{number}")))
    assert ctm("compact", "--data", data).stderr == "2 files became 1, with 2 events.\n"
    ctm("backfill", "-", "--data", data, stdin=lines(body("m_2")))
    waiting = ctm("compact", "--data", data)
    assert (waiting.exit_code, waiting.stderr.splitlines()[0]) == (0, "Nothing to compact.")
    assert "--grace 0 removes them now" in waiting.stderr
    swept = ctm("compact", "--data", data, "--grace", "0").stderr
    assert swept.splitlines()[0] == "1 file became 1, with 1 event."
    assert len(current_manifest(DataFolder(data)).settled) == 2


@pytest.mark.parametrize("command", ["publish", "compact", "verify"])
def test_a_folder_that_does_not_exist_is_wrong_usage(ctm, data, command):
    run = ctm(command, "--data", data)
    assert (run.exit_code, data.exists()) == (2, False)
    assert run.stderr == f"ctm: {data}: no such folder. Name the data folder.\n"


def test_verify_knows_settled_files(ctm, data):
    ctm("backfill", "-", "--data", data, stdin=lines(*(body(f"m_{number}") for number in range(50))))
    ctm("compact", "--data", data)
    assert ctm("verify", "--data", data).exit_code == 0
    (settled,) = data.glob("events/settled/*/*.parquet")
    content = bytearray(settled.read_bytes())
    content[len(content) // 3] ^= 1
    settled.write_bytes(content)
    broken = ctm("verify", "--data", data)
    assert (broken.exit_code, settled.name in broken.text) == (1, True)
    settled.unlink()
    missing = ctm("verify", "--data", data)
    assert (missing.exit_code, "missing, though the manifest names it" in missing.text) == (1, True)
    assert "50 lost" in missing.text


def test_a_line_of_absurd_length_is_refused_before_it_fills_the_memory(
    ctm, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.store.backfill.MAX_LINE_BYTES", 1 << 20)
    packed = gzip.compress(b'{"body":"' + b"a" * (1 << 20) + b'"}\n')
    file = tmp_path / "bomb.jsonl.gz"
    file.write_bytes(packed)
    refused = ctm("backfill", file, "--data", data)
    assert refused.exit_code == 1
    assert "line 1 is longer than 1 MiB" in refused.stderr
    assert nothing_is_left_behind(data)
