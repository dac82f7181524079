"""What ads will come to: customers still to come, shrunk CACs, verdicts, and the answers that compare."""

import math
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from worlds import START, World

import ctm_analytics as ctm
from ctm_analytics.errors import InvalidArgument, NoData
from ctm_analytics.settings import ATTRIBUTION_MODELS
from ctm_analytics.statistics.shrinkage import shrink_cac

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LAST = START.date() + 6 * DAY


def opened(world: World, days: float, settings: str = "") -> ctm.Workbench:
    """Ask so many days after the first touch."""
    return world.open(as_of=START.replace(tzinfo=UTC) + timedelta(days=days), settings=settings)


def ripening(world: World) -> World:
    """Four people came a week ago, and two bought, after 1 and 5 days; four came six days later, and one has bought."""
    for number in range(4):
        world.event(f"old-{number}", START, ad_id="1")
        world.event(f"young-{number}", START + 6 * DAY, ad_id="1")
    world.sale("s1", START + DAY, "5.00", contact_id="old-0")
    world.sale("s2", START + 5 * DAY, "5.00", contact_id="old-1")
    world.sale("s3", START + 7 * DAY, "5.00", contact_id="young-0")
    return world.spend(START.date(), "1", "100.00")


def sold(world: World, ad: str, customers: int, spend: str, days: int = 1) -> World:
    """Credit an ad, by its sales' own word, with so many customers, and spend so much on each of some days."""
    for number in range(customers):
        world.sale(f"{ad}-{number}", START, "9.00", ad_id=ad, customer_id=f"{ad}-{number}")
    for number in range(days):
        world.spend(START.date() + number * DAY, ad, spend)
    return world


# Customers still to come.


def test_customers_still_to_come_follow_from_how_long_sales_take(world: World) -> None:
    # By hand, at 8 days: two of eight have bought after a day, one of the three who were watched on after five: half
    # will have bought, and half of those within two days. The four old are ripe, the four young half so: 3 of 4 came.
    (row,) = opened(ripening(world), 8).ads(ad="1").table.to_pylist()
    assert row["new_customers"] == 3
    assert row["expected_new_customers"] == pytest.approx(4)
    assert row["matured_cac"] == pytest.approx(25)
    assert row["cac"] == pytest.approx(100 / 3)
    assert row["verdict_on"] == date(2026, 11, 15)


def test_once_the_cohort_is_ripe_nobody_is_still_to_come(world: World) -> None:
    workbench = opened(ripening(world), 14)
    (row,) = workbench.outlook().table.to_pylist()
    assert (row["expected_new_customers"], row["still_to_come"]) == (3, 0)
    assert row["matured_cac"] == row["cac"]
    (ad,) = workbench.ads(ad="1").table.to_pylist()
    assert (row["matured_cac_low"], row["matured_cac_high"]) == pytest.approx((ad["cac_low"], ad["cac_high"]))


def test_while_nobody_is_as_old_as_the_window_nothing_is_foreseen(world: World) -> None:
    (row,) = opened(ripening(world), 6.5).ads(ad="1").table.to_pylist()
    assert row["expected_new_customers"] is None
    assert row["matured_cac"] is None
    assert row["verdict_on"] == date(2026, 11, 15)


def test_by_the_day_of_the_sale_nothing_is_foreseen(world: World) -> None:
    (row,) = opened(ripening(world), 8).ads(ad="1", basis="calendar").table.to_pylist()
    assert (row["new_customers"], row["expected_new_customers"], row["matured_cac"]) == (3, None, None)


def test_the_lag_is_learnt_from_the_whole_history_and_from_the_ads_own_platform(world: World) -> None:
    ripening(world)
    for number in range(8):  # on WhatsApp everybody buys at once
        at = START + (0 if number < 4 else 6) * DAY
        world.event(f"w{number}", at, platform="whatsapp", ad_id="2")
        world.sale(f"w{number}", at + MINUTE, "5.00", contact_id=f"w{number}")
    rows = opened(world, 8).ads(since=START.date() + 3 * DAY).table.to_pylist()
    expected = {row["ad_id"]: row["expected_new_customers"] for row in rows if row["ad_id"]}
    # Of the young of ad 1 half have come in by now, of those of ad 2 all.
    assert expected == {"1": pytest.approx(2), "2": pytest.approx(4)}


@pytest.mark.parametrize("model", ATTRIBUTION_MODELS)
def test_how_many_will_ever_buy_is_said_or_why_it_is_not_known(world: World, model: str) -> None:
    about = opened(ripening(world), 30).outlook(model=model).about
    assert "how many will ever buy: not identifiable yet: 3 sales, 10 are needed" in about


# Shrinkage and verdicts.


def three_ads(world: World) -> World:
    return sold(sold(sold(world, "1", 50, "500.00"), "2", 5, "500.00"), "3", 1, "20.00")


def test_cac_is_shrunk_over_all_ads_of_the_period(world: World) -> None:
    rows = three_ads(world).open().ads().table.to_pylist()
    shrunk = {row["ad_id"]: row["cac_shrunk"] for row in rows if row["ad_id"]}
    expected = shrink_cac([500, 500, 20], [50, 5, 1]).cac
    assert shrunk == {ad: pytest.approx(cac) for ad, cac in zip("123", expected, strict=True)}
    assert shrunk["2"] == pytest.approx(92.6, abs=0.1)  # its own is 100


def test_a_filter_leaves_what_all_ads_taught(world: World) -> None:
    workbench = three_ads(world).open()
    (alone,) = workbench.ads(ad="2").table.to_pylist()
    among = next(row for row in workbench.ads().table.to_pylist() if row["ad_id"] == "2")
    assert alone["cac_shrunk"] == among["cac_shrunk"]


def test_the_verdict_follows_from_the_chance_to_be_below_the_target(world: World) -> None:
    rows = three_ads(world).open(settings="target_cac = 30").ads().table.to_pylist()
    verdicts = {
        row["ad_id"]: (row["verdict"], round(row["p_below_target"], 3)) for row in rows if row["ad_id"]
    }
    assert verdicts == {"1": ("scale", 1.0), "2": ("cut", 0.001), "3": ("watch", 0.625)}


def test_without_a_target_there_is_no_verdict(world: World) -> None:
    rows = three_ads(world).open().ads().table.to_pylist()
    assert {(row["verdict"], row["p_below_target"]) for row in rows} == {(None, None)}


def test_most_of_the_cohort_immature_is_too_early(world: World) -> None:
    three_ads(world)
    for number in range(3):
        world.event(f"p{number}", START, ad_id="1")
    young = opened(world, 6, "target_cac = 30").ads(ad="1").table.to_pylist()
    ripe = opened(world, 8, "target_cac = 30").ads(ad="1").table.to_pylist()
    assert (young[0]["verdict"], ripe[0]["verdict"]) == ("too_early", "scale")


@pytest.mark.parametrize("by", ["day", "week", "platform", "total"])
def test_a_day_or_a_platform_is_no_candidate_for_money(world: World, by: str) -> None:
    rows = three_ads(world).open(settings="target_cac = 30").ads(by=by).table.to_pylist()
    assert {row["verdict"] for row in rows} <= {None}


def test_the_best_ad_is_the_likeliest_and_loses_least(world: World) -> None:
    rows = {row["ad_id"]: row for row in three_ads(world).open().outlook().table.to_pylist()}
    assert rows["1"]["p_best"] == max(row["p_best"] for row in rows.values())
    assert sum(row["p_best"] for row in rows.values()) == pytest.approx(1, abs=1e-3)
    assert rows["1"]["expected_loss"] == min(row["expected_loss"] for row in rows.values())


def test_money_spent_in_vain_and_nothing_else_still_has_an_answer(world: World) -> None:
    world.event("p", START, ad_id="1")
    (row,) = sold(world, "1", 0, "50.00").open(settings="target_cac = 30").ads().table.to_pylist()
    assert (row["cac"], row["cac_high"], row["verdict"]) == (None, None, "cut")
    assert row["p_below_target"] == pytest.approx(
        math.erfc(math.sqrt(50 / 30))
    )  # Gamma(1/2, 50) above 1 / 30
    assert row["cac_low"] == pytest.approx(50 / 3.689, rel=1e-3)


@pytest.mark.parametrize("question", ["ads", "outlook"])
def test_spend_alone_is_no_verdict_and_the_answer_says_that_nothing_was_captured(
    world: World, question: str
) -> None:
    sold(sold(world, "1", 0, "5000.00"), "2", 0, "900.00")
    world.sale("unmatched", START, "9.00", email="x@example.com")  # no ad's, as far as anybody knows
    workbench = world.open(settings="target_cac = 30")
    answer = getattr(workbench, question)()
    unknown = {(row["verdict"], row["p_below_target"], row["cac_shrunk"]) for row in answer.table.to_pylist()}
    assert unknown == {(None, None, None)}
    assert "nothing was captured in these days" in answer.about
    assert "nothing was captured in these days" in workbench.funnel().about


def test_an_ad_whose_reported_conversations_were_not_captured_is_not_judged(world: World) -> None:
    sold(sold(world, "1", 50, "500.00"), "3", 0, "5000.00")
    world.spend(START.date(), "2", "5000.00", reported_conversations=80)
    rows = world.open(settings="target_cac = 30").ads().table.to_pylist()
    assert {row["ad_id"]: row["verdict"] for row in rows} == {"1": "scale", "2": None, "3": "cut"}


# Two ads.


def test_two_ads_that_differ_are_told_apart(world: World) -> None:
    result = sold(sold(world, "1", 50, "500.00"), "2", 25, "500.00").open().compare("1", "2")
    (row,) = result.table.to_pylist()
    assert (row["cac_ratio"], round(row["p_value"], 4)) == (0.5, 0.0052)
    assert row["cac_ratio_low"] < 0.5 < row["cac_ratio_high"] < 1
    assert (row["days_still_needed"], row["spend_still_needed"]) == (0, 0)
    assert "a customer of 1 costs less than one of 2" in result.about


def test_two_ads_that_look_different_need_days_and_money(world: World) -> None:
    result = sold(sold(world, "1", 30, "100.00", days=3), "2", 22, "100.00", days=3).open().compare("1", "2")
    (row,) = result.table.to_pylist()
    assert row["days_still_needed"] == pytest.approx(16.3, abs=0.1)
    assert row["spend_still_needed"] == pytest.approx(200 * row["days_still_needed"])
    assert (
        "cannot be told apart yet: if the difference is as large as it looks, about 16 days more"
        in result.about
    )


def test_an_ad_without_spend_cannot_be_compared(world: World) -> None:
    world.event("p", START, ad_id="2")
    result = sold(world, "1", 5, "100.00").open().compare("1", "2")
    assert "1 and 2 cannot be compared" in result.about


def test_an_ad_is_not_compared_with_itself(world: World) -> None:
    with pytest.raises(InvalidArgument, match="compare: '1' twice"):
        sold(world, "1", 5, "100.00").open().compare("1", "1")


def test_an_unknown_ad_is_named(world: World) -> None:
    with pytest.raises(InvalidArgument, match="ad: there is no ad '9'"):
        sold(world, "1", 5, "100.00").open().compare("1", "9")


def test_a_name_of_two_ads_names_none(world: World) -> None:
    world.spend(START.date(), "1", "5.00", ad_name="Video").spend(START.date(), "2", "5.00", ad_name="Video")
    with pytest.raises(InvalidArgument, match="'Video' is the name of 2 ads"):
        world.open().compare("1", "Video")


# Speed.


def asked(world: World, name: str, at: Any, answered_after: Any, sold_after: Any = None) -> None:
    world.event(name, at, ad_id="1").echo(name, at + answered_after)
    if sold_after is not None:
        world.sale(name, at + sold_after, "5.00", contact_id=name)


def speeds(world: World, days: float = 10) -> dict[int, dict[str, Any]]:
    result = opened(world, days).speed()
    assert result.about.endswith("association, not proof")
    return {row["landmark_minutes"]: row for row in result.table.to_pylist()}


def test_fast_and_slow_are_compared_by_what_they_buy_after_the_landmark(world: World) -> None:
    for number in range(20):
        asked(world, f"fast{number}", START, 2 * MINUTE, 5 * HOUR if number < 8 else None)
        asked(world, f"slow{number}", START, 6 * HOUR, 20 * HOUR if number < 4 else None)
    row = speeds(world)[60]
    assert (row["answered_by_landmark"], row["waiting_at_landmark"], row["strata"]) == (20, 20, 1)
    assert row["conversion_difference"] == pytest.approx(8 / 20 - 4 / 20)
    assert row["conversion_difference_low"] < 0.2 < row["conversion_difference_high"]


def test_who_bought_before_the_landmark_proves_nothing_about_it(world: World) -> None:
    # Immortal time: who bought within the hour was answered fast, and would make fast answers look like sales.
    for number in range(10):
        asked(world, f"fast{number}", START, 2 * MINUTE, 10 * MINUTE if number < 5 else None)
        asked(world, f"slow{number}", START, 6 * HOUR)
    row = speeds(world)[60]
    assert (row["conversion_difference"], row["answered_by_landmark"], row["left_out"]) == (0, 5, 5)


def test_who_may_have_been_answered_while_the_receiver_was_down_is_left_out(world: World) -> None:
    world.uptime(START - HOUR, START + 10 * MINUTE)
    world.uptime(START + 2 * HOUR, START + 10 * 24 * HOUR)
    asked(world, "fast", START, 2 * MINUTE)
    asked(world, "slow", START, 6 * HOUR)  # and maybe during the gap: what comes later must not decide
    world.event("unheard", START, ad_id="1")
    asked(world, "an hour before", START - HOUR, 6 * HOUR)
    asked(world, "and soon", START - HOUR, 2 * MINUTE)
    rows = speeds(world)
    assert [
        (row["answered_by_landmark"], row["waiting_at_landmark"], row["left_out"]) for row in rows.values()
    ] == [(2, 3, 0), (1, 1, 3), (1, 1, 3), (None, None, None)]


def test_who_begins_a_new_conversation_before_the_landmark_is_left_out(world: World) -> None:
    asked(world, "fast", START, 2 * MINUTE)
    asked(world, "slow", START, 6 * HOUR)
    world.event("p", START, ad_id="1").event("p", START + 40 * MINUTE, ad_id="2")
    rows = speeds(world)
    assert [(row["waiting_at_landmark"], row["left_out"]) for row in rows.values()] == [
        *((2, 1), (2, 1)),
        *((1, 2), (1, 2)),
    ]


def test_another_hour_is_another_stratum(world: World) -> None:
    asked(world, "fast", START, 2 * MINUTE)
    asked(world, "slow", START + HOUR, 6 * HOUR)
    assert speeds(world)[60]["conversion_difference"] is None


def test_younger_conversations_than_the_window_are_left_out(world: World) -> None:
    for number in range(4):
        asked(world, f"fast{number}", START, 2 * MINUTE)
        asked(world, f"slow{number}", START, 6 * HOUR)
    assert speeds(world, days=6)[60]["conversion_difference"] is None
    assert speeds(world, days=7)[60]["strata"] == 1


def test_without_an_ad_nothing_is_compared(world: World) -> None:
    world.event("p", START)
    with pytest.raises(NoData, match="nobody wrote"):
        world.open().speed()
