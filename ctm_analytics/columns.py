"""What each column of an answer is called, in which unit it is written, and in which view of the ads it stands."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from ctm_analytics.currencies import decimals_of
from ctm_analytics.formats import NOT_KNOWN, WEEKDAYS, count, duration, money, number_or_none, percent
from ctm_analytics.settings import ATTRIBUTION_MODELS, LIFETIME, LIFETIME_DAYS

PRESETS = ("delivery", "messaging", "sales", "all")
NOT_CREDITED = "Not credited to any ad"


@dataclass(frozen=True)
class Column:
    """A column as people read it.

    Attributes
    ----------
    label : str
    unit : str, ``text``, ``day`` or a key of ``_WRITERS``
    presets : str, the views of the ads table that show it, besides ``all``
    meaning : str, shown as the heading's hint
    """

    label: str
    unit: str
    presets: str = ""
    meaning: str = ""

    @property
    def is_number(self) -> bool:
        """Whether cells stand to the right and sort by value."""
        return self.unit not in ("text", "day", "verdict")


COLUMNS: dict[str, Column] = {
    "ad_name": Column("Ad", "text", "delivery messaging sales", "Latest name of the ad in the spend file"),
    "ad_id": Column("Ad id", "text"),
    "adset_name": Column("Ad set", "text"),
    "adset_id": Column("Ad set id", "text"),
    "campaign_name": Column("Campaign", "text", "delivery"),
    "campaign_id": Column("Campaign id", "text"),
    "platform": Column("Platform", "text"),
    "day": Column("Day", "day"),
    "week": Column("Week from", "day"),
    "spend": Column("Spend", "money", "delivery messaging sales", "Amount spent on ads"),
    "impressions": Column("Impressions", "count", "delivery", "As Meta reports them"),
    "link_clicks": Column("Link clicks", "count", "delivery", "As Meta reports them"),
    "reported_conversations": Column(
        "Conversations (Meta)", "count", "delivery", "Messaging conversations started, as Meta reports them"
    ),
    "coverage": Column(
        "Coverage", "percent", "delivery", "Engaged conversations captured, of those that Meta reports"
    ),
    "not_captured": Column("Not captured", "count"),
    "conversations": Column("Conversations", "count", "messaging", "Conversations that the ad opened"),
    "opened_silently": Column("Silent", "count", "messaging", "Opened from the ad, and nothing was written"),
    "engaged": Column("Engaged", "count", "messaging", "Conversations in which the person wrote"),
    "answered": Column("Answered", "count", "messaging", "Engaged conversations with a first response"),
    "cost_per_conversation": Column("Cost per conv.", "cents", "messaging", "Spend / conversations"),
    "median_first_response_seconds": Column(
        "Median response",
        "seconds",
        "messaging",
        "Time until half are answered; unanswered ones counted (Kaplan–Meier)",
    ),
    "p90_first_response_seconds": Column("90 % answered by", "seconds"),
    "mean_first_response_within_24h_seconds": Column(
        "Mean within 24 h",
        "seconds",
        "",
        "Area under the curve of the first 24 hours: the mean wait, at most a day",
    ),
    "median_response_seconds": Column("Median response", "seconds"),
    "p90_response_seconds": Column("90 % answered by", "seconds"),
    "mean_response_within_24h_seconds": Column("Mean within 24 h", "seconds"),
    "naive_median_response_seconds": Column("Median of answered only", "seconds"),
    "blind_seconds": Column("Not captured", "seconds"),
    "turns": Column("Turns", "count"),
    "responder": Column("Answered by", "text"),
    "naive_median_first_response_seconds": Column(
        "Median of answered only", "seconds", "", "Leaves out who is still waiting: too good to be true"
    ),
    "answered_within_5m": Column("Within 5 min", "percent"),
    "answered_within_1h": Column("Within 1 h", "percent"),
    "answered_within_24h": Column("Within 24 h", "percent", "messaging", "Share answered within 24 h"),
    "conversions": Column("Conversions", "count", "", "Engaged conversations with a credited sale"),
    "conversion_rate": Column(
        "Conversion", "percent", "messaging sales", "Conversions / engaged; 95 % interval by Wilson"
    ),
    "matured_conversion_rate": Column(
        "Matured conversion",
        "percent",
        "",
        "What the rate will be when all are as old as the window (Kaplan–Meier)",
    ),
    "cohort": Column("Cohort", "text"),
    "age_days": Column("Age", "window"),
    "bought_share": Column("Bought", "percent"),
    "sales": Column("Sales", "credit", "sales", "Credit handed out; shared where the model shares"),
    "new_customers": Column("New customers", "credit", "sales", "Credit of first sales"),
    "revenue": Column("Revenue", "money", "sales", "Net amount of the credited sales"),
    "average_sale": Column("Average sale", "money", ""),
    "cost_per_sale": Column("Cost per sale", "cents", "", "Spend / sales"),
    "cac": Column("CAC", "cents", "sales", "Ad spend / new customers; ad spend only"),
    "cac_shrunk": Column(
        "CAC, shrunk",
        "cents",
        "sales",
        "Pulled towards that of all ads, the less was spent the more; 90 % interval",
    ),
    "p_below_target": Column("Below target", "percent", "", "Chance that CAC is below the target"),
    "p_best": Column("Best", "percent", "", "Chance that no other ad's CAC is lower"),
    "expected_loss": Column(
        "Lost per 1,000", "per_thousand", "", "Customers forgone per 1,000 spent here, on average"
    ),
    "verdict": Column("Verdict", "verdict", "sales", "From the chance to be below the target alone"),
    "still_to_come": Column("Still to come", "credit", "", "Customers who have not bought yet"),
    "expected_new_customers": Column("Expected", "credit", "", "Customers so far and still to come"),
    "matured_cac": Column("CAC, matured", "cents", "", "Spend / expected new customers"),
    "verdict_on": Column("Ripe on", "day", "", "Day on which all are as old as the window"),
    "time_left": Column("Window closes in", "text"),
    "waiting": Column("Waiting", "count"),
    "waiting_from_ads": Column("Of those, from ads", "count"),
    "started_ads": Column("Ads started", "text", "", "Ads that spent for the first time on that day"),
    "suggested_spend": Column("Suggested", "money", "", "If the verdicts were followed, in as many days"),
    "expected_effect": Column(
        "Effect",
        "change",
        "",
        "New customers that the suggested spend may bring or cost, if CAC stays; 90 % interval",
    ),
    "other_ad_name": Column("Other ad", "text"),
    "other_spend": Column("Spend", "money"),
    "other_new_customers": Column("New customers", "credit"),
    "other_cac": Column("CAC", "cents"),
    "cac_ratio": Column("CAC ratio", "ratio"),
    "p_value": Column("p", "chance"),
    "days_still_needed": Column("Days needed", "count"),
    "spend_still_needed": Column("Spend needed", "money"),
    "landmark_minutes": Column("Answered within, min", "count"),
    "conversion_difference": Column("More conversion", "points"),
    "answered_by_landmark": Column("Answered", "count"),
    "waiting_at_landmark": Column("Waiting", "count"),
    "answered_conversion_rate": Column("Conversion, answered", "percent"),
    "waiting_conversion_rate": Column("Conversion, waiting", "percent"),
    "strata": Column("Ad-hours", "count"),
    "left_out": Column("Left out", "count"),
    "dropped_days": Column("Drops", "count", "", "Days on which less was captured than chance explains"),
    "cac_lowest": Column("Lowest", "cents", "", "Over all attribution models and windows"),
    "cac_highest": Column("Highest", "cents", "", "Over all attribution models and windows"),
    "roas": Column("ROAS", "ratio", "sales", "Net credited amount / spend"),
    "immature": Column("Immature", "count", "messaging", "Conversations younger than the attribution window"),
    "currency": Column("Currency", "text"),
    "weekday": Column("Weekday", "weekday"),
    "hour": Column("Hour", "hour"),
    "group": Column("Group", "text"),
    "seconds": Column("Within", "seconds"),
    "answered_share": Column("Answered", "percent"),
    "at_risk": Column("Still waiting", "count"),
    "too_young": Column("Too young", "count", "", "Engaged conversations that are not that old yet"),
    "stage": Column("Stage", "text"),
    "count": Column("Count", "count"),
    "lost": Column("Lost", "count"),
    "loss": Column("Why lost", "text"),
    "share_of_previous": Column("Of previous", "percent"),
    "share_of_first": Column("Of first", "percent"),
    "cost_each": Column("Spend each", "cents"),
    "check": Column("Check", "text"),
    "status": Column("Status", "text"),
    "share": Column("Share", "percent"),
    "detail": Column("What was found", "text"),
    "next_step": Column("What to do", "text"),
    "without_sale": Column("Without sale", "count"),
    "with_matched_sale": Column("With sale", "count", "", "Engaged conversations with a matched sale"),
    "sale_not_kept": Column("Not kept", "count", "", "Cancelled or refunded in full"),
    "with_kept_sale": Column("Sale kept", "count"),
    "matched_by": Column("Matched by", "text"),
    "evidence": Column("Kind of key", "text"),
    "net_amount": Column("Net amount", "money"),
    "first_spend": Column("Spend at first", "money", "", "As first imported, before any restatement"),
    "spend_change": Column("Restated by", "cents", "", "Spend now, less spend at first"),
    "restated_days": Column("Restated days", "count"),
    "match_rate_low": Column(
        "Matched at least", "percent", "", "Sales / (sales + all unmatched sales of the period)"
    ),
    "unmatched_sales": Column("Unmatched sales", "count", "", "Of the period; any may be the ad's"),
    "cac_if_all": Column("CAC if all", "cents", "", "If all unmatched sales of the period were the ad's"),
    "response_rate": Column("Response rate", "percent"),
    "response_time_seconds": Column("Response time", "seconds"),
    "is_very_responsive": Column("Very responsive", "text"),
    "seconds_left": Column("Time left", "seconds", "", "Until the messaging window closes"),
    "waited_seconds": Column("Waits", "seconds"),
    "low": Column("95 % from", "percent"),
    "high": Column("95 % to", "percent"),
    "model": Column("Attribution model", "text"),
    "window_days": Column("Window", "window"),
} | {f"cac_{model}": Column(model.replace("_", " ").capitalize(), "cents") for model in ATTRIBUTION_MODELS}
# An interval stands in one cell beside its estimate: estimate, low, high.
INTERVALS = {
    "conversion_rate_interval": ("conversion_rate", "conversion_rate_low", "conversion_rate_high"),
    "cac_interval": ("cac", "cac_low", "cac_high"),
}


def preset_names(preset: str, available: Iterable[str]) -> tuple[str, ...]:
    """Name the columns of a view of the ads, in the catalogue's order.

    Examples
    --------
    >>> preset_names("messaging", ["cac", "engaged", "spend"])
    ('spend', 'engaged')
    """
    present = set(available)
    return tuple(
        name for name, column in COLUMNS.items() if name in present and preset in column.presets.split()
    )


def column_of(name: str) -> Column:
    """Describe a column by its name; one that is not in the catalogue is read as text or a plain number.

    Examples
    --------
    >>> column_of("answered_within_1h_low").label, column_of("cac_shrunk_low").label, column_of("shop_city").label
    ('Within 1 h, 95 % from', 'CAC, shrunk, 90 % from', 'Shop city')
    """
    if name in COLUMNS:
        return COLUMNS[name]
    for ending, word in (("_low", "from"), ("_high", "to")):
        if name.endswith(ending) and name.removesuffix(ending) in COLUMNS:
            of = COLUMNS[name.removesuffix(ending)]
            return Column(f"{of.label}, {confidence_of(name)} % {word}", of.unit)
    if "_business" in name:
        elapsed = column_of(name.replace("_business", ""))
        return Column(f"{elapsed.label} (open hours)", elapsed.unit)
    if name.startswith("bought_within_"):
        return Column(name.removeprefix("bought_within_").removesuffix("d") + " d", "percent")
    if name.startswith("cac_within_"):
        days = float(name.removeprefix("cac_within_").removesuffix("d"))
        return Column(_WRITERS["window"](days, None), "cents")
    words = name.removesuffix("_seconds").replace("_", " ")
    return Column(words[:1].upper() + words[1:], "seconds" if name.endswith("_seconds") else "text")


def confidence_of(name: str) -> int:
    """Say how sure an interval is, in percent: 90 for a shrunk CAC and what follows from it, 95 for all others."""
    return 90 if name.startswith(("cac_shrunk", "expected_effect")) else 95


def write_cell(value: Any, unit: str, currency: str | None) -> str:
    """Write one value as people read it; missing as a dash."""
    if unit == "text":
        return _text(value)
    if unit == "verdict":
        return _text(value).replace("_", " ")
    if unit == "day":
        return NOT_KNOWN if pd.isna(value) else _day(pd.Timestamp(value).date())
    number = number_or_none(value)
    return NOT_KNOWN if number is None else _WRITERS[unit](number, currency)


def write_interval(low: float | None, high: float | None, unit: str, currency: str | None) -> str:
    """Write an interval; one without an upper end as "at least"."""
    if low is None:
        return NOT_KNOWN
    lowest = write_cell(low, unit, currency)
    return f"at least {lowest}" if high is None else f"{lowest} – {write_cell(high, unit, currency)}"


def write_ad(ad_name: Any, ad_id: Any) -> str:
    """Name an ad: by its name, else its id; without either, nothing is credited."""
    known = [str(value) for value in (ad_name, ad_id) if not (value is None or pd.isna(value))]
    return known[0] if known else NOT_CREDITED


def _text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, list | dict):
        return str(value)
    if value is None or pd.isna(value) or str(value) == "":
        return NOT_KNOWN
    if not isinstance(value, pd.Timestamp):
        return str(value)
    # pandas keeps days as midnights without a zone.
    is_day = value.tzinfo is None and value == value.normalize()
    return f"{value:%Y-%m-%d}" if is_day else f"{value:%Y-%m-%d %H:%M:%S}"


def _day(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day.isoformat()}"


def _credit(value: float, _: str | None) -> str:
    return count(value, 0 if value.is_integer() else 1)


_WRITERS: dict[str, Callable[[float, str | None], str]] = {
    "count": lambda value, _: count(value),
    "credit": _credit,
    "money": lambda value, currency: money(value, currency, 0),
    "cents": lambda value, currency: money(value, currency, decimals_of(currency or "") if value < 20 else 0),
    "percent": lambda value, _: percent(value, 1 if value < 1 else 0),
    "seconds": lambda value, _: duration(value),
    "per_thousand": lambda value, _: count(1000 * value, 1),
    "chance": lambda value, _: "< 0.001" if value < 0.001 else f"{value:.3f}",
    "change": lambda value, _: f"{'+' if value > 0 else ''}{count(value, 1)}",
    "points": lambda value, _: f"{100 * value:+.1f} points",
    "window": lambda value, _: LIFETIME if value == LIFETIME_DAYS else f"{count(value)} d",
    "ratio": lambda value, _: f"{count(value, 2)}×",
    "weekday": lambda value, _: WEEKDAYS[int(value) - 1],
    "hour": lambda value, _: f"{int(value):02d}:00",
}
