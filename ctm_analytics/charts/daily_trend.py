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
    PURPLE,
    VERMILION,
    describe,
    name_panel,
    new_figure,
    say_nothing_to_draw,
)
from ctm_analytics.formats import count, currency_of, floats, label, money, percent, period, shorten

NOTHING = "There is no data for these days."
MEAN_DAYS = 7
# A budget that was changed shows as a jump of the spend between two means of so many days.
JUMP_DAYS, JUMP = 3, 0.3
CHANGES = "Changes"
CHANGE_WIDTH, MOST_WORDS = 34, 4
PANELS = (
    ("spend", "Ad spend", BLUE),
    ("conversations", "Conversations", VERMILION),
    ("sales", "Sales credited to ads", GREEN),
)
_DOMAINS = ((0.72, 0.95), (0.36, 0.59), (0.0, 0.23))


def daily_trend(
    days: pd.DataFrame,
    *,
    since: date | None = None,
    until: date | None = None,
    starts: pd.DataFrame | None = None,
) -> go.Figure:
    """Draw each day's value thin and its trailing seven-day mean thick, in a panel for each quantity.

    Above the spend stands what changed: ads that spent for the first time, and jumps of the spend.

    Parameters
    ----------
    days : frame of ``workbench.ads(by="day")``: ``day``, ``spend``, ``conversations``, ``sales``; it may begin before
        ``since``, to show what is usual. A day without a row had no conversation.
    since, until : date or None, both included; the period of the report, shaded; by default all days
    starts : frame of ``workbench.sql("from ad_starts")``: ``ad_name``, ``first_spend_day``; or None
    """
    currency = currency_of(days)
    figure = new_figure(trend_finding(days, since=since, until=until), height=560, legend_lines=0)
    if days["day"].notna().sum() == 0:
        return say_nothing_to_draw(figure, NOTHING)
    by_day = _complete(days)
    for place, ((column, words, colour), domain) in enumerate(zip(PANELS, _DOMAINS, strict=True), start=1):
        axis = "" if place == 1 else str(place)
        _draw(figure, by_day[column], f"y{axis}", colour, currency if column == "spend" else None)
        layout = {"domain": domain, "rangemode": "tozero", "nticks": 4, "anchor": "x", "tickformat": ",~g"}
        figure.update_layout({f"yaxis{axis}": layout})
        if since is not None and until is not None:
            _shade(figure, since, until, f"y{axis} domain")
        unit = f" ({currency})" if column == "spend" and currency else ""
        name_panel(figure, words + unit, domain[1])
    changed = changes(days, starts)
    _mark_changes(figure, changed, float(by_day["spend"].max()))
    shaded = "; shaded: this period" if since is not None else ""
    marked = "" if changed.empty else "<br>▼ an ad's first spend, or a jump of the spend"
    legend = f"Thin: each day; thick: mean of seven days{shaded}{marked}"
    figure.update_xaxes(anchor="y3", tickformat="%-d %b", showgrid=False, nticks=10, title_text=legend)
    figure.update_layout(showlegend=False, hovermode="x unified")
    narrow = {"xaxis.nticks": 4, "xaxis.tickangle": 0, "xaxis.title.text": legend.replace("; ", "<br>", 1)}
    return describe(figure, narrow=narrow, narrow_traces={CHANGES: {"mode": "markers"}})


def changes(days: pd.DataFrame, starts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Find what the data know to have changed.

    Parameters
    ----------
    days, starts : as for ``daily_trend``

    Returns
    -------
    frame
        ``day``, ``change`` (words): ads that spent for the first time, and jumps of the spend: days from which on the
        mean of three days is at least 30 % above or below that of the three before; of neighbours, the largest.
    """
    found = [(day, f"starts: {names}") for day, names in _started(days, starts).items()]
    if days["day"].notna().any():
        found += _jumps(_complete(days)["spend"])
    return pd.DataFrame(sorted(found), columns=["day", "change"])


def _started(days: pd.DataFrame, starts: pd.DataFrame | None) -> dict[pd.Timestamp, str]:
    """Name the ads that spent for the first time, by the day; those outside the days that are drawn are left out."""
    if starts is None:
        return {}
    began = pd.to_datetime(starts["first_spend_day"])
    shown = starts[began.isin(pd.to_datetime(days["day"]))]
    named = shown.groupby(began)["ad_name"].agg(", ".join)
    return dict(zip(pd.DatetimeIndex(named.index), named, strict=True))


def _jumps(spend: "pd.Series[float]") -> list[tuple[pd.Timestamp, str]]:
    means = floats(spend.rolling(JUMP_DAYS).mean())
    # Before each day, and from it on; where three days are not known there is no jump.
    before = np.concatenate((np.full(1, np.nan), means[:-1]))
    after = np.concatenate((means[JUMP_DAYS - 1 :], np.full(min(JUMP_DAYS - 1, len(means)), np.nan)))[
        : len(means)
    ]
    both = (before > 0) & (after > 0)
    times = np.where(both, after, 1.0) / np.where(both, before, 1.0)
    size = np.abs(np.log(times))
    largest = pd.Series(size).rolling(2 * JUMP_DAYS - 1, center=True, min_periods=1).max()
    is_jump = (size >= np.log(1 + JUMP)) & (size == floats(largest))
    return [
        (spend.index[place], f"spend {_signed(times[place] - 1)}")
        for place in np.flatnonzero(is_jump).tolist()
    ]


def _signed(change: float) -> str:
    return f"{'+' if change > 0 else ''}{percent(change, 0)}"


def _mark_changes(figure: go.Figure, found: pd.DataFrame, highest: float) -> None:
    """Put a mark above each day on which something changed; its words stand beside it as long as they are few."""
    if found.empty or not highest > 0:
        return
    by_day = found.groupby("day")["change"].agg("; ".join)
    has_words = len(by_day) <= MOST_WORDS
    middle = by_day.index[0] + (by_day.index[-1] - by_day.index[0]) / 2
    figure.add_trace(
        go.Scatter(
            x=[day.date().isoformat() for day in by_day.index],
            y=[highest * 1.12] * len(by_day),
            mode="markers+text" if has_words else "markers",
            name=CHANGES,
            marker={"symbol": "triangle-down", "size": 10, "color": PURPLE},
            text=[label(shorten(words, CHANGE_WIDTH)) for words in by_day] if has_words else None,
            textposition=["middle right" if day <= middle else "middle left" for day in by_day.index],
            textfont={"size": 11},
            cliponaxis=False,
            customdata=[label(shorten(words, 120)) for words in by_day],
            hovertemplate="%{customdata}",
        )
    )


def trend_finding(days: pd.DataFrame, *, since: date | None = None, until: date | None = None) -> str:
    """Say what the period had per day, and how that compares with the days before it.

    Returns
    -------
    str
        Without the comparison where no day lies before ``since``.
    """
    if days["day"].notna().sum() == 0:
        return NOTHING
    by_day = _complete(days)
    since, until = since or by_day.index[0].date(), until or by_day.index[-1].date()
    inside = by_day.loc[str(since) : str(until)]
    before = by_day.loc[: str(pd.Timestamp(since) - pd.Timedelta(days=1))]
    if inside.empty:
        return f"There is no data for {period(since, until)}."
    now = _per_day(inside, (until - since).days + 1, currency_of(days))
    if before.empty:
        return f"Per day: {now}."
    reach = "day" if len(before) == 1 else f"{len(before)} days"
    return f"Per day: {now}; in the {reach} before: {_per_day(before, len(before), currency_of(days))}."


def trend_table(days: pd.DataFrame, starts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Keep the columns that are drawn; ``started_ads`` names the ads that spent for the first time.

    Parameters
    ----------
    days, starts : as for ``daily_trend``
    """
    rows = days.loc[days["day"].notna(), ["day", *(column for column, _, _ in PANELS)]]
    started = _started(days, starts)
    return rows.assign(started_ads=pd.to_datetime(rows["day"]).map(started)) if started else rows


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
