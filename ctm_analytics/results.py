"""What a question returns: rows that show themselves, with their SQL and their figure."""

import html
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import pyarrow as pa

from ctm_analytics.display import Display, as_html, as_text, displayed, screen_columns
from ctm_analytics.errors import NoFigure
from ctm_analytics.formats import NO_FORMULA
from ctm_analytics.plan import Plan

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHOWN_ROWS = 50


class Chart(NamedTuple):
    """How the rows of an answer are drawn, and which of them to put beneath the figure."""

    draw: Callable[[pd.DataFrame], "go.Figure"]
    tabulate: Callable[[pd.DataFrame], pd.DataFrame]


class Result:
    """The rows of one answer.

    Attributes
    ----------
    table : pyarrow.Table, exact: decimals are decimals, instants are UTC
    df : pandas.DataFrame, the same rows; money as ``decimal128[pyarrow]``, counts as ``Int64``, instants zoned UTC
    sql : str, the statement that was run, parameters and all
    about : str, period, zone, model and whatever else the numbers depend on
    view : tuple of str, the columns that are shown; empty: all. ``table`` and ``df`` always have them all
    """

    def __init__(
        self,
        table: pa.Table,
        *,
        sql: str,
        about: str,
        currency: str | None = None,
        zone: tzinfo = UTC,
        view: Sequence[str] = (),
        chart: Chart | None = None,
        side_by_side: pa.Table | None = None,
        plan: Plan | None = None,
        analyze: Callable[[str], str] | None = None,
    ) -> None:
        self.table = _zoned(table)
        self.sql = sql
        self.about = about
        self.view = tuple(view)
        self._currency = currency
        self._zone = zone
        self._chart = chart
        self._side_by_side = side_by_side
        self._plan = plan or Plan((), 0.0)
        self._analyze = analyze

    @cached_property
    def df(self) -> pd.DataFrame:
        """The rows as a pandas frame, made once."""
        return _frame(self.table)

    @property
    def figure(self) -> "go.Figure":
        """The chart that belongs to the question.

        Raises
        ------
        NoFigure
            If the question has no chart; an ``AttributeError`` too.
        """
        return self._own_chart().draw(self.df)

    @property
    def figure_table(self) -> pd.DataFrame:
        """The rows that the figure is drawn from, for those who would rather read than look.

        Raises
        ------
        NoFigure
            If the question has no chart; an ``AttributeError`` too.
        """
        return self._own_chart().tabulate(self.df)

    def explain(self, *, analyze: bool = False) -> Plan:
        """Say how the answer was come by: relations read or made, files and bytes, and where the time went.

        Parameters
        ----------
        analyze : bool, ask the slowest question of the engine once more, and add what it says of its own work
        """
        slowest = self._plan.slowest
        if not analyze or slowest is None or self._analyze is None:
            return self._plan
        return replace(self._plan, tree=self._analyze(slowest.statement))

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_")]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        display = self.shown()
        return "\n".join([as_text(display, screen_columns()), *self._left_out(display), self.about])

    def _repr_html_(self) -> str:
        display = self.shown()
        notes = " · ".join(html.escape(note) for note in [*self._left_out(display), self.about])
        return f"{as_html(display)}<p {NO_FORMULA}><small>{notes}</small></p>"

    def _own_chart(self) -> Chart:
        if self._chart is None:
            raise NoFigure("This answer has no chart of its own: draw its .df with Plotly.")
        return self._chart

    def _left_out(self, display: Display) -> list[str]:
        if self._side_by_side is not None:
            return [f"{len(self):,} rows in .df"]
        counts = {
            "rows": len(self) - len(display.rows),
            "columns": len(self.df.columns) - len(self.view or self.df.columns),
        }
        return [f"{count:,} more {what} in .df" for what, count in counts.items() if count > 0]

    def shown(self, names: Sequence[str] = (), rows: int = SHOWN_ROWS) -> Display:
        """Write the first rows for people, instants in the reporting time zone.

        Where an answer's own rows are too many to compare, they are written side by side.

        Parameters
        ----------
        names : columns, in order; by default those of the view
        rows : int, how many at most
        """
        frame = self.df if self._side_by_side is None else _frame(self._side_by_side)
        chosen = names or self.view or list(frame.columns)
        return displayed(frame.head(rows), chosen, self._currency, self._zone)


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(types_mapper=_pandas_type, date_as_object=False)
    return frame


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
