"""Intervals cover the truth about as often as they say, and the naive figures beside them do not."""

import numpy as np

from ctm_analytics.statistics.intervals import cac_interval
from ctm_analytics.statistics.survival import kaplan_meier

TRIALS = 1500


def test_the_cac_interval_covers_the_true_cac() -> None:
    # A customer truly costs 40; an ad spends 300: 7.5 customers on average.
    customers = np.random.default_rng(1).poisson(300 / 40, TRIALS)
    intervals = [cac_interval(300.0, int(count)) for count in customers]
    covered = np.mean([low <= 40 <= (high or np.inf) for low, high in intervals])
    # Exact intervals cover at least as often as they say; at this mean a little more (Garwood 1936).
    assert 0.945 <= covered <= 0.985


def test_the_share_answered_covers_the_true_share_where_the_answered_alone_are_far_off() -> None:
    # Answers take 2 h on average; who has no answer yet has been watched for up to 4 h. True share within 1 h: 39 %.
    random, truth = np.random.default_rng(2), 1 - np.exp(-0.5)
    covered, naive = [], []
    for _ in range(TRIALS):
        answer, watched = random.exponential(2, 80), random.uniform(0, 4, 80)
        curve = kaplan_meier(np.minimum(answer, watched), answer <= watched)
        assert curve is not None
        share = curve.ended_by(1.0)
        assert share is not None
        assert share.low is not None
        assert share.high is not None
        covered.append(share.low <= truth <= share.high)
        naive.append(np.mean(answer[answer <= watched] <= 1))
    assert 0.93 <= np.mean(covered) <= 0.97
    assert np.mean(naive) > truth + 0.1
