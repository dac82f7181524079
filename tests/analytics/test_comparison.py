"""Two ads: exact comparison against scipy, its error rate, and whether the plan gives the power that it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.comparison import AdResult, compare_cac, still_needed


@pytest.mark.parametrize(("mine", "other"), [(50, 25), (3, 0), (0, 7), (11, 9), (1, 1)])
def test_interval_and_p_value_are_those_of_the_binomial_given_the_sum(mine: int, other: int) -> None:
    answer = compare_cac(AdResult(300, mine), AdResult(500, other))
    assert answer is not None
    test = stats.binomtest(mine, mine + other, 3 / 8)
    share = test.proportion_ci(0.95)
    odds = [part / (1 - part) if part < 1 else np.inf for part in (share.high, share.low)]
    assert answer.low == pytest.approx(0.6 / odds[0] if np.isfinite(odds[0]) else 0)
    assert answer.high == (pytest.approx(0.6 / odds[1]) if odds[1] else None)
    tails = stats.binom(mine + other, 3 / 8)
    assert answer.p_value == pytest.approx(min(1, 2 * min(tails.cdf(mine), tails.sf(mine - 1))))


POSITIVE = st.floats(1, 1e4)


@given(POSITIVE, POSITIVE, st.floats(0.5, 300), st.floats(0.5, 300))
def test_changing_places_turns_the_ratio_over(s1: float, s2: float, n1: float, n2: float) -> None:
    there, back = (
        compare_cac(*ads)
        for ads in ((AdResult(s1, n1), AdResult(s2, n2)), (AdResult(s2, n2), AdResult(s1, n1)))
    )
    assert there is not None
    assert back is not None
    assert there.ratio == pytest.approx(1 / (back.ratio or 0))
    assert there.low == pytest.approx(1 / (back.high or np.inf))
    assert there.p_value == pytest.approx(back.p_value, abs=1e-9)
    assert there.low <= (there.ratio or 0) <= (there.high or np.inf)


def test_equal_ads_are_told_apart_at_most_one_time_in_twenty_and_the_interval_covers() -> None:
    random, alarms, covered = np.random.default_rng(20), [], []
    for _ in range(1500):
        answer = compare_cac(AdResult(400, random.poisson(20)), AdResult(800, random.poisson(40)))
        assert answer is not None
        alarms.append(answer.p_value < 0.05)
        covered.append(answer.low <= 1 <= (answer.high or np.inf))
    assert 0.02 <= np.mean(alarms) <= 0.055
    assert 0.945 <= np.mean(covered) <= 0.98


def test_the_plan_gives_the_power_that_it_promises() -> None:
    # CAC is truly 10 and 15; so far both look exactly so.
    ads = AdResult(300, 30, 60), AdResult(300, 20, 90)
    plan = still_needed(*ads)
    assert plan is not None
    assert plan.spend == pytest.approx(plan.days * 150)
    spends = [ad.spend + plan.days * ad.daily_spend for ad in ads]
    random = np.random.default_rng(21)
    told = []
    for _ in range(1500):
        results = [
            AdResult(spend, random.poisson(spend / cac)) for spend, cac in zip(spends, (10, 15), strict=True)
        ]
        answer = compare_cac(*results)
        assert answer is not None
        told.append(answer.p_value < 0.05)
    # The exact test is a little less powerful than the normal approximation of the plan.
    assert 0.74 <= np.mean(told) <= 0.84


def test_more_spend_a_day_takes_fewer_days_and_a_smaller_difference_takes_more() -> None:
    slow, fast, near = (
        still_needed(AdResult(300, 30, daily), AdResult(300, other, daily))
        for daily, other in ((50, 20), (100, 20), (50, 25))
    )
    assert slow is not None
    assert fast is not None
    assert near is not None
    assert fast.days == pytest.approx(slow.days / 2)
    assert near.days > slow.days


def test_ads_that_are_told_apart_need_nothing_more() -> None:
    assert still_needed(AdResult(500, 80, 10), AdResult(500, 20, 10)) == (0, 0)


def test_an_ad_without_customers_counts_as_half_a_customer_until_it_is_told_apart() -> None:
    plan = still_needed(AdResult(100, 3, 20), AdResult(100, 0, 20))
    assert plan is not None
    assert plan.days > 0
    assert still_needed(AdResult(100, 3, 20), AdResult(1000, 0, 20)) == (0, 0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (AdResult(300, 30, 50), AdResult(300, 30, 50)),
        (AdResult(0, 0, 50), AdResult(300, 30, 50)),
        (AdResult(300, 30, 0), AdResult(300, 25, 0)),
        (AdResult(300, 30, 0), AdResult(300, 25, 500)),
        (AdResult(100, 0, 50), AdResult(100, 0, 50)),
    ],
    ids=["equal", "one has spent nothing", "both have ended", "one has ended too early", "no customers"],
)
def test_what_no_money_can_tell_apart_has_no_plan(first: AdResult, second: AdResult) -> None:
    assert still_needed(first, second) is None


def test_without_spend_or_customers_nothing_is_compared() -> None:
    assert compare_cac(AdResult(0, 1), AdResult(5, 1)) is None
    assert compare_cac(AdResult(5, 0), AdResult(5, 0)) is None


def test_an_ad_that_has_ended_can_be_told_from_one_that_goes_on() -> None:
    plan = still_needed(AdResult(3000, 300, 0), AdResult(100, 6, 50))
    assert plan is not None
    assert plan.days > 0


def test_negative_numbers_and_impossible_levels_are_refused() -> None:
    good = AdResult(1, 1, 1)
    with pytest.raises(InvalidArgument, match="negative or missing number"):
        compare_cac(AdResult(-1, 1), good)
    with pytest.raises(InvalidArgument, match="confidence: 95"):
        compare_cac(good, good, 95)
    with pytest.raises(InvalidArgument, match=r"power: 0\.2"):
        still_needed(good, good, power=0.2)
