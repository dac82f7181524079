import json
import subprocess
import sys
from datetime import UTC, date, datetime

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from ctm_analytics.errors import InvalidArgument, NoData
from ctm_analytics.report.lock import AlreadyRunning
from ctm_analytics.report.runner import Order, ReportFailed, run_report

PARAMETERS = 'data = ""\nsince = ""\nuntil = ""\nas_of = ""\nout = ""\ntitle = "Weekly"\nnotices = []'
SAVE = """
import ctm_analytics as ctm
report = ctm.Report(title, since, until)
report.headline(f"A new customer cost $33.")
report.kpi("CAC (ad spend only)", 33.0)
for notice in notices:
    report.notice(notice)
report.save(f"{out}/index.html", tables=f"{out}/tables")
"""
# A notebook that needs no import is made in a second.
QUICK = """
from pathlib import Path
Path(out, "index.html").write_text(title)
Path(out, "tables").mkdir()
Path(out, "tables", "ads.csv").write_text(title)
"""


def write_notebook(path, *cells, first=PARAMETERS, more=""):
    first = new_code_cell(f"{first}\n{more}", metadata={"tags": ["parameters"]})
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = new_notebook(cells=[first, *map(new_code_cell, cells)], metadata=metadata)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


@pytest.fixture
def order(tmp_path):
    def order(
        notebook, since=date(2026, 11, 16), until=date(2026, 11, 22), inputs="", notices=(), **parameters
    ):
        as_of = datetime(2026, 11, 23, 5, 10, tzinfo=UTC)
        return Order(
            notebook, tmp_path, since, until, as_of, tmp_path / "reports", parameters, notices, inputs
        )

    return order


@pytest.fixture
def run(order):
    return lambda notebook, **words: run_report(order(notebook, **words))


def test_a_report_lies_where_its_inputs_say_and_twice_the_same(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", SAVE)
    made = run(notebook, title="Chosen")
    assert made.folder == tmp_path / "reports" / "weekly" / "2026-11-16_2026-11-22"
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "executed.ipynb",
        "index.html",
        "run.json",
        "tables",
    ]
    page, recorded = made.page.read_bytes(), (made.folder / "run.json").read_bytes()
    assert b"<h1>Chosen</h1>" in page
    again = run(notebook, title="Chosen")
    assert (again.page.read_bytes(), (again.folder / "run.json").read_bytes()) == (page, recorded)
    assert json.loads(recorded)["parameters"]["as_of"] == "2026-11-23T05:10:00+00:00"
    assert json.loads(recorded)["summary"]["headlines"] == ["A new customer cost $33."]
    listed = sorted(path.name for path in made.folder.parent.iterdir())
    assert listed == [".lock", made.folder.name, "latest"]
    assert [path.name for path in sorted((tmp_path / "reports").iterdir())] == ["index.html", "weekly"]


def test_every_file_of_a_report_repeats_the_executed_notebook_too(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", QUICK)
    first, second = (
        {path.name: path.read_bytes() for path in run(notebook).folder.rglob("*") if path.is_file()}
        for _ in "12"
    )
    assert first == second
    assert set(first) == {"executed.ipynb", "index.html", "run.json", "ads.csv"}


def test_latest_names_the_report_of_the_last_days_whichever_was_made_last(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", QUICK)
    latest = tmp_path / "reports" / "weekly" / "latest"
    run(notebook)
    assert latest.readlink().name == "2026-11-16_2026-11-22"
    run(notebook, since=date(2026, 11, 2), until=date(2026, 11, 8))
    assert latest.readlink().name == "2026-11-16_2026-11-22"
    run(notebook, since=date(2026, 11, 23), until=date(2026, 11, 29))
    assert latest.readlink().name == "2026-11-23_2026-11-29"


def test_a_new_report_takes_the_place_of_the_last_one_whole(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", QUICK)
    run(notebook)
    write_notebook(notebook, QUICK.replace("ads.csv", "days.csv"))
    made = run(notebook, title="Second")
    assert [path.name for path in made.tables] == ["days.csv"]
    assert made.page.read_text() == "Second"
    assert not list((tmp_path / "reports").rglob("*.old")) + list((tmp_path / "reports").rglob("*.tmp"))


def test_a_failing_cell_is_named_and_the_last_good_report_stays(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", SAVE)
    good = run(notebook).page.read_bytes()
    write_notebook(notebook, "spend = 1\nspend / 0")
    with pytest.raises(ReportFailed) as caught:
        run(notebook)
    kept = tmp_path / "reports" / "weekly" / "2026-11-16_2026-11-22.failed.ipynb"
    assert str(caught.value) == (
        f"{notebook}: cell 2 failed at `spend / 0`: ZeroDivisionError: division by zero. See {kept}."
    )
    assert "ZeroDivisionError" in kept.read_text(encoding="utf-8")
    assert (tmp_path / "reports" / "weekly" / "2026-11-16_2026-11-22" / "index.html").read_bytes() == good


def test_a_period_without_data_keeps_its_meaning_through_the_notebook(run, tmp_path):
    notebook = write_notebook(
        tmp_path / "weekly.ipynb",
        "import ctm_analytics as ctm\nraise ctm.NoData('nothing for 16–22 Nov 2026.')",
    )
    with pytest.raises(NoData) as caught:
        run(notebook)
    assert str(caught.value) == "nothing for 16–22 Nov 2026."


def test_an_unknown_parameter_is_refused_before_anything_runs(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", SAVE)
    with pytest.raises(InvalidArgument) as caught:
        run(notebook, titel="x")
    assert str(caught.value) == (
        f"{notebook}: it has no parameter 'titel'. Did you mean 'title'?"
        " It has: data, since, until, as_of, out, title, notices."
    )
    assert not (tmp_path / "reports").exists()


def test_a_notebook_that_saves_no_page_is_told_how(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", "pass")
    with pytest.raises(ReportFailed, match=r"it wrote no index\.html"):
        run(notebook)


def test_what_a_failing_cell_said_stays_on_this_machine(run, tmp_path):
    with pytest.raises(ReportFailed) as caught:
        run(write_notebook(tmp_path / "weekly.ipynb", "raise ValueError('anna@example.com')"))
    assert "anna@example.com" in str(caught.value)
    assert caught.value.shared == (
        "Cell 2 of weekly.ipynb failed with ValueError."
        " Its words are in 2026-11-16_2026-11-22.failed.ipynb, on the machine that ran it:"
        " look there, and run the report again."
    )


def test_a_failed_notebook_is_removed_by_the_next_good_one(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", "1 / 0")
    with pytest.raises(ReportFailed):
        run(notebook)
    run(write_notebook(notebook, QUICK))
    assert not list((tmp_path / "reports").rglob("*.failed.ipynb"))


def test_a_kernel_that_dies_is_a_sentence_and_leaves_nothing_behind(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", "import os\nos._exit(9)")
    with pytest.raises(ReportFailed, match=r"its kernel ended .* Look whether memory ran out"):
        run(notebook)
    assert [path.name for path in (tmp_path / "reports" / "weekly").iterdir()] == [".lock"]


def test_a_report_cannot_be_written_into_a_file(run, tmp_path):
    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(ReportFailed, match=r"could not be written: .* The last good report is as it was"):
        run(write_notebook(tmp_path / "weekly.ipynb", QUICK))


def test_parameters_reach_the_notebook_with_their_types(run, tmp_path):
    cells = ("assert (target, count, is_final, title) == (41.5, 3, True, '7')", QUICK)
    notebook = write_notebook(
        tmp_path / "weekly.ipynb", *cells, more="target = 40.0\ncount = 1\nis_final = False"
    )
    assert run(notebook, target="41.5", count="3", is_final="true", title="7").is_new


def test_what_the_command_line_has_words_for_is_no_parameter(run, tmp_path):
    with pytest.raises(InvalidArgument, match=r"-p as_of: the command line has other words for it"):
        run_report(
            Order(
                write_notebook(tmp_path / "weekly.ipynb", QUICK),
                tmp_path,
                date(2026, 11, 16),
                date(2026, 11, 22),
                datetime(2026, 11, 23, tzinfo=UTC),
                tmp_path / "reports",
                {"as_of": "2026-11-01"},
            )
        )


def test_notices_stand_in_the_report_and_in_what_it_says_in_short(run, tmp_path):
    made = run(write_notebook(tmp_path / "weekly.ipynb", SAVE), notices=("CAC > $40 for 2 ads.",))
    assert made.summary["notices"] == ["CAC > $40 for 2 ads."]
    assert "CAC &gt; $40 for 2 ads." in made.page.read_text(encoding="utf-8")


def test_a_notebook_that_cannot_show_notices_says_how_it_could(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", QUICK, first=PARAMETERS.replace("notices = []", ""))
    with pytest.raises(InvalidArgument, match=r"it cannot show alerts\. Write `notices = \[\]`"):
        run(notebook, notices=("x",))


def test_unchanged_inputs_run_nothing(order, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", QUICK)
    made = run_report(order(notebook, inputs="a"), only_if_changed=True)
    assert made.is_new
    write_notebook(notebook, "raise AssertionError('it ran')")
    assert not run_report(order(notebook, inputs="a"), only_if_changed=True).is_new
    with pytest.raises(ReportFailed, match="it ran"):
        run_report(order(notebook, inputs="b"), only_if_changed=True)


def test_a_report_that_somebody_has_spoilt_is_made_again(order, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", QUICK)
    made = run_report(order(notebook, inputs="a"))
    made.page.write_text("spoilt")
    assert run_report(order(notebook, inputs="a"), only_if_changed=True).is_new
    assert made.page.read_text() == "Weekly"


def test_new_inputs_that_say_the_same_leave_the_last_report(order, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", QUICK)
    made = run_report(order(notebook, inputs="a"))
    before = made.page.stat().st_mtime_ns
    assert not run_report(order(notebook, inputs="b"), only_if_changed=True).is_new
    assert made.page.stat().st_mtime_ns == before
    assert run_report(order(notebook, inputs="b", title="Other"), only_if_changed=True).is_new
    assert run_report(order(notebook, inputs="b", title="Other")).is_new


def test_a_second_run_at_once_says_who_runs_and_a_killed_one_holds_nothing(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", QUICK)
    lock = tmp_path / "reports" / "weekly" / ".lock"
    program = (
        "import sys\nfrom pathlib import Path\nfrom ctm_analytics.report.lock import only_run\n"
        "with only_run(Path(sys.argv[1]), '16–22 Nov 2026'):\n    print('held', flush=True)\n    sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning) as caught:
            run(notebook)
        holder.kill()
    assert str(caught.value).startswith(f"weekly: process {holder.pid}, since 20")
    assert "for 16–22 Nov 2026, is making this report. Wait until it has ended" in str(caught.value)
    assert not (tmp_path / "reports" / "weekly" / "2026-11-16_2026-11-22").exists()
    assert run(notebook).is_new
