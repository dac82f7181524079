"""Alerts that fire only when chance does not explain it: the whole interval lies beyond the limit, in a ripe cohort."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ctm_analytics.columns import COLUMNS, column_of, confidence_of, write_ad, write_cell, write_interval
from ctm_analytics.errors import InvalidArgument, NoData
from ctm_analytics.formats import money, number_or_none, percent
from ctm_analytics.formats import period as period_words
from ctm_analytics.report.period import Period, last_ripe
from ctm_analytics.settings import did_you_mean

if TYPE_CHECKING:
    from ctm_analytics.workbench import Workbench

# Every measure of the ads answer that has an interval.
METRICS = ("cac", "cac_shrunk", "conversion_rate")
_CONDITION = re.compile(r"\s*([a-z_]+)\s*([<>])\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*")
_MOST_NAMED = 3


@dataclass(frozen=True)
class Condition:
    """What is watched for: ``metric`` above (``>``) or below (``<``) ``limit``, a share of 1 or an amount."""

    metric: str
    operator: str
    limit: float

    def __str__(self) -> str:
        return f"{self.metric} {self.operator} {self.limit:g}"

    def is_passed(self, value: float | None) -> bool:
        """Tell whether a known value lies beyond the limit."""
        return value is not None and (value > self.limit if self.operator == ">" else value < self.limit)


@dataclass(frozen=True)
class Alert:
    """What became of a condition.

    Attributes
    ----------
    condition : str
    since, until : date, the ripe days that were judged
    subject : str, in few words; empty where nothing fired
    sentence : str, what fired, or why nothing did
    fired : tuple of dict, ``ad_id`` (null: all ads together), ``name``, ``value``, ``low``, ``high``
    """

    condition: str
    since: date
    until: date
    subject: str
    sentence: str
    fired: tuple[dict[str, Any], ...]


def read_condition(text: str) -> Condition:
    """Read a metric, ``<`` or ``>``, and a number.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> read_condition("cac > 40"), read_condition("conversion_rate<5%")
    (Condition(metric='cac', operator='>', limit=40.0), Condition(metric='conversion_rate', operator='<', limit=0.05))
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise InvalidArgument(
            f"--alert: {text!r} is not METRIC > NUMBER or METRIC < NUMBER. Write e.g. 'cac > 40'."
        )
    metric, operator, number, is_percent = match.groups()
    if metric not in METRICS:
        raise InvalidArgument(
            f"--alert: {metric!r} has no interval to judge by.{did_you_mean(metric, METRICS)}"
            f" Use one of {', '.join(METRICS)}."
        )
    is_share = COLUMNS[metric].unit == "percent"
    limit = float(number) / (100 if is_percent else 1)
    if (is_percent and not is_share) or (is_share and limit > 1):
        rule = "a share of 1: write 5% or 0.05" if is_share else "an amount of money: write e.g. 40"
        raise InvalidArgument(f"--alert: {number}{is_percent} is no limit for {metric}, which is {rule}.")
    return Condition(metric, operator, limit)


def judge(
    conditions: Iterable[Condition], workbench: "Workbench", period: Period, today: date, window_days: int
) -> list[Alert]:
    """Judge conditions for all ads together and for each ad.

    Parameters
    ----------
    conditions : iterable of Condition
    workbench : Workbench
    period : Period that is reported
    today : date of ``as_of`` in the reporting time zone
    window_days : int, the attribution window

    Returns
    -------
    list of Alert
        One for each condition. Of a period in which sales may still come, the last equally long one that is ripe is
        judged in its stead: else a report of last week would never see any cost rise.
    """
    ripe = last_ripe(period, today, window_days)
    try:
        ads = workbench.ads(since=ripe.since, until=ripe.until)
        total = workbench.ads(since=ripe.since, until=ripe.until, by="total")
    except NoData:
        reason = f"there are no data for {period_words(*ripe)}{_instead(period, ripe)}"
        return [Alert(str(each), *ripe, "", f"{each} does not fire: {reason}.", ()) for each in conditions]
    rows = [{"name": "all ads together", "ad_id": None} | row for row in total.table.to_pylist()]
    rows += [
        row | {"name": f"“{write_ad(row['ad_name'], row['ad_id'])}”"}
        for row in ads.table.to_pylist()
        if row["ad_id"] is not None
    ]
    return [_judged(each, rows, period, ripe) for each in conditions]


def _judged(condition: Condition, rows: list[dict[str, Any]], period: Period, ripe: Period) -> Alert:
    metric = condition.metric
    known = [row for row in rows if number_or_none(row.get(f"{metric}_low")) is not None]
    currency = next((row["currency"] for row in rows if row.get("currency")), None)
    near_end = f"{metric}_low" if condition.operator == ">" else f"{metric}_high"
    fired = [row for row in known if condition.is_passed(number_or_none(row[near_end]))]
    near = [row for row in known if condition.is_passed(number_or_none(row[metric])) and row not in fired]
    limit = _limit(condition, currency)
    when = f"{period_words(*ripe)}{_instead(period, ripe)}"
    if fired:
        named = "; ".join(_named(row, metric, currency) for row in fired[:_MOST_NAMED])
        more = f"; and {len(fired) - _MOST_NAMED} more" if len(fired) > _MOST_NAMED else ""
        sentence = f"Alert: {limit} in {when}: {named}{more}. {len(known)} were judged."
    else:
        sentence = f"{condition} does not fire for {when}: {_why_not(len(known), len(near))}."
    return Alert(
        str(condition),
        *ripe,
        f"{limit} ({len(fired)})" if fired else "",
        sentence,
        tuple(
            {"ad_id": row["ad_id"], "name": row["name"]}
            | {
                end: row[f"{metric}{suffix}"]
                for end, suffix in (("value", ""), ("low", "_low"), ("high", "_high"))
            }
            for row in fired
        ),
    )


def _why_not(known: int, near: int) -> str:
    if not known:
        return "no ad has spent or been written to, so that there is nothing to judge"
    if not near:
        return f"of {known} judged, none is beyond the limit"
    verb = "is" if near == 1 else "are"
    return (
        f"of {known} judged, {near} {verb} beyond the limit with an interval that reaches back over it:"
        " too few customers to tell it from chance"
    )


def _instead(period: Period, ripe: Period) -> str:
    """Say why other days are judged than those of the report."""
    return "" if ripe == period else f" ({period_words(*period)} is too young: sales may still come)"


def _limit(condition: Condition, currency: str | None) -> str:
    is_share = COLUMNS[condition.metric].unit == "percent"
    written = percent(condition.limit) if is_share else money(condition.limit, currency)
    return f"{column_of(condition.metric).label} {condition.operator} {written}"


def _named(row: dict[str, Any], metric: str, currency: str | None) -> str:
    unit = COLUMNS[metric].unit
    value, low, high = (number_or_none(row[f"{metric}{suffix}"]) for suffix in ("", "_low", "_high"))
    interval = write_interval(low, high, unit, currency)
    sure = f"{confidence_of(metric)} %"
    if value is None:
        return f"{row['name']} {interval} ({sure})"
    return f"{row['name']} {write_cell(value, unit, currency)} ({sure}: {interval})"
