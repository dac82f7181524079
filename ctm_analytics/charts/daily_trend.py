"""Day by day: spend, conversations and sales, thin, with a seven-day mean on top."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.theme import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    describe,
    name_panel,
    new_figure,
    say_nothing_to_draw,
)
from ctm_analytics.formats import count, currency_of, floats, money, period

MEAN_DAYS = 7
PANELS = (
    ("spend", "Ad spend", BLUE),
    ("conversations", "Conversations", VERMILION),
    ("sales", "Sales credited to ads", GREEN),
)
_DOMAINS = ((0.72, 0.95), (0.36, 0.59), (0.0, 0.23))


def daily_trend(days: pd.DataFrame, *, since: date, until: date) -> go.Figure:
    """Draw each day's value thin and its trailing seven-day mean thick, in a panel for each quantity.

    Parameters
    ----------
    days : frame of ``workbench.ads(by="day")``: ``day``, ``spend``, ``conversations``, ``sales``; it may
        begin before ``since``, to show what is usual. A day without a row had no conversation.
    since, until : date, both included; the period of the report, shaded
    """
    currency = currency_of(days)
    figure = new_figure(trend_finding(days, since=since, until=until), height=520)
    if days["day"].notna().sum() == 0:
        return say_nothing_to_draw(figure, "There is no data for these days.")
    by_day = _complete(days)
    for place, ((column, words, colour), domain) in enumerate(zip(PANELS, _DOMAINS, strict=True), start=1):
        axis = "" if place == 1 else str(place)
        _draw(figure, by_day[column], f"y{axis}", colour, currency if column == "spend" else None)
        figure.update_layout(
            {
                f"yaxis{axis}": {
                    "domain": domain,
                    "rangemode": "tozero",
                    "nticks": 4,
                    "anchor": "x",
                    "tickformat": ",~g",
                }
            }
        )
        _shade(figure, since, until, f"y{axis} domain")
        unit = f" ({currency})" if column == "spend" and currency else ""
        name_panel(figure, words + unit, domain[1])
    figure.update_xaxes(anchor="y3", tickformat="%-d %b", showgrid=False, nticks=10)
    figure.update_layout(showlegend=False, hovermode="x unified")
    return describe(figure, narrow={"xaxis.nticks": 4, "xaxis.tickangle": 0})


def trend_finding(days: pd.DataFrame, *, since: date, until: date) -> str:
    """Say what the period had per day, and how that compares with the days before it.

    Returns
    -------
    str
        Without the comparison where no day lies before ``since``.
    """
    if days["day"].notna().sum() == 0:
        return "There is no data for these days."
    by_day = _complete(days)
    inside = by_day.loc[str(since) : str(until)]
    before = by_day.loc[: str(pd.Timestamp(since) - pd.Timedelta(days=1))]
    if inside.empty:
        return f"There is no data for {period(since, until)}."
    now = _per_day(inside, (until - since).days + 1, currency_of(days))
    if before.empty:
        return f"Per day: {now}."
    reach = "day" if len(before) == 1 else f"{len(before)} days"
    return f"Per day: {now}; in the {reach} before: {_per_day(before, len(before), currency_of(days))}."


def trend_table(days: pd.DataFrame) -> pd.DataFrame:
    """Keep the columns that are drawn."""
    return days.loc[days["day"].notna(), ["day", *(column for column, _, _ in PANELS)]]


def _per_day(rows: pd.DataFrame, days: int, currency: str | None) -> str:
    """Divide by the days of the period, whether or not something is known of each."""
    spend, conversations, sales = (float(rows[column].sum(min_count=1)) / days for column, _, _ in PANELS)
    spent = f"{money(spend, currency, 0)} spent, " if spend == spend else ""
    return f"{spent}{_few(conversations)} conversations, {_few(sales)} sales"


def _few(per_day: float) -> str:
    return count(per_day, 1 if 0 < per_day < 10 else 0)


def _complete(days: pd.DataFrame) -> pd.DataFrame:
    """Index by day, without holes; a day without a row had no conversation, and its spend is unknown."""
    known = days[days["day"].notna()]
    columns = {column: floats(known[column]) for column, _, _ in PANELS}
    by_day = pd.DataFrame(columns, index=pd.DatetimeIndex(pd.to_datetime(known["day"])))
    by_day = by_day.groupby(level=0).sum(min_count=1)
    every_day = by_day.reindex(pd.date_range(by_day.index.min(), by_day.index.max(), freq="D"))
    return every_day.fillna({"conversations": 0.0, "sales": 0.0})


def _shade(figure: go.Figure, since: date, until: date, panel: str) -> None:
    half_a_day = pd.Timedelta(hours=12)
    figure.add_shape(
        type="rect",
        x0=pd.Timestamp(since) - half_a_day,
        x1=pd.Timestamp(until) + half_a_day,
        y0=0,
        y1=1,
        yref=panel,
        fillcolor=GREY,
        opacity=0.15,
        line_width=0,
        layer="below",
    )


def _draw(
    figure: go.Figure, values: "pd.Series[float]", axis: str, colour: str, currency: str | None
) -> None:
    mean = values.rolling(MEAN_DAYS).mean()
    days = [day.date().isoformat() for day in values.index]

    def line(name: str, heights: "pd.Series[float]", **look: Any) -> go.Scatter:
        words = ["" if np.isnan(height) else money(height, currency, 0) for height in heights]
        hover = {"customdata": words, "hovertemplate": "%{customdata}"}
        return go.Scatter(x=days, y=heights.to_numpy(), yaxis=axis, name=name, **hover, **look)

    thin = {"line": {"color": GREY, "width": 1.25}, "marker": {"size": 3.5, "color": GREY}}
    figure.add_trace(line("Day", values, mode="lines+markers", **thin))
    figure.add_trace(line("Mean of seven days", mean, mode="lines", line={"color": colour, "width": 3}))
