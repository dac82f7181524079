import json
from pathlib import Path

import pytest

from ctm_analytics.errors import InvalidArgument, InvalidFile
from ctm_analytics.report.notebook import check_parameters, read_parameters

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write(path, source, metadata=KERNEL, tags=("parameters",)):
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source.splitlines(keepends=True)}
    path.write_text(json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4}), encoding="utf-8")
    return path


def test_parameters_are_read_with_their_defaults_in_order(tmp_path):
    path = write(
        tmp_path / "own.ipynb",
        'since = "2026-11-09"  # a day\ntarget: float = 40.0\nads = ["1"]\nlimit = None',
    )
    assert list(read_parameters(path).items()) == [
        ("since", "2026-11-09"),
        ("target", 40.0),
        ("ads", ["1"]),
        ("limit", None),
    ]


@pytest.mark.parametrize(
    ("source", "words", "message"),
    [
        (
            "x = 1",
            {"metadata": {}},
            "it names no kernelspec. Open it in JupyterLab, choose the kernel Python 3",
        ),
        (
            "x = 1",
            {"metadata": {"kernelspec": {"language": "R"}}},
            "its kernel speaks 'R'. A report is a Python notebook.",
        ),
        ("x = 1", {"tags": ()}, "no cell is tagged `parameters`. Tag one"),
        ("x = today()", {}, "`x = today()` in its parameters cell is no plain value."),
        ("import os", {}, "`import os` in its parameters cell is no plain value."),
        ("x = = 1", {}, "line 1 of its parameters cell is not Python: invalid syntax."),
    ],
)
def test_a_notebook_that_cannot_be_a_report_is_one_sentence(tmp_path, source, words, message):
    path = write(tmp_path / "own.ipynb", source, **words)
    with pytest.raises(InvalidFile) as caught:
        read_parameters(path)
    assert str(caught.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", '{"cells": 3}', '{"cells": [{}], "metadata": {}}', "\udcff"]
)
def test_a_file_that_is_no_notebook_is_one_sentence(tmp_path, text):
    path = tmp_path / "own.ipynb"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InvalidFile, match="not a notebook"):
        read_parameters(path)


def test_a_notebook_that_is_not_there_is_looked_for_among_its_neighbours(tmp_path):
    write(tmp_path / "weekly.ipynb", "x = 1")
    with pytest.raises(InvalidFile, match=r"no such notebook\. Did you mean 'weekly'\? There are: weekly\."):
        read_parameters(tmp_path / "weekyl.ipynb")


@pytest.mark.parametrize(
    ("default", "text", "value"),
    [
        ("", "7", "7"),
        (1, "7", 7),
        (1.0, "7", 7.0),
        (False, "true", True),
        (None, "7", 7),
        (None, "Reel", "Reel"),
        (None, "none", None),
        (["1"], "['2', '3']", ["2", "3"]),
    ],
)
def test_a_parameter_has_the_type_of_its_default(default, text, value):
    read = check_parameters(Path("own.ipynb"), {"x": default}, {"x": text})["x"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("default", "text", "rule"),
    [
        (1, "7.5", "a whole number, as the notebook's 1 is."),
        (1, "many", "a whole number, as the notebook's 1 is."),
        (1.0, "true", "a number, as the notebook's 1.0 is."),
        (True, "1", "true or false, as the notebook's True is."),
        ([], "2", "a list such as [1, 2], as the notebook's [] is."),
    ],
)
def test_a_parameter_of_another_type_is_refused(default, text, rule):
    with pytest.raises(InvalidArgument) as caught:
        check_parameters(Path("own.ipynb"), {"x": default}, {"x": text})
    assert str(caught.value) == f"-p x: {text!r} is not {rule}"
