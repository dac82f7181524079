"""Markov attribution against a chain that is walked step by step, and what it does at its edges."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics import markov
from ctm_analytics.statistics.markov import (
    CONVERSION,
    NULL,
    START,
    markov_attribution,
    step_removal_effects,
    transition_probabilities,
)

Counted = list[tuple[tuple[str, ...], int, int]]

PATHS = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=5).map(tuple),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=8,
)


def attribution(counted: Counted, order: int = 1):
    paths, conversions, nulls = zip(*counted, strict=True)
    return markov_attribution(paths, conversions, nulls, order)


def walked(counted: Counted, order: int, removed: str | None = None) -> float:
    """Chance of a conversion, by pushing the crowd along the steps until nobody is left on the way."""
    paths, conversions, nulls = zip(*counted, strict=True)
    steps = transition_probabilities(paths, conversions, nulls, order)
    crowd, converted = {START: 1.0}, 0.0
    for _ in range(4000):
        moved: dict[tuple[str, ...], float] = {}
        for (origin, target), chance in steps.items():
            if origin in crowd and target != NULL and removed not in target:
                moved[target] = moved.get(target, 0.0) + crowd[origin] * chance
        converted += moved.pop(CONVERSION, 0.0)
        crowd = moved
        if sum(crowd.values()) < 1e-13:
            break
    return converted


@given(PATHS, st.integers(1, 3))
def test_the_removal_effect_is_what_a_walk_loses_without_the_ad(counted: Counted, order: int) -> None:
    answer = attribution(counted, order)
    if not sum(converted for _, converted, _ in counted):
        assert np.isnan(answer.removal_effects).all()
        return
    whole = walked(counted, order)
    expected = [1 - walked(counted, order, ad) / whole for ad in answer.ads]
    np.testing.assert_allclose(answer.removal_effects, expected, atol=1e-8)


@given(PATHS)
def test_counted_steps_have_the_removal_effects_of_their_journeys(counted: Counted) -> None:
    ads = {ad: number for number, ad in enumerate(attribution(counted).ads)}
    steps: dict[tuple[int, int], list[int]] = {}
    for path, converted, lost in counted:
        if converted + lost:
            stays = [ads[ad] for ad, _ in itertools.groupby(path)]
            for step in itertools.pairwise([-1, *stays, -1]):
                counts = steps.setdefault(step, [0, 0])
                counts[0] += converted + lost
                counts[1] += converted
    arrays = [
        [*column] for column in zip(*(step + tuple(counts) for step, counts in steps.items()), strict=True)
    ]
    effects = step_removal_effects(*(arrays or [[]] * 4))
    expected = attribution(counted).removal_effects[: effects.size]
    np.testing.assert_allclose(effects, expected, atol=1e-12)


def test_steps_without_their_counts_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="give one of each per step"):
        step_removal_effects([-1], [0], [1, 2], [0])


@given(PATHS, st.integers(1, 3))
def test_credits_sum_to_the_conversions(counted: Counted, order: int) -> None:
    answer = attribution(counted, order)
    assert answer.credits.sum() == pytest.approx(sum(converted for _, converted, _ in counted))
    assert (answer.credits >= 0).all()


@given(PATHS, st.integers(1, 3))
def test_the_chain_converts_as_often_as_the_paths_did(counted: Counted, order: int) -> None:
    converted, lost = (sum(row[column] for row in counted) for column in (1, 2))
    if converted:
        assert attribution(counted, order).conversion_probability == pytest.approx(
            converted / (converted + lost)
        )


@given(PATHS, st.randoms(), st.integers(1, 3))
def test_the_order_of_rows_and_their_splitting_change_nothing(counted: Counted, random, order: int) -> None:
    split = [(path, one, 0) for path, one, _ in counted] + [(path, 0, none) for path, _, none in counted]
    random.shuffle(split)
    there, back = attribution(counted, order), attribution(split, order)
    assert there.ads == back.ads
    np.testing.assert_allclose(there.credits, back.credits, atol=1e-9)


@given(PATHS, st.integers(1, 3))
def test_touches_of_one_ad_in_a_row_count_once(counted: Counted, order: int) -> None:
    stuttering = [(tuple(ad for ad in path for _ in range(2)), one, none) for path, one, none in counted]
    np.testing.assert_allclose(attribution(stuttering, order).credits, attribution(counted, order).credits)


def test_keeping_repeats_would_change_no_removal_effect_in_a_chain_of_order_1() -> None:
    # The dispute of stats.stackexchange 381305: a stays with a half of the time, or is left at once.
    without = np.linalg.inv(np.eye(2) - np.array([[0, 0.5], [0, 0]])) @ [0.25, 0.5]
    with_loop = np.linalg.inv(np.eye(2) - np.array([[0.5, 0.25], [0, 0]])) @ [0.125, 0.5]
    np.testing.assert_allclose(with_loop, without)


def test_an_order_as_long_as_the_paths_counts_the_conversions_that_met_the_ad() -> None:
    counted = [(("a", "b"), 3, 1), (("b", "a", "c"), 2, 0), (("c",), 5, 9), (("a",), 0, 4)]
    answer = attribution(counted, order=3)
    np.testing.assert_allclose(answer.removal_effects, [5 / 10, 5 / 10, 7 / 10])


def test_orders_differ_where_the_way_in_matters() -> None:
    counted = [(("a", "c"), 9, 1), (("b", "c"), 1, 9)]
    assert attribution(counted, 1).credits.tolist() != pytest.approx(attribution(counted, 2).credits.tolist())
    np.testing.assert_allclose(attribution(counted, 2).removal_effects, [0.9, 0.1, 1.0])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_one_ad_takes_everything(order: int) -> None:
    answer = attribution([(("a",), 4, 96), (("a", "a"), 1, 0)], order)
    assert answer.credits.tolist() == [5]
    assert answer.removal_effects.tolist() == pytest.approx([1])


def test_without_conversions_there_is_no_removal_effect_and_no_credit() -> None:
    answer = attribution([(("a", "b"), 0, 7)])
    assert answer.credits.tolist() == [0, 0]
    assert np.isnan(answer.removal_effects).all()
    assert answer.conversion_probability == 0


def test_without_paths_there_is_no_chain() -> None:
    answer = markov_attribution([], [], [])
    assert answer.ads == ()
    assert answer.conversion_probability is None


def test_a_path_that_never_happened_is_no_step() -> None:
    answer = attribution([(("a",), 1, 1), (("b",), 0, 0)])
    assert answer.credits.tolist() == [1, 0]


def test_conversions_of_a_path_without_ads_are_unattributed() -> None:
    answer = attribution([(("", ""), 3, 1), (("a", "", "b"), 2, 0)])
    assert answer.ads == ("a", "b")
    assert (answer.credits.sum(), answer.unattributed) == (2, 3)
    assert answer.conversion_probability == 1


@pytest.mark.parametrize("order", [1, 2, 3])
def test_large_chains_are_solved_as_small_ones_are(order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    counted = [
        (tuple(str(ad) for ad in random.integers(0, 40, random.integers(1, 6))), int(random.integers(2)), 1)
        for _ in range(200)
    ]
    inverted = attribution(counted, order)
    monkeypatch.setattr(markov, "DENSE_STATES", 0)
    monkeypatch.setattr(markov, "_ADS_AT_ONCE", 7)
    np.testing.assert_allclose(
        attribution(counted, order).removal_effects, inverted.removal_effects, atol=1e-13
    )


def test_steps_out_of_a_state_sum_to_one() -> None:
    steps = transition_probabilities([("a", "b", "a"), ("b",)], [1, 2], [3, 4], order=2)
    for origin, leaving in itertools.groupby(sorted(steps), key=lambda step: step[0]):
        assert sum(steps[step] for step in leaving) == pytest.approx(1), origin


@pytest.mark.parametrize("order", [0, 4, -1])
def test_an_order_beyond_3_is_refused(order: int) -> None:
    with pytest.raises(InvalidArgument, match=f"order: {order} is not an order"):
        markov_attribution([["a"]], [1], [0], order)


@pytest.mark.parametrize(
    ("conversions", "nulls", "words"),
    [([1, 2], [0], "2 and 1 counts for 1 paths"), ([-1], [0], "negative"), ([1], [np.inf], "missing")],
)
def test_counts_that_cannot_be_are_refused(conversions: list[int], nulls: list[float], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        markov_attribution([["a"]], conversions, nulls)


@given(PATHS, st.integers(1, 3))
def test_a_step_depends_on_as_many_last_ads_as_the_order_says(counted: Counted, order: int) -> None:
    counted = [each for each in counted if each[1] + each[2]]
    if not counted:
        return
    walks = []
    for path, sold, lost in counted:
        ads = [ad for ad, _ in itertools.groupby(path)]
        walks += [(ads, CONVERSION, sold), (ads, NULL, lost)]
    expected: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}
    for ads, end, times in walks:
        prefixes = [tuple(ads[:length])[-order:] for length in range(len(ads) + 1)]
        for origin, target in itertools.pairwise([*prefixes, end]):
            leaving = expected.setdefault(origin, {})
            leaving[target] = leaving.get(target, 0) + times
    chances = {
        (origin, target): times / sum(leaving.values())
        for origin, leaving in expected.items()
        for target, times in leaving.items()
        if times
    }
    paths, conversions, nulls = zip(*counted, strict=True)
    assert transition_probabilities(paths, conversions, nulls, order) == pytest.approx(chances)
