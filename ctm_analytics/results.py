"""What a question returns: rows that show themselves, with their SQL and their figure."""

import html
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ctm_analytics.charts.formats import count, duration, money, number_or_none, percent

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHOWN_ROWS = 50

_MONEY = (
    "spend",
    "revenue",
    "average_sale",
    "cost_per_conversation",
    "cost_per_sale",
    "cac",
    "cac_low",
    "cac_high",
)
_SHARES = ("conversion_rate", "coverage", "share", "answered_within", "answered_share", "low", "high")
_TEXT_ALIGNED_LEFT = ("object", "str", "string")


class Result:
    """The rows of one answer.

    Attributes
    ----------
    table : pyarrow.Table, exact: decimals are decimals, instants are UTC
    df : pandas.DataFrame, the same rows; money as ``decimal128[pyarrow]``, counts as ``Int64``, instants zoned UTC
    sql : str, the statement that was run, parameters and all
    about : str, period, zone, model and whatever else the numbers depend on
    """

    def __init__(
        self,
        table: pa.Table,
        *,
        sql: str,
        about: str,
        currency: str | None = None,
        draw: Callable[[pd.DataFrame], "go.Figure"] | None = None,
    ) -> None:
        self.table = _zoned(table)
        self.sql = sql
        self.about = about
        self._currency = currency
        self._draw = draw

    @cached_property
    def df(self) -> pd.DataFrame:
        """The rows as a pandas frame, made once."""
        frame: pd.DataFrame = self.table.to_pandas(types_mapper=_pandas_type, date_as_object=False)
        return frame

    @property
    def figure(self) -> "go.Figure":
        """The chart that belongs to the question.

        Raises
        ------
        AttributeError
            If the question has no chart.
        """
        if self._draw is None:
            raise AttributeError("This answer has no chart of its own: use .df with any Plotly figure.")
        return self._draw(self.df)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        return f"{self.about}\n{self.shown().to_string(index=False)}"

    def _repr_html_(self) -> str:
        return f"{_html_table(self.shown(), self.df)}<p><small>{html.escape(self.about)}</small></p>"

    def shown(self, rows: int = SHOWN_ROWS) -> pd.DataFrame:
        """Format the first rows for people: money, percent, durations; null as a dash."""
        head = self.df.head(rows)
        return pd.DataFrame(
            {name: [_shown(name, value, self._currency) for value in head[name]] for name in head.columns}
        )


def _zoned(table: pa.Table) -> pa.Table:
    """Say of every instant that it is UTC, as all of them are."""
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz is None:
            table = table.set_column(
                place, field.name, table.column(place).cast(pa.timestamp("us", tz="UTC"))
            )
    return table


def _pandas_type(arrow_type: pa.DataType) -> Any:
    if pa.types.is_decimal(arrow_type):
        return pd.ArrowDtype(arrow_type)
    if pa.types.is_integer(arrow_type):
        return pd.Int64Dtype()
    return pd.BooleanDtype() if pa.types.is_boolean(arrow_type) else None


def _shown(name: str, value: Any, currency: str | None) -> str:
    if value is None or value is pd.NaT or value is pd.NA:
        return "–"
    if name.endswith("_seconds") or name == "seconds":
        return duration(value)
    if name.startswith(_SHARES):
        return percent(value)
    if name.removesuffix("_each") in (*_MONEY, "cost"):
        return money(value, currency)
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value.tzinfo is None else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, str) or name.endswith("_key"):
        return str(value)
    number = number_or_none(value)
    if number is None:
        return "–"
    return count(number, 0 if number.is_integer() else 2)


def _html_table(shown: pd.DataFrame, frame: pd.DataFrame) -> str:
    left = {name for name in shown.columns if frame[name].dtype.name in _TEXT_ALIGNED_LEFT}
    heads = "".join(_cell("th", name, name.replace("_", " "), left, ' scope="col"') for name in shown.columns)
    body = "".join(
        "<tr>" + "".join(_cell("td", name, value, left) for name, value in row.items()) + "</tr>"
        for row in shown.to_dict("records")
    )
    rest = len(frame) - len(shown)
    more = f"<p><small>and {rest:,} more rows in <code>.df</code></small></p>" if rest > 0 else ""
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(tag: str, name: Any, value: str, left: set[Any], attributes: str = "") -> str:
    side = "left" if name in left else "right"
    return f'<{tag}{attributes} style="text-align:{side}">{html.escape(str(value))}</{tag}>'
