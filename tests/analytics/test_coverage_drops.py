"""Drops in coverage: seen when capture fails, silent when it does not, and judged exactly."""

import numpy as np
import pytest
from scipy import stats

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.coverage import coverage_drop_p_values, coverage_drops


def test_the_p_value_is_the_binomial_tail_given_the_history() -> None:
    captured, reported = [48, 50, 52, 49, 51, 50, 50, 40], [50] * 7 + [60]
    p_values = coverage_drop_p_values(captured, reported)
    assert np.isnan(p_values[:7]).all()
    assert p_values[7] == pytest.approx(stats.binom(390, 60 / 410).cdf(40))


def test_a_history_that_varies_more_than_chance_makes_the_judge_milder() -> None:
    calm = coverage_drop_p_values([50] * 7 + [35], [50] * 8)[7]
    wild = coverage_drop_p_values([30, 70, 45, 55, 28, 72, 50, 35], [50] * 8)[7]
    assert calm < 0.05 < wild


def test_coverage_may_differ_from_one_without_being_a_drop() -> None:
    # Meta counts a person again only after seven days: more can be captured than it reports.
    p_values = coverage_drop_p_values([130] * 20, [100] * 20)
    assert not coverage_drops(p_values).any()


def test_a_dead_capture_is_flagged_on_every_day_until_it_is_mended() -> None:
    captured = np.array([95] * 14 + [0, 0, 3, 95, 96])
    is_drop = coverage_drops(coverage_drop_p_values(captured, [100] * 19))
    assert np.flatnonzero(is_drop).tolist() == [14, 15, 16]


def test_while_nothing_is_wrong_there_is_an_alarm_one_time_in_a_hundred() -> None:
    random, alarms = np.random.default_rng(30), []
    for _ in range(500):
        reported = random.integers(20, 60, 35)
        captured = random.poisson(0.9 * reported)
        alarms.append(coverage_drops(coverage_drop_p_values(captured, reported)).any())
    assert np.mean(alarms) <= 0.03


def test_days_without_a_report_are_not_judged_and_are_no_history() -> None:
    captured, reported = [50] * 7 + [9, 10], [50.0] * 6 + [np.nan, 0.0, 50.0]
    assert np.isnan(coverage_drop_p_values(captured, reported)).all()
    assert not np.isnan(coverage_drop_p_values([50, *captured], [50.0, *reported])[-1])


def test_where_nothing_was_ever_captured_nothing_has_dropped() -> None:
    p_values = coverage_drop_p_values([0] * 9, [50] * 9)
    assert p_values[-1] == 1
    assert not coverage_drops(p_values).any()


def test_more_days_need_stronger_evidence_each() -> None:
    assert coverage_drops([0.004]).tolist() == [True]
    assert not coverage_drops([0.004, 0.5, 0.5]).any()
    # Step by step: after the strongest, the next is measured against one day less.
    assert coverage_drops([0.0049, 0.004, 0.9]).tolist() == [False, False, False]
    assert coverage_drops([0.0049, 0.003, 0.9]).tolist() == [True, True, False]


def test_no_days_have_no_drops() -> None:
    assert coverage_drops(coverage_drop_p_values([], [])).size == 0


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="1 and 2 days"):
        coverage_drop_p_values([1], [1, 2])
    with pytest.raises(InvalidArgument, match="negative or missing"):
        coverage_drop_p_values([-1], [1])
    with pytest.raises(InvalidArgument, match="false_alarms: 5"):
        coverage_drops([0.1], 5)
