"""Kaplan–Meier: censoring, its edges, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.survival import Share, kaplan_meier


def test_no_durations_give_no_curve() -> None:
    assert kaplan_meier([], []) is None


def test_with_nobody_answered_there_is_no_median_and_no_share_is_known_beyond_the_last_time() -> None:
    curve = kaplan_meier([10, 20], [False, False])
    assert curve is not None
    assert curve.quantile(0.5) is None
    assert curve.ended_by(15) == Share(0.0, None, None)
    assert curve.ended_by(21) is None


def test_with_everybody_answered_the_median_is_the_middle_and_the_share_reaches_one() -> None:
    curve = kaplan_meier([3, 1, 2], [True, True, True])
    assert curve is not None
    assert curve.quantile(0.5) == 2
    assert curve.ended_by(1e9) == Share(1.0, None, None)


def test_at_one_time_answers_come_before_censoring() -> None:
    # Both were still waiting when the first was answered, so half remain: 1 - 1/2.
    curve = kaplan_meier([5, 5], [True, False])
    assert curve is not None
    assert curve.survival.tolist() == [0.5]


def test_the_unanswered_slow_the_median_down() -> None:
    answered = kaplan_meier([1, 2, 3], [True] * 3)
    waiting = kaplan_meier([1, 2, 3, 9, 9], [True, True, True, False, False])
    assert answered is not None
    assert waiting is not None
    assert (answered.quantile(0.5), waiting.quantile(0.5)) == (2, 3)


def test_a_share_is_not_known_beyond_the_longest_wait_while_some_still_wait() -> None:
    curve = kaplan_meier([60, 3600], [True, False])
    assert curve is not None
    assert curve.ended_by(86_400) is None
    known = curve.ended_by(3600)
    assert known is not None
    assert known.value == 0.5


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(1, 4)), min_size=1, max_size=30))
def test_weights_count_like_repeated_rows(rows: list[tuple[int, bool, int]]) -> None:
    durations, observed, weights = (list(column) for column in zip(*rows, strict=True))
    weighted = kaplan_meier(durations, observed, weights)
    repeated = kaplan_meier(np.repeat(durations, weights), np.repeat(observed, weights))
    assert weighted is not None
    assert repeated is not None
    assert weighted.times.tolist() == repeated.times.tolist()
    np.testing.assert_allclose(weighted.survival, repeated.survival, rtol=1e-12)
    np.testing.assert_allclose(weighted.low, repeated.low, rtol=1e-9)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), min_size=1, max_size=40))
def test_the_curve_falls_and_its_band_holds_it(rows: list[tuple[float, bool]]) -> None:
    durations, observed = zip(*rows, strict=True)
    curve = kaplan_meier(durations, observed)
    assert curve is not None
    assert (np.diff(curve.survival) < 0).all()
    inside = ~np.isnan(curve.low)
    assert (curve.low[inside] <= curve.survival[inside] + 1e-12).all()
    assert (curve.survival[inside] <= curve.high[inside] + 1e-12).all()


@pytest.mark.parametrize(
    ("durations", "observed", "words"),
    [
        ([1, 2], [True], "have 2, 1 and 2 values"),
        ([-1], [True], "negative or missing"),
        ([float("nan")], [True], "missing"),
    ],
)
def test_what_is_no_duration_is_refused(durations: list[float], observed: list[bool], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        kaplan_meier(durations, observed)


@pytest.mark.parametrize("entry", [5.0, 6.0, float("nan")])
def test_an_entry_that_is_not_before_the_end_is_refused(entry: float) -> None:
    with pytest.raises(InvalidArgument, match="entries"):
        kaplan_meier([5.0], [True], entries=[entry])


def test_who_entered_before_everything_makes_no_difference() -> None:
    plain = kaplan_meier([1, 2, 2, 5], [True, True, False, True])
    entered = kaplan_meier([1, 2, 2, 5], [True, True, False, True], entries=[-1, 0, 0.5, 0])
    assert plain is not None
    assert entered is not None
    assert plain.survival.tolist() == entered.survival.tolist()


def test_the_bounds_of_a_quantile_are_where_the_band_crosses_its_level() -> None:
    curve = kaplan_meier(range(1, 31), [True] * 30)
    assert curve is not None
    low, high = curve.quantile_interval(0.5)
    crossed = [
        float(min(time for time, end in zip(curve.times, band, strict=True) if not end > 0.5))
        for band in (curve.low, curve.high)
    ]
    assert [low, high] == crossed


def test_a_quantile_may_have_no_upper_bound_and_none_at_all() -> None:
    curve = kaplan_meier([1, 2, 3, 4, 4, 4], [True, True, True, False, False, False])
    assert curve is not None
    assert curve.quantile_interval(0.5) == (1.0, None)
    at_once = kaplan_meier([5, 5], [True, True])
    assert at_once is not None
    assert at_once.quantile_interval(0.5) == (5.0, 5.0)
    nobody = kaplan_meier([1, 2], [False, False])
    assert nobody is not None
    assert nobody.quantile_interval(0.5) == (None, None)


def test_the_interval_of_the_median_covers_the_true_median() -> None:
    random, covered = np.random.default_rng(4), []
    for _ in range(400):
        wait, watched = random.exponential(1, 60), random.uniform(0.2, 4, 60)
        curve = kaplan_meier(np.minimum(wait, watched), wait <= watched)
        assert curve is not None
        low, high = curve.quantile_interval(0.5)
        covered.append((low or 0) <= np.log(2) <= (high or np.inf))
    assert 0.92 <= np.mean(covered) <= 0.98


def test_the_restricted_mean_without_censoring_is_the_mean_of_what_is_cut_off_at_the_limit() -> None:
    times = np.random.default_rng(6).exponential(10, 200)
    curve = kaplan_meier(times, np.ones(200, dtype=bool))
    assert curve is not None
    mean = curve.restricted_mean(12)
    assert mean is not None
    cut = np.minimum(times, 12)
    assert mean.value == pytest.approx(cut.mean())
    assert mean.standard_error == pytest.approx(cut.std() / np.sqrt(200), rel=1e-9)


def test_a_restricted_mean_is_not_known_beyond_the_longest_wait_and_is_the_limit_where_nothing_ended() -> (
    None
):
    waiting = kaplan_meier([1, 5], [True, False])
    assert waiting is not None
    assert waiting.restricted_mean(6) is None
    assert waiting.restricted_mean(0.5) == (0.5, 0.0)
    assert waiting.restricted_mean(5) is not None
    ended = kaplan_meier([1, 5], [True, True])
    assert ended is not None
    mean = ended.restricted_mean(100)
    assert mean is not None
    assert mean.value == 3
