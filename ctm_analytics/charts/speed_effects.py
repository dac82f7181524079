"""Does speed sell: how much more often people buy who were answered in time, with what chance could have done."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.interval_rows import Row, draw_reference, draw_rows
from ctm_analytics.charts.theme import new_figure, say_nothing_to_draw
from ctm_analytics.formats import count, duration, floats, percent, percent_points, point_ticks

# With fewer people on either side the interval is wider than any decision needs.
FEW_PEOPLE = 20
CAUTION = "association, not proof"
NOTHING = "Not enough data: in no ad, weekday and hour are there both fast and slow answers."


def speed_effects(effects: pd.DataFrame) -> go.Figure:
    """Draw the difference in conversion between those answered by a landmark and those still waiting then.

    Parameters
    ----------
    effects : frame of ``workbench.speed()``: one row per landmark

    Returns
    -------
    Figure
        Its title is ``speed_finding``, which says that this is an association.
    """
    figure = new_figure(speed_finding(effects), height=240)
    known = _known(effects)
    if known.empty:
        return say_nothing_to_draw(figure, NOTHING)
    draw_rows(
        figure,
        [_row(effect) for _, effect in known.iterrows()],
        {
            "better": "Answered people buy more often",
            "unsettled": "Not settled",
            "worse": "Answered people buy less often",
            "few": f"Fewer than {FEW_PEOPLE} people on one side",
        },
    )
    draw_reference(figure, 0.0, "No difference", dash="2px,3px")
    low, high = min(0.0, known["low"].min()), max(0.0, known["high"].max())
    reach = (high - low) * 0.04
    ticks = point_ticks(low, high)
    figure.layout.meta["narrow"]["xaxis.title.text"] = "Percentage points more buyers"
    return figure.update_xaxes(
        range=[low - reach, high + reach],
        tickvals=ticks,
        ticktext=[percent_points(tick) for tick in ticks],
        title_text="Conversion of those answered minus that of those still waiting, in percentage points"
        "<br>(bar: 95 % interval; within the same ad, weekday and hour)",
    )


def speed_finding(effects: pd.DataFrame) -> str:
    """Say by which landmark an answer goes with more sales, if that can be told at all.

    Examples
    --------
    >>> nothing = dict.fromkeys(("difference", "difference_low", "difference_high"), [None])
    >>> speed_finding(pd.DataFrame({f"conversion_{name}": value for name, value in nothing.items()}))
    'Not enough data: in no ad, weekday and hour are there both fast and slow answers.'
    """
    known = _known(effects)
    if known.empty:
        return NOTHING
    groups = [_group(effect) for _, effect in known.iterrows()]
    if set(groups) == {"few"}:
        fewest = f"fewer than {FEW_PEOPLE} people on one side of every comparison"
        return f"Not enough data to tell whether speed sells: {fewest}."
    settled = known[[group in ("better", "worse") for group in groups]]
    if settled.empty:
        return "That a fast answer sells more cannot be told from these data: every interval includes no difference."
    first = settled.iloc[0]
    low, high = sorted((abs(first["low"]), abs(first["high"])))
    more = "more" if first["difference"] > 0 else "less"
    return (
        f"People answered within {_landmark(first)} bought {_points(abs(first['difference']))} points {more} often than"
        f" those still waiting (95 % {_points(low)} to {_points(high)} points): {CAUTION}."
    )


def speed_table(effects: pd.DataFrame) -> pd.DataFrame:
    """Keep the columns that are drawn."""
    return effects[
        [
            *("landmark_minutes", "answered_by_landmark", "waiting_at_landmark"),
            *("answered_conversion_rate", "waiting_conversion_rate"),
            *("conversion_difference", "conversion_difference_low", "conversion_difference_high"),
        ]
    ]


def _known(effects: pd.DataFrame) -> pd.DataFrame:
    rows = effects[effects["conversion_difference"].notna()].copy()
    for name in ("difference", "low", "high"):
        column = "conversion_difference" + ("" if name == "difference" else f"_{name}")
        rows[name] = floats(rows[column])
    return rows


def _group(effect: "pd.Series[Any]") -> str:
    if min(effect["answered_by_landmark"], effect["waiting_at_landmark"]) < FEW_PEOPLE:
        return "few"
    return "better" if effect["low"] > 0 else "worse" if effect["high"] < 0 else "unsettled"


def _landmark(effect: "pd.Series[Any]") -> str:
    return duration(60 * effect["landmark_minutes"])


def _points(difference: float) -> str:
    return percent_points(difference).replace("+", "")


def _row(effect: "pd.Series[Any]") -> Row:
    answered, waiting = effect["answered_by_landmark"], effect["waiting_at_landmark"]
    hover = (
        f"<b>Answered within {_landmark(effect)}</b>"
        f"<br>{percent(effect['answered_conversion_rate'], 1)} of {count(answered)} answered by then bought later"
        f"<br>{percent(effect['waiting_conversion_rate'], 1)} of {count(waiting)} still waiting then"
        f"<br>95 % between {percent_points(effect['low'])} and {percent_points(effect['high'])} points"
    )
    name = f"{_landmark(effect)}  ({count(answered)} answered, {count(waiting)} waiting)"
    return Row(name, hover, effect["low"], effect["difference"], effect["high"], _group(effect))
