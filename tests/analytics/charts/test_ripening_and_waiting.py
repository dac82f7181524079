import pandas as pd
import pytest

from ctm_analytics.charts import (
    badge_finding,
    badge_test,
    cohort_curves,
    cohort_finding,
    cohort_table,
    waits_by_group,
    waits_finding,
)

from . import frames

WEEKS = [pd.Timestamp("2026-10-19") + pd.Timedelta(days=7 * place) for place in range(6)]


def weeks(*too_young):
    """Six weekly cohorts; ``too_young``: of the last one, by age."""
    ripened = frames.cohorts([str(week.date()) for week in WEEKS], by=("week",))
    ripened["week"] = pd.to_datetime(ripened["cohort"])
    newest = ripened["cohort"] == str(WEEKS[-1].date())
    ripened.loc[newest, "too_young"] = list(too_young) or 0
    return ripened


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_a_day_for_which_somebody_is_too_young_is_not_drawn():
    newest = traces(cohort_curves(weeks(0, 0, 1, 9)))["Week from 23 Nov (55)"]
    assert list(newest.x) == [0, 1]
    assert list(newest.y) == [0.0, 0.02]
    table = cohort_table(weeks(0, 0, 1, 9))
    assert table.loc[table["cohort"] == "2026-11-23", "age_days"].max() == 1


def test_a_cohort_that_is_not_a_day_old_is_not_drawn():
    figure = cohort_curves(weeks(0, 5, 5, 5))
    assert [name for name in traces(figure) if name and "23 Nov" in name] == []
    assert cohort_curves(weeks(0, 5, 5, 5).tail(4)).layout.meta["nothing"] is True


def test_the_last_three_cohorts_stand_out_and_the_others_share_one_word_of_the_legend():
    figure = cohort_curves(weeks())
    assert [trace.name for trace in figure.data if trace.showlegend is not False and trace.name] == [
        "Earlier (3)", "Week from 9 Nov (53)", "Week from 16 Nov (54)", "Week from 23 Nov (55)",
    ]  # fmt: skip


def test_the_newest_cohort_is_compared_at_its_own_age():
    ripened = weeks(0, 0, 1, 9)
    assert cohort_finding(ripened) == (
        "2.0\xa0% of the 55 people of the week from 23 Nov have bought within 1 day; of earlier ones 2.0\xa0% at"
        " that age: no clear difference."
    )


@pytest.mark.parametrize(("low", "high", "judged"), [(0.03, 0.05, "more"), (0.001, 0.015, "less")])
def test_a_cohort_whose_interval_leaves_the_others_behind_is_clearly_different(low, high, judged):
    ripened = weeks(0, 0, 1, 9)
    newest = (ripened["cohort"] == "2026-11-23") & (ripened["age_days"] == 1)
    ripened.loc[newest, ["bought_share_low", "bought_share_high"]] = [low, high]
    assert cohort_finding(ripened).endswith(f"clearly {judged} now.")


def test_of_ads_a_day_is_drawn_as_long_as_half_of_their_people_are_that_old():
    ripened = frames.cohorts(["Reel"])
    ripened["too_young"] = [0, 20, 26, 40]  # of 50
    assert list(traces(cohort_curves(ripened))["Reel (50)"].x) == [0, 1]


def test_an_account_is_drawn_against_both_limits_of_the_badge():
    figure = badge_test(frames.badge(["1"]).assign(response_rate=0.7, is_very_responsive=False))
    rate, _, seconds, _ = figure.data
    assert (rate.x[0], seconds.x[0]) == (0.7, 60.0)
    assert {tuple(trace.x) for trace in figure.data if trace.name == "What the badge asks"} == {
        (0.9, 0.9), (900.0, 900.0),
    }  # fmt: skip


def test_an_account_that_fails_hears_what_it_lacks():
    slow = frames.badge(["1"]).assign(response_time_seconds=1800.0, is_very_responsive=False)
    assert badge_finding(slow) == (
        "The account fails the test of Meta’s badge: answers take 30\xa0min, where 15\xa0min are asked."
    )
    assert badge_finding(frames.badge(["1"])) == (
        "The account passes the test of Meta’s badge: 95\xa0% answered, in 1\xa0min."
    )
    assert badge_finding(frames.badge(["1", "2"])) == "2 of 2 accounts pass the test of Meta’s badge."


def test_an_account_that_answers_nobody_has_no_time_to_draw():
    silent = frames.badge(["1"]).assign(
        replied=0, response_rate=0.0, response_time_seconds=None, is_very_responsive=False
    )
    assert badge_finding(silent).endswith("0\xa0% answered, where 90\xa0% are asked.")
    assert badge_test(silent).data[2].x == (None,)


def test_each_ad_s_median_is_drawn_with_its_interval_the_fastest_on_top():
    figure = waits_by_group(frames.latency(["Fast", "Slow"]))
    assert figure.layout.yaxis.ticktext == ("Fast", "Slow")
    median = traces(figure)["Median"]
    assert list(median.x) == [100.0, 200.0]
    assert list(median.error_x.array) == [50.0, 100.0]


def test_waits_that_chance_may_explain_are_said_to():
    assert waits_finding(frames.latency(["Fast", "Slow"])).endswith("longest for “Slow” (3\xa0min 20\xa0s).")
    close = frames.latency(["Fast", "Slow"]).assign(median_first_response_seconds_high=300.0)
    assert waits_finding(close).endswith("which may be chance.")


def test_groups_of_which_fewer_than_half_are_answered_are_counted_not_drawn():
    latency = frames.latency(["Fast", "Never"])
    latency.loc[1, [name for name in latency.columns if name.startswith("median")]] = None
    figure = waits_by_group(latency)
    assert figure.layout.yaxis.ticktext == ("Fast",)
    assert "Not drawn: 1 of 2" in figure.layout.xaxis.title.text


def test_hours_keep_their_order():
    latency = frames.latency(["", ""]).drop(columns=["ad_id", "ad_name"]).assign(hour=[22, 9])
    latency = latency.sort_values("hour").reset_index(drop=True)
    assert waits_by_group(latency).layout.yaxis.ticktext == ("09:00–10:00", "22:00–23:00")
