"""`ctm new` makes a notebook from a template, and `ctm lab` refuses what would open this machine to others."""

import json
import os
from pathlib import Path

import papermill
import pytest

from ctm_analytics.cli import notebooks

TEMPLATES = sorted(path.stem for path in notebooks.TEMPLATES.glob("*.ipynb"))


def parameters(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return next("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))


def test_a_new_notebook_opens_the_data_folder_from_where_it_lies_and_runs(ctm, shop, tmp_path):
    (tmp_path / "analyses").mkdir()
    path = tmp_path / "analyses" / "monday.ipynb"
    made = ctm("new", path, "--data", shop)
    assert (made.exit_code, made.text) == (0, f"{path}\n")
    assert f"ctm lab --notebook {path}" in made.stderr
    assert f'data = "{os.path.relpath(shop, path.parent)}"' in parameters(path)
    papermill.execute_notebook(path, None, kernel_name="python3", progress_bar=False, cwd=path.parent)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_is_named_in_the_help_and_can_be_used(ctm, shop, tmp_path, monkeypatch, template):
    monkeypatch.setenv("COLUMNS", "300")
    assert template in ctm("new", "--help").text
    path = tmp_path / "own.ipynb"
    assert ctm("new", path, "--template", template, "--data", shop).exit_code == 0
    assert "data = " in parameters(path)


def test_nothing_is_overwritten(ctm, shop, tmp_path):
    path = tmp_path / "mine.ipynb"
    path.write_text("my work")
    refused = ctm("new", path, "--data", shop)
    assert refused.exit_code == 2
    assert "nothing is overwritten" in refused.stderr
    assert path.read_text() == "my work"


def test_an_unknown_template_is_answered_with_those_that_there_are(ctm, tmp_path):
    refused = ctm("new", tmp_path / "own.ipynb", "--template", "latncy")
    assert refused.exit_code == 2
    assert "Did you mean 'latency'?" in refused.stderr
    assert not (tmp_path / "own.ipynb").exists()


def test_a_folder_that_does_not_exist_is_named(ctm, shop, tmp_path):
    refused = ctm("new", tmp_path / "nowhere" / "own.ipynb", "--data", shop)
    assert refused.exit_code == 2
    assert "nowhere" in refused.stderr


@pytest.fixture
def started(monkeypatch):
    """What would be run in this program's place."""
    commands = []
    monkeypatch.setattr(os, "execv", lambda _, words: commands.append(words))
    return commands


def test_jupyterlab_listens_on_this_machine_only(ctm, started):
    assert ctm("lab", "--allow-root").exit_code == 0
    (words,) = started
    assert "--ServerApp.ip=127.0.0.1" in words
    assert words[-1] == "--allow-root"
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in words


@pytest.mark.parametrize("word", ["--ServerApp.ip=0.0.0.0", "--NotebookApp.ip=*", "--ServerApp.sock=here"])
def test_another_address_is_refused_where_it_is_not_said_plainly(ctm, started, word):
    refused = ctm("lab", word)
    assert refused.exit_code == 2
    assert "--ip" in refused.stderr
    assert started == []


def test_whoever_opens_jupyterlab_to_a_network_is_told_what_that_means(ctm, started):
    told = ctm("lab", "--ip", "0.0.0.0")
    assert "can run anything here" in told.stderr
    assert "--ServerApp.ip=0.0.0.0" in started[0]
    assert "'here' is not an address" in ctm("lab", "--ip", "here").stderr


def test_a_notebook_that_is_not_there_is_named(ctm, started, tmp_path):
    assert "ctm new" in ctm("lab", "--notebook", tmp_path / "gone.ipynb").stderr
    assert started == []
