"""`ctm inspect`: what a delivery would be stored as, printed and not stored."""

import json
from datetime import datetime

import pytest

# docs/data-contract.md, events.
COLUMNS = (
    *("event_id", "platform", "account_id", "contact_id", "contact_key", "event_type", "direction"),
    *(
        "occurred_at",
        "received_at",
        "message_id",
        "message_type",
        "referral_source",
        "referral_type",
        "ad_id",
    ),
    *("ref", "post_id", "product_id", "flow_id", "ad_title", "ctwa_clid", "app_id", "responder", "standby"),
    *("status", "pricing_category", "text_length", "payload", "delivery_id"),
)


def _body(mid, text="hello", ad_id="120226305854810726"):
    item = {
        "sender": {"id": "24781"},
        "recipient": {"id": "682498"},
        "timestamp": 1783075200842,
        "message": {
            "mid": mid,
            "text": text,
            "referral": {"source": "ADS", "type": "OPEN_THREAD", "ad_id": ad_id, "ref": "spring"},
        },
    }
    return json.dumps(
        {"object": "page", "entry": [{"id": "682498", "time": 1783075200842, "messaging": [item]}]}
    )


@pytest.fixture
def inspect(ctm, tmp_path):
    def run(content, *options):
        file = tmp_path / "delivery"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        outcome = ctm("inspect", file, "--data", tmp_path / "data", *options)
        assert (outcome.exit_code, outcome.stderr) == (0, "")
        return [json.loads(line) for line in outcome.text.splitlines()]

    return run


def test_a_body_is_printed_as_its_event_rows_in_the_columns_of_the_contract(inspect):
    (event,) = inspect(_body("m_1"))
    assert tuple(event) == COLUMNS
    assert (event["ad_id"], event["ref"], event["event_type"]) == ("120226305854810726", "spring", "message")
    assert datetime.fromisoformat(event["occurred_at"]).isoformat() == "2026-07-03T10:40:00.842000+00:00"


def test_a_body_over_several_lines_is_one_body(inspect):
    assert len(inspect(json.dumps(json.loads(_body("m_1")), indent=2))) == 1


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n\n"])
def test_json_lines_are_a_body_each(inspect, line_end):
    events = inspect(line_end.join([_body("m_1"), _body("m_2", ad_id="7"), ""]))
    assert [event["ad_id"] for event in events] == ["120226305854810726", "7"]


@pytest.mark.parametrize("content", ["not json", "[1, 2", b"\xff\xfe\x00", "null"])
def test_what_cannot_be_read_is_one_unknown_event_with_everything_in_it(inspect, content):
    (event,) = inspect(content)
    assert event["event_type"] == "unknown"
    assert event["payload"]


def test_a_dash_reads_standard_input(ctm, tmp_path):
    run = ctm("inspect", "-", "--data", tmp_path, stdin=_body("m_1").encode())
    assert json.loads(run.text)["message_id"] == "m_1"


def test_message_text_is_kept_out_unless_it_is_asked_for(inspect, monkeypatch):
    (event,) = inspect(_body("m_1", text="where is my order"))
    assert "where is my order" not in json.dumps(event)
    assert event["text_length"] == len("where is my order")
    monkeypatch.setenv("CTM_STORE_TEXT", "1")
    (event,) = inspect(_body("m_1", text="where is my order"))
    assert event["text"] == "where is my order"


def test_half_a_character_does_not_stop_the_printing(inspect):
    (event,) = inspect(_body("m_1").replace('"spring"', '"spr\\ud83d"'))
    assert event["ref"].startswith("spr")


def test_nothing_is_stored(inspect, tmp_path):
    inspect(_body("m_1"))
    assert [path.name for path in tmp_path.iterdir()] == ["delivery"]


def test_the_same_body_is_the_same_event_each_time(inspect):
    assert inspect(_body("m_1"))[0]["event_id"] == inspect(_body("m_1"))[0]["event_id"]


def test_a_file_that_is_not_there_is_one_sentence(ctm, tmp_path):
    run = ctm("inspect", tmp_path / "nope.json")
    assert (run.exit_code, run.stdout) == (1, b"")
    assert run.stderr == (
        f"ctm: {tmp_path}/nope.json: No such file or directory. Name a file that holds a delivery's body.\n"
    )
