"""The mixture-cure model: it recovers the truth, says when it cannot, and does not move for reasons of form."""

import numpy as np
import pytest

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.cure import CureFit, fit_cure, follow_up_alpha


def cohort(random: np.random.Generator, size: int, oldest: float, family: str = "weibull"):
    lag = 2 * random.weibull(0.8, size) if family == "weibull" else random.lognormal(np.log(2), 0.9, size)
    sale, age = np.where(random.uniform(size=size) < 0.3, lag, np.inf), random.uniform(0, oldest, size)
    return np.minimum(sale, age), sale <= age


@pytest.mark.parametrize("family", ["weibull", "lognormal"])
def test_it_recovers_the_share_that_will_buy_and_how_long_they_take(family: str) -> None:
    fit = fit_cure(*cohort(np.random.default_rng(50), 4000, 40, family))
    assert fit.reason is None
    assert fit.family == family
    assert fit.ultimate_rate == pytest.approx(0.3, abs=0.025)
    assert fit.scale == pytest.approx(2, rel=0.15)
    assert fit.shape == pytest.approx({"weibull": 0.8, "lognormal": 0.9}[family], rel=0.1)


def test_its_interval_covers_the_truth_where_the_share_sold_so_far_is_too_low() -> None:
    random, covered, naive = np.random.default_rng(51), [], []
    for _ in range(25):
        durations, converted = cohort(random, 250, 40)
        fit = fit_cure(durations, converted)
        if fit.interval is None:
            continue
        covered.append(fit.interval.low <= 0.3 <= (fit.interval.high or 1))
        naive.append(converted.mean())
    assert len(covered) >= 15
    assert np.mean(covered) >= 0.85
    assert np.mean(naive) < 0.29


def test_while_sales_still_come_in_it_is_not_identifiable_yet() -> None:
    # Nobody is older than the median lag.
    fit = fit_cure(*cohort(np.random.default_rng(52), 500, 1.0))
    assert fit == CureFit("not identifiable yet: the last sale is too recent to show that sales have ended")


@pytest.mark.parametrize("sales", [0, 9])
def test_a_handful_of_sales_is_not_enough(sales: int) -> None:
    fit = fit_cure([1.0] * sales + [30.0] * 50, [True] * sales + [False] * 50)
    assert fit == CureFit(f"not identifiable yet: {sales} sales, 10 are needed")


def test_all_at_one_instant_is_not_identifiable() -> None:
    fit = fit_cure([0.0] * 40, [True] * 20 + [False] * 20)
    assert fit.ultimate_rate is None
    assert fit.reason is not None


def test_weights_count_like_repeated_rows() -> None:
    durations, converted, weights = [0.5, 1, 2, 4, 30], [True] * 4 + [False], [4, 5, 3, 2, 30]
    weighted = fit_cure(durations, converted, weights)
    repeated = fit_cure(np.repeat(durations, weights), np.repeat(converted, weights))
    assert weighted.ultimate_rate == pytest.approx(repeated.ultimate_rate, rel=1e-4)


def test_another_unit_of_time_changes_only_the_scale() -> None:
    durations, converted = cohort(np.random.default_rng(53), 400, 30)
    days, hours = fit_cure(durations, converted), fit_cure(24 * durations, converted)
    assert hours.ultimate_rate == pytest.approx(days.ultimate_rate, rel=1e-3)
    assert hours.scale == pytest.approx(24 * (days.scale or 0), rel=0.01)


def test_with_a_plateau_as_long_as_all_sales_took_every_sale_speaks_for_it() -> None:
    assert follow_up_alpha([1, 2, 9, 9], [True, True, False, False]) == pytest.approx((1 - 2 / 4) ** 4)
    # A plateau of one beyond the last sale at 8: only sales after 7 count.
    assert follow_up_alpha([1, 8, 9, 9], [True, True, False, False]) == pytest.approx((1 - 1 / 4) ** 4)
    assert follow_up_alpha([8, 8], [True, False]) == 1
    assert follow_up_alpha([1, 9], [False, False]) is None


def test_durations_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="one of each per conversation"):
        fit_cure([1], [True, False])
    with pytest.raises(InvalidArgument, match="negative or missing"):
        follow_up_alpha([-1], [True])


def test_the_interval_ends_where_the_profile_likelihood_has_fallen_by_half_a_chi_square_quantile() -> None:
    durations, converted = (
        np.array([0.2, 0.5, 0.8, 1, 1.3, 1.6, 2, 2.4, 3, 3.9] + [30] * 30),
        np.arange(40) < 10,
    )
    fit = fit_cure(durations, converted)
    assert fit.interval is not None

    def profile(rate: float) -> float:
        # Long after every lag nobody is undecided: only the share and the sales count, and the lag drops out.
        return float(10 * np.log(rate) + 30 * np.log(1 - rate))

    for end in fit.interval:
        assert profile(0.25) - profile(end or 0) == pytest.approx(1.92, abs=0.02)
