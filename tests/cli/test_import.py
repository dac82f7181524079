"""`ctm import`: whole or not at all; the rules of each file are tested with the imports themselves."""

import json

import pyarrow.parquet as pq
import pytest

FILES = {
    "sales": "sale_id,sold_at,gross_amount,currency\nS1,2026-11-02T10:00:00Z,80.00,USD\n",
    "spend": "day,ad_id,spend,currency\n2026-11-02,120226305854810726,50.00,USD\n",
    "contacts": "contact_id,email\n24781,anna@example.com\n",
    "rates": "day,currency,rate\n2026-11-02,EUR,1.1\n",
}
every_kind = pytest.mark.parametrize("kind", FILES)


@pytest.fixture
def imported(ctm, tmp_path):
    """Import a text as a file; what is stored stands in the second value."""

    def run(kind, content, *options, name="file.csv"):
        file = tmp_path / name
        file.write_text(content)
        outcome = ctm("import", kind, file, "--data", tmp_path / "data", *options)
        stored = sorted((tmp_path / "data").rglob("*.parquet"))
        return outcome, [row for path in stored for row in pq.read_table(path).to_pylist()]

    return run


@every_kind
def test_a_plain_file_is_stored_and_summed_up(imported, kind, tmp_path):
    run, rows = imported(kind, FILES[kind])
    assert (run.exit_code, run.stderr) == (0, f"data folder: {tmp_path / 'data'}\n")
    assert run.text.startswith(f"file.csv → {kind}\n")
    assert "1 read, 1 imported" in run.text
    assert len(rows) == 1


@every_kind
def test_a_dry_run_checks_everything_and_writes_nothing(imported, tmp_path, kind):
    run, rows = imported(kind, FILES[kind], "--dry-run")
    assert run.exit_code == 0
    assert "dry run: nothing written" in run.text
    assert rows == []
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["file.csv"]


def test_a_bad_row_fails_the_import_and_nothing_is_written(imported, tmp_path):
    run, rows = imported("spend", FILES["spend"] + "2026-11-31,1,x,USD\n")
    assert (run.exit_code, run.stdout, rows) == (1, b"", [])
    assert run.stderr == (
        "ctm: file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  day  "2026-11-31"  no such day; also spend "x" not a number\n'
    )
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["file.csv"]


def test_the_same_file_is_imported_once(imported):
    imported("sales", FILES["sales"])
    run, rows = imported("sales", FILES["sales"], name="again.csv")
    assert run.exit_code == 0
    assert "already imported on " in run.text
    assert len(rows) == 1


def test_a_column_of_another_name_can_be_mapped(imported):
    content = "Tag,ad_id,spend,currency\n2026-11-02,1,50.00,USD\n"
    refused, rows = imported("spend", content)
    assert (refused.exit_code, rows) == (1, [])
    run, rows = imported("spend", content, "--map", "Tag=day")
    assert run.exit_code == 0
    assert str(rows[0]["day"]) == "2026-11-02"


def test_a_map_without_a_field_is_wrong_usage(imported):
    run, rows = imported("spend", FILES["spend"], "--map", "Tag")
    assert (run.exit_code, rows) == (2, [])
    assert run.stderr == "ctm: --map: 'Tag' is not COLUMN=FIELD. Write e.g. --map \"Ad ID=ad_id\".\n"


def test_an_unknown_preset_is_wrong_usage(imported):
    run, rows = imported("spend", FILES["spend"], "--preset", "plane")
    assert (run.exit_code, rows) == (2, [])
    assert "'plane'" in run.stderr
    assert "plain" in run.stderr


def test_a_missing_file_is_named(ctm, tmp_path):
    run = ctm("import", "sales", tmp_path / "nope.csv", "--data", tmp_path / "data")
    assert (run.exit_code, run.stdout) == (1, b"")
    assert "nope.csv" in run.stderr
    assert not (tmp_path / "data").exists()


def test_what_was_imported_is_in_the_next_answer(ctm, imported, tmp_path):
    imported("spend", FILES["spend"])
    imported("sales", FILES["sales"])
    answer = ctm("ads", "--data", tmp_path / "data", "--format", "json")
    assert {row["ad_id"]: (row["spend"], row["revenue"]) for row in json.loads(answer.stdout)} == {
        "120226305854810726": ("50.00", "0.00"),
        None: (None, "80.00"),
    }
