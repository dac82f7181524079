import json
from datetime import UTC, date, datetime

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from ctm_analytics.errors import InvalidArgument, InvalidFile, NoData
from ctm_analytics.report.runner import ReportFailed, run_report

PARAMETERS = 'data = ""\nsince = ""\nuntil = ""\nas_of = ""\nout = ""\ntitle = "Weekly"'
SAVE = """
import ctm_analytics as ctm
report = ctm.Report(title, since, until)
report.headline(f"as of {as_of}")
report.save(f"{out}/index.html", tables=f"{out}/tables")
"""


def write_notebook(path, *cells, kernel="python3"):
    first = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    metadata = (
        {"kernelspec": {"name": kernel, "display_name": "Python 3", "language": "python"}} if kernel else {}
    )
    notebook = new_notebook(cells=[first, *map(new_code_cell, cells)], metadata=metadata)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path):
    def run(notebook, **parameters):
        return run_report(
            notebook,
            data=tmp_path,
            since=date(2026, 11, 16),
            until=date(2026, 11, 22),
            as_of=datetime(2026, 11, 23, 5, 10, tzinfo=UTC),
            parameters=parameters,
            out=tmp_path / "reports",
        )

    return run


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
    assert [path.name for path in made.folder.parent.iterdir()] == [made.folder.name]


def test_a_failing_cell_is_named_and_the_last_good_report_stays(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", SAVE)
    good = run(notebook).page.read_bytes()
    write_notebook(notebook, "spend = 1\nspend / 0")
    with pytest.raises(ReportFailed) as caught:
        run(notebook)
    kept = tmp_path / "reports" / "weekly" / "2026-11-16_2026-11-22.failed.ipynb"
    assert str(caught.value) == (
        f"{notebook}: cell 3 failed at `spend / 0`: ZeroDivisionError: division by zero. See {kept}."
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
        " It has: data, since, until, as_of, out, title."
    )
    assert not (tmp_path / "reports").exists()


def test_a_notebook_that_saves_no_page_is_told_how(run, tmp_path):
    notebook = write_notebook(tmp_path / "weekly.ipynb", "pass")
    with pytest.raises(ReportFailed, match=r"it wrote no index\.html"):
        run(notebook)


def test_a_notebook_that_is_none_is_one_sentence(run, tmp_path):
    with pytest.raises(InvalidFile, match="there is no such notebook"):
        run(tmp_path / "none.ipynb")
    (tmp_path / "text.ipynb").write_text("no JSON", encoding="utf-8")
    with pytest.raises(InvalidFile, match="not a notebook that can be run"):
        run(tmp_path / "text.ipynb")


def test_a_notebook_without_a_kernelspec_is_refused_in_one_sentence(run, tmp_path):
    with pytest.raises(InvalidFile, match="It needs a kernelspec"):
        run(write_notebook(tmp_path / "weekly.ipynb", SAVE, kernel=None))
