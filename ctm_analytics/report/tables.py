"""Frames as tables: cells for the page, and CSV files that a spreadsheet will not run."""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ctm_analytics.columns import (
    COLUMNS,
    INTERVALS,
    PRESETS,
    Column,
    column_of,
    write_ad,
    write_cell,
    write_interval,
)
from ctm_analytics.formats import NOT_KNOWN, floats, number_or_none

MOST_ROWS = 200
# An interval that begins above this is read without cents.
_CENTS_BELOW = 5
# What makes a spreadsheet take a cell for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_BAR_WIDTH, _BAR_HEIGHT = 72, 12


@dataclass(frozen=True)
class Cell:
    """One cell: what is read, what it sorts by, and where its interval stands on the column's scale."""

    text: str
    value: str = ""
    bar: dict[str, float] | None = None


@dataclass(frozen=True)
class Table:
    """What the template draws: headings, rows, a row of totals that is no record, and what was left out."""

    columns: list[Column]
    rows: list[list[Cell]]
    total: list[Cell] | None = None
    left_out: int = 0

    @property
    def presets(self) -> tuple[str, ...]:
        """The views that a reader can choose."""
        return PRESETS


def data_table(rows: pd.DataFrame, currency: str | None) -> Table:
    """Write any frame with words for its columns; at most ``MOST_ROWS`` rows."""
    names = [name for name in rows.columns if not rows[name].isna().all() or name in COLUMNS]
    columns = [_described(name, rows[name]) for name in names]
    shown = rows[names].head(MOST_ROWS)
    cells = [
        [
            Cell(write_cell(value, column.unit, currency))
            for value, column in zip(record, columns, strict=True)
        ]
        for record in shown.itertuples(index=False, name=None)
    ]
    return Table(columns, cells, left_out=len(rows) - len(shown))


def ads_table(ads: pd.DataFrame, total: "pd.Series[Any] | None", currency: str | None) -> Table:
    """Write the ads table: most spend on top, what no ad is credited with last, totals below.

    Parameters
    ----------
    ads : frame of ``workbench.ads()``
    total : the row of ``workbench.ads(by="total")``, or ``None`` for no row of totals
    currency : str or None, ISO 4217
    """
    order = pd.DataFrame({"credited": ads["ad_id"].notna().to_numpy(), "spend": floats(ads["spend"])})
    ordered = ads.iloc[order.sort_values(["credited", "spend"], ascending=False, kind="stable").index]
    names = [
        name for name in _ads_columns() if name in ads.columns or (name in INTERVALS and _has(ads, name))
    ]
    columns = [_ads_column(name, ordered) for name in names]
    scales = {name: _scale(ordered, name) for name in names if name in INTERVALS}

    def written(record: "pd.Series[Any]") -> list[Cell]:
        return [
            _ads_cell(record, name, column, currency, scales)
            for name, column in zip(names, columns, strict=True)
        ]

    rows = [written(record) for _, record in ordered.iterrows()]
    totals = None
    if total is not None:
        label = Cell(f"All ads ({int(ads['ad_id'].notna().sum())})")
        numbers = [
            cell if column.is_number else Cell("")
            for cell, column in zip(written(total)[1:], columns[1:], strict=True)
        ]
        totals = [label, *numbers]
    return Table(columns, rows, totals)


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


def _described(name: str, values: "pd.Series[Any]") -> Column:
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


def _ads_columns() -> list[str]:
    names = list(COLUMNS)
    for interval, (estimate, _, _) in INTERVALS.items():
        names.insert(names.index(estimate) + 1, interval)
    return [names[0], *names[2:], names[1]]


def _has(ads: pd.DataFrame, interval: str) -> bool:
    return all(name in ads.columns for name in INTERVALS[interval])


def _ads_column(name: str, ads: pd.DataFrame) -> Column:
    if name not in INTERVALS:
        return _described(name, ads[name])
    of = COLUMNS[INTERVALS[name][0]]
    # Where an estimate stands in two views, its interval stands in the one that is about it.
    presets = of.presets.split()[0]
    return Column(f"{of.label}, 95 %", of.unit, presets, f"95 % interval of {of.label}")


def _ads_cell(
    record: "pd.Series[Any]",
    name: str,
    column: Column,
    currency: str | None,
    scales: dict[str, tuple[float, float]],
) -> Cell:
    if name in INTERVALS:
        return _interval_cell(record, name, column.unit, currency, scales[name])
    value = record.get(name)
    if name == "ad_name":
        value = write_ad(value, record.get("ad_id"))
    text = write_cell(value, column.unit, currency)
    return Cell(text, "" if text == NOT_KNOWN else str(value)) if column.is_number else Cell(text)


def _interval_cell(
    record: "pd.Series[Any]", name: str, unit: str, currency: str | None, scale: tuple[float, float]
) -> Cell:
    estimate, low, high = (number_or_none(record.get(column)) for column in INTERVALS[name])
    if low is None:
        return Cell(NOT_KNOWN)
    if unit == "cents" and low >= _CENTS_BELOW:
        unit = "money"
    high = None if estimate is None else high
    bar = _bar(low, estimate, scale[1], scale) if high is None else _bar(low, estimate, high, scale)
    return Cell(write_interval(low, high, unit, currency), str(low), bar)


def _scale(ads: pd.DataFrame, name: str) -> tuple[float, float]:
    """Find the range of a column's bars; money on a logarithmic scale, ends cut like the chart's."""
    numbers = [number_or_none(value) for column in INTERVALS[name] for value in ads[column]]
    known = [value for value in numbers if value]
    if not known or name != "cac_interval":
        return 0.0, max(known, default=1.0)
    estimates = [value for value in map(number_or_none, ads[INTERVALS[name][0]]) if value]
    return min(known), max([*estimates, min(known) * 1.1]) * 2.5


def _bar(low: float, estimate: float | None, high: float, scale: tuple[float, float]) -> dict[str, float]:
    def place(value: float) -> float:
        start, end = scale
        share = math.log(max(value, start) / start) / math.log(end / start) if start else value / end
        return round(4 + min(max(share, 0), 1) * (_BAR_WIDTH - 8), 1)

    bar = {"low": place(low), "high": place(high), "width": _BAR_WIDTH, "height": _BAR_HEIGHT}
    return bar if estimate is None else {**bar, "dot": place(estimate)}
