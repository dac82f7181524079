"""Does speed sell? No effect where there is none, though the naive figure shows one; the truth where there is one."""

import numpy as np
import pytest

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.landmark import SpeedEffect, speed_effect

HOURS = 168.0


def business(random: np.random.Generator, size: int, effect: float):
    """Nights answer late and sell less; within day and night a response within the hour adds the effect."""
    night = random.uniform(size=size) < 0.5
    response = random.exponential(np.where(night, 8, 0.5), size)
    chance = np.where(night, 0.1, 0.3) + effect * (response <= 1)
    sale = np.where(random.uniform(size=size) < chance, random.uniform(1.01, 160, size), np.nan)
    return response, sale, np.full(size, 200.0), night.astype(int)


def effect_of(data, strata=None) -> SpeedEffect:
    """Compare those of whom all was seen."""
    response, sale, watched, night = data
    strata = night if strata is None else strata
    answer = speed_effect(response, watched, sale, watched, strata, landmark=1, horizon=HOURS)
    assert answer is not None
    return answer


def test_where_speed_does_nothing_the_stratified_interval_covers_zero_and_the_crude_difference_does_not() -> (
    None
):
    random, covered, crude = np.random.default_rng(40), [], []
    for _ in range(300):
        answer = effect_of(business(random, 600, 0.0))
        covered.append(answer.low <= 0 <= answer.high)
        crude.append(answer.fast_rate - answer.slow_rate)
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(crude) > 0.08


def test_where_speed_sells_the_interval_covers_the_effect() -> None:
    random = np.random.default_rng(41)
    answers = [effect_of(business(random, 600, 0.15)) for _ in range(300)]
    assert 0.92 <= np.mean([answer.low <= 0.15 <= answer.high for answer in answers]) <= 0.98
    assert np.mean([answer.difference for answer in answers]) == pytest.approx(0.15, abs=0.01)


def test_buyers_who_need_no_response_do_not_make_speed_look_good_or_bad() -> None:
    # Sales come at random times and stop the wait for a response: who waited long had, until then, not bought.
    random = np.random.default_rng(42)
    size = 20_000
    response, sale = random.exponential(10, size), random.exponential(60, size)
    sale[sale > HOURS] = np.nan
    response[response > np.nan_to_num(sale, nan=np.inf)] = np.nan
    answer = effect_of((response, sale, np.full(size, 200.0), np.zeros(size, int)))
    assert answer.low <= 0 <= answer.high
    # By the response that they got in the end, the slow seem to buy far less.
    slow = response > 20
    assert np.mean(~np.isnan(sale[slow])) < np.mean(~np.isnan(sale[~slow])) - 0.02


def test_sales_before_the_landmark_count_for_nobody() -> None:
    response, sale = [0.1, 0.1, 5, 5], [0.5, 50, np.nan, np.nan]
    answer = effect_of((response, sale, [200] * 4, [0] * 4))
    assert (answer.fast, answer.slow, answer.left_out) == (1, 2, 1)
    assert answer.fast_rate == 1


def test_a_sale_after_the_horizon_is_none_and_at_the_horizon_is_one() -> None:
    answer = effect_of(([0.1, 0.1, 5], [168, 168.5, np.nan], [200] * 3, [0] * 3))
    assert answer.fast_rate == 0.5


def test_the_young_are_left_out_whether_they_bought_or_not() -> None:
    answer = effect_of(([0.1, 0.1, 5, 5], [9, np.nan, 9, np.nan], [20, 200, 20, 200], [0] * 4))
    assert (answer.fast, answer.slow, answer.left_out) == (1, 1, 2)


def test_the_unanswered_are_slow() -> None:
    answer = effect_of(([0.1, np.nan, np.inf], [9, np.nan, np.nan], [200] * 3, [0] * 3))
    assert (answer.fast, answer.slow) == (1, 2)


def test_who_was_not_seen_until_the_landmark_is_left_out_whatever_came_later() -> None:
    response, seen = [0.1, np.nan, 5, np.nan, 5], [0.5, 0.9, 0.9, 1.0, 200]
    answer = speed_effect(response, seen, [np.nan] * 5, [200] * 5, [0] * 5, landmark=1, horizon=HOURS)
    assert answer is not None
    assert (answer.fast, answer.slow, answer.left_out) == (1, 2, 2)


def test_one_stratum_has_the_plain_difference_and_two_are_weighed_by_mantel_and_haenszel() -> None:
    response = [0.1] * 10 + [5] * 10 + [0.1] * 4 + [5] * 12
    won = [1] * 6 + [0] * 4 + [1] * 2 + [0] * 8 + [1] * 1 + [0] * 3 + [1] * 6 + [0] * 6
    sale = [50 if one else np.nan for one in won]
    first = effect_of((response[:20], sale[:20], [200] * 20, [0] * 20))
    assert first.difference == pytest.approx(0.6 - 0.2)
    both = effect_of((response, sale, [200] * 36, [0] * 20 + [1] * 16))
    weights = 10 * 10 / 20, 4 * 12 / 16
    expected = (weights[0] * 0.4 + weights[1] * (1 / 4 - 6 / 12)) / sum(weights)
    assert both.difference == pytest.approx(expected)


def test_in_one_stratum_the_interval_is_the_plain_one_of_a_difference() -> None:
    won = [1] * 6 + [0] * 4 + [1] * 4 + [0] * 16
    answer = effect_of(([0.1] * 10 + [5] * 20, [50 if one else np.nan for one in won], [200] * 30, [0] * 30))
    half = 1.959964 * np.sqrt(0.6 * 0.4 / 10 + 0.2 * 0.8 / 20)
    assert (answer.low, answer.high) == pytest.approx((0.4 - half, 0.4 + half), abs=1e-6)


def test_a_stratum_of_one_kind_tells_nothing() -> None:
    answer = effect_of(([0.1, 5, 0.1, 0.1], [9, np.nan, 9, 9], [200] * 4, [0, 0, 1, 1]))
    assert (answer.fast, answer.slow, answer.strata, answer.left_out) == (1, 1, 1, 2)


@pytest.mark.parametrize(
    ("response", "watched"),
    [([], []), ([0.1, 0.1], [200, 200]), ([5, np.nan], [200, 200]), ([0.1, 5], [10, 10])],
)
def test_without_both_kinds_there_is_nothing_to_compare(response: list[float], watched: list[float]) -> None:
    nothing = [np.nan] * len(response)
    strata = [0] * len(response)
    assert speed_effect(response, watched, nothing, watched, strata, landmark=1, horizon=HOURS) is None


@pytest.mark.parametrize("sale", [np.nan, 9.0])
def test_where_nobody_or_everybody_buys_the_interval_still_has_a_width(sale: float) -> None:
    answer = effect_of(([0.1] * 5 + [5] * 5, [sale] * 10, [200] * 10, [0] * 10))
    assert answer.difference == 0
    assert answer.low < -0.3
    assert answer.high > 0.3


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="one of each per conversation"):
        speed_effect([1], [1], [1, 2], [1], [0], landmark=1, horizon=2)
    with pytest.raises(InvalidArgument, match="a missing age"):
        speed_effect([1], [1], [1], [np.nan], [0], landmark=1, horizon=2)
    with pytest.raises(InvalidArgument, match="seen: one is missing"):
        speed_effect([1], [np.nan], [1], [1], [0], landmark=1, horizon=2)
    with pytest.raises(InvalidArgument, match="landmark: 2 is not between 0 and the horizon 1"):
        speed_effect([1], [1], [1], [1], [0], landmark=2, horizon=1)
