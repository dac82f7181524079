"""The interval of a sum, against what a sum of gammas really does."""

import numpy as np
import pytest
from scipy import stats

from ctm_analytics.statistics.intervals import (
    Interval,
    rate_difference_interval,
    sum_interval,
    wilson_interval,
)


def test_of_two_rates_it_is_newcombes() -> None:
    first, second = wilson_interval(56, 70), wilson_interval(48, 80)
    found = sum_interval([0.8, -0.6], [first, Interval(-second.high, -second.low)])
    assert found == pytest.approx(rate_difference_interval((56, 70), (48, 80)))


def test_of_one_it_is_its_own_and_of_none_nothing() -> None:
    assert sum_interval([3.0], [Interval(1.0, 8.0)]) == pytest.approx((1.0, 8.0))
    assert sum_interval([], []) == (0.0, 0.0)


def test_it_holds_a_sum_of_skewed_quantities_nine_times_in_ten() -> None:
    random = np.random.default_rng(7)
    shapes, scales = np.array([2.0, 5.0, 20.0, 9.0]), np.array([3.0, 1.0, -0.5, -0.2])
    parts = [stats.gamma(shape, scale=abs(scale)) for shape, scale in zip(shapes, scales, strict=True)]
    signs = np.sign(scales)
    medians = [sign * part.median() for sign, part in zip(signs, parts, strict=True)]
    ends = [
        sorted((sign * part.ppf(0.05), sign * part.ppf(0.95)))
        for sign, part in zip(signs, parts, strict=True)
    ]
    low, high = sum_interval(medians, [Interval(*each) for each in ends])
    drawn = sum(
        sign * part.rvs(100_000, random_state=random) for sign, part in zip(signs, parts, strict=True)
    )
    held = np.mean((drawn >= low) & (drawn <= high))
    assert 0.88 < held < 0.95
