"""Thin and odd data: each question has a defined answer: rows with nulls, "at least", or words that say why not."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from worlds import START, World

import ctm_analytics as ctm
from ctm_analytics.errors import CtmError, InvalidArgument, NoData

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AD = {"ad_id": "ad-1", "referral_source": "ADS"}

QUESTIONS: dict[str, Callable[[ctm.Workbench], Any]] = {
    "ads": lambda workbench: workbench.ads(),
    "outlook": lambda workbench: workbench.outlook(),
    "attribution": lambda workbench: workbench.attribution(),
    "cohorts": lambda workbench: workbench.cohorts(by="ad"),
    "latency": lambda workbench: workbench.latency(by="ad"),
    "badge": lambda workbench: workbench.badge(),
    "response_curve": lambda workbench: workbench.response_curve(),
    "conversations": lambda workbench: workbench.conversations(),
    "inbox": lambda workbench: workbench.inbox(),
    "funnel": lambda workbench: workbench.funnel(),
    "reconciliation": lambda workbench: workbench.reconciliation(),
    "speed": lambda workbench: workbench.speed(),
    "quality": lambda workbench: workbench.quality(),
    "compare": lambda workbench: workbench.compare("ad-1", "ad-1"),
}


def chats(world: World, people: int, *, answered: bool = True, at_once: bool = False) -> World:
    for number in range(people):
        at = START + (0 if at_once else number) * HOUR
        world.event(f"p{number}", at, **AD)
        if answered:
            world.echo(f"p{number}", at if at_once else at + 10 * timedelta(minutes=1))
    return world


def zero_spend(world: World) -> World:
    return chats(world, 3).spend(START.date(), "ad-1", "0.00")


def zero_conversations(world: World) -> World:
    return world.spend(START.date(), "ad-1", "20.00")


def zero_sales(world: World) -> World:
    return zero_spend(world).spend(START.date() + DAY, "ad-1", "36.89")


def one_ad(world: World) -> World:
    return zero_sales(world).sale("s", START + 2 * HOUR, "10.00", contact_id="p0")


def all_censored(world: World) -> World:
    return chats(world, 3, answered=False).spend(START.date(), "ad-1", "20.00")


def none_censored(world: World) -> World:
    for number in range(3):
        world.sale(f"s{number}", START + (number + 1) * HOUR, "10.00", contact_id=f"p{number}")
    return chats(world, 3).spend(START.date(), "ad-1", "20.00")


def all_in_one_instant(world: World) -> World:
    for number in range(3):
        world.sale(f"s{number}", START, "10.00", contact_id=f"p{number}")
    return chats(world, 3, at_once=True).spend(START.date(), "ad-1", "20.00")


def negative_net(world: World) -> World:
    return one_ad(world).sale("t", START + HOUR, "5.00", refunded_amount=Decimal("30.00"), contact_id="p1")


def nothing_but_a_sale(world: World) -> World:
    return world.sale("s", START, "10.00")


WORLDS = (
    zero_spend, zero_conversations, zero_sales, one_ad, all_censored, none_censored, all_in_one_instant,
    negative_net, nothing_but_a_sale,
)  # fmt: skip


@pytest.mark.parametrize("build", WORLDS)
def test_every_question_of_a_thin_business_has_a_defined_answer(
    world: World, build: Callable[[World], World]
) -> None:
    workbench = build(world).open()
    for name, ask in QUESTIONS.items():
        answer = asked(ask, workbench)
        if isinstance(answer, str):
            assert answer.endswith((".", "?")), name
            assert "\n" not in answer, name
            continue
        for row in answer.table.to_pylist():
            infinite = [
                value for value in row.values() if isinstance(value, float) and not math.isfinite(value)
            ]
            assert not infinite, (name, row)
        assert str(answer), name
        assert answer._repr_html_(), name


def asked(ask: Callable[[ctm.Workbench], Any], workbench: ctm.Workbench) -> Any:
    """Return an answer, or the words in which there is none."""
    try:
        return ask(workbench)
    except (NoData, InvalidArgument) as error:
        return str(error)


def the_ad(workbench: ctm.Workbench) -> dict[str, Any]:
    (row,) = [row for row in workbench.ads().table.to_pylist() if row["ad_id"] == "ad-1"]
    return row


def test_nothing_spent_costs_nothing_and_returns_no_ratio(world: World) -> None:
    row = the_ad(zero_spend(world).sale("s", START + 2 * HOUR, "10.00", contact_id="p0").open())
    assert (row["spend"], row["cac"], row["roas"]) == (0, 0, None)


def test_without_conversations_there_is_no_rate(world: World) -> None:
    row = the_ad(zero_conversations(world).open())
    assert (row["engaged"], row["conversion_rate"], row["conversion_rate_low"]) == (0, None, None)
    assert (row["median_first_response_seconds"], row["coverage"], row["matured_cac"]) == (None, None, None)


def test_without_sales_a_customer_costs_at_least_a_share_of_the_spend(world: World) -> None:
    row = the_ad(zero_sales(world).open())
    assert (row["cac"], row["cac_high"]) == (None, None)
    assert row["cac_low"] == pytest.approx(36.89 / 3.6889, rel=1e-4)
    assert (row["conversion_rate"], row["matured_conversion_rate"]) == (0, 0)


def test_where_nobody_was_answered_there_is_no_median(world: World) -> None:
    row = the_ad(all_censored(world).open())
    assert (row["answered"], row["median_first_response_seconds"], row["answered_within_24h"]) == (0, None, 0)


def test_where_all_were_answered_and_bought_the_curves_end(world: World) -> None:
    row = the_ad(none_censored(world).open())
    assert (row["median_first_response_seconds"], row["answered_within_24h"]) == (600, 1)
    assert (row["conversion_rate"], row["matured_conversion_rate"], row["immature"]) == (1, 1, 0)


def test_what_happens_in_one_instant_took_no_time(world: World) -> None:
    row = the_ad(all_in_one_instant(world).open())
    assert (row["median_first_response_seconds"], row["sales"], row["conversions"]) == (0, 3, 3)


def test_more_refunded_than_paid_lowers_the_return(world: World) -> None:
    row = the_ad(negative_net(world).open())
    assert row["revenue"] <= 10


@pytest.mark.parametrize("days", [365, "lifetime"])
def test_a_window_longer_than_the_history_leaves_everybody_young(world: World, days: int | str) -> None:
    workbench = one_ad(world).open()
    (row,) = [row for row in workbench.ads(window_days=days).table.to_pylist() if row["ad_id"] == "ad-1"]
    assert (row["sales"], row["immature"], row["matured_conversion_rate"]) == (1, 3, None)
    assert workbench.cohorts(window_days=days).table.column("age_days").to_pylist()[-1] < 365


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"model": "last_tuch"}, "last_touch"),
        ({"ad": "ad-2"}, "ad-1"),
        ({"window_days": 0}, "window_days"),
        ({"window_days": "forever"}, "lifetime"),
        ({"basis": "cohorts"}, "cohort"),
        ({"by": "adds"}, "ads|ad"),
        ({"campaign": "Spring"}, "campaign"),
        ({"since": "2026-11-09", "until": "2026-11-02"}, "since"),
    ],
)
def test_an_unknown_word_is_one_sentence_that_helps(
    world: World, words: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidArgument, match=sentence) as refused:
        one_ad(world).open().ads(**words)
    assert next(iter(words)) in str(refused.value)


def test_before_anything_happened_there_is_no_answer(world: World) -> None:
    workbench = one_ad(world).open(as_of=datetime(2026, 1, 1, tzinfo=UTC))
    for ask in QUESTIONS.values():
        with pytest.raises(CtmError):
            ask(workbench)
