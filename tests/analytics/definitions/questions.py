"""Later turns, the business clock, the inbox, the badge, reconciliation and cohorts: read from the definitions."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

from ctm_analytics.settings import ATTRIBUTION_MODELS

from . import sales
from .answers import KEYS, Period, Reading
from .conversations import WRITTEN, responder, wait
from .facts import Person, Row, Rules
from .statistics import kaplan_meier, quantile, restricted_mean, share_answered

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LIFETIME = 36_500
WINDOWS = (1, 7, 14, 28, 30, 60, 90, LIFETIME)
LIMITS = {"5m": 300, "1h": 3600, "24h": 86_400}


# --- waits ---


def waits(reading: Reading, *, human: bool, turns: str) -> list[Row]:
    """List who waited from when to when, and whether an answer ended it."""
    found = []
    for talk in reading.conversations if turns != "next" else []:
        if talk["engaged"]:
            seconds, is_answered = wait(talk, reading.facts, human=human)
            first = [turn for turn in _turns_of(talk, reading) if turn["is_first"]]
            found.append(_wait(talk, talk["first_inbound_at"], seconds, is_answered) | _by_whom(first))
    for talk in reading.conversations if turns != "first" else []:
        for turn in _turns_of(talk, reading):
            if not turn["is_first"]:
                seconds, is_answered = _turn_wait(turn, talk, reading, human=human)
                found.append(_wait(talk, turn["turn_started_at"], seconds, is_answered) | _by_whom([turn]))
    return found


def _turns_of(talk: Row, reading: Reading) -> list[Row]:
    own = (talk["person"], talk["opened_at"])
    return [turn for turn in reading.turns if (turn["person"], turn["opened_at"]) == own]


def _wait(talk: Row, started_at: datetime, seconds: float, is_answered: bool) -> Row:
    return {
        "talk": talk, "started_at": started_at, "seconds": seconds, "is_answered": is_answered,
        "ended_at": started_at + timedelta(seconds=seconds),
    }  # fmt: skip


def _by_whom(turns: list[Row]) -> Row:
    """Of several who answer at one instant a person comes before who is unknown, and that before a bot."""
    senders = {sender for turn in turns for sender in turn["responders"]}
    return {"responder": next((name for name in ("human", "unknown", "bot") if name in senders), None)}


def _turn_wait(turn: Row, talk: Row, reading: Reading, *, human: bool) -> tuple[float, bool]:
    answered = turn["human_response_seconds" if human else "response_seconds"]
    if answered is not None:
        return answered, True
    started_at = turn["turn_started_at"]
    later = [
        other["turn_started_at"]
        for other in reading.turns
        if other["person"] == turn["person"] and other["turn_started_at"] > started_at
    ]
    unseen = [max(begin, started_at) for begin, end in reading.facts.gaps if end > started_at]
    ends = [reading.facts.as_of, *later, *unseen, talk["next_opened_at"] or reading.facts.as_of]
    return (min(ends) - started_at).total_seconds(), False


GROUPS: dict[str, tuple[str, ...]] = {
    "total": (), "ad": ("ad_id",), "platform": ("platform",), "day": ("day",), "week": ("week",),
    "weekday": ("weekday",), "hour": ("hour",), "weekday_hour": ("weekday", "hour"),
    "business_time": ("is_business_time",), "responder": ("responder",),
}  # fmt: skip


def latency(
    reading: Reading, by: str, *, human: bool = False, turns: str = "first",
    on_business_clock: bool = False,
) -> dict[tuple[Any, ...], Row]:  # fmt: skip
    """Summarise the waits of each group."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in waits(reading, human=human, turns=turns):
        facts = _places(row, reading.rules)
        groups.setdefault(tuple(facts[name] for name in GROUPS[by]), []).append(row)
    clock = reading.rules if on_business_clock else None
    table = {key: _summary(rows, turns, clock) for key, rows in groups.items()}
    return _with_blind_hours(table, turns, reading) if by == "weekday_hour" and table else table


def _with_blind_hours(table: dict[Any, Row], turns: str, reading: Reading) -> dict[Any, Row]:
    """Walk through each gap in capture minute by minute: what the receiver could not see is not known to be empty."""
    nothing = {"engaged" if turns == "first" else "turns": 0, "answered": 0}
    blind: dict[tuple[int, int], float] = {}
    for begin, end in reading.facts.gaps:
        minute = begin.replace(second=0, microsecond=0)
        while minute < end:
            local = minute.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(reading.rules.zone))
            hour = (local.isoweekday(), local.hour)
            seconds = (min(minute + MINUTE, end) - max(minute, begin)).total_seconds()
            blind[hour] = blind.get(hour, 0.0) + seconds
            minute += MINUTE
    hours = {*table, *blind}
    return {hour: table.get(hour, nothing) | {"blind_seconds": blind.get(hour, 0.0)} for hour in hours}


def _places(row: Row, rules: Rules) -> Row:
    local = row["started_at"].replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(rules.zone))
    day = row["talk"]["day"]
    return {
        "ad_id": row["talk"]["ad_id"], "platform": row["talk"]["person"][0], "responder": row["responder"],
        "day": day, "week": day - day.weekday() * DAY, "weekday": local.isoweekday(), "hour": local.hour,
        "is_business_time": local.isoweekday() <= 5 and 8 <= local.hour < 18,
    }  # fmt: skip


def _summary(rows: list[Row], turns: str, clock: Rules | None) -> Row:
    waited = [
        (
            open_seconds(row["started_at"], row["ended_at"], clock) if clock else row["seconds"],
            row["is_answered"],
        )
        for row in rows
    ]
    answered = [seconds for seconds, is_answered in waited if is_answered]
    steps = kaplan_meier(waited)
    bands = [(seconds, *share_answered(waited, seconds)) for seconds, *_ in steps]
    name = "first_response" if turns == "first" else "response"
    seconds, suffix = ("business_seconds", "_business") if clock else ("seconds", "")
    table: Row = {
        "engaged" if turns == "first" else "turns": len(rows),
        "answered": len(answered),
        f"median_{name}_{seconds}": quantile(steps, 0.5),
        f"median_{name}_{seconds}_low": _crossing(bands, 3),
        f"median_{name}_{seconds}_high": _crossing(bands, 2),
        f"p90_{name}_{seconds}": quantile(steps, 0.9),
        f"mean_{name}_within_24h_{seconds}": restricted_mean(waited, 86_400),
        f"naive_median_{name}_{seconds}": median(answered) if answered else None,
    }
    for limit, length in LIMITS.items():
        shares = share_answered(waited, length)
        names = (f"answered_within_{limit}{suffix}{end}" for end in ("", "_low", "_high"))
        table |= dict(zip(names, shares, strict=True))
    return table


def _crossing(bands: list[tuple[Any, ...]], end: int) -> float | None:
    """Return when that end of the band first says that half has been answered; at the curve's end all ends do."""
    for band in bands:
        share = band[1] if band[1] == 1 else band[end]
        if share is not None and share >= 0.5 - 1e-12:
            return float(band[0])
    return None


def open_seconds(started_at: datetime, ended_at: datetime, rules: Rules) -> float:
    """Walk through a wait minute by minute, and look at the wall clock in each."""
    total = 0.0
    minute = started_at.replace(second=0, microsecond=0)
    while minute < ended_at:
        local = minute.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(rules.zone))
        if rules.is_open(local):
            total += (min(minute + MINUTE, ended_at) - max(minute, started_at)).total_seconds()
        minute += MINUTE
    return total


# --- who waits now, and how the business stands with Meta ---


def inbox(reading: Reading, *, human: bool = False) -> list[Row]:
    """List the people whose last turn has no answer, while the business may still write."""
    found = []
    for talk in reading.conversations:
        for turn in _turns_of(talk, reading):
            is_last = all(
                other["turn_started_at"] <= turn["turn_started_at"]
                for other in reading.turns
                if other["person"] == turn["person"]
            )
            answered_at = turn["human_responded_at" if human else "responded_at"]
            left = (talk["window_closes_at"] - reading.facts.as_of).total_seconds()
            if is_last and answered_at is None and left > 0:
                since = turn["turn_started_at"]
                names = ("opened_by", "ad_id", "last_inbound_at", "window_closes_at")
                found.append(
                    dict(zip(("platform", "account_id", "contact_id"), talk["person"], strict=True))
                    | {name: talk[name] for name in names}
                    | {"waiting_since": since, "messages_waiting": turn["messages_in"]}
                    | {"waited_seconds": (reading.facts.as_of - since).total_seconds(), "seconds_left": left}
                    | {"is_first": turn["is_first"]}
                )
    return found


def badge(reading: Reading) -> dict[tuple[str, str], Row]:
    """Judge each account by the messages of 7 days that came after 24 hours without a word of either side."""
    accounts: dict[tuple[str, str], list[float | None]] = {}
    for person, events in reading.facts.events.items():
        words = sorted(
            (event for event in events if event["event_type"] in (*WRITTEN, "echo")),
            key=lambda event: (event["occurred_at"], event["event_type"] == "echo"),
        )
        for before, event in pairwise([None, *words]):
            at = event["occurred_at"]
            is_new = before is None or at - before["occurred_at"] >= DAY
            if is_new and event["event_type"] in WRITTEN and at > reading.facts.as_of - 7 * DAY:
                replies = accounts.setdefault((person[0], person[1]), [])
                replies.append(_reply_seconds(person, at, words, reading))
    return {account: _judged(replies) for account, replies in accounts.items()}


def _reply_seconds(person: Person, at: datetime, words: list[Row], reading: Reading) -> float | None:
    """Return when somebody replied by hand, in the same conversation."""
    opened_at = max(
        talk["opened_at"]
        for talk in reading.conversations
        if talk["person"] == person and talk["opened_at"] <= at
    )
    talk = next(
        talk for talk in reading.conversations if (talk["person"], talk["opened_at"]) == (person, opened_at)
    )
    for event in words:
        is_inside = talk["next_opened_at"] is None or event["occurred_at"] < talk["next_opened_at"]
        is_reply = event["event_type"] == "echo" and event["occurred_at"] >= at
        if is_inside and is_reply and responder(event, words, reading.rules) != "bot":
            return float((event["occurred_at"] - at).total_seconds())
    return None


def _judged(replies: list[float | None]) -> Row:
    replied = sorted(seconds for seconds in replies if seconds is not None)
    fastest = replied[: max(1, len(replied) * 9 // 10)]
    rate, seconds = len(replied) / len(replies), fmean(fastest) if fastest else None
    return {
        "new_messages": len(replies), "replied": len(replied), "response_rate": rate,
        "response_time_seconds": seconds,
        "is_very_responsive": rate >= 0.9 and seconds is not None and seconds <= 900,
    }  # fmt: skip


# --- stages, ripening, and every model at once ---


def reconciliation(reading: Reading, period: Period) -> dict[tuple[Any, ...], Row]:
    """Count each ad's conversations of a day, stage by stage."""
    sold, kept = _last_touches(reading)
    talks = [talk for talk in reading.conversations if talk["ad_id"] is not None]
    keys = {(talk["day"], talk["ad_id"]) for talk in talks}
    keys |= {(row["day"], row["ad_id"]) for row in reading.facts.spend}
    return {key: _stages(key, talks, reading, (sold, kept)) for key in keys if period.holds(key[0])}


def _last_touches(reading: Reading) -> tuple[set[tuple[Person, datetime]], set[tuple[Person, datetime]]]:
    """Return the touches that matched sales followed, and those of sales that were kept."""
    sold, kept = set(), set()
    for sale in reading.facts.sales:
        person = reading.matches[sale["sale_id"]][1]
        way = sales.eligible(sale, person, reading.rules, reading.touches)
        if way:
            last = (way[-1]["person"], way[-1]["touched_at"])
            sold.add(last)
            if sales.is_counted(sale):
                kept.add(last)
    return sold, kept


def _stages(key: tuple[Any, ...], talks: list[Row], reading: Reading, followed: tuple[Any, Any]) -> Row:
    own = [talk for talk in talks if (talk["day"], talk["ad_id"]) == key]
    engaged = [(talk["person"], talk["opened_at"]) for talk in own if talk["engaged"]]
    with_sale, with_kept = (sum(each in touches for each in engaged) for touches in followed)
    told = [
        row["reported_conversations"]
        for row in reading.facts.spend
        if (row["day"], row["ad_id"]) == key and row.get("reported_conversations") is not None
    ]
    reported = sum(told) if told else None
    return {
        "reported_conversations": reported, "conversations": len(own), "engaged": len(engaged),
        "with_matched_sale": with_sale, "with_kept_sale": with_kept,
        "not_captured": None if reported is None else reported - len(own),
        "opened_silently": len(own) - len(engaged), "without_sale": len(engaged) - with_sale,
        "sale_not_kept": with_sale - with_kept, "coverage": len(engaged) / reported if reported else None,
    }  # fmt: skip


def cohorts(reading: Reading, period: Period, by: str) -> dict[tuple[Any, ...], Row]:
    """Say of each cohort which share had bought by each age, as far as anybody was watched."""
    groups: dict[Any, list[tuple[float, bool]]] = {}
    for talk in reading.conversations:
        if talk["ad_id"] is not None and talk["engaged"] and period.holds(talk["day"]):
            seconds, is_sold = reading.time_to_sale(talk)
            key = KEYS[by](talk["day"], talk["ad_id"])
            groups.setdefault(key, []).append((seconds / 86_400, is_sold))
    rows = {}
    for key, waited in groups.items():
        longest = max(days for days, _ in waited)
        for age in range(int(longest) + 1):
            share, low, high = share_answered(waited, age)
            if share is None:
                break
            rows[(key, age)] = {
                "conversations": len(waited), "bought_share": share, "bought_share_low": low,
                "bought_share_high": high, "at_risk": sum(days >= age for days, _ in waited),
                "too_young": sum(days < age and not is_sold for days, is_sold in waited),
            }  # fmt: skip
    return rows


def attribution(reading: Reading, period: Period, basis: str) -> dict[tuple[Any, ...], Row]:
    """Credit all sales again for every model and window."""
    paid = reading.ads(period)
    rows = {}
    named: set[Any] = {ad for ad, row in paid.items() if row["spend"] is not None}
    for model in sorted(ATTRIBUTION_MODELS):
        for days in WINDOWS:
            rules = replace(reading.rules, model=model, window=timedelta(days=days))
            credited = sales.credit(reading.facts, rules, reading.touches)
            own = _credited(credited, period, basis, rules)
            named |= own.keys()
            rows |= {(ad, days, model): row for ad, row in own.items()}
    for ad in named:
        spend = paid[ad]["spend"] if ad in paid else None
        for days in WINDOWS:
            for model in ATTRIBUTION_MODELS:
                row = rows.setdefault((ad, days, model), {"sales": 0.0, "new_customers": 0.0, "revenue": 0.0})
                new = row["new_customers"]
                row["cac"] = spend / new if spend is not None and new else None
    return rows


def _credited(credited: Iterable[Row], period: Period, basis: str, rules: Rules) -> dict[Any, Row]:
    sums: dict[Any, Row] = {}
    for row in credited:
        touched_at = row["touched_at"] if basis == "cohort" else None
        if period.holds(rules.day(touched_at or row["sold_at"])):
            of = sums.setdefault(row["ad_id"], {"sales": 0.0, "new_customers": 0.0, "revenue": 0.0})
            share = row["credit_billionths"] / sales.WHOLE
            of["sales"] += share
            of["new_customers"] += share if row["is_new_customer"] else 0.0
            of["revenue"] += row["credited_cents"] / rules.units
    return sums
