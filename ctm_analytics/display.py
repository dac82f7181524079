"""Rows as people read them, in a notebook and in a terminal: labels for headings, units in the cells."""

from collections.abc import Sequence
from datetime import tzinfo
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
from ctm_analytics.formats import number_or_none


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
