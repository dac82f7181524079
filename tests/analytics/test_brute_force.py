"""The workbench against definitions.md read aloud: random small businesses, every number, two readings."""

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from worlds import World

import ctm_analytics as ctm
from ctm_analytics.errors import NoData

from .definitions.answers import Period, Reading
from .definitions.facts import Row, facts_known
from .definitions.sales import new_customers
from .definitions.worlds import Business, businesses

NewWorld = Callable[[str], World]
NUMBERS: Iterator[int] = itertools.count()


def examples(count: int) -> settings:
    # new_world gives every example a folder of its own; shrinking one of a second each would take minutes.
    phases = [Phase.explicit, Phase.generate]
    return settings(max_examples=count, phases=phases, suppress_health_check=list(HealthCheck))


# --- the same business, on disk and in loops ---


def built(new_world: NewWorld, business: Business) -> World:
    world = new_world(f"world-{next(NUMBERS)}")
    rows = {kind: [dict(row) for row in business.rows[kind]] for kind in business.rows}
    for row in rows["events"]:
        world.event(row.pop("contact"), row.pop("occurred_at"), row.pop("event_type"), **row)
    for row in rows["sales"]:
        world.sale(row.pop("sale_id"), row.pop("sold_at"), str(row.pop("gross_amount")), **row)
    for row in rows["spend"]:
        world.spend(row.pop("day"), row.pop("ad_id"), str(row.pop("spend")), **row)
    for row in rows["contacts"]:
        world.contact(row.pop("contact_id"), **row)
    for row in rows["heartbeats"]:
        world.uptime(**row)
    for row in rows["rates"]:
        world.rate(row.pop("day"), row.pop("currency"), str(row.pop("rate")), **row)
    return world


def opened(world: World, business: Business) -> ctm.Workbench:
    return world.open(settings=business.rules.toml(), as_of=business.as_of.replace(tzinfo=UTC))


def read_twice(new_world: NewWorld, business: Business) -> tuple[ctm.Workbench, Reading]:
    world = built(new_world, business)
    facts = facts_known(world._rows, business.as_of, business.rules)
    return opened(world, business), Reading(facts, business.rules)


# --- rows as plain Python, and what differs between two tables ---


def relations(workbench: ctm.Workbench, *names: str) -> list[list[Row]]:
    """Whole relations in one query, instants as naive UTC."""
    query = " union all ".join(
        f"select '{name}' as relation, cast(to_json({name}) as varchar) as content from {name}"
        for name in names
    )
    found: dict[str, list[Row]] = {name: [] for name in names}
    for relation, content in workbench.sql(query).df.itertuples(index=False):
        found[relation].append({name: _instant(name, value) for name, value in json.loads(content).items()})
    return list(found.values())


def _instant(column: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if value is not None and column.endswith("_at") else value


def answer(ask: Callable[..., Any], **filters: Any) -> list[Row]:
    """An answer's rows, null as None; no rows where there is no data."""
    try:
        frame = ask(**filters).df
    except NoData:
        return []
    return [
        {column: None if pd.isna(value) else _plain(column, value) for column, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _plain(column: str, value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.date() if column in ("day", "week") else value.to_pydatetime().replace(tzinfo=None)
    return value


def by(rows: Iterable[Row], *key: str) -> dict[Any, Row]:
    table = {}
    for row in rows:
        name = tuple(row[column] for column in key)
        assert name not in table, f"two rows for {name}"
        table[name] = row
    return table


def differences(expected: dict[Any, Row], got: dict[Any, Row]) -> list[str]:
    """Every key that only one table has, and every column of the product that differs."""
    found = [f"missing {key}: {expected[key]}" for key in expected.keys() - got.keys()]
    found += [f"too many {key}: {got[key]}" for key in got.keys() - expected.keys()]
    for key in expected.keys() & got.keys():
        found += [
            f"{column} of {key}: expected {value}, got {got[key][column]}"
            for column, value in expected[key].items()
            if column in got[key] and not is_same(value, got[key][column])
        ]
    return found


def is_same(expected: Any, got: Any) -> bool:
    if isinstance(expected, float) and got is not None:
        return math.isclose(expected, float(got), rel_tol=1e-9, abs_tol=1e-9)
    return bool(expected == got)


def periods(reading: Reading) -> list[Period]:
    """All days, and two spans that share their middle day, so that both ends are seen to be included."""
    days = sorted(
        {row["day"] for row in (*reading.conversations, *reading.facts.spend)}
        | {row["sale_day"] for row in reading.credits}
    )
    middle = days[len(days) // 2] if days else None
    return [Period(), Period(days[0], middle), Period(middle, days[-1])] if days else [Period()]


# --- what the definitions say ---


def contact_keys(reading: Reading) -> dict[Any, int]:
    """The key of a person with several ids is the least of theirs."""
    return {
        person: min(row["contact_key"] for row in events) for person, events in reading.facts.events.items()
    }


def people_differences(workbench: ctm.Workbench, reading: Reading) -> list[str]:
    touches, responses, gaps = relations(workbench, "touches", "responses", "capture_gaps")
    keys = contact_keys(reading)
    click, turn = (
        ("contact_key", "touched_at", "ad_id", "ref"),
        ("contact_key", "opened_at", "turn_started_at"),
    )
    arrived = [row | {"contact_key": keys[row["person"]]} for row in reading.touches]
    taken = [row | {"contact_key": keys[row["person"]]} for row in reading.turns]
    unseen = [{"gap_started_at": start, "gap_ended_at": end} for start, end in reading.facts.gaps]
    talks = [
        dict(zip(("platform", "account_id", "contact_id"), row["person"], strict=True)) | row
        for row in reading.conversations
    ]
    talk = ("platform", "account_id", "contact_id", "opened_at")
    return [
        *differences(by(arrived, *click), by(touches, *click)),
        *differences(by(taken, *turn), by(responses, *turn)),
        *differences(by(unseen, "gap_started_at"), by(gaps, "gap_started_at")),
        *differences(by(talks, *talk), by(answer(workbench.conversations), *talk)),
        *_responders(by(taken, *turn), by(responses, *turn)),
    ]


def _responders(expected: dict[Any, Row], got: dict[Any, Row]) -> list[str]:
    # Of several answers at one instant any may stand for the turn.
    return [
        f"responder of {key}: expected one of {row['responders']}, got {got[key]['responder']}"
        for key, row in expected.items()
        if key in got and got[key]["responder"] not in (row["responders"] or {None})
    ]


@examples(15)
@given(business=businesses())
def test_touches_turns_and_conversations_are_what_the_definitions_say(
    new_world: NewWorld, business: Business
) -> None:
    assert people_differences(*read_twice(new_world, business)) == []


def sales_differences(workbench: ctm.Workbench, reading: Reading) -> list[str]:
    matches, buyers, credited, sold = relations(workbench, "sale_matches", "customers", "credits", "sales")
    keys = contact_keys(reading)
    evidence = [
        {"sale_id": sale, "matched_by": matched_by, "contact_key": keys.get(person), "declared_ad_id": ad}
        | {"evidence": evidence}
        for sale, (matched_by, person, ad, evidence) in reading.matches.items()
    ]
    firsts = [
        {"sale_id": sale, "is_new_customer": is_first}
        for sale, is_first in new_customers(reading.facts).items()
    ]
    handed_out = [
        row | {"contact_key": keys.get(row["person"]), "credited_day": str(row["touch_day"])}
        for row in reading.credits
    ]
    share = ("sale_id", "touched_at", "ad_id")
    counted = sum(row["net_cents"] for row in sold if row["is_counted"])
    assert sum(row["credited_cents"] for row in credited) == counted, "ads + unattributed = all sales"
    return [
        *differences(by(evidence, "sale_id"), by(matches, "sale_id")),
        *differences(by(firsts, "sale_id"), by(buyers, "sale_id")),
        *differences(by(handed_out, *share), by(credited, *share)),
    ]


@examples(15)
@given(business=businesses())
def test_sales_are_matched_and_credited_as_the_definitions_say(
    new_world: NewWorld, business: Business
) -> None:
    assert sales_differences(*read_twice(new_world, business)) == []


def ads_differences(workbench: ctm.Workbench, reading: Reading) -> list[str]:
    found = []
    for period, basis in itertools.product(periods(reading), ("cohort", "calendar")):
        for grouping in ("ad", "day", "week", "total") if period == Period() else ("ad",):
            key = {"ad": ["ad_id"], "total": []}.get(grouping, [grouping])
            expected = reading.ads(period, by=grouping, basis=basis)
            rows = answer(workbench.ads, by=grouping, basis=basis, since=period.since, until=period.until)
            named = {(name,) if key else (): row for name, row in expected.items()}
            found += [f"{grouping} {basis} {period}: {each}" for each in differences(named, by(rows, *key))]
    return found


@examples(5)
@given(business=businesses())
def test_ads_cost_and_bring_what_the_definitions_say(new_world: NewWorld, business: Business) -> None:
    assert ads_differences(*read_twice(new_world, business)) == []


def quality_differences(workbench: ctm.Workbench, reading: Reading) -> list[str]:
    found = []
    for period, grouping in itertools.product(periods(reading), ("ad", "total")):
        expected = {(ad,): row for ad, row in reading.quality(period, by=grouping).items()}
        rows = answer(workbench.quality, by=grouping, since=period.since, until=period.until)
        found += [f"{grouping} {period}: {each}" for each in differences(expected, by(rows, "ad_id"))]
    return found


@examples(6)
@given(business=businesses())
def test_what_the_numbers_rest_on_is_what_the_definitions_say(
    new_world: NewWorld, business: Business
) -> None:
    assert quality_differences(*read_twice(new_world, business)) == []


def latency_differences(workbench: ctm.Workbench, reading: Reading) -> list[str]:
    found = []
    for period in periods(reading):
        filters = {"since": period.since, "until": period.until}
        for responder in ("any", "human"):
            row = reading.latency(period, human=responder == "human")
            expected = {(): row} if row["engaged"] else {}
            got = by(answer(workbench.latency, responder=responder, **filters))
            found += [f"{responder} {period}: {each}" for each in differences(expected, got)]
        stages = {(row["stage"],): row for row in answer(workbench.funnel, **filters)}
        expected = {(stage,): {"count": count} for stage, count in reading.funnel(period).items()}
        if stages or expected[("Conversations captured",)]["count"]:
            steps = {stage: stages[stage] for stage in expected.keys() & stages.keys()}
            found += [f"funnel {period}: {each}" for each in differences(expected, steps)]
    steps = by(reading.response_curve(), "seconds")
    curve = by(answer(workbench.response_curve), "seconds")
    return found + [
        f"curve: {each}" for each in differences(steps, {key: curve[key] for key in steps & curve.keys()})
    ]


@examples(10)
@given(business=businesses())
def test_response_times_and_the_funnel_are_what_the_definitions_say(
    new_world: NewWorld, business: Business
) -> None:
    assert latency_differences(*read_twice(new_world, business)) == []


# --- what no answer may depend on ---


def everything(workbench: ctm.Workbench, account: str | None = None) -> dict[str, list[Row]]:
    filters = {} if account is None else {"account": account}
    questions = {
        "ads": workbench.ads, "latency": workbench.latency, "conversations": workbench.conversations,
        "funnel": workbench.funnel,
    }  # fmt: skip
    return {name: answer(ask, **filters) for name, ask in questions.items()}


@examples(4)
@given(business=businesses(), chance=st.randoms(use_true_random=False))
def test_no_answer_depends_on_the_order_or_the_files_of_the_events(
    new_world: NewWorld, business: Business, chance: Any
) -> None:
    world = built(new_world, business)
    before = everything(opened(world, business))
    chance.shuffle(world._rows["events"])
    world.write(settings=business.rules.toml())
    folder = world.data / "events" / "recent"
    events = pq.read_table(folder / "g=000001" / "test-1.parquet")
    cut = len(events) // 3
    pq.write_table(events.slice(0, cut), folder / "g=000001" / "test-1.parquet")
    pq.write_table(events.slice(cut, cut), folder / "g=000001" / "test-2.parquet")
    pq.write_table(events.slice(2 * cut), folder / "g=000002" / "test-3.parquet")
    reopened = ctm.open(world.data, as_of=business.as_of.replace(tzinfo=UTC), environ={})
    assert everything(reopened) == before


@examples(4)
@given(business=businesses(), others=businesses())
def test_another_accounts_events_change_nothing_of_this_account(
    new_world: NewWorld, business: Business, others: Business
) -> None:
    world = built(new_world, Business(business.rows | {"sales": []}, business.rules, business.as_of))
    workbench = opened(world, business)
    accounts = {row["account_id"] for row in answer(workbench.conversations)}
    before = {account: everything(workbench, account) for account in accounts}
    for row in others.rows["events"]:
        fields = row | {"account": "elsewhere", "event_id": f"other-{row['event_id']}"}
        world.event(fields.pop("contact"), fields.pop("occurred_at"), fields.pop("event_type"), **fields)
    after = opened(world, business)
    assert {account: everything(after, account) for account in accounts} == before


@examples(4)
@given(business=businesses())
def test_what_is_known_later_never_changes_an_answer_as_of_an_earlier_instant(
    new_world: NewWorld, business: Business
) -> None:
    known = {
        "events": [row for row in business.rows["events"] if row["received_at"] <= business.as_of],
        "heartbeats": [row for row in business.rows["heartbeats"] if row["beat_at"] <= business.as_of],
    }
    for kind in ("sales", "spend", "contacts", "rates"):
        known[kind] = [row for row in business.rows[kind] if row["imported_at"] <= business.as_of]
    earlier = Business(known, business.rules, business.as_of)
    assert everything(opened(built(new_world, business), business)) == everything(
        opened(built(new_world, earlier), business)
    )
