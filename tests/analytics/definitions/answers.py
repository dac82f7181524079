"""The tables that a user sees, added up from conversations and credit: section 6 of the definitions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from . import conversations, sales
from .facts import Facts, Row, Rules
from .statistics import kaplan_meier, poisson, quantile, share_answered, wilson


@dataclass(frozen=True)
class Period:
    """Whole days, both ends included."""

    since: date | None = None
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Say whether a day is in the period."""
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)


class Reading:
    """All relations of one world at one instant."""

    def __init__(self, facts: Facts, rules: Rules) -> None:
        self.facts = facts
        self.rules = rules
        self.touches = conversations.touches(facts, rules)
        self.conversations = conversations.conversations(facts, rules, self.touches)
        self.turns = conversations.turns(self.conversations, rules)
        self.matches = {sale["sale_id"]: sales.match(sale, facts) for sale in facts.sales}
        self.credits = sales.credit(facts, rules, self.touches)
        for row in self.conversations:
            own = [
                credit
                for credit in self.credits
                if (credit["person"], credit["touched_at"]) == (row["person"], row["opened_at"])
            ]
            row["sales"] = sum(credit["credit_billionths"] for credit in own) / sales.WHOLE
            row["sold_at"] = min((credit["sold_at"] for credit in own), default=None)
            row["revenue"] = sum(credit["credited_cents"] for credit in own) / rules.units
            row["day"] = rules.day(row["opened_at"])
        for credit in self.credits:
            credit["sale_day"] = rules.day(credit["sold_at"])
            filed_at = credit["touched_at"] or credit["sold_at"]
            credit["touch_day"] = rules.day(filed_at)

    def ads(self, period: Period, *, by: str = "ad", basis: str = "cohort") -> dict[Any, Row]:
        """Add up everything by ad, day or week; ``total`` is all ads together."""
        filed = "touch_day" if basis == "cohort" else "sale_day"
        talks = _grouped(self.conversations, "day", by, period)
        paid = _grouped(self.facts.spend, "day", by, period)
        credited = _grouped(self.credits, filed, by, period)
        known = [row for row in self.facts.spend if period.holds(row["day"])]
        priced = {row["ad_id"] for row in known}
        reported = {
            (row["day"], row["ad_id"]) for row in known if row.get("reported_conversations") is not None
        }
        return {
            key: self._performance(
                talks.get(key, []), paid.get(key, []), credited.get(key, []), priced, reported
            )
            for key in {*talks, *paid, *credited}
        }

    def _performance(
        self,
        talks: list[Row],
        paid: list[Row],
        credited: list[Row],
        priced: set[Any],
        reported_days: set[tuple[Any, Any]],
    ) -> Row:
        engaged = [row for row in talks if row["engaged"]]
        from_ads = [row for row in engaged if row["ad_id"] is not None]
        waits = [conversations.wait(row, self.facts) for row in engaged]
        spend = sum(row["units"] for row in paid) / self.rules.units if paid else None
        revenue = sum(row["credited_cents"] for row in credited) / self.rules.units
        reported = _total(paid, "reported_conversations")
        conversions = sum(row["sales"] > 0 for row in from_ads)
        is_about_ads = any(row["ad_id"] is not None for row in (*talks, *paid, *credited))
        low, high = wilson(conversions, len(from_ads))
        # A cost is told of ads whose spend is known, coverage of days for which Meta reports.
        to_ads = [row for row in credited if row["ad_id"] in priced]
        covered = [row for row in from_ads if (row["day"], row["ad_id"]) in reported_days]
        return {
            "spend": spend,
            "impressions": _total(paid, "impressions"),
            "link_clicks": _total(paid, "link_clicks"),
            "reported_conversations": reported,
            "conversations": len(talks),
            "opened_silently": len(talks) - len(engaged),
            "engaged": len(engaged),
            "answered": sum(row["answered"] for row in engaged),
            "conversions": conversions if is_about_ads else None,
            "conversion_rate": _ratio(conversions, len(from_ads)),
            "conversion_rate_low": low,
            "conversion_rate_high": high,
            "matured_conversion_rate": share_answered(
                [self.time_to_sale(row) for row in from_ads], self.rules.window.total_seconds()
            )[0],
            "immature": sum(self.facts.as_of - row["opened_at"] < self.rules.window for row in talks),
            "sales": _sales(credited),
            "new_customers": _sales(row for row in credited if row["is_new_customer"]),
            "revenue": revenue,
            "average_sale": _ratio(revenue, _sales(credited)),
            "median_first_response_seconds": quantile(kaplan_meier(waits), 0.5),
            "answered_within_24h": share_answered(waits, 86400)[0],
            "coverage": _ratio(len(covered), reported),
        } | _costs(spend, len([row for row in talks if row["ad_id"] in priced]), to_ads, self.rules)

    def time_to_sale(self, row: Row) -> tuple[float, bool]:
        """Say how long a conversation took to its first sale, or has been waiting, at most the window."""
        sold_at = row["sold_at"]
        waited = (self.facts.as_of if sold_at is None else sold_at) - row["opened_at"]
        return min(waited, self.rules.window).total_seconds(), sold_at is not None

    def quality(self, period: Period, *, by: str = "ad") -> dict[Any, Row]:
        """Tell how spend was restated, and CAC if none or all unmatched sales were the ad's."""
        firsts = sales.new_customers(self.facts)
        unmatched = [
            sale["sale_id"]
            for sale in self.facts.sales
            if sales.is_counted(sale)
            and self.matches[sale["sale_id"]][0] in ("unmatched", "ambiguous")
            and period.holds(self.rules.day(sale["sold_at"]))
        ]
        unmatched_new = sum(firsts[sale_id] is not False for sale_id in unmatched)
        named = {ad: row for ad, row in self.ads(period).items() if ad is not None}
        groups = {ad: [ad] for ad in named} if by == "ad" else {None: list(named)}
        return {
            key: self._quality(ads, [named[ad] for ad in ads], period)
            | _bounds([named[ad] for ad in ads], len(unmatched), unmatched_new)
            for key, ads in groups.items()
            if ads
        }

    def _quality(self, ads: list[Any], rows: list[Row], period: Period) -> Row:
        paid = [row["spend"] for row in rows if row["spend"] is not None]
        histories: dict[tuple[Any, Any], list[Row]] = {}
        for row in sorted(self.facts.every_spend, key=lambda row: row["imported_at"]):
            if row["ad_id"] in ads and period.holds(row["day"]):
                histories.setdefault((row["day"], row["ad_id"]), []).append(row)
        changed = [
            row
            for history in histories.values()
            for before, row in pairwise(history)
            if (before["spend"], before["currency"]) != (row["spend"], row["currency"])
        ]
        first = sum(history[0]["units"] for history in histories.values()) / self.rules.units
        return {
            "first_spend": first if paid else None,
            "spend": sum(paid) if paid else None,
            "restated_days": len({(row["day"], row["ad_id"]) for row in changed}),
            "restated_at": max((row["imported_at"] for row in changed), default=None),
        }

    def latency(self, period: Period, *, human: bool = False) -> Row:
        """Read the response times of the engaged conversations of a period."""
        engaged = [row for row in self.conversations if row["engaged"] and period.holds(row["day"])]
        waits = [conversations.wait(row, self.facts, human=human) for row in engaged]
        answered = [seconds for seconds, is_answered in waits if is_answered]
        steps = kaplan_meier(waits)
        row: Row = {
            "engaged": len(engaged),
            "answered": len(answered),
            "median_first_response_seconds": quantile(steps, 0.5),
            "p90_first_response_seconds": quantile(steps, 0.9),
            "naive_median_first_response_seconds": median(answered) if answered else None,
        }
        for name, seconds in (("5m", 300), ("1h", 3600), ("24h", 86400)):
            share, low, high = share_answered(waits, seconds)
            row |= {f"answered_within_{name}": share, f"answered_within_{name}_low": low}
            row[f"answered_within_{name}_high"] = high
        return row

    def response_curve(self) -> list[Row]:
        """Read the share answered, step by step, of everybody who wrote."""
        engaged = [row for row in self.conversations if row["engaged"]]
        waits = [conversations.wait(row, self.facts) for row in engaged]
        rows = []
        for seconds, _, _, at_risk in kaplan_meier(waits):
            share, low, high = share_answered(waits, seconds)
            rows.append({"seconds": seconds, "answered_share": share, "low": low, "high": high})
            rows[-1]["at_risk"] = float(at_risk)
        return rows

    def funnel(self, period: Period) -> dict[str, int]:
        """Count the conversations that ads opened, stage by stage."""
        talks = [row for row in self.conversations if row["ad_id"] is not None and period.holds(row["day"])]
        engaged = [row for row in talks if row["engaged"]]
        return {
            "Conversations captured": len(talks),
            "Engaged": len(engaged),
            "Answered": sum(row["answered"] for row in engaged),
            "Bought": sum(row["sales"] > 0 for row in engaged),
        }


KEYS: dict[str, Callable[[date, str | None], Any]] = {
    "ad": lambda _, ad_id: ad_id,
    "day": lambda day, _: day,
    "week": lambda day, _: day - timedelta(days=day.weekday()),
    "total": lambda *_: None,
}


def _grouped(rows: list[Row], day: str, by: str, period: Period) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        if period.holds(row[day]) and not (by != "ad" and row["ad_id"] is None):
            groups.setdefault(KEYS[by](row[day], row["ad_id"]), []).append(row)
    return groups


def _sales(credited: Any) -> float:
    return sum(row["credit_billionths"] for row in credited) / sales.WHOLE


def _total(rows: list[Row], column: str) -> int | None:
    known = [row[column] for row in rows if row.get(column) is not None]
    return sum(known) if known else None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _bounds(rows: list[Row], unmatched: int, unmatched_new: int) -> Row:
    own = sum(row["sales"] for row in rows)
    paid = [row for row in rows if row["spend"] is not None]
    spend = sum(row["spend"] for row in paid) if paid else None
    new = sum(row["new_customers"] for row in paid)
    return {
        "unmatched_sales": unmatched,
        "unmatched_new_customers": unmatched_new,
        "match_rate_low": _ratio(own, own + unmatched),
        "cac": _ratio(spend, new),
        "cac_if_all": _ratio(spend, new + unmatched_new),
    }


def _costs(spend: float | None, conversations: int, to_ads: list[Row], rules: Rules) -> Row:
    new = _sales(row for row in to_ads if row["is_new_customer"])
    fewest, most = poisson(new)
    return {
        "cost_per_conversation": _ratio(spend, conversations),
        "cost_per_sale": _ratio(spend, _sales(to_ads)),
        "cac": _ratio(spend, new),
        "cac_low": _ratio(spend, most),
        "cac_high": _ratio(spend, fewest),
        "roas": _ratio(sum(row["credited_cents"] for row in to_ads) / rules.units, spend),
    }
