"""Advice: what to change, only where a verdict says so, and why."""

from datetime import date

import pandas as pd
import pytest

from ctm_analytics.charts.advice import advice_sentence, verdict_reason


@pytest.fixture
def judged(ads):
    """Frames with a verdict for each row."""

    def build(*rows):
        frame = ads(*({"ad_id": str(place), **row} for place, row in enumerate(rows)))
        for name in ("verdict", "p_below_target", "immature", "conversations", "verdict_on"):
            frame[name] = pd.Series([row.get(name) for row in rows], index=frame.index, dtype=object)
        return frame

    return build


def test_ads_to_scale_and_to_cut_are_named_with_what_they_cost_and_how_sure_that_is(judged, nothing_sold):
    scale = {"ad_name": "Good", "verdict": "scale", "p_below_target": 0.97}
    cut = {"ad_name": "Bad", "verdict": "cut", "p_below_target": 0.004, **nothing_sold}
    assert advice_sentence(judged(scale, cut), 45) == (
        "What to change: give more to “Good” ($10 per new customer; 97\xa0% sure to be below the target);"
        " stop “Bad” ($100 spent, no new customer; over 99\xa0% sure to be above the target)."
    )


def test_more_than_three_ads_are_counted(judged):
    cut = [{"ad_name": f"Bad {place}", "verdict": "cut", "p_below_target": 0.05} for place in range(5)]
    assert (
        "“Bad 2” ($10 per new customer; 95\xa0% sure to be above the target) and 2 more."
        in advice_sentence(judged(*cut), 45)
    )


def test_without_a_settled_verdict_nothing_is_to_be_changed_and_the_day_is_named(judged):
    early = {"verdict": "too_early", "verdict_on": date(2026, 11, 29)}
    assert advice_sentence(judged(early, early, {"verdict": "watch"}), 45) == (
        "What to change: nothing yet. Of the ads, 2 are too early to judge (all ripe on 29 Nov 2026)"
        " and 1 could go either way."
    )


def test_where_nothing_was_captured_nothing_is_advised(judged, nothing_sold):
    assert advice_sentence(judged(nothing_sold), 45).startswith("Change nothing yet: no ad can be judged")


def test_without_a_target_the_safest_ad_is_named(judged):
    assert advice_sentence(judged({}), None) == (
        "The safest choice is “Reel”: $10 per new customer, at most $21."
        " Every ad that spent brought at least one new customer."
    )


@pytest.mark.parametrize(
    ("ad", "reason"),
    [
        ({"verdict": "watch", "p_below_target": 0.42}, "42\xa0% likely < $45"),
        ({"verdict": "scale", "p_below_target": 0.999}, "over 99\xa0% likely < $45"),
        ({"verdict": "too_early", "immature": 1, "conversations": 40}, "too little spent"),
        ({"verdict": None}, ""),
    ],
)
def test_a_verdict_has_a_reason(ad, reason):
    assert verdict_reason(pd.Series(ad), 45, "USD") == reason
