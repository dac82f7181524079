"""One answer in four formats: for people, spreadsheets, programs and the next query."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ctm_analytics

AS_OF = "2026-11-30T00:00:00+00:00"
TYPED = (
    "select ad_id, revenue, opened_at, engaged, first_response_seconds from conversations order by opened_at"
)
QUESTIONS = {
    "ads": lambda workbench: workbench.ads(),
    "latency": lambda workbench: workbench.latency(by="platform"),
    "conversations": lambda workbench: workbench.conversations(),
    "funnel": lambda workbench: workbench.funnel(),
    "quality": lambda workbench: workbench.quality(),
    "sql": lambda workbench: workbench.sql(TYPED),
}
ARGUMENTS = {"latency": ("--by", "platform"), "sql": (TYPED,)}


def _typed(question, shop, *more):
    return (question, *ARGUMENTS.get(question, ()), "--data", shop, "--as-of", AS_OF, *more)


def _in_json(value):
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _in_csv(value):
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(_in_json(value))


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_four_formats_hold_the_rows_that_python_gets(ctm, shop, question, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    answer = QUESTIONS[question](ctm_analytics.open(shop, as_of=AS_OF, environ={})).table
    rows = answer.to_pylist()
    assert rows

    parquet = pq.read_table(io.BytesIO(ctm(*_typed(question, shop, "--format", "parquet")).stdout))
    assert parquet.schema.equals(answer.schema)
    assert parquet.to_pylist() == rows

    in_json = json.loads(ctm(*_typed(question, shop, "--format", "json")).stdout)
    assert in_json == [{name: _in_json(value) for name, value in row.items()} for row in rows]

    in_csv = csv.DictReader(io.StringIO(ctm(*_typed(question, shop, "--format", "csv")).text, newline=""))
    assert list(in_csv) == [{name: _in_csv(value) for name, value in row.items()} for row in rows]

    lines = ctm(*_typed(question, shop)).text.splitlines()
    assert len(lines) == 2 + len(rows), "a heading, a rule, and a line for each row"


def test_a_table_goes_to_stdout_and_the_words_about_it_to_stderr(ctm, shop):
    run = ctm(*_typed("conversations", shop))
    assert run.exit_code == 0
    assert len(run.stderr.splitlines()) == 1
    assert "UTC · USD · last touch, 7 days, cohort · as of 2026-11-30 00:00 UTC" in run.stderr


@pytest.mark.parametrize("row_format", ["csv", "json", "parquet"])
def test_what_a_program_reads_comes_without_words(ctm, shop, row_format):
    assert ctm(*_typed("ads", shop, "--format", row_format)).stderr == ""


def test_parquet_keeps_money_exact_instants_zoned_and_counts_whole(ctm, shop):
    schema = pq.read_schema(io.BytesIO(ctm(*_typed("conversations", shop, "--format", "parquet")).stdout))
    assert schema.field("revenue").type == pa.decimal128(18, 2)
    assert schema.field("opened_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("messages_in").type == pa.int64()
    assert schema.field("engaged").type == pa.bool_()


def test_json_writes_money_as_text_instants_with_their_zone_and_unknown_as_null(ctm, shop):
    newest, _, first = json.loads(ctm(*_typed("conversations", shop, "--format", "json")).stdout)
    assert (first["contact_id"], first["revenue"]) == ("anna", "80.00")
    assert datetime.fromisoformat(first["opened_at"]) == datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert newest["ad_id"] is None


def test_what_json_has_no_word_for_is_null_or_text(ctm, shop):
    query = (
        "select 1 / 0.0 as ratio, [cast(1.5 as decimal(4, 2))] as amounts, {'day': date '2026-11-02'} as span"
    )
    assert json.loads(ctm("sql", query, "--data", shop, "--as-of", AS_OF, "--format", "json").stdout) == [
        {"ratio": None, "amounts": ["1.50"], "span": {"day": "2026-11-02"}}
    ]
    in_csv = ctm("sql", query, "--data", shop, "--as-of", AS_OF, "--format", "csv").text
    assert list(csv.reader(io.StringIO(in_csv)))[1] == ["", '["1.50"]', '{"day": "2026-11-02"}']


@pytest.mark.parametrize("row_format", ["table", "csv", "json", "parquet"])
def test_output_writes_the_whole_file_and_nothing_to_stdout(ctm, shop, tmp_path, row_format):
    file = tmp_path / "answers" / "rows"
    file.parent.mkdir()
    printed = ctm(*_typed("conversations", shop, "--format", row_format))
    written = ctm(*_typed("conversations", shop, "--format", row_format, "--output", file))
    assert written.stdout == b""
    assert file.read_bytes() == printed.stdout
    assert [path.name for path in file.parent.iterdir()] == ["rows"], "nothing is left beside it"


def test_a_file_that_cannot_be_written_is_one_sentence_and_leaves_nothing(ctm, shop, tmp_path):
    missing = tmp_path / "missing" / "rows.csv"
    run = ctm(*_typed("ads", shop, "--format", "csv", "--output", missing))
    assert (run.exit_code, run.stdout) == (2, b"")
    assert run.stderr == (
        f"ctm: --output: '{missing}' cannot be written: No such file or directory."
        " Name a file in a folder that exists and that you may write to.\n"
    )
    folder = tmp_path / "folder"
    folder.mkdir()
    run = ctm(*_typed("ads", shop, "--output", folder))
    assert f"'{folder}' cannot be written: Is a directory." in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "folder"]


def test_a_failed_question_leaves_an_earlier_file_as_it_was(ctm, shop, tmp_path):
    file = tmp_path / "ads.csv"
    file.write_text("earlier")
    assert ctm(*_typed("ads", shop, "--ad", "nope", "--output", file)).exit_code == 2
    assert file.read_text() == "earlier"


def test_text_that_would_move_the_cursor_is_harmless_in_a_table(ctm, world, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    data = world.spend(date(2026, 11, 2), "101", "50.00", ad_name="Red\x1b[31m\nalert").write()
    table = ctm("ads", "--data", data, "--as-of", AS_OF).text
    assert "Red [31m alert" in table
    assert len(table.splitlines()) == 3
