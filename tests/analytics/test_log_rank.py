"""The log-rank test: what does not change it, its error rate, and its edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics import log_rank
from ctm_analytics.statistics.log_rank import log_rank_test

ROWS = st.lists(
    st.tuples(st.integers(1, 9), st.booleans(), st.sampled_from("ab"), st.integers(1, 3)), max_size=25
)


@given(ROWS)
def test_weights_count_like_repeated_rows(rows: list[tuple[int, bool, str, int]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    times, ended, groups, weights = columns
    weighted = log_rank_test(times, ended, groups, weights=weights)
    repeated = log_rank_test(*(np.repeat(column, weights) for column in (times, ended, groups)))
    assert (weighted is None) == (repeated is None)
    if weighted is not None and repeated is not None:
        assert weighted.statistic == pytest.approx(repeated.statistic, abs=1e-9)


@given(ROWS)
def test_two_groups_are_compared_by_the_textbook_sum(rows: list[tuple[int, bool, str, int]]) -> None:
    difference = variance = 0.0
    for time in sorted({time for time, ended, _, _ in rows if ended}):
        at_risk = [row for row in rows if row[0] >= time]
        n, m = len(at_risk), sum(row[2] == "a" for row in at_risk)
        ends = [row for row in at_risk if row[0] == time and row[1]]
        d = len(ends)
        difference += sum(row[2] == "a" for row in ends) - d * m / n
        variance += d * m / n * (1 - m / n) * (n - d) / (n - 1) if n > 1 else 0
    times, ended, groups, _ = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    answer = log_rank_test(times, ended, groups)
    if variance < 1e-12:
        assert answer is None
    else:
        assert answer is not None
        assert answer.statistic == pytest.approx(difference**2 / variance, abs=1e-9)
        assert answer.degrees_of_freedom == 1
        assert answer.observed.sum() == pytest.approx(answer.expected.sum())


@given(ROWS, st.integers(1, 12), st.sampled_from(["log_rank", "wilcoxon", "tarone_ware", "peto"]))
def test_however_many_times_are_held_at_once_the_answer_is_one(
    rows: list[tuple[int, bool, str, int]], cells: int, weighting: str
) -> None:
    times, ended, groups, weights = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    with pytest.MonkeyPatch.context() as patch:
        whole = log_rank_test(times, ended, groups, weights=weights, weighting=weighting)
        patch.setattr(log_rank, "_BLOCK_CELLS", cells)
        parts = log_rank_test(times, ended, groups, weights=weights, weighting=weighting)
    assert (whole is None) == (parts is None)
    if whole is not None and parts is not None:
        assert parts.statistic == pytest.approx(whole.statistic, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(parts.expected, whole.expected)


def test_strata_are_compared_within_and_added() -> None:
    random = np.random.default_rng(8)
    times, groups = random.exponential(1, 80), random.integers(0, 2, 80)
    alone = [log_rank_test(times[half], [True] * 40, groups[half]) for half in (slice(40), slice(40, 80))]
    both = log_rank_test(times, [True] * 80, groups, strata=[0] * 40 + [1] * 40)
    assert both is not None
    for name in ("observed", "expected"):
        np.testing.assert_allclose(getattr(both, name), sum(getattr(part, name) for part in alone))


def test_a_difference_between_strata_is_none_between_groups() -> None:
    # Nights wait ten times as long, and group b has more of them: alike within day and within night.
    random = np.random.default_rng(9)
    night = np.concatenate((np.arange(400) < 80, np.arange(400) < 320))
    waits, groups = random.exponential(np.where(night, 10, 1)), np.repeat(["a", "b"], 400)
    crude = log_rank_test(waits, np.ones(800, bool), groups)
    stratified = log_rank_test(waits, np.ones(800, bool), groups, strata=night)
    assert crude is not None
    assert stratified is not None
    assert crude.p_value < 1e-6
    assert stratified.p_value > 0.01


def test_equal_groups_are_called_different_one_time_in_twenty() -> None:
    random, alarms = np.random.default_rng(10), []
    for _ in range(600):
        waits, watched = random.exponential(1, 90), random.uniform(0, 3, 90)
        answer = log_rank_test(np.minimum(waits, watched), waits <= watched, random.integers(0, 3, 90))
        assert answer is not None
        assert answer.degrees_of_freedom == 2
        alarms.append(answer.p_value < 0.05)
    assert 0.03 <= np.mean(alarms) <= 0.075


@pytest.mark.parametrize(
    ("times", "ended", "groups", "strata"),
    [
        ([], [], [], []),
        ([1, 2], [True, True], ["a", "a"], [0, 0]),
        ([1, 2], [False, False], ["a", "b"], [0, 0]),
        ([1, 2], [True, True], ["a", "b"], [0, 1]),
        ([1, 1], [True, True], ["a", "b"], [0, 0]),
    ],
    ids=["nobody", "one group", "all censored", "each group in its own stratum", "all end at one instant"],
)
def test_where_there_is_nothing_to_compare_there_is_no_test(
    times: list[int], ended: list[bool], groups: list[str], strata: list[int]
) -> None:
    assert log_rank_test(times, ended, groups, strata=strata) is None


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="give one of each per observation"):
        log_rank_test([1, 2], [True, True], ["a"])
    with pytest.raises(InvalidArgument, match="negative or missing"):
        log_rank_test([-1, 2], [True, True], ["a", "b"])
    with pytest.raises(InvalidArgument, match="weighting: 'gehan' is unknown"):
        log_rank_test([1], [True], ["a"], weighting="gehan")
