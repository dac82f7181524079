import ast
import re
import subprocess
from pathlib import Path

import nbformat
import papermill
import pytest

import ctm_analytics as ctm

ROOT = Path(__file__).parents[2]
# Those of the project: an analyst's own may lie beside them.
LISTED = subprocess.run(["git", "ls-files", "notebooks"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
NOTEBOOKS = [ROOT / name for name in LISTED.splitlines() if name.endswith(".ipynb")]
MAY_IMPORT = {"ctm_analytics", "pandas", "plotly"}

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def nodes(path):
    python = [cell.source for cell in code_cells(path) if not cell.source.startswith("%%sql")]
    return [node for source in python for node in ast.walk(ast.parse(source))]


def dotted(node):
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def test_no_output_is_kept(path):
    # As it is committed: whoever has run it in JupyterLab has outputs in the file.
    kept = subprocess.run(["git", "show", f":{path.relative_to(ROOT)}"], cwd=ROOT, capture_output=True, check=True)
    cells = [cell for cell in nbformat.reads(kept.stdout.decode(), 4).cells if cell.cell_type == "code"]
    assert [cell.source for cell in cells if cell.outputs or cell.execution_count] == []


def test_the_kernel_is_python3(path):
    assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "python3"


def test_one_cell_of_plain_literals_holds_the_parameters(path):
    tagged = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    for statement in ast.parse(tagged[0].source).body:
        assert isinstance(statement, ast.Assign)
        ast.literal_eval(statement.value)


def test_cells_are_few_and_short(path):
    assert len(code_cells(path)) <= 12
    assert [cell.source for cell in code_cells(path) if len(cell.source.splitlines()) > 12] == []


def test_nothing_is_defined_and_only_public_names_are_used(path):
    found = nodes(path)
    assert not [node for node in found if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
    imported = {
        name.name.split(".")[0] for node in found if isinstance(node, ast.Import) for name in node.names
    }
    assert not [node for node in found if isinstance(node, ast.ImportFrom)]
    assert imported <= MAY_IMPORT
    names = [dotted(node) for node in found if isinstance(node, ast.Attribute)]
    assert not [name for name in names if re.search(r"(^|\.)_", name)]
    assert {name.split(".")[1] for name in names if name.startswith("ctm.")} <= set(ctm.__all__)
    assert {name.split(".")[2] for name in names if re.match(r"ctm\.charts\.\w", name)} <= set(
        ctm.charts.__all__
    )


def test_the_first_cell_asks_the_question(path):
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert re.match(r"# .+\?$", first.source.splitlines()[0])
    if "reports" not in path.parts:
        for what in ("Parameters", "You get", "Run time"):
            assert f"- **{what}**: " in first.source


def test_it_runs_on_the_sample_and_ends_with_a_sentence(path, tmp_path):
    made = papermill.execute_notebook(
        path, tmp_path / "executed.ipynb", kernel_name="python3", progress_bar=False, cwd=path.parent
    )
    outputs = [output for cell in made.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    last = [cell for cell in made.cells if cell.cell_type == "code"][-1]
    sentences = "".join(output.text for output in last.outputs).splitlines()
    assert sentences
    assert all(re.fullmatch(r"[A-Z0-9$€].+\.", sentence) for sentence in sentences)
    assert not re.search(r"\bnan\b|None|<NA>", " ".join(sentences))
    for output in outputs:
        figure = output.get("data", {}).get("application/vnd.plotly.v1+json")
        assert figure is None or figure["config"]["showSendToCloud"] is False
