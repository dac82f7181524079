"""Shapley values against their definition: every order in which the ads could join, one by one."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.shapley import shapley_attribution

PATHS = st.lists(
    st.tuples(st.lists(st.sampled_from("abcde"), min_size=1, max_size=6), st.integers(0, 9)), max_size=8
)


@given(PATHS)
def test_the_value_is_the_mean_gain_over_all_orders_of_joining(counted: list[tuple[list[str], int]]) -> None:
    paths, conversions = [path for path, _ in counted], [won for _, won in counted]
    answer = shapley_attribution(paths, conversions)
    orders = list(permutations(answer.ads))
    gains = dict.fromkeys(answer.ads, 0)
    for order in orders:
        for place, ad in enumerate(order):
            before, after = set(order[:place]), set(order[: place + 1])
            gains[ad] += sum(won for path, won in counted if set(path) <= after)
            gains[ad] -= sum(won for path, won in counted if set(path) <= before)
    np.testing.assert_allclose(answer.credits, [gains[ad] / len(orders) for ad in answer.ads], atol=1e-12)


@given(PATHS)
def test_credits_sum_to_the_conversions(counted: list[tuple[list[str], int]]) -> None:
    answer = shapley_attribution([path for path, _ in counted], [won for _, won in counted])
    assert answer.credits.sum() == pytest.approx(sum(won for _, won in counted))


def test_forty_ads_on_one_path_share_it_exactly() -> None:
    ads = [str(ad) for ad in range(40)]
    assert shapley_attribution([ads], [10]).credits == pytest.approx(np.full(40, 0.25))


def test_an_ad_that_only_lost_has_no_credit() -> None:
    assert shapley_attribution([["a"], ["b"]], [3, 0]).credits.tolist() == [3, 0]


def test_conversions_of_a_path_without_ads_are_unattributed() -> None:
    answer = shapley_attribution([[], ["", None], ["a", ""]], [1, 2, 4])
    assert (answer.ads, answer.credits.tolist(), answer.unattributed) == (("a",), [4.0], 3.0)


def test_without_paths_there_is_nobody() -> None:
    answer = shapley_attribution([], [])
    assert (answer.ads, answer.credits.size, answer.unattributed) == ((), 0, 0.0)


def test_negative_conversions_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="negative or missing count"):
        shapley_attribution([["a"]], [-1])
