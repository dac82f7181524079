"""Intervals: their edges, their symmetry, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.intervals import (
    cac_interval,
    poisson_interval,
    rate_difference_interval,
    ratio_interval,
    wilson_interval,
)


def test_without_chances_there_is_no_rate_to_bound() -> None:
    assert wilson_interval(0, 0) is None


def test_the_wilson_interval_ends_exactly_at_0_and_at_1() -> None:
    nobody, everybody = wilson_interval(0, 7), wilson_interval(7, 7)
    assert nobody is not None
    assert everybody is not None
    assert nobody.low == 0.0
    assert everybody.high == 1.0


@given(st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_wilson_interval_of_losses_mirrors_that_of_wins(counts: tuple[int, int]) -> None:
    conversions, trials = counts
    wins, losses = wilson_interval(conversions, trials), wilson_interval(trials - conversions, trials)
    assert wins is not None
    assert losses is not None
    assert wins.high is not None
    assert wins.low == pytest.approx(1 - (losses.high or 0), abs=1e-12)
    assert 0 <= wins.low <= conversions / trials <= wins.high <= 1


@given(st.just(0.0) | st.floats(1e-9, 1e4))  # credit is handed out in billionths
def test_the_poisson_interval_holds_its_count_and_grows_with_it(count: float) -> None:
    interval, greater = poisson_interval(count), poisson_interval(count + 0.5)
    assert interval.high is not None
    assert greater.high is not None
    assert interval.low <= count <= interval.high
    assert interval.low <= greater.low
    assert interval.high < greater.high


def test_more_confidence_widens_the_interval() -> None:
    narrow, wide = poisson_interval(9, 0.90), poisson_interval(9, 0.99)
    assert wide.low < narrow.low
    assert (narrow.high or 0) < (wide.high or 0)


def test_nothing_spent_and_nobody_won_is_at_least_nothing() -> None:
    assert cac_interval(0, 0) == (0.0, None)


def test_customers_without_spend_cost_nothing() -> None:
    assert cac_interval(0, 3) == (0.0, 0.0)


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5), (1, -1)])
def test_counts_that_contradict_each_other_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(InvalidArgument, match=rf"conversions: {counts[0]} of {counts[1]} trials cannot be"):
        wilson_interval(*counts)


@pytest.mark.parametrize("confidence", [0, 1, -0.1, 95])
def test_a_confidence_outside_0_and_1_is_refused(confidence: float) -> None:
    with pytest.raises(InvalidArgument, match=r"Use 0\.95 for 95 %"):
        poisson_interval(3, confidence)


def test_negative_counts_and_spend_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="count: -1 is negative"):
        poisson_interval(-1)
    with pytest.raises(InvalidArgument, match="spend: -5 is negative"):
        cac_interval(-5, 1)


@given(st.tuples(st.integers(0, 40), st.integers(40, 60)), st.tuples(st.integers(0, 40), st.integers(40, 60)))
def test_the_interval_of_a_difference_holds_it_and_turns_over(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    there, back = rate_difference_interval(first, second), rate_difference_interval(second, first)
    assert there is not None
    assert back is not None
    assert there.low <= first[0] / first[1] - second[0] / second[1] <= (there.high or 0) + 1e-12
    assert there.low == pytest.approx(-(back.high or 0))


def test_without_trials_there_is_no_difference() -> None:
    assert rate_difference_interval((0, 0), (1, 2)) is None
    assert rate_difference_interval((1, 2), (0, 0)) is None


def test_a_ratio_without_errors_is_a_point_and_over_zero_it_has_no_bounds() -> None:
    assert ratio_interval((6, 0), (3, 0)) == (2, 2)
    assert ratio_interval((6, 1), (0, 0)) is None
    assert ratio_interval((0, 0), (3, 0)) == (0, 0)


def test_the_interval_of_a_ratio_covers_it() -> None:
    random, covered = np.random.default_rng(60), []
    for _ in range(1500):
        a, b = random.normal(20, 4), random.normal(10, 2)
        interval = ratio_interval((a, 4), (b, 2))
        covered.append(interval is None or interval.low <= 2 <= (interval.high or 0))
    assert 0.93 <= np.mean(covered) <= 0.97


def test_a_negative_error_and_no_degrees_of_freedom_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="an error starts at 0"):
        ratio_interval((1, -1), (1, 1))
    with pytest.raises(InvalidArgument, match="degrees of freedom 0"):
        ratio_interval((1, 1), (1, 1), 0)
