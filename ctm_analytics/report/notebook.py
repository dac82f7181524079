"""What a notebook lets a report choose: its parameters and their types, read without running it."""

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctm_analytics.errors import InvalidArgument, InvalidFile
from ctm_analytics.settings import did_you_mean

_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list such as [1, 2]",
    tuple: "a tuple such as (1, 2)",
    dict: "a dict such as {'a': 1}",
}


def read_parameters(notebook: Path) -> dict[str, Any]:
    """Read the names and defaults of a notebook's ``parameters`` cell.

    Parameters
    ----------
    notebook : Path of an ``.ipynb`` with a Python kernelspec

    Returns
    -------
    dict of str to the default, in the cell's order

    Raises
    ------
    InvalidFile
        If there is no such file, or it is not a notebook that a report can be made of.
    """
    content = _content(notebook)
    if not isinstance(content["metadata"].get("kernelspec"), dict):
        raise InvalidFile(
            f"{notebook}: it names no kernelspec. Open it in JupyterLab, choose the kernel Python 3 and save it."
        )
    language = content["metadata"]["kernelspec"].get("language", "python")
    if language != "python":
        raise InvalidFile(f"{notebook}: its kernel speaks {language!r}. A report is a Python notebook.")
    tagged = [cell for cell in content["cells"] if "parameters" in cell["metadata"].get("tags", ())]
    if not tagged:
        raise InvalidFile(
            f'{notebook}: no cell is tagged `parameters`. Tag one that holds lines such as since = "".'
        )
    return _defaults(notebook, "".join(tagged[0]["source"]))


def check_parameters(notebook: Path, known: Mapping[str, Any], asked: Mapping[str, str]) -> dict[str, Any]:
    """Read parameters that were typed as text, each as the type of its default.

    Parameters
    ----------
    known : mapping of name to default, from :func:`read_parameters`
    asked : mapping of name to text

    Raises
    ------
    InvalidArgument
        For a name that the notebook does not have, or a text that is not of its default's type.

    Examples
    --------
    >>> check_parameters(Path("weekly.ipynb"), {"target": 40.0, "ad": ""}, {"target": "35", "ad": "12"})
    {'target': 35.0, 'ad': '12'}
    """
    for name in asked:
        refuse_unknown(notebook, known, name)
    return {name: _typed(name, text, known[name]) for name, text in asked.items()}


def refuse_unknown(notebook: Path, known: Mapping[str, Any], name: str) -> None:
    """Refuse a parameter that the notebook does not have: papermill would take any name and go on without it.

    Raises
    ------
    InvalidArgument
    """
    if name not in known:
        raise InvalidArgument(
            f"{notebook}: it has no parameter {name!r}.{did_you_mean(name, known)}"
            f" It has: {', '.join(known) or 'none'}."
        )


def _content(notebook: Path) -> dict[str, Any]:
    if not notebook.is_file():
        others = sorted(path.stem for path in notebook.parent.glob("*.ipynb"))
        raise InvalidFile(
            f"{notebook}: there is no such notebook.{did_you_mean(notebook.stem, others)}"
            f" There are: {', '.join(others) or 'none in its folder'}."
        )
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        sound = [
            content["metadata"].get,
            *((cell["metadata"].get, cell["source"]) for cell in content["cells"]),
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = []
    if not sound:
        raise InvalidFile(f"{notebook}: not a notebook (format 4). Open it in JupyterLab and save it anew.")
    return dict(content)


def _defaults(notebook: Path, source: str) -> dict[str, Any]:
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise InvalidFile(
            f"{notebook}: line {error.lineno} of its parameters cell is not Python: {error.msg}."
        ) from None
    found: dict[str, Any] = {}
    value: ast.AST
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                name, value = "", statement
        try:
            found[name] = ast.literal_eval(value)
        except ValueError:
            raise InvalidFile(
                f"{notebook}: `{ast.unparse(statement)}` in its parameters cell is no plain value."
                ' Write lines such as since = "2026-11-16".'
            ) from None
    return found


def _typed(name: str, text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text
    try:
        value = ast.literal_eval({"true": "True", "false": "False", "none": "None"}.get(text.lower(), text))
    except (ValueError, SyntaxError):
        value = text
    if default is None or type(value) is type(default):
        return value
    if isinstance(default, float) and type(value) is int:
        return float(value)
    raise InvalidArgument(
        f"-p {name}: {text!r} is not {_KINDS.get(type(default), 'of its type')}, as the notebook's {default!r} is."
    )
