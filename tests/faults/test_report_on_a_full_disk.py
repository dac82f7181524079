"""A report that meets a full disk at any call ends in a sentence, and the report that was there is whole."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from faults.faulty_calls import FaultyCalls, most_calls
from faults.size import sized
from nbformat.v4 import new_code_cell, new_notebook

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
PARAMETERS = 'data = ""\nsince = ""\nuntil = ""\nas_of = ""\nout = ""\ntitle = "First"'
# A notebook that needs no import; its page is larger than any buffer.
PAGE = """
from pathlib import Path
Path(out, "index.html").write_text(title * 100_000)
Path(out, "tables").mkdir()
Path(out, "tables", "ads.csv").write_text(title)
"""
CALLS = ("create", "write", "mkdir", "fsync", "rename")


def report(folder: Path, title: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "ctm_analytics",
        "report",
        str(folder / "weekly.ipynb"),
        "--data",
        str(SAMPLE),
    ]
    words = ["--out", str(folder / "reports"), "--week", "2026-W46", "-p", f"title={title}"]
    return subprocess.run(
        [*command, *words],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def title_of_whole_report(folder: Path) -> str:
    """Assert that the report is whole and one of one making; its title."""
    made = folder / "reports" / "weekly" / "latest"
    record = json.loads((made / "run.json").read_text())
    found = {name: hashlib.sha256((made / name).read_bytes()).hexdigest() for name in record["files"]}
    assert found == record["files"]
    assert set(found) == {"index.html", "tables/ads.csv"}
    title = str(record["parameters"].get("title", "First"))
    assert (made / "index.html").read_text() == title * 100_000
    return title


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with one good report."""
    folder = tmp_path_factory.mktemp("reports")
    cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell(PAGE)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    (folder / "weekly.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    assert report(folder, "First", {}).returncode == 0
    return folder


# In "weekly/": the lock, the executed notebook, run.json, the folder's sync. In "tables/": the notebook's own writes.
# Above it: the list of all reports.
@pytest.mark.parametrize(
    ("below", "at_calls"),
    [
        ("weekly/", sized((2, 9, 23), tuple(range(1, 32)))),
        ("weekly/2026-11-09_2026-11-15.tmp/tables/", sized((2,), (1, 2, 3))),
        (".index", sized((2,), (1, 2, 3))),
    ],
)
def test_a_full_disk_is_a_sentence_and_the_last_report_is_whole(
    faulty_calls: FaultyCalls, folder: Path, tmp_path: Path, below: str, at_calls: tuple[int, ...]
) -> None:
    before, failures = title_of_whole_report(folder), 0
    for at_call in at_calls:
        environ = faulty_calls.struck(folder / "reports", tmp_path / "log", "full", at_call, *CALLS)
        environ["FAULT_FOLDER"] = f"{folder / 'reports'}/{below}"
        title = f"{below}{at_call}"
        run = report(folder, title, environ)
        after = title_of_whole_report(folder)
        assert after in (before, title)
        assert "Traceback" not in run.stderr
        failures += run.returncode
        if run.returncode:
            assert run.returncode == 1
            assert "No space left on device" in run.stderr.splitlines()[-1]
            assert run.stdout == ""
            assert not list((folder / "reports").rglob("*.tmp"))
        else:
            assert most_calls(tmp_path / "log") < at_call or after == title
        before = after
    assert failures


def test_the_next_run_after_a_full_disk_is_as_good_as_ever(folder: Path) -> None:
    assert report(folder, "Last", {}).returncode == 0
    assert title_of_whole_report(folder) == "Last"
    listed = sorted(path.name for path in (folder / "reports" / "weekly").iterdir())
    assert listed == [".lock", "2026-11-09_2026-11-15", "latest"]
