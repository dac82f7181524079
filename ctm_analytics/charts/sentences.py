"""Sentences that a reader may quote, made from the numbers alone."""

from typing import Any

import pandas as pd

from ctm_analytics.charts.cac_by_ad import FEW_CUSTOMERS
from ctm_analytics.charts.response_curve import median_seconds
from ctm_analytics.formats import (
    ad_name,
    count,
    currency_of,
    duration,
    floats,
    money,
    number_or_none,
    percent,
)

# A change smaller than this is not worth a word.
SAME = 0.02


def cost_sentence(total: "pd.Series[Any]", previous: "pd.Series[Any] | None" = None) -> str:
    """Say what a new customer cost, how sure that is, and how it was in the period before.

    Parameters
    ----------
    total, previous : the row of ``workbench.ads(by="total")`` for the period and, to compare, for the one before
    """
    currency = None if pd.isna(total["currency"]) else str(total["currency"])
    cac = number_or_none(total["cac"])
    if cac is None:
        if not number_or_none(total["spend"]):
            customers = count(number_or_none(total["new_customers"]) or 0)
            return f"No ad spend is known for this period; ads brought {customers} new customers."
        if number_or_none(total.get("conversations")) == 0 and not number_or_none(total.get("sales")):
            spent = money(total["spend"], currency)
            return f"{spent} was spent on ads; what it brought is not known, since nothing was captured."
        return f"{money(total['spend'], currency)} of ad spend brought no new customer yet."
    low, high = number_or_none(total["cac_low"]), number_or_none(total["cac_high"])
    interval = f"95 % between {money(low, currency)} and {money(high, currency)}"
    before = None if previous is None else number_or_none(previous["cac"])
    chance = before is not None and low is not None and high is not None and low <= before <= high
    return (
        f"A new customer cost {money(cac, currency)} of ad spend ({interval}){_change(cac, before, chance)}."
    )


def maturity_notice(total: "pd.Series[Any]", window_days: int) -> str:
    """Warn that sales of young conversations are still to come; empty where none is young.

    Examples
    --------
    >>> maturity_notice(pd.Series({"immature": 20, "conversations": 50}), 7)
    '20 of 50 conversations are younger than 7 days: their sales may still come, so CAC may fall.'
    """
    young = number_or_none(total["immature"])
    if not young:
        return ""
    words = (
        f"{count(young)} of {count(total['conversations'])} conversations are younger than {window_days} days"
    )
    return f"{words}: their sales may still come, so CAC may fall."


def best_ad_sentence(ads: pd.DataFrame) -> str:
    """Say which ad brought customers at the lowest cost, judged by the upper end of its interval.

    The dot alone would favour an ad with a lucky sale; ads with fewer than ``FEW_CUSTOMERS`` are left out.
    """
    enough = floats(ads["new_customers"]) >= FEW_CUSTOMERS
    known = ads[ads["ad_id"].notna() & ads["cac_high"].notna() & enough]
    if known.empty:
        return f"No ad has brought {FEW_CUSTOMERS} new customers yet: too few to name the best."
    best = known.iloc[int(floats(known["cac_high"]).argmin())]
    currency = currency_of(ads)
    return (
        f"The safest choice is “{ad_name(best, 60)}”: "
        f"{money(best['cac'], currency)} per new customer, at most {money(best['cac_high'], currency)}."
    )


def idle_ads_sentence(ads: pd.DataFrame) -> str:
    """Say how much went to ads without any new customer; empty where no ad spent."""
    spend, customers = floats(ads["spend"]), floats(ads["new_customers"])
    idle = ads["ad_id"].notna().to_numpy() & (spend > 0) & ~(customers > 0)
    if not (spend > 0).any():
        return ""
    if not idle.any():
        return "Every ad that spent brought at least one new customer."
    spent = money(spend[idle].sum(), currency_of(ads))
    verb = "ad has" if idle.sum() == 1 else "ads have"
    return f"{idle.sum()} {verb} spent {spent} without a new customer yet."


def speed_sentence(row: "pd.Series[Any]", curve: pd.DataFrame | None = None) -> str:
    """Say how fast people are answered, and what share waits for more than a day.

    Parameters
    ----------
    row : the row of ``workbench.latency()``
    curve : frame of ``workbench.response_curve(by=…)`` or None; its slowest group is compared with its fastest
    """
    if not number_or_none(row["engaged"]):
        return "Nobody wrote in this period."
    median = number_or_none(row["median_first_response_seconds"])
    if median is None:
        return f"Fewer than half of {count(row['engaged'])} people who wrote have been answered."
    late = percent(1 - float(row["answered_within_24h"]))
    sentence = (
        f"Half of the people who wrote had an answer within {duration(median)}; {late} had none within a day"
    )
    return f"{sentence}{'' if curve is None else _slower(curve)}."


def _slower(curve: pd.DataFrame) -> str:
    medians = {
        str(group): median_seconds(steps) for group, steps in curve.groupby("group", sort=False) if len(steps)
    }
    known = {group: median for group, median in medians.items() if median}
    if len(known) < 2:
        return ""
    fast, slow = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    times = known[slow] / known[fast]
    if times < 1.5:
        return ""
    return f". {slow}: {duration(known[slow])}, {times:.0f}× as long as {fast}"


def _change(now: float, before: float | None, may_be_chance: bool) -> str:
    if not before:
        return ""
    change = now / before - 1
    if abs(change) < SAME:
        return ", as in the period before"
    words = f", {percent(abs(change))} {'more' if change > 0 else 'less'} than in the period before"
    return f"{words}, which may be chance" if may_be_chance else words
