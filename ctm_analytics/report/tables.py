"""Frames as tables: cells for the page, and CSV files that a spreadsheet will not run."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ctm_analytics.columns import COLUMNS, PRESETS, Column, column_of, write_cell
from ctm_analytics.formats import floats

MOST_ROWS = 200
# What makes a spreadsheet take a cell for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text, value : str, what is read, and what it sorts by
    bar : where its interval stands on the column's scale
    key : str, what its row is found by on the command line
    reason : str, a word on why
    """

    text: str
    value: str = ""
    bar: dict[str, float] | None = None
    key: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Table:
    """What the template draws.

    Attributes
    ----------
    columns, rows : headings and cells
    total : a row of totals, which is no record
    left_out : int, rows that are not shown
    levels : mapping of a grouping to its rows, where the reader can choose one
    meanings : list of a heading and what it means
    """

    columns: list[Column]
    rows: list[list[Cell]]
    total: list[Cell] | None = None
    left_out: int = 0
    levels: dict[str, list[list[Cell]]] = field(default_factory=dict)
    meanings: list[tuple[str, str]] = field(default_factory=list)

    @property
    def presets(self) -> tuple[str, ...]:
        """The views that a reader can choose."""
        return PRESETS


def data_table(rows: pd.DataFrame, currency: str | None) -> Table:
    """Write any frame with words for its columns; at most ``MOST_ROWS`` rows."""
    names = [name for name in rows.columns if not rows[name].isna().all() or name in COLUMNS]
    columns = [described(name, rows[name]) for name in names]
    shown = rows[names].head(MOST_ROWS)
    cells = [
        [
            Cell(write_cell(value, column.unit, currency))
            for value, column in zip(record, columns, strict=True)
        ]
        for record in shown.itertuples(index=False, name=None)
    ]
    return Table(columns, cells, left_out=len(rows) - len(shown))


def write_csv(rows: pd.DataFrame) -> str:
    r"""Write a frame as CSV whose text cells no spreadsheet runs as a formula.

    Returns
    -------
    str
        One line per row, ``\n`` at the end; missing is empty; a text that begins like a formula gets a ``'``.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows.columns)
    for record in rows.itertuples(index=False, name=None):
        writer.writerow(neutralised(record))
    return out.getvalue()


def neutralised(record: Iterable[Any]) -> list[str]:
    """Write the cells of one CSV row, missing as empty.

    Examples
    --------
    >>> neutralised(["=HYPERLINK(1)", -3.5, None, "plain"])
    ["'=HYPERLINK(1)", '-3.5', '', 'plain']
    """
    cells = []
    for value in record:
        text = "" if pd.isna(value) else _plain(value)
        cells.append(f"'{text}" if isinstance(value, str) and text.startswith(FORMULA_STARTS) else text)
    return cells


def _plain(value: Any) -> str:
    """Write a day as a day: pandas keeps days as midnights."""
    is_day = isinstance(value, pd.Timestamp) and value.tzinfo is None and value == value.normalize()
    return value.date().isoformat() if is_day else str(value)


def described(name: str, values: "pd.Series[Any]") -> Column:
    """Describe a column by its name and its values."""
    column = column_of(name)
    if column.unit == "cents":
        return replace(column, unit=_money_unit(values))
    if name not in COLUMNS and column.unit == "text" and pd.api.types.is_numeric_dtype(values.dtype):
        return Column(column.label, "credit")
    return column


def _money_unit(values: "pd.Series[Any]") -> str:
    """Choose cents for a whole column or for none of it, so that its figures can be compared at a glance."""
    known = floats(values)
    return "cents" if not known.size or np.isnan(known).all() or np.nanmax(known) < 20 else "money"
