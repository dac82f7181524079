"""The relations that SQL can read, with the meaning of every column."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pyarrow as pa

from ctm_analytics.models import all_models

_GLOSSARY = Path(__file__).parents[1] / "glossary.toml"

SCHEMA = pa.schema([(name, pa.string()) for name in ("table", "column", "type", "meaning")])


@cache
def glossary() -> dict[str, str]:
    """Read the meaning of every column, by name: a name means the same in every relation."""
    words: dict[str, str] = tomllib.loads(_GLOSSARY.read_text(encoding="utf-8"))["columns"]
    return words


def listed(described: Mapping[str, pa.Table]) -> pa.Table:
    """List relations and columns.

    Parameters
    ----------
    described : mapping of relation name to the engine's ``describe`` Table

    Returns
    -------
    Table: ``table``, ``column``, ``type``, ``meaning``; a relation's first row has no column and says what a row is
    """
    rows = []
    for name, columns in described.items():
        rows.append({"table": name, "column": None, "type": None, "meaning": all_models()[name].meaning})
        rows += [
            {
                "table": name,
                "column": row["column_name"],
                "type": row["column_type"].lower(),
                "meaning": glossary()[row["column_name"]],
            }
            for row in columns.to_pylist()
        ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
