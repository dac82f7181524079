"""`ctm import` with its options; what each does to rows is tested with the imports themselves."""

import gzip
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

SPEND = "day,ad_id,spend,currency\n2026-11-02,1,50.00,USD\n"
KINDS = ["sales", "spend", "contacts", "rates"]


@pytest.fixture
def spend(ctm, tmp_path):
    """Import a text as spend; what is stored stands in the second value."""

    def run(content, *options):
        file = tmp_path / "spend.csv"
        file.write_text(content)
        outcome = ctm("import", "spend", file, "--data", tmp_path / "data", *options)
        return outcome, stored(tmp_path)

    return run


def stored(folder):
    paths = sorted((folder / "data").rglob("*.parquet"))
    return [f"{row['spend']:.2f}" for path in paths for row in pq.read_table(path).to_pylist()]


@pytest.mark.parametrize("kind", KINDS)
def test_help_has_every_option_with_an_example(ctm, kind):
    text = ctm("import", kind, "--help").text
    for option in ["--preset", "--map", "--dry-run", "--max-errors", "--rejects", "--undo", "Example: "]:
        assert option in text


def test_rows_that_do_not_fit_are_left_out_shown_and_written_apart(spend, tmp_path):
    rejects = tmp_path / "rejects.csv"
    run, rows = spend(SPEND + "2026-11-31,1,x,USD\n", "--max-errors", 1, "--rejects", rejects)
    assert (run.exit_code, rows) == (0, ["50.00"])
    assert run.text.endswith('\n  line 3  day  "2026-11-31"  no such day; also spend "x" not a number\n')
    assert rejects.read_text().splitlines()[1].endswith(",2026-11-31,1,x,USD")


def test_one_row_more_than_allowed_stores_nothing_but_the_rejects(spend, tmp_path):
    rejects = tmp_path / "rejects.csv"
    run, rows = spend(
        SPEND + "2026-11-31,1,1,USD\n2026-11-31,2,1,USD\n", "--max-errors", 1, "--rejects", rejects
    )
    assert (run.exit_code, rows) == (1, [])
    assert len(rejects.read_text().splitlines()) == 3


def test_rejects_of_two_files_at_once_are_refused(ctm, tmp_path):
    run = ctm("import", "spend", "a.csv", "b.csv", "--rejects", tmp_path / "r.csv", "--data", tmp_path)
    assert (run.exit_code, run.stderr) == (
        2,
        "ctm: --rejects: takes the rows of one file. Import the files one by one.\n",
    )


def test_standard_input_is_read_also_when_it_is_compressed(ctm, tmp_path):
    run = ctm("import", "spend", "-", "--data", tmp_path / "data", stdin=gzip.compress(SPEND.encode()))
    assert (run.exit_code, run.text.splitlines()[0]) == (0, "standard input → spend")
    assert stored(tmp_path) == ["50.00"]


def test_the_order_of_day_and_month_can_be_said(spend):
    content = SPEND.replace("2026-11-02", "03/02/2026")
    refused, rows = spend(content)
    assert (refused.exit_code, rows) == (1, [])
    assert "--date-format DD/MM/YYYY or MM/DD/YYYY" in refused.stderr
    run, rows = spend(content, "--date-format", "MM/DD/YYYY")
    assert (run.exit_code, rows) == (0, ["50.00"])
    assert "2026-03-02" in run.text


def test_a_period_can_be_spread_over_its_days(spend):
    content = "Reporting starts,Reporting ends,Ad ID,Amount spent (USD)\n2026-11-02,2026-11-04,1,50.00\n"
    refused, _ = spend(content)
    assert "--spread-evenly" in refused.stderr
    run, rows = spend(content, "--spread-evenly")
    assert (run.exit_code, rows) == (0, ["16.67", "16.67", "16.66"])
    assert "spread evenly over 3 days: these are estimates" in run.text


def test_the_currency_can_be_said(spend):
    run, rows = spend("day,ad_id,spend\n2026-11-02,1,50.00\n", "--currency", "EUR")
    assert (run.exit_code, rows) == (0, ["50.00"])
    assert "50.00 EUR" in run.text


def test_an_import_can_be_undone(ctm, spend, tmp_path):
    run, _ = spend(SPEND)
    import_id = run.text.split()[-1]
    undone = ctm("import", "spend", "--undo", import_id, "--data", tmp_path / "data")
    assert (undone.exit_code, stored(tmp_path)) == (0, [])
    assert f"{import_id} is undone" in undone.text
    again = ctm("import", "spend", "--undo", import_id, "--data", tmp_path / "data")
    assert again.exit_code == 2
    assert again.stderr == f"ctm: undo: '{import_id}' is no import of spend. There is none at all.\n"


@pytest.mark.parametrize("arguments", [[], ["file.csv", "--undo", "x"]])
@pytest.mark.parametrize("kind", KINDS)
def test_files_or_one_import_to_undo_not_both_and_not_neither(ctm, tmp_path, kind, arguments):
    run = ctm("import", kind, *arguments, "--data", tmp_path)
    assert (run.exit_code, run.stderr) == (
        2,
        f"ctm: import {kind}: name the files to import, or one import to --undo.\n",
    )


def test_a_mapping_can_be_kept_for_later_files(spend):
    content = SPEND.replace("spend", "Net cost")
    run, rows = spend(content, "--map", "Net cost=spend", "--save-preset", "agency")
    assert (run.exit_code, rows) == (0, ["50.00"])
    run, rows = spend(content + "2026-11-03,1,7.00,USD\n")
    assert (run.exit_code, rows) == (0, ["50.00", "50.00", "7.00"])
    assert "  preset    agency: " in run.text


def test_a_bar_is_drawn_on_a_terminal_and_only_there(tmp_path):
    file = tmp_path / "spend.csv"
    file.write_text(SPEND)
    command = [sys.executable, "-m", "ctm_analytics", "import", "spend", str(file), "--dry-run"]
    terminal, end = os.openpty()
    run = subprocess.run([*command, "--data", str(tmp_path)], stderr=end, stdout=subprocess.PIPE, check=True)
    os.close(end)
    drawn = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert "spend.csv: storing" in drawn
    assert "\x1b[3" not in drawn, "no colour"
    quiet = subprocess.run([*command, "--data", str(tmp_path)], capture_output=True, check=True)
    assert quiet.stdout == run.stdout
    assert b"storing" not in quiet.stderr
