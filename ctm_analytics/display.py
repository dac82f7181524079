"""Rows as people read them, in a notebook and in a terminal: labels for headings, units in the cells."""

import html
import re
import shutil
import textwrap
from collections.abc import Sequence
from datetime import tzinfo
from itertools import zip_longest
from typing import Any, NamedTuple

import pandas as pd

from ctm_analytics.columns import (
    COLUMNS,
    Column,
    column_of,
    confidence_of,
    write_ad,
    write_cell,
    write_interval,
)
from ctm_analytics.formats import NO_FORMULA, number_or_none

# A text is wrapped down to this width, but no word of at most the longest is broken: an id is copied whole.
NARROWEST = 12
LONGEST_WORD = 32
_GAP = 2
_CONFIDENCE = re.compile(r"\d+ %")
WITHOUT_A_TERMINAL = 120


class Display(NamedTuple):
    """Headings and cells, all of them text; a heading says whether its column stands to the right."""

    headings: list[tuple[str, bool]]
    rows: list[list[str]]


def displayed(rows: pd.DataFrame, names: Sequence[str], currency: str | None, zone: tzinfo) -> Display:
    """Write the chosen columns; an interval stands in one cell beside its estimate.

    Parameters
    ----------
    rows : frame of any answer
    names : the columns to show, in order; a name ending in ``_low`` or ``_high`` is shown with its estimate
    currency : str or None, ISO 4217, of the money columns
    zone : tzinfo, in which instants are written
    """
    rows = rows.assign(
        **{name: rows[name].dt.tz_convert(zone) for name in rows.select_dtypes("datetimetz").columns}
    )
    headings: list[tuple[str, bool]] = []
    columns: list[list[str]] = []
    for name in names:
        estimate = name.removesuffix("_low").removesuffix("_high")
        if estimate != name and estimate in rows.columns:
            continue
        column = _described(name, rows[name])
        headings.append((column.label, column.is_number))
        columns.append(_cells(rows, name, column, currency))
        if f"{name}_low" in rows.columns:
            headings.append((f"{confidence_of(name)} %", True))
            columns.append(_intervals(rows, name, column, currency))
    return Display(headings, [list(row) for row in zip(*columns, strict=True)])


def _described(name: str, values: "pd.Series[Any]") -> Column:
    column = column_of(name)
    if pd.api.types.is_bool_dtype(values.dtype):
        return Column(column.label, "text")
    is_number = pd.api.types.is_numeric_dtype(values.dtype)
    # A key is a number in name only: separators would make it another one.
    if name not in COLUMNS and column.unit == "text" and is_number and not name.endswith("_key"):
        return Column(column.label, "credit")
    return column


def _cells(rows: pd.DataFrame, name: str, column: Column, currency: str | None) -> list[str]:
    if name == "ad_name" and "ad_id" in rows.columns:
        return [write_ad(*pair) for pair in zip(rows["ad_name"], rows["ad_id"], strict=True)]
    return [write_cell(value, column.unit, currency) for value in rows[name]]


def _intervals(rows: pd.DataFrame, name: str, column: Column, currency: str | None) -> list[str]:
    ends = zip(
        map(number_or_none, rows[f"{name}_low"]), map(number_or_none, rows[f"{name}_high"]), strict=True
    )
    return [write_interval(low, high, column.unit, currency) for low, high in ends]


def as_html(display: Display) -> str:
    """Lay a table out for a notebook: an interval stands in small letters below its estimate."""
    groups = _together([label for label, _ in display.headings])

    def row(tag: str, cells: Sequence[str]) -> str:
        written = []
        for first, *below in groups:
            is_number = display.headings[first][1]
            style = "text-align:right;white-space:nowrap" if is_number and tag == "td" else ""
            style = style or f"text-align:{'right' if is_number else 'left'}"
            lines = [html.escape(cells[first])]
            lines += [f'<small style="opacity:.75">{html.escape(cells[place])}</small>' for place in below]
            scope = ' scope="col"' if tag == "th" else ""
            written.append(f'<{tag}{scope} style="{style}">{"<br>".join(lines)}</{tag}>')
        return "".join(written)

    head = row("th", [label for label, _ in display.headings])
    body = "".join(f"<tr>{row('td', cells)}</tr>" for cells in display.rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div {NO_FORMULA} style="overflow-x:auto">{table}</div>'


def screen_columns() -> int:
    """Say how wide a line may be: as the terminal is or ``COLUMNS`` says, 120 where neither is known."""
    return shutil.get_terminal_size((WITHOUT_A_TERMINAL, 24)).columns


def as_text(display: Display, screen: int) -> str:
    """Lay a table out for a terminal: no line is wider than the screen, nothing is left out.

    Headings and texts are wrapped, numbers are never broken. What is still too wide stands in several tables below each
    other, each with the column that names the rows.

    Parameters
    ----------
    display : Display
    screen : int, columns of the terminal
    """
    columns = [
        [_printable(cell) for cell in column]
        for column in zip([label for label, _ in display.headings], *display.rows, strict=True)
    ]
    is_number = [is_number for _, is_number in display.headings]
    least = [_least_width(*each) for each in zip(columns, is_number, strict=True)]
    together = _together([label for label, _ in display.headings])
    key = [] if is_number[0] else together.pop(0)
    fewest = len(_blocks(least, key, together, screen))
    # As evenly as so many tables allow: a last column alone looks forgotten.
    shared = next(
        blocks for width in range(screen + 1) if len(blocks := _blocks(least, key, together, width)) <= fewest
    )
    tables = [
        _table([columns[place] for place in block], [is_number[place] for place in block], screen)
        for block in shared
    ]
    return "\n".join(tables)


def _together(labels: list[str]) -> list[list[int]]:
    """Keep an interval with the estimate before it."""
    groups: list[list[int]] = []
    for place, label in enumerate(labels):
        if _CONFIDENCE.fullmatch(label) and groups:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _least_width(column: list[str], is_number: bool) -> int:
    """Find how narrow a column can be: a heading between words, a number not at all, a text down to its words."""
    heading, *cells = column
    if is_number:
        return max([_longest_word(heading), *(len(cell) for cell in cells)])
    most = max(len(cell) for cell in column)
    return min(most, max(NARROWEST, *(min(_longest_word(cell), LONGEST_WORD) for cell in column)))


def _longest_word(cell: str) -> int:
    return max((len(word) for word in cell.split(" ")), default=0)


def _blocks(least: list[int], key: list[int], groups: list[list[int]], screen: int) -> list[list[int]]:
    """Share columns out over as few tables as the screen needs, the one that names the rows in each."""
    blocks = [list(key)]
    for group in groups:
        widths = [least[place] + _GAP for place in (*blocks[-1], *group)]
        if sum(widths) - _GAP > screen and len(blocks[-1]) > len(key):
            blocks.append(list(key))
        blocks[-1] += group
    return blocks


def _table(columns: list[list[str]], is_number: list[bool], screen: int) -> str:
    least = [_least_width(*each) for each in zip(columns, is_number, strict=True)]
    widths = _fitting([max(map(len, column)) for column in columns], least, screen)
    heading, *rows = zip(*columns, strict=True)
    rule = "  ".join("─" * width for width in widths)
    lines = [*_lines(heading, widths, is_number), rule]
    for row in rows:
        lines += _lines(row, widths, is_number)
    return "\n".join(lines) + "\n"


def _fitting(widths: list[int], least: list[int], screen: int) -> list[int]:
    """Take from the widest column that can be narrower until the row fits."""
    widths = list(widths)
    while sum(widths) + _GAP * (len(widths) - 1) > screen:
        wide = [place for place, width in enumerate(widths) if width > least[place]]
        if not wide:
            break
        widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _lines(row: Sequence[str], widths: list[int], is_number: list[bool]) -> list[str]:
    parts = [
        textwrap.wrap(cell, width, break_on_hyphens=False) or [""]
        for cell, width in zip(row, widths, strict=True)
    ]
    return [
        (" " * _GAP)
        .join(
            part.rjust(width) if number else part.ljust(width)
            for part, width, number in zip(line, widths, is_number, strict=True)
        )
        .rstrip()
        for line in zip_longest(*parts, fillvalue="")
    ]


def _printable(cell: str) -> str:
    # A line break or an escape sequence in an ad's name must not move the terminal's cursor.
    return "".join(character if character.isprintable() else " " for character in cell)
