"""Finds the SQL files, orders them by their references, binds parameters, and composes one query."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

SQL_FOLDER = Path(__file__).parent / "sql"

Value = str | int | float | bool | Decimal | date | datetime | timedelta | tuple[str, ...] | None
Parameters = Mapping[str, Value]

_COMMENT = re.compile(r"--[^\n]*")
_REFERENCE = re.compile(r"\b(?:from|join)\s+([a-z_]+)\b", re.IGNORECASE)
# What engines read differently inside a quoted text.
_SPECIAL = re.compile(r"['\\]")
# A colon that is neither half of a cast (::) nor inside a quoted text.
_PARAMETER = re.compile(r"'(?:[^']|'')*'|::|:([a-z_]+)")


@dataclass(frozen=True)
class Model:
    """One SQL file: a relation by the file's name.

    Attributes
    ----------
    name : str, the file's name without its ending; other models refer to it
    layer : str, ``staging``, ``intermediate`` or ``marts``
    meaning : str, what one row is: the file's first line
    sql : str, a SELECT over other models and sources, with ``:name`` parameters
    """

    name: str
    layer: str
    meaning: str
    sql: str


@cache
def all_models() -> dict[str, Model]:
    """Read every model once.

    Returns
    -------
    dict of str to Model, by name, in alphabetical order
    """
    models = {}
    for path in sorted(SQL_FOLDER.glob("*/*.sql")):
        sql = path.read_text(encoding="utf-8").strip()
        comments = [line.removeprefix("-- ") for line in sql.splitlines() if line.startswith("--")]
        models[path.stem] = Model(path.stem, path.parent.name, comments[0], sql)
    return models


def references(sql: str) -> list[str]:
    """Name the models that a query reads, in order of first use.

    Examples
    --------
    >>> references("select * from touches join raw_events on true")
    ['touches']
    """
    return list(_references(sql))


@lru_cache(maxsize=1024)
def _references(sql: str) -> tuple[str, ...]:
    found = _REFERENCE.findall(_COMMENT.sub("", sql))
    models = all_models()
    return tuple(dict.fromkeys(name.lower() for name in found if name.lower() in models))


def in_order(names: list[str], given: Container[str] = ()) -> list[Model]:
    """Order models so that each comes after those it reads.

    Parameters
    ----------
    names : list of str, models that are wanted
    given : names of models that are there already: what they read is not needed

    Returns
    -------
    list of Model: the wanted ones and all that they need
    """
    ordered: dict[str, Model] = {}

    def visit(name: str) -> None:
        if name not in ordered:
            model = all_models()[name]
            if name not in given:
                for needed in references(model.sql):
                    if needed != name:
                        visit(needed)
            ordered[name] = model

    for name in names:
        visit(name)
    return list(ordered.values())


def compose(query: str, parameters: Parameters, given: Mapping[str, str] | None = None) -> str:
    """Turn a query over models into one statement over the sources.

    Parameters
    ----------
    query : str, a model's name, or a SELECT over models
    parameters : mapping of str to value; each ``:name`` of the models is bound to it
    given : mapping of a model's name to a SELECT that stands for it, such as one over a table that was made from it

    Raises
    ------
    KeyError
        If a model asks for a parameter that is not given: a bug, not a user's mistake.
    """
    select = f"select * from {query}" if query in all_models() else query
    given = given or {}
    definitions = [
        f"{model.name} as (\n{_indented(given.get(model.name) or bind(model.sql, parameters))}\n)"
        for model in in_order(references(select), given)
    ]
    if not definitions:
        return bind(select, parameters)
    return "with " + ",\n\n".join(definitions) + f"\n\n{bind(select, parameters)}"


def bind(sql: str, parameters: Parameters) -> str:
    """Write the parameters into a statement as literals.

    Examples
    --------
    >>> bind("select :name, ':name', x::int", {"name": "O'Hara"})
    "select ('O' || chr(39) || 'Hara'), ':name', x::int"
    """
    return "".join(literal(parameters[part]) if is_parameter else part for part, is_parameter in _parts(sql))


@lru_cache(maxsize=1024)
def _parts(sql: str) -> tuple[tuple[str, bool], ...]:
    """Split a statement into texts, and names of parameters."""
    parts: list[tuple[str, bool]] = []
    for line in sql.splitlines(keepends=True):
        end = 0
        for match in () if line.lstrip().startswith("--") else _PARAMETER.finditer(line):
            if match[1]:
                parts += [(line[end : match.start()], False), (match[1], True)]
                end = match.end()
        parts.append((line[end:], False))
    return tuple(parts)


def literal(value: Value) -> str:
    r"""Write a value as a literal that all engines read alike.

    Standard SQL doubles a quote and takes a backslash as it is; Sail drops a doubled quote, and to Spark and Sail a
    backslash is an escape. So both are written as calls.

    Examples
    --------
    >>> literal("O'Hara"), literal("a\\b")
    ("('O' || chr(39) || 'Hara')", "('a' || chr(92) || 'b')")
    >>> literal(timedelta(hours=24))
    "interval '86400.000000 seconds'"
    >>> literal(("1", "2")), literal(())
    ("'1', '2'", 'null')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return str(value)
        case datetime():
            return f"timestamp '{value:%Y-%m-%d %H:%M:%S.%f}'"
        case date():
            return f"date '{value:%Y-%m-%d}'"
        case timedelta():
            return f"interval '{value.total_seconds():.6f} seconds'"
        case tuple():
            return ", ".join(literal(item) for item in value) or "null"
        case str():
            written = _SPECIAL.sub(lambda sign: f"' || chr({ord(sign[0])}) || '", value)
            return f"'{value}'" if written == value else f"('{written}')"


def _indented(sql: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in sql.splitlines())
