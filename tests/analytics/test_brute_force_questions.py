"""The workbench's further questions against definitions.md read aloud: waits, inbox, badge, stages, cohorts, models."""

import itertools
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import ctm_analytics as ctm

from .definitions import questions
from .definitions.answers import Reading
from .definitions.compared import NewWorld, answer, by, differences, examples, periods, read_twice
from .definitions.worlds import Business, businesses

# Of what, for whose answer, for which turns, and on the business clock or not.
KINDS = [
    *itertools.product(questions.GROUPS, ("any", "human"), ("first",), (False,)),
    *itertools.product(("total", "responder"), ("any", "human"), ("next", "all"), (False,)),
    *itertools.product(("total", "ad"), ("any", "human"), ("first", "all"), (True,)),
]


def wait_differences(
    workbench: ctm.Workbench, reading: Reading, kind: tuple[str, str, str, bool]
) -> list[str]:
    grouping, responder, turns, is_business = kind
    expected = questions.latency(
        reading, grouping, human=responder == "human", turns=turns, on_business_clock=is_business
    )
    words: dict[str, Any] = {"responder": responder, "turns": turns, "business_hours": is_business}
    rows = answer(workbench.latency, by=None if grouping == "total" else grouping, **words)
    got = by(rows, *questions.GROUPS[grouping])
    return [f"{kind}: {each}" for each in differences(expected, got)]


@examples(10)
@given(business=businesses(), kinds=st.lists(st.sampled_from(KINDS), min_size=6, max_size=6, unique=True))
def test_waits_of_all_kinds_are_what_the_definitions_say(
    new_world: NewWorld, business: Business, kinds: list[tuple[str, str, str, bool]]
) -> None:
    workbench, reading = read_twice(new_world, business)
    for kind in [("total", "human", "next", False), *kinds]:
        assert wait_differences(workbench, reading, kind) == []


def waiting_differences(workbench: ctm.Workbench, reading: Reading) -> list[str]:
    person = ("platform", "account_id", "contact_id")
    found = []
    for responder in ("any", "human"):
        expected = by(questions.inbox(reading, human=responder == "human"), *person)
        got = by(answer(workbench.inbox, responder=responder), *person)
        found += [f"inbox {responder}: {each}" for each in differences(expected, got)]
    got = by(answer(workbench.badge), "platform", "account_id")
    return found + [f"badge: {each}" for each in differences(questions.badge(reading), got)]


@examples(8)
@given(business=businesses())
def test_who_waits_now_and_the_badge_are_what_the_definitions_say(
    new_world: NewWorld, business: Business
) -> None:
    # In the thick of it: weeks later nobody waits any more.
    known_at = sorted(row["received_at"] for row in business.rows["events"]) or [business.as_of]
    now = replace(business, as_of=known_at[len(known_at) * 3 // 4])
    assert waiting_differences(*read_twice(new_world, now)) == []


def stage_differences(workbench: ctm.Workbench, reading: Reading) -> list[str]:
    found = []
    for period in periods(reading):
        filters = {"since": period.since, "until": period.until}
        stages = by(answer(workbench.reconciliation, by="ad_day", **filters), "day", "ad_id")
        expected = questions.reconciliation(reading, period)
        found += [f"stages {period}: {each}" for each in differences(expected, stages)]
        for grouping in ("ad", "day", "week", "total"):
            key = {"ad": "ad_id", "total": "cohort"}.get(grouping, grouping)
            ripened = {
                (None if grouping == "total" else row[key], row["age_days"]): row
                for row in answer(workbench.cohorts, by=grouping, **filters)
            }
            ages = questions.cohorts(reading, period, grouping)
            found += [f"cohorts {grouping} {period}: {each}" for each in differences(ages, ripened)]
    return found


@examples(4)
@given(business=businesses())
def test_stages_and_cohorts_are_what_the_definitions_say(new_world: NewWorld, business: Business) -> None:
    assert stage_differences(*read_twice(new_world, business)) == []


def model_differences(workbench: ctm.Workbench, reading: Reading) -> list[str]:
    found = []
    for basis, period in itertools.product(("cohort", "calendar"), periods(reading)):
        expected = questions.attribution(reading, period, basis)
        rows = answer(workbench.attribution, basis=basis, since=period.since, until=period.until)
        got = by(rows, "ad_id", "window_days", "model")
        found += [f"{basis} {period}: {each}" for each in differences(expected, got)]
    return found


@examples(3)
@given(business=businesses())
def test_all_models_and_windows_credit_what_the_definitions_say(
    new_world: NewWorld, business: Business
) -> None:
    assert model_differences(*read_twice(new_world, business)) == []
