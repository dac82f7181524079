"""Maturation: young cohorts against what they come to, coverage by simulation, and the edges."""

import numpy as np
import pytest

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.intervals import cac_interval, wilson_interval
from ctm_analytics.statistics.maturation import (
    ConversionLag,
    conversion_lag,
    matured_cac,
    matured_conversion_rate,
)


def cohort(random: np.random.Generator, size: int, rate: float = 0.2, oldest: float = 14):
    """Conversations of the last days; of those who ever buy, half do within two days. The window has 7 days."""
    age = random.uniform(0, oldest, size)
    sale = np.where(random.uniform(size=size) < rate, random.exponential(2 / np.log(2), size), np.inf)
    return age, np.minimum(age, sale), sale <= age


TRUE_RATE = 0.2 * (1 - 0.5 ** (7 / 2))


def lag_of(durations, converted, window: float = 7) -> ConversionLag:
    lag = conversion_lag(durations, converted, window)
    assert lag is not None
    return lag


def test_a_ripe_cohort_has_its_plain_rate() -> None:
    rate = matured_conversion_rate([1, 3, 9, 9, 9], [True, True, False, False, False], 7)
    assert rate is not None
    assert rate.value == pytest.approx(0.4)


def test_a_sale_at_the_windows_end_counts_and_a_later_one_does_not() -> None:
    rate = matured_conversion_rate([7, 7.000001, 9, 9], [True, True, False, False], 7)
    assert rate is not None
    assert rate.value == pytest.approx(0.25)


def test_the_young_are_censored_at_their_age() -> None:
    # One of two sold at 1 day; of the two left, one is 0.5 days old and the other ripe.
    rate = matured_conversion_rate([1, 0.5, 8], [True, False, False], 7)
    assert rate is not None
    assert rate.value == pytest.approx(0.5)


def test_while_nobody_is_as_old_as_the_window_the_rate_is_not_known() -> None:
    assert matured_conversion_rate([1, 5, 6], [True, False, False], 7) is None
    assert matured_conversion_rate([], [], 7) is None


def test_rates_of_none_and_of_all_have_wilsons_interval_over_the_ripe() -> None:
    nobody = matured_conversion_rate([9, 8, 3], [False] * 3, 7)
    everybody = matured_conversion_rate([2, 2, 2], [True] * 3, 7)
    assert nobody is not None
    assert everybody is not None
    assert nobody == (0.0, *(wilson_interval(0, 2) or ()))
    assert everybody == (1.0, *(wilson_interval(3, 3) or ()))


def test_weights_count_like_repeated_rows() -> None:
    durations, converted, weights = [1, 7, 3], [True, False, False], [2, 3, 1]
    repeated = [np.repeat(column, weights) for column in (durations, converted)]
    assert matured_conversion_rate(durations, converted, 7, weights) == matured_conversion_rate(*repeated, 7)


def test_the_matured_rate_covers_the_truth_where_the_naive_rate_is_too_low() -> None:
    random, covered, naive = np.random.default_rng(12), [], []
    for _ in range(400):
        _, durations, converted = cohort(random, 400)
        rate = matured_conversion_rate(durations, converted, 7)
        assert rate is not None
        assert rate.low is not None
        assert rate.high is not None
        covered.append(rate.low <= TRUE_RATE <= rate.high)
        plain = wilson_interval(int((converted & (durations <= 7)).sum()), 400)
        assert plain is not None
        naive.append(plain.low <= TRUE_RATE <= (plain.high or 1))
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(naive) < 0.9


def test_matured_cac_covers_the_truth_where_the_naive_one_is_too_high() -> None:
    random, covered, naive = np.random.default_rng(13), [], []
    truth = 1000 / (150 * TRUE_RATE)
    for _ in range(200):
        _, durations, converted = cohort(random, 500)
        ages, _, _ = young = cohort(random, 150, oldest=6)
        customers = int(young[2].sum())
        answer = matured_cac(1000, customers, ages, lag_of(durations, converted))
        assert answer is not None
        low, high = answer.interval()
        covered.append(low <= truth <= (high or np.inf))
        low, high = cac_interval(1000, customers)
        naive.append(low <= truth <= (high or np.inf))
    assert 0.92 <= np.mean(covered) <= 0.985
    assert np.mean(naive) < 0.85


def test_an_uncertain_lag_widens_the_interval() -> None:
    random = np.random.default_rng(14)
    ages = random.uniform(0, 4, 50)
    few, many = (lag_of(*cohort(random, size)[1:]) for size in (150, 20_000))
    answers = [matured_cac(1000, 200, ages, lag) for lag in (few, many)]
    intervals = [answer.interval() for answer in answers if answer is not None]
    widths = [np.log((high or 0) / low) for low, high in intervals]
    assert widths[0] > 1.3 * widths[1]


def test_a_ripe_cohort_has_its_plain_cac_and_interval() -> None:
    lag = lag_of([1, 2, 9, 9], [True, True, False, False])
    answer = matured_cac(500, 10, [7, 8, 100], lag)
    assert answer is not None
    assert (answer.completed_share, answer.still_to_come, answer.cac) == (1, 0, 50)
    assert answer.interval() == pytest.approx(cac_interval(500, 10))


def test_the_younger_the_cohort_the_more_is_still_to_come() -> None:
    lag = lag_of([1, 2, 5, 7, 7], [True, True, True, False, False])
    answers = [matured_cac(100, 6, [age] * 3, lag) for age in (1, 2, 5)]
    assert [answer.still_to_come for answer in answers if answer] == pytest.approx([12, 3, 0])


def test_without_customers_the_cost_has_no_upper_end() -> None:
    answer = matured_cac(100, 0, [9], lag_of([1, 9], [True, False]))
    assert answer is not None
    assert (answer.expected_new_customers, answer.cac, answer.interval().high) == (0, None, None)
    assert answer.interval().low == pytest.approx(100 / 3.689, rel=1e-4)


def test_money_that_was_not_spent_costs_nothing() -> None:
    answer = matured_cac(0, 2, [9], lag_of([1, 9], [True, False]))
    assert answer is not None
    assert (answer.cac, answer.interval()) == (0, (0, 0))


def test_without_conversations_or_before_the_first_sale_can_come_nothing_is_foreseen() -> None:
    lag = lag_of([1, 9], [True, False])
    assert matured_cac(100, 0, [], lag) is None
    assert matured_cac(100, 0, [0.5, 0.2], lag) is None


def test_the_lag_is_not_identifiable_without_sales_or_without_anybody_followed_to_the_windows_end() -> None:
    assert conversion_lag([9, 9], [False, False], 7) is None
    assert conversion_lag([1, 5], [True, False], 7) is None
    assert conversion_lag([], [], 7) is None
    assert conversion_lag([8, 9], [True, False], 7) is None


def test_where_all_bought_the_lag_is_known_before_the_windows_end() -> None:
    assert lag_of([1, 2], [True, True]).completed.tolist() == [0.5, 1]


def test_many_distinct_lags_are_kept_in_256_steps_that_end_complete() -> None:
    lag = lag_of(*cohort(np.random.default_rng(15), 20_000)[1:])
    assert lag.ages.size == 256
    assert lag.completed[-1] == 1
    assert (np.diff(lag.completed) > 0).all()
    half = np.interp(2, lag.ages, lag.completed)
    assert half == pytest.approx(0.1 / TRUE_RATE, abs=0.02)
    np.testing.assert_allclose(lag.drawn.mean(axis=0), lag.completed, atol=0.01)


def test_equal_seeds_give_equal_answers() -> None:
    _, durations, converted = cohort(np.random.default_rng(16), 300)
    first, second = (lag_of(durations, converted) for _ in range(2))
    assert (first.drawn == second.drawn).all()


def test_what_cannot_ripen_is_refused() -> None:
    lag = lag_of([1, 9], [True, False])
    with pytest.raises(InvalidArgument, match="window: 0 is not above 0"):
        matured_conversion_rate([1], [True], 0)
    with pytest.raises(InvalidArgument, match="-1, 2: negative or missing"):
        matured_cac(-1, 2, [1], lag)
    with pytest.raises(InvalidArgument, match="ages: a negative"):
        matured_cac(1, 2, [-1], lag)
    answer = matured_cac(1, 2, [1], lag)
    assert answer is not None
    with pytest.raises(InvalidArgument, match="confidence: 95"):
        answer.interval(95)
