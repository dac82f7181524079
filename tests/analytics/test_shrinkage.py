"""Shrinkage, chances and verdicts: limits, invariances, other ways to the same number, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.shrinkage import fit_prior, shrink_cac
from ctm_analytics.statistics.verdicts import chance_of_best, probability_below, verdicts

# Credit is handed out in billionths.
CUSTOMERS = st.just(0.0) | st.floats(1e-9, 500)
ADS = st.lists(st.tuples(st.floats(1, 1e5), CUSTOMERS), min_size=1, max_size=12)


def test_the_posterior_is_that_of_bayes_by_numerical_integration() -> None:
    ads = shrink_cac([300, 200, 900, 50], [12, 1, 30, 0])
    assert ads.prior is not None
    prior = stats.gamma(ads.prior.shape, scale=1 / ads.prior.rate)
    for place, (spend, customers) in enumerate([(300, 12), (200, 1), (900, 30), (50, 0)]):

        def density(rate: float, spend: float = spend, customers: int = customers) -> float:
            return float(prior.pdf(rate) * stats.poisson.pmf(customers, rate * spend))

        whole = integrate.quad(density, 0, 1, limit=300)[0]
        cheaper_than_20 = integrate.quad(density, 1 / 20, 1, limit=300)[0]
        assert probability_below(ads, 20)[place] == pytest.approx(cheaper_than_20 / whole, abs=1e-6)
        dearer_than_median = integrate.quad(density, 0, 1 / ads.cac[place], limit=300)[0]
        assert dearer_than_median / whole == pytest.approx(0.5, abs=1e-6)
        outside = integrate.quad(density, 0, 1 / ads.cac_high[place], limit=300)[0]
        assert outside / whole == pytest.approx(0.05, abs=1e-6)


def test_the_prior_of_many_ads_is_the_one_they_were_drawn_from() -> None:
    random = np.random.default_rng(3)
    spend = random.uniform(100, 1000, 3000)
    prior = fit_prior(spend, random.poisson(random.gamma(4, 1 / 100, 3000) * spend))
    assert prior is not None
    assert prior.shape == pytest.approx(4, rel=0.1)
    assert prior.shape / prior.rate == pytest.approx(4 / 100, rel=0.05)


def test_ads_that_differ_less_than_chance_keep_some_doubt_about_each_other() -> None:
    prior = fit_prior([100] * 8, [10] * 8)
    assert prior is not None
    # The plain likelihood is greatest at an infinite shape: no ad could then ever differ.
    assert 5 < prior.shape < 500
    assert prior.shape / prior.rate == pytest.approx(0.1)


@settings(max_examples=40)
@given(ADS, st.floats(0.01, 100))
def test_another_currency_changes_the_unit_and_nothing_else(
    ads: list[tuple[float, float]], rate: float
) -> None:
    spend, customers = np.array(ads).T
    here, there = shrink_cac(spend, customers), shrink_cac(spend * rate, customers)
    np.testing.assert_allclose(there.cac, here.cac * rate, rtol=1e-4)
    np.testing.assert_allclose(there.cac_high, here.cac_high * rate, rtol=1e-3)


@settings(max_examples=40)
@given(ADS, st.randoms())
def test_the_order_of_ads_changes_nothing(ads: list[tuple[float, float]], random) -> None:
    order = list(range(len(ads)))
    random.shuffle(order)
    spend, customers = np.array(ads).T
    here, there = shrink_cac(spend, customers), shrink_cac(spend[order], customers[order])
    np.testing.assert_allclose(there.cac, here.cac[order], rtol=1e-4)


@settings(max_examples=40)
@given(ADS)
def test_shrunk_cac_lies_within_its_interval_and_chances_sum_to_one(ads: list[tuple[float, float]]) -> None:
    shrunk = shrink_cac(*np.array(ads).T)
    assert (shrunk.cac_low < shrunk.cac).all()
    assert (shrunk.cac < shrunk.cac_high).all()
    p_best, expected_loss = chance_of_best(shrunk)
    assert p_best.sum() == pytest.approx(1)
    assert (expected_loss >= 0).all()
    chances = [probability_below(shrunk, target) for target in (1, 10, 100)]
    assert (np.diff(chances, axis=0) >= 0).all()


def test_an_ad_is_pulled_to_the_others_the_more_the_less_it_has_spent() -> None:
    # Both of the last two won half of what the others win for their money.
    ads = shrink_cac([1000, 900, 1100, 1000, 40, 4000], [100, 70, 130, 95, 2, 200])
    assert 10 < ads.cac[4] < 15
    assert 18 < ads.cac[5] < 20


def test_with_endless_spend_the_shrunk_cac_is_the_plain_one() -> None:
    ads = shrink_cac([1e6, 1e6], [1e5, 5e4])
    np.testing.assert_allclose(ads.cac, [10, 20], rtol=0.01)


def test_the_chance_to_beat_one_other_ad_is_that_of_the_beta_distribution() -> None:
    ads = shrink_cac([100, 300], [9, 20])
    first, second = ads.rate
    # r1 > r2 of two gammas: a beta probability (Cook 2005).
    expected = stats.beta(ads.shape[1], ads.shape[0]).cdf(second / (first + second))
    assert chance_of_best(ads)[0][0] == pytest.approx(expected, abs=1e-4)


def test_chances_and_losses_are_those_of_a_simulation() -> None:
    ads = shrink_cac([100, 120, 80, 300, 50], [9, 8, 9, 40, 1])
    draws = np.random.default_rng(7).gamma(ads.shape, 1 / ads.rate, (200_000, 5))
    p_best, expected_loss = chance_of_best(ads)
    np.testing.assert_allclose(p_best, np.bincount(draws.argmax(axis=1)) / 200_000, atol=0.005)
    simulated = (draws.max(axis=1, keepdims=True) - draws).mean(axis=0)
    np.testing.assert_allclose(expected_loss, simulated, atol=0.0005)


def test_the_90_percent_interval_holds_the_truth_nine_times_in_ten() -> None:
    random, covered = np.random.default_rng(11), []
    for _ in range(60):
        truth = random.gamma(5, 1 / 100, 20)
        spend = random.uniform(20, 600, 20)
        ads = shrink_cac(spend, random.poisson(truth * spend))
        covered.append((ads.cac_low <= 1 / truth) & (1 / truth <= ads.cac_high))
    assert 0.87 <= np.mean(covered) <= 0.93


def test_one_ad_stands_for_itself() -> None:
    ads = shrink_cac([1000], [40])
    assert ads.cac[0] == pytest.approx(25, rel=0.03)
    assert chance_of_best(ads)[0].tolist() == [1]
    assert chance_of_best(ads)[1][0] == pytest.approx(0, abs=1e-4)


def test_an_ad_without_spend_has_the_prior_and_it_is_too_early() -> None:
    ads = shrink_cac([500, 400, 0], [50, 30, 3])
    assert ads.prior == (ads.shape[2], ads.rate[2])
    assert verdicts(ads, probability_below(ads, 1000)) == ["scale", "scale", "too_early"]


def test_nothing_spent_gives_no_answer() -> None:
    ads = shrink_cac([0, 0], [1, 0])
    assert ads.prior is None
    assert np.isnan(ads.cac).all()
    assert np.isnan(chance_of_best(ads)[0]).all()
    assert verdicts(ads, probability_below(ads, 10)) == [None, None]


def test_without_any_customer_each_ad_stands_for_itself_by_jeffreys() -> None:
    ads = shrink_cac([1000, 10, 0], [0, 0, 0])
    assert ads.prior == (0.5, 0.0)
    assert ads.cac[0] == pytest.approx(1000 / 0.2275, rel=1e-3)
    assert np.isnan(ads.cac[2])
    assert np.isnan(probability_below(ads, 50)[2])
    assert np.isnan(chance_of_best(ads)[0]).tolist() == [False, False, True]
    # A thousand spent for nobody is dear enough to cut; ten may be bad luck.
    assert verdicts(ads, probability_below(ads, 50)) == ["cut", "watch", "too_early"]


def test_no_ads_give_no_answer() -> None:
    assert shrink_cac([], []).cac.size == 0


def test_money_spent_in_vain_is_cut_and_a_first_sale_is_not_yet_a_reason_to_scale() -> None:
    ads = shrink_cac([1000, 1000, 1000, 400, 5], [30, 20, 12, 0, 1])
    assert verdicts(ads, probability_below(ads, 60)) == ["scale", "watch", "watch", "cut", "watch"]


def test_a_spend_that_is_little_beside_the_prior_is_too_early_to_judge() -> None:
    ads = shrink_cac([1000, 1000, 1000, 1], [30, 31, 29, 0])
    assert probability_below(ads, 60)[3] > 0.9
    assert verdicts(ads, probability_below(ads, 60)) == ["scale", "scale", "scale", "too_early"]


def test_while_most_conversations_are_younger_than_the_window_it_is_too_early() -> None:
    ads = shrink_cac([1000, 1000, 1000], [100, 100, 100])
    assert verdicts(ads, probability_below(ads, 60), [0.5, 0.51, float("nan")]) == [
        "scale",
        "too_early",
        "scale",
    ]


@pytest.mark.parametrize("chance", [0.9, 0.89, 0.11, 0.1])
def test_the_verdict_turns_at_nine_tenths_and_at_one_tenth(chance: float) -> None:
    ads = shrink_cac([1000, 900], [100, 80])
    expected = {0.9: "scale", 0.89: "watch", 0.11: "watch", 0.1: "cut"}[chance]
    assert verdicts(ads, [chance, chance]) == [expected, expected]


@pytest.mark.parametrize(
    ("spend", "customers", "words"),
    [
        ([1], [1, 2], "1 and 2 values"),
        ([-1], [1], "spend: a negative"),
        ([1], [-1], "new_customers: a negative"),
        ([float("inf")], [1], "spend: a negative or missing"),
    ],
)
def test_what_is_no_spend_and_no_count_is_refused(
    spend: list[float], customers: list[float], words: str
) -> None:
    with pytest.raises(InvalidArgument, match=words):
        shrink_cac(spend, customers)


def test_a_target_that_is_no_amount_and_an_impossible_confidence_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="target_cac: 0 is not an amount above 0"):
        probability_below(shrink_cac([1], [1]), 0)
    with pytest.raises(InvalidArgument, match="confidence: 90 is not between"):
        shrink_cac([1], [1], 90)


def test_chances_among_many_ads_are_those_of_a_simulation() -> None:
    random = np.random.default_rng(18)
    spend = random.uniform(20, 3000, 150)
    ads = shrink_cac(spend, random.poisson(random.gamma(6, 1 / 200, 150) * spend))
    draws = random.gamma(ads.shape, 1 / ads.rate, (40_000, 150))
    p_best, expected_loss = chance_of_best(ads)
    np.testing.assert_allclose(p_best, np.bincount(draws.argmax(axis=1), minlength=150) / 40_000, atol=0.01)
    simulated = (draws.max(axis=1, keepdims=True) - draws).mean(axis=0)
    np.testing.assert_allclose(expected_loss, simulated, rtol=0.02)
