"""How long each ad, campaign, platform, hour or day lets people wait: the median with its interval."""

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.interval_rows import MOST_ROWS, NAME_WIDTH, Row, draw_rows, left_out
from ctm_analytics.charts.theme import folded, new_figure, say_nothing_to_draw
from ctm_analytics.formats import (
    MONTHS,
    WEEKDAYS,
    count,
    duration,
    floats,
    label,
    percent,
    shorten,
    time_ticks,
)

# With fewer people a median says next to nothing.
FEW_PEOPLE = 20
HEADROOM = 2.5
NOTHING = "Nobody wrote in this period."
UNANSWERED = "In no group have half of the people been answered."
MEDIAN = "median_first_response_seconds"
# What a group is called by, the finest name first; what stands in an order of its own keeps it.
NAMES = (
    "ad_name",
    "ad_id",
    "adset_name",
    "adset_id",
    "campaign_name",
    "campaign_id",
    "platform",
    "responder",
)
ORDERED = ("day", "week", "weekday", "hour", "is_business_time")


def waits_by_group(latency: pd.DataFrame) -> go.Figure:
    """Draw each group's median time to the first response with its 95 % interval, unanswered people included.

    Parameters
    ----------
    latency : frame of ``workbench.latency(by=…)``: one row per group

    Returns
    -------
    Figure
        Groups of which fewer than half have been answered have no median; the axis says how many they are. At most
        ``MOST_ROWS`` groups are drawn: those to which most people wrote.
    """
    figure = new_figure(waits_finding(latency), height=240)
    groups = _groups(latency)
    known = groups[groups[MEDIAN].notna()]
    if known.empty:
        return say_nothing_to_draw(figure, NOTHING if groups.empty else UNANSWERED)
    drawn = known.nlargest(MOST_ROWS, "engaged")
    is_ordered = any(name in latency.columns for name in ORDERED)
    drawn = drawn.sort_index() if is_ordered else drawn.sort_values([MEDIAN, "name"])
    low = max(1.0, min(*drawn[MEDIAN], *drawn["low"]) / 1.3)
    high = max(*drawn[MEDIAN], *drawn["low"], 2 * low) * HEADROOM
    draw_rows(
        figure,
        [_row(group, low, high) for _, group in drawn.iterrows()],
        {"unsettled": "Median", "few": f"Fewer than {FEW_PEOPLE} people"},
    )
    ticks = time_ticks(low, high)
    without = len(groups) - len(known)
    more = left_out(len(drawn), len(known), "people", "groups")
    more += (
        f"<br>Not drawn: {without} of {len(groups)}, of which fewer than half were answered"
        if without
        else ""
    )
    few = [tick for tick in (10, 60, 900, 14_400, 86_400) if tick in ticks] or ticks
    figure.layout.meta["narrow"] |= {
        "xaxis.title.text": folded(f"Median first response{more}"),
        "xaxis.tickvals": few,
        "xaxis.ticktext": [duration(tick) for tick in few],
    }
    return figure.update_xaxes(
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[duration(tick) for tick in ticks],
        title_text=f"Median time to the first response (logarithmic scale; bar: 95 % interval){more}",
    )


def waits_finding(latency: pd.DataFrame) -> str:
    """Say who waits longest and who shortest; where their intervals overlap, that chance may have done it."""
    groups = _groups(latency)
    if groups.empty:
        return NOTHING
    known = groups[groups[MEDIAN].notna()]
    if known.empty:
        return UNANSWERED
    if len(groups) == 1:
        only = known.iloc[0]
        return f"Half of {count(only['engaged'])} people are answered within {duration(only[MEDIAN])}."
    enough = known[known["engaged"] >= FEW_PEOPLE]
    if len(enough) < 2:
        return f"Not enough data to compare waits: fewer than two groups of {FEW_PEOPLE} people or more."
    fast, slow = (enough.iloc[int(pick(enough[MEDIAN]))] for pick in (np.argmin, np.argmax))
    found = (
        f"The median wait is shortest for “{fast['name']}” ({duration(fast[MEDIAN])})"
        f" and longest for “{slow['name']}” ({duration(slow[MEDIAN])})"
    )
    return f"{found}, which may be chance." if fast["high"] >= slow["low"] else f"{found}."


def waits_table(latency: pd.DataFrame) -> pd.DataFrame:
    """Keep the groups' names, how many wrote, and the medians."""
    keys = [name for name in (*NAMES, *ORDERED) if name in latency.columns and not name.endswith("_id")][:1]
    return latency[[*keys, "engaged", "answered", MEDIAN, f"{MEDIAN}_low", f"{MEDIAN}_high"]]


def _groups(latency: pd.DataFrame) -> pd.DataFrame:
    """Name each group, with floats in place of nullable numbers; ads leave out what no ad brought."""
    known = latency[floats(latency["engaged"]) > 0].reset_index(drop=True)
    if "ad_id" in known.columns:
        known = known[known["ad_id"].notna()]
    median = floats(known[MEDIAN])
    columns = {
        "name": [_name(row) for _, row in known.iterrows()],
        "engaged": floats(known["engaged"]),
        "answered": floats(known["answered"]),
        MEDIAN: median,
        "low": floats(known[f"{MEDIAN}_low"]),
        "high": floats(known[f"{MEDIAN}_high"]),
    }
    groups = pd.DataFrame(columns)
    return groups.assign(low=groups["low"].fillna(groups[MEDIAN]), high=groups["high"].fillna(math.inf))


def _name(row: "pd.Series[Any]") -> str:
    if "weekday" in row.index:
        return WEEKDAYS[int(row["weekday"]) - 1]
    if "hour" in row.index:
        return f"{int(row['hour']):02d}:00–{int(row['hour']) + 1:02d}:00"
    if "is_business_time" in row.index:
        return "Mon–Fri 08–18" if row["is_business_time"] else "Nights and weekends"
    for column in ("day", "week"):
        if column in row.index:
            day = pd.Timestamp(row[column])
            return f"{'Week from ' if column == 'week' else ''}{day.day} {MONTHS[day.month - 1]}"
    names = [
        row[name] for name in NAMES if name in row.index and not pd.isna(row[name]) and str(row[name]).strip()
    ]
    return shorten(names[0], 60) if names else "All"


def _row(group: "pd.Series[Any]", axis_low: float, axis_high: float) -> Row:
    median, low, high = group[MEDIAN], group["low"], group["high"]
    upper = duration(high) if high < math.inf else "any length"
    hover = (
        f"<b>{label(group['name'])}</b><br>half answered within {duration(median)}"
        f"<br>95 % between {duration(low)} and {upper}"
        f"<br>{count(group['answered'])} of {count(group['engaged'])} people answered"
        f" ({percent(group['answered'] / group['engaged'])})"
    )
    clipped = upper if high > axis_high else None
    few = "few" if group["engaged"] < FEW_PEOPLE else "unsettled"
    value = max(median, axis_low)
    name = label(shorten(group["name"], NAME_WIDTH))
    return Row(name, hover, max(min(low, median), axis_low), value, min(high, axis_high), few, clipped)
