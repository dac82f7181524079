"""The workbench against definitions.md read aloud: random small businesses, every number, two readings."""

import itertools
from typing import Any

from hypothesis import given

import ctm_analytics as ctm

from .definitions.answers import Period, Reading
from .definitions.compared import (
    NewWorld,
    answer,
    by,
    differences,
    examples,
    periods,
    read_twice,
    relations,
)
from .definitions.facts import Row
from .definitions.sales import new_customers
from .definitions.worlds import Business, businesses

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
