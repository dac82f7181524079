"""`ctm report` and `ctm demo`: the page's path on stdout, everything else on stderr, and the right exit code."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
AS_OF = datetime(2027, 1, 1, tzinfo=UTC).isoformat()  # the sample was captured before


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "sample"))


def test_a_report_says_its_period_and_prints_its_path(ctm, sample):
    run = ctm("report", "--data", sample, "--week", "2026-W46", "--as-of", AS_OF)
    page = sample / "reports" / "weekly" / "2026-11-09_2026-11-15" / "index.html"
    assert (run.exit_code, run.text) == (0, f"{page}\n")
    assert run.stderr.startswith("9–15 Nov 2026, Africa/Johannesburg, 7 days\n")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "executed.ipynb",
        "index.html",
        "run.json",
        "tables",
    ]


def test_what_is_passed_on_holds_no_folder_of_this_machine(ctm, sample):
    ctm("report", "--data", sample, "--week", "2026-W46", "--as-of", AS_OF)
    for file in (sample / "reports").rglob("*.*"):
        assert str(sample) not in file.read_text(encoding="utf-8"), file


def test_a_report_over_bad_data_is_written_and_ends_with_3(ctm, world):
    start = datetime(2026, 11, 2, 8)
    world.event("p", start, ad_id="1", event_id="e").event("p", start, ad_id="1", event_id="e")
    data = world.spend(start.date(), "1", "5.00").write()
    run = ctm("report", "--data", data, "--week", "2026-W45", "--as-of", AS_OF, "--fail-on", "quality")
    assert run.exit_code == 3
    assert Path(run.text.strip()).is_file()
    assert (
        "the report is written, but its data are not good: 1 of 2: Events stored more than once" in run.stderr
    )


def test_a_report_that_cannot_be_printed_is_written_all_the_same(ctm, world, monkeypatch, tmp_path):
    start = datetime(2026, 11, 2, 8)
    data = world.event("p", start, ad_id="1").spend(start.date(), "1", "5.00").write()
    monkeypatch.setenv("PATH", str(tmp_path))
    run = ctm("report", "--data", data, "--week", "2026-W45", "--as-of", AS_OF, "--format", "html,pdf")
    assert run.exit_code == 1
    assert [Path(line).name for line in run.text.splitlines()] == ["index.html"]
    assert "no Chromium or Chrome is installed here" in run.stderr


def test_a_week_without_data_ends_with_4_and_writes_nothing(ctm, sample):
    run = ctm("report", "--data", sample, "--week", "2020-W10", "--as-of", AS_OF)
    assert run.exit_code == 4
    assert not list((sample / "reports").rglob("index.html"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--week", "2026-47"), "--week: '2026-47' is not an ISO week. Use YYYY-Www, e.g. 2026-W47."),
        (("--last", "week"), "--last: 'week' is not a number of days. Use e.g. 7d."),
        (("-p", "target"), "-p: 'target' is not NAME=VALUE. Write e.g. -p target_cac=40."),
        (("--fail-on", "quantity"), "--fail-on: 'quantity' is not one. Did you mean 'quality'? Use quality."),
    ],
)
def test_a_wrong_word_is_a_sentence(ctm, sample, words, sentence):
    run = ctm("report", "--data", sample, "--as-of", AS_OF, *words)
    assert run.exit_code == 2
    assert run.stderr.splitlines()[-1] == f"ctm: {sentence}"


def test_the_demo_deletes_nothing_but_a_demo(ctm, tmp_path):
    (tmp_path / "mine.csv").write_text("precious")
    run = ctm("demo", "--data", tmp_path)
    assert run.exit_code == 2
    assert "holds something else than a demo" in run.stderr
    assert (tmp_path / "mine.csv").read_text() == "precious"
