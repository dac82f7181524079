"""Two ads beside each other: what a new customer of each costs, and whether chance alone could make the difference."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.interval_rows import NAME_WIDTH, Row, draw_rows
from ctm_analytics.charts.theme import new_figure, say_nothing_to_draw
from ctm_analytics.formats import ad_name, count, label, money, money_ticks, number_or_none

SIDES = ("", "other_")
NOTHING = "Neither ad has spent anything in this period."
HEADROOM = 2.5
# Two ads differ, as far as chance can be told, where the p-value lies below this.
SIGNIFICANT = 0.05


def two_ads(compared: pd.DataFrame, *, currency: str | None = None) -> go.Figure:
    """Draw both ads' CAC with 95 % intervals; the ratio of the two, with its own interval, stands below.

    That two intervals overlap does not say that the ads are alike: the ratio's interval tells.

    Parameters
    ----------
    compared : frame of ``workbench.compare()``: one row
    currency : str or None, ISO 4217, of its amounts
    """
    row = compared.iloc[0]
    figure = new_figure(two_ads_finding(compared), height=240)
    sides = [side for side in SIDES if number_or_none(row[f"{side}cac_low"])]
    if not sides:
        return say_nothing_to_draw(figure, NOTHING)
    dearest = max(
        number_or_none(row[f"{side}{name}"]) or 0.0 for side in sides for name in ("cac", "cac_low")
    )
    low = min(float(row[f"{side}cac_low"]) for side in sides) / 1.2
    high = dearest * HEADROOM
    rows = [_row(row, side, high, currency) for side in sides]
    is_settled = _is_settled(row)
    rows = sorted(rows, key=lambda each: each.value)
    legend = {
        "better": "Cheaper",
        "worse": "Dearer",
        "unsettled": "Cannot be told apart",
        "at least": "No new customer yet: costs at least",
    }
    if is_settled:
        rows = [_judged(each, place) for place, each in enumerate(rows)]
    draw_rows(figure, rows, legend)
    ticks = money_ticks(low, high)
    unit = f"{currency}, logarithmic scale" if currency else "logarithmic scale"
    figure.layout.meta["narrow"]["xaxis.title.text"] = (
        f"{currency or 'Spend'} per new customer<br>{_ratio(row, 'First')}"
    )
    first = label(_name(row, "", 24))
    return figure.update_xaxes(
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[money(tick, currency) for tick in ticks],
        title_text=f"Ad spend per new customer ({unit}; bar: 95 % interval)<br>{_ratio(row, first)}",
    )


def two_ads_finding(compared: pd.DataFrame) -> str:
    """Say which ad costs less per customer, or what it still takes to tell."""
    row = compared.iloc[0]
    first, other = (_name(row, side, 40) for side in SIDES)
    if number_or_none(row["p_value"]) is None:
        return f"“{first}” and “{other}” cannot be compared: one has spent nothing, or neither has a new customer."
    if _is_settled(row):
        costs = [number_or_none(row[f"{side}cac"]) or math.inf for side in SIDES]
        cheaper, dearer = (first, other) if costs[0] < costs[1] else (other, first)
        return f"A customer of “{cheaper}” costs less than one of “{dearer}” ({_p_value(row)})."
    days = number_or_none(row["days_still_needed"])
    if days is None:
        return f"“{first}” and “{other}” cannot be told apart, and no further money would tell them."
    return (
        f"Not enough data to tell “{first}” and “{other}” apart ({_p_value(row)}): if the difference is as large"
        f" as it looks, about {count(days)} days more would tell."
    )


def two_ads_table(compared: pd.DataFrame) -> pd.DataFrame:
    """Lay the two ads one below the other."""
    columns = ("ad_name", "spend", "new_customers", "cac", "cac_low", "cac_high")
    row = compared.iloc[0]
    sides = [
        {name: row[f"{side}{name}"] for name in columns} | {"ad_name": _name(row, side, 200)}
        for side in SIDES
    ]
    return pd.DataFrame(sides, columns=list(columns))


def _is_settled(row: "pd.Series[Any]") -> bool:
    p_value = number_or_none(row["p_value"])
    return p_value is not None and p_value < SIGNIFICANT


def _name(row: "pd.Series[Any]", side: str, width: int) -> str:
    named = {name: row[f"{side}{name}"] for name in ("ad_id", "ad_name")}
    return ad_name(pd.Series(named, dtype=object), width)


def _p_value(row: "pd.Series[Any]") -> str:
    return "p\xa0<\xa00.001" if row["p_value"] < 0.001 else f"p\xa0=\xa0{row['p_value']:.3f}"


def _ratio(row: "pd.Series[Any]", first: str) -> str:
    ratio, low, high = (number_or_none(row[f"cac_ratio{end}"]) for end in ("", "_low", "_high"))
    if low is None and high is None:
        return "The ratio of the two is not known"
    ends = f"95 % {0 if low is None else low:.2f} to {'any' if high is None else f'{high:.2f}'}"
    known = "" if ratio is None else f"{ratio:.2f}, "
    return f"{first} to the other: ratio {known}{ends}"


def _row(row: "pd.Series[Any]", side: str, axis_high: float, currency: str | None) -> Row:
    name = label(_name(row, side, 200))
    low, high = number_or_none(row[f"{side}cac_low"]) or 0.0, number_or_none(row[f"{side}cac_high"])
    cac = number_or_none(row[f"{side}cac"])
    spent = (
        f"{money(row[f'{side}spend'], currency)} spent, {count(row[f'{side}new_customers'])} new customers"
    )
    short = label(_name(row, side, NAME_WIDTH))
    if cac is None:
        hover = f"<b>{name}</b><br>at least {money(low, currency)} per new customer<br>{spent}"
        return Row(short, hover, low, low, axis_high, "at least")
    interval = f"95 % between {money(low, currency)} and {money(high, currency)}"
    hover = f"<b>{name}</b><br>{money(cac, currency)} per new customer<br>{interval}<br>{spent}"
    clipped = money(high, currency) if high is not None and high > axis_high else None
    end = min(high if high is not None else math.inf, axis_high)
    return Row(short, hover, low, cac, end, "unsettled", clipped)


def _judged(row: Row, place: int) -> Row:
    if row.group == "at least":
        return row
    return Row(row.name, row.hover, row.low, row.value, row.high, ("better", "worse")[place], row.clipped)
