"""The documentation as a reader types it: every ``console`` block runs, every Python block too.

Lines that begin with ``$`` are typed; what stands below them is what is printed, with ``...`` for what is left out.
"""

import doctest
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CHECKER = doctest.OutputChecker()
LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _blocks(page, language):
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def _typed(page):
    """Each typed line of a page, with the lines that are shown below it."""
    for block in _blocks(page, "console"):
        for typed in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = typed.partition("\n")
            yield line, shown


def _with(language):
    return pytest.mark.parametrize(
        "page", [pytest.param(page, id=page.stem) for page in PAGES if _blocks(page, language)]
    )


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone in which `make demo` has run: its demo is the sample, which is the same shop, smaller."""
    for name in ("sample", "demo"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).symlink_to(ROOT / "data" / "sample")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")


@_with("console")
def test_what_a_page_types_prints_what_it_shows(ctm, clone, page):
    for line, shown in _typed(page):
        program, *arguments = shlex.split(line)
        if program != "ctm":
            subprocess.run([program, *arguments], check=True)
            continue
        run = ctm(*arguments)
        assert run.exit_code == 0, f"{line}\n{run.stderr}"
        assert not shown or CHECKER.check_output(shown, run.text, LOOSE), f"{line}\n{run.text}"


@_with("python")
def test_the_python_of_a_page_runs_in_a_notebook(clone, page, monkeypatch):
    monkeypatch.chdir("notebooks")
    names: dict[str, object] = {}
    for block in _blocks(page, "python"):
        exec(block, names)
