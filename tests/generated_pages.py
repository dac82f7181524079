"""The parts of docs/ that are made from the program: `python tests/generated_pages.py` writes them anew."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from ctm_analytics.answers.tables import glossary
from ctm_analytics.cli.main import app
from ctm_analytics.columns import COLUMNS, column_of
from ctm_analytics.schemas import CONTACTS, EVENTS, HEARTBEATS, ORIGIN, RATES, SALES, SPEND
from ctm_analytics.workbench import catalogue

DOCS = Path(__file__).parents[1] / "docs"
GLOSSARY_HEAD = "| column | meaning | unit | source |\n|---|---|---|---|\n"
COMMANDS_HEAD = "| command | does | example |\n|---|---|---|\n"

_SOURCES = {
    "webhook": EVENTS,
    "receiver": HEARTBEATS,
    "sales file": SALES,
    "spend file": SPEND,
    "contacts file": CONTACTS,
    "rates file": RATES,
}
_UNITS = {
    **dict.fromkeys(("text", "verdict"), "text"),
    **dict.fromkeys(("money", "cents"), "reporting currency"),
    **{"day": "day", "count": "count", "credit": "count, shared where the model shares", "seconds": "s"},
    **{
        "percent": "share of 1",
        "chance": "probability",
        "change": "count",
        "points": "difference of shares",
        "ratio": "ratio",
    },
    **{
        "window": "days",
        "weekday": "1 = Monday",
        "hour": "0 to 23",
        "per_thousand": "customers per unit of spend",
    },
}
_ENDINGS = {
    **{"_at": "instant, UTC", "_day": "day", "_on": "day", "_seconds": "s", "_days": "days", "_hash": "hash"},
    **{"_cents": "smallest unit of the reporting currency", "_key": "hash", "_millionths": "millionths"},
    "_billionths": "thousand-millionths",
}
_OTHERS = {
    **{"new_messages": "count", "replied": "count", "waiting_since": "instant, UTC"},
    **{"is_very_responsive": "yes or no", "rate": "reporting currency for one unit"},
}
_TYPES = {"boolean": "yes or no", "bigint": "count", "integer": "count", "double": "number", "date": "day"}


def glossary_table() -> str:
    """Every column with its meaning and formula, its unit, and whether a file says it or we work it out."""
    types = {row["column"]: row["type"] for row in catalogue().table.to_pylist() if row["column"]}
    rows = (
        f"| `{name}` | {meaning} | {_unit(name, types.get(name, ''))} | {_source(name)} |\n"
        for name, meaning in glossary().items()
    )
    return GLOSSARY_HEAD + "".join(rows)


def commands_table() -> str:
    """Every command with the first line of its help and its example."""
    rows = (
        f"| `ctm {name}` | {text} | {_code(example)} |\n"
        for name, text, example in _commands(typer.main.get_command(app))
    )
    return COMMANDS_HEAD + "".join(rows)


def _commands(group: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path}{name} ")
        else:
            text = command.help.splitlines()[0]
            yield path + name, text, command.epilog.removeprefix("Example: ")


def _code(example: str) -> str:
    """Write a command line so that a `|` in it divides no cells, on the site as on a code host."""
    return f"<code>{html.escape(example, quote=False).replace('|', '&#124;')}</code>"


def _unit(name: str, sql_type: str) -> str:
    estimate = name.removesuffix("_low").removesuffix("_high")
    if name in _OTHERS:
        return _OTHERS[name]
    if estimate in COLUMNS:
        return _UNITS[COLUMNS[estimate].unit]
    ending = next((unit for end, unit in _ENDINGS.items() if estimate.endswith(end)), None)
    if ending or sql_type in _TYPES:
        return ending or _TYPES[sql_type]
    return _UNITS[column_of(estimate).unit]


def _source(name: str) -> str:
    if name in dict(ORIGIN):
        return "import"
    return ", ".join(source for source, schema in _SOURCES.items() if name in schema.names) or "computed"


def _write(page: str, table: str) -> None:
    """Replace the table that ends a page."""
    path = DOCS / page
    before, _, _ = path.read_text(encoding="utf-8").partition(table[: table.index("\n") + 1])
    path.write_text(before + table, encoding="utf-8")


if __name__ == "__main__":
    _write("glossary.md", glossary_table())
    _write("commands.md", commands_table())
