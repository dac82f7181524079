from datetime import date

import numpy as np
import pandas as pd
import pytest

from ctm_analytics.charts import (
    daily_trend,
    funnel,
    funnel_finding,
    response_curve,
    response_finding,
    response_table,
    trend_finding,
    weekday_hour,
    weekday_hour_finding,
)
from ctm_analytics.charts.daily_trend import changes
from ctm_analytics.charts.theme import BLUE, GREY


def stages(*counts):
    names = ("Link clicks", "Conversations", "Bought")
    before = [None, *counts[:-1]]
    return pd.DataFrame(
        {
            "stage": names[: len(counts)],
            "count": pd.array(counts, "Int64"),
            "lost": [
                None if last is None else last - count for last, count in zip(before, counts, strict=True)
            ],
            "loss": [None, "clicked, no chat", "no sale"][: len(counts)],
            "share_of_previous": [
                count / last if last else None for last, count in zip(before, counts, strict=True)
            ],
            "share_of_first": [count / counts[0] if counts[0] else None for count in counts],
            "cost_each": [100 / count if count else None for count in counts],
        }
    )


def curve(**groups):
    frames = [
        pd.DataFrame(
            {
                "group": name,
                "seconds": [float(seconds) for seconds, _ in steps],
                "answered_share": [share for _, share in steps],
                "low": [share - 0.05 for _, share in steps],
                "high": [share + 0.05 for _, share in steps],
                "at_risk": range(len(steps), 0, -1),
            }
        )
        for name, steps in groups.items()
    ]
    return pd.concat(frames, ignore_index=True)


def hours(*rows):
    columns = ["weekday", "hour", "engaged", "median_first_response_seconds", "blind_seconds"]
    return pd.DataFrame([(*row, 0.0)[:5] for row in rows], columns=columns)


def days(*rows):
    frame = pd.DataFrame(rows, columns=["day", "spend", "conversations", "sales"])
    return frame.assign(day=pd.to_datetime(frame["day"]), currency="USD")


def test_a_funnel_is_drawn_in_bars_since_partial_bundles_draw_a_funnel_trace_as_a_line():
    assert {trace.type for trace in funnel(stages(400, 200, 20)).data} == {"bar"}


def test_behind_each_bar_stands_what_the_step_before_it_had():
    lost, kept = funnel(stages(400, 200, 20)).data
    assert (lost.marker.color, list(lost.x)) == (GREY, [None, 400, 200])
    assert (kept.marker.color, list(kept.x)) == (BLUE, [400, 200, 20])


def test_each_loss_is_named_beside_its_bar():
    words = [annotation.text for annotation in funnel(stages(400, 200, 20)).layout.annotations]
    assert "200 lost: clicked, no chat" in words[1]
    assert "50\xa0% of previous" in words[1]


def test_a_stage_that_counts_more_by_other_rules_is_no_loss():
    assert "20 more than before: other rules" in funnel(stages(400, 420)).layout.annotations[1].text


def test_the_funnel_finds_the_step_with_the_largest_loss():
    assert funnel_finding(stages(400, 200, 20), currency="USD") == (
        "20 of 400 link clicks (5\xa0%) get as far as “Bought”, at $5 each; the largest loss comes just before"
        " “Bought”: 90\xa0%."
    )


@pytest.mark.parametrize("empty", [stages(400).iloc[:0], stages(0, 0), stages(0)])
def test_a_funnel_of_nothing_says_so(empty):
    assert funnel_finding(empty) == "Nothing happened in this period."
    assert funnel(empty).layout.annotations[0].text == "Nothing happened in this period."


def test_the_response_curve_is_a_step_with_a_band_on_a_logarithmic_time_axis():
    figure = response_curve(curve(All=[(60, 0.3), (252, 0.5), (4000, 0.8)]))
    low, high, middle, _ = figure.data
    assert middle.line.shape == "hv"
    assert high.fill == "tonexty"
    assert all(np.asarray(low.y) <= np.asarray(high.y))
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.ticktext)[:3] == ["10\xa0s", "1\xa0min", "5\xa0min"]


def test_before_the_first_response_nobody_is_answered_and_a_step_holds_until_the_next():
    middle = response_curve(curve(All=[(60, 0.3), (252, 0.5), (4000, 0.8)])).data[2]
    share_at = dict(zip(middle.x, middle.y, strict=True))
    assert {share for seconds, share in share_at.items() if seconds < 60} == {0.0}
    assert {share for seconds, share in share_at.items() if 253 < seconds < 3999} == {0.5}


def test_the_median_is_marked_and_said():
    figure = response_curve(curve(All=[(60, 0.3), (252, 0.5)]))
    assert figure.data[-1].text == ("half: 4\xa0min 12\xa0s",)
    assert (
        response_finding(curve(All=[(60, 0.3), (252, 0.5)])) == "Half are answered within 4\xa0min 12\xa0s."
    )


def test_where_fewer_than_half_are_answered_no_median_is_claimed():
    slow = curve(All=[(60, 0.3), (900, 0.41)])
    assert response_finding(slow) == "Fewer than half are answered (41\xa0%)."
    assert all(trace.mode != "markers+text" for trace in response_curve(slow).data)


def test_groups_differ_in_dash_and_colour_and_are_all_in_the_finding():
    two = curve(Office=[(60, 0.6)], Nights=[(3600, 0.4), (7200, 0.5)])
    lines = [trace for trace in response_curve(two).data if trace.showlegend is None]
    assert len({(line.line.dash, line.line.color) for line in lines}) == 2
    assert response_finding(two) == "Half are answered within 1\xa0min (Office), 2\xa0h (Nights)."


def test_the_table_of_the_curve_reads_it_at_round_times():
    table = response_table(curve(All=[(60, 0.3), (252, 0.5)])).set_index("seconds")["answered_share"]
    assert (table[10.0], table[60.0], table[300.0], table[86_400.0]) == (0.0, 0.3, 0.5, 0.5)


def test_no_responses_give_a_sentence_instead_of_a_curve():
    empty = curve(All=[(60, 0.3)]).iloc[:0]
    assert (
        response_curve(empty).layout.annotations[0].text
        == "Nobody wrote in this period, or nobody was answered."
    )


def test_latency_and_volume_stand_in_maps_of_their_own():
    figure = weekday_hour(hours((1, 9, 20, 120.0), (7, 23, 5, 7200.0)))
    latency, volume = (trace for trace in figure.data if trace.type == "heatmap")
    assert latency.z[0][9] == pytest.approx(np.log10(120))
    assert volume.z[6][23] == 5
    assert np.isnan(volume.z[3][3])


def test_each_cell_says_its_value_in_black_on_light_and_white_on_dark():
    figure = weekday_hour(hours((1, 9, 20, 120.0), (7, 23, 5, 7200.0)))
    words = next(trace for trace in figure.data if trace.type == "scatter")
    assert list(words.text) == ["2m", "2h"]
    assert list(words.textfont.color) == ["#ffffff", "#000000"]


def test_the_busiest_hour_and_the_slowest_busy_hour_are_named():
    frame = hours((1, 9, 20, 120.0), (2, 18, 10, 900.0))
    assert weekday_hour_finding(frame) == (
        "Most people write on Mon from 09:00; of the busy hours, they wait longest on Tue from 18:00"
        " (median 15\xa0min)."
    )


def test_an_hour_of_which_fewer_than_half_were_answered_is_the_slowest_and_not_empty():
    frame = hours((1, 9, 20, 120.0), (6, 16, 11, None), (7, 3, 2, None), (7, 23, 5, 7200.0))
    figure = weekday_hour(frame)
    latency = figure.data[0]
    assert latency.z[5][16] == latency.z[6][23] == pytest.approx(np.log10(7200))
    assert "fewer than half were answered (of 11 people)" in latency.customdata[5][16]
    assert "nobody wrote" in latency.customdata[5][15]
    few, waits, _ = (list(trace.text) for trace in figure.data if trace.type == "scatter")
    assert (few, waits) == (["…"], ["2m", "…", "2h"])
    assert "(…: under half answered; pale: fewer than 5 people)" in figure.layout.annotations[0].text
    assert weekday_hour_finding(frame) == (
        "Most people write on Mon from 09:00; of the busy hours, they wait longest on Sat from 16:00"
        " (fewer than half were answered)."
    )


def test_hours_without_any_answer_are_as_bright_as_the_longest():
    figure = weekday_hour(hours((1, 9, 20, None)))
    assert figure.data[0].z[0][9] == pytest.approx(np.log10(86_400))


def test_an_hour_that_was_not_captured_all_the_time_is_not_said_to_be_slow():
    assert weekday_hour_finding(hours((1, 9, 20, None, 600.0))) == "Most people write on Mon from 09:00."


def test_an_hour_that_was_not_captured_all_the_time_is_grey_in_both_maps_and_says_so():
    figure = weekday_hour(hours((1, 9, 20, 120.0), (1, 10, 3, 7200.0, 600.0), (2, 4, 0, None, 3600.0)))
    maps = [trace for trace in figure.data if trace.name == "map"]
    grey = [trace for trace in figure.data if trace.name == "not captured"]
    for shown, over in zip(maps, grey, strict=True):
        assert np.argwhere(~np.isnan(over.z)).tolist() == [[0, 10], [1, 4]]
        assert np.isnan(shown.z[0][10])
        assert shown.customdata[1][4].endswith("not captured for 1\xa0h")
    assert "2h (of 3 people), not captured for 10\xa0min" in maps[0].customdata[0][10]
    words = next(trace for trace in figure.data if trace.type == "scatter")
    assert dict(zip(words.text, words.textfont.color, strict=True))["2h"] == "#000000"
    assert figure.layout.annotations[0].text.endswith("(grey: not captured all the time)</b>")


def test_an_empty_week_gives_a_sentence_instead_of_maps():
    assert weekday_hour(hours()).layout.annotations[0].text == "Nobody wrote in this period."


def test_the_mean_begins_when_seven_days_are_known():
    frame = days(*((f"2026-11-{day:02d}", 100.0, 10, 1.0) for day in range(1, 15)))
    figure = daily_trend(frame, since=date(2026, 11, 8), until=date(2026, 11, 14))
    mean = next(trace for trace in figure.data if trace.name == "Mean of seven days")
    assert np.isnan(mean.y[:6]).all()
    assert list(mean.y[6:]) == [100.0] * 8


def test_a_day_without_a_row_had_no_conversation_and_its_spend_is_unknown():
    figure = daily_trend(
        days(("2026-11-01", 100.0, 10, 1.0), ("2026-11-03", None, 10, 1.0)),
        since=date(2026, 11, 1),
        until=date(2026, 11, 3),
    )
    daily = [trace for trace in figure.data if trace.name == "Day"]
    assert np.isnan(daily[0].y[1:]).all()
    assert daily[1].y[1] == 0


def test_the_period_of_the_report_is_shaded_in_every_panel():
    frame = days(*((f"2026-11-{day:02d}", 100.0, 10, 1.0) for day in range(1, 15)))
    shapes = daily_trend(frame, since=date(2026, 11, 8), until=date(2026, 11, 14)).layout.shapes
    assert [shape.yref for shape in shapes] == ["y domain", "y2 domain", "y3 domain"]
    assert str(shapes[0].x0).startswith("2026-11-07 12")


def test_the_trend_compares_the_period_with_the_days_before():
    frame = days(("2026-11-01", 100.0, 10, 2.0), ("2026-11-02", 300.0, 20, 12.0))
    assert trend_finding(frame, since=date(2026, 11, 2), until=date(2026, 11, 2)) == (
        "Per day: $300 spent, 20 conversations, 12 sales; in the day before: $100 spent, 10 conversations,"
        " 2.0 sales."
    )


def test_a_trend_of_no_days_says_so():
    assert (
        trend_finding(days(), since=date(2026, 11, 2), until=date(2026, 11, 2))
        == "There is no data for these days."
    )
    assert daily_trend(days(), since=date(2026, 11, 2), until=date(2026, 11, 2)).layout.annotations[
        0
    ].text == ("There is no data for these days.")


def test_a_median_of_fewer_than_five_people_is_pale_and_colours_nothing():
    figure = weekday_hour(hours((1, 9, 20, 120.0), (7, 23, 4, 7200.0)))
    latency, volume, pale = (trace for trace in figure.data if trace.type == "heatmap")
    assert np.isnan(latency.z[6][23])
    assert volume.z[6][23] == 4
    assert np.argwhere(~np.isnan(pale.z)).tolist() == [[6, 23]]
    assert pale.opacity < 0.5
    words = {trace.name: list(trace.text) for trace in figure.data if trace.type == "scatter"}
    assert words["few people's words"] == ["2h"]
    assert figure.layout.annotations[0].text.endswith("(pale: fewer than 5 people)</b>")


def test_where_no_hour_has_five_people_waits_are_not_compared():
    assert weekday_hour_finding(hours((1, 9, 4, 120.0), (2, 9, 3, 60.0))) == (
        "Most people write on Mon from 09:00; not enough data to compare waits by the hour."
    )


def test_beside_each_bar_stand_its_shares_and_its_cost_and_on_the_first_what_was_spent():
    words = [words.text for words in funnel(stages(400, 200, 20), currency="JPY").layout.annotations]
    assert words[0] == "<b>400</b>  ¥0 each<br><span style='font-size:11px'>for ¥100 of ad spend</span>"
    assert words[2].startswith("<b>20</b>  10\xa0% of previous  5\xa0% of all  ¥5 each")


def trend_of(*names):
    """Draw a day for each name: that of an ad that began to spend, or None."""
    dates = [f"2026-11-{day:02d}" for day in range(1, len(names) + 1)]
    starts = pd.DataFrame({"first_spend_day": pd.to_datetime(dates), "ad_name": names}).dropna()
    return daily_trend(days(*((day, 100.0, 10, 1) for day in dates)), starts=starts)


def test_an_ad_that_begins_to_spend_is_marked_on_its_day():
    figure = trend_of(None, None, "Reel <b>", None)
    mark = next(trace for trace in figure.data if trace.name == "Changes")
    assert (list(mark.x), list(mark.customdata)) == (["2026-11-03"], ["starts: Reel &lt;b&gt;"])
    assert "▼" in figure.layout.xaxis.title.text
    assert "▼" not in trend_of(None, None).layout.xaxis.title.text


@pytest.mark.parametrize(
    ("spend", "found"),
    [
        ([100] * 6 + [140] * 6, [("2026-11-07", "spend +40\xa0%")]),
        ([100] * 6 + [60] * 6, [("2026-11-07", "spend −40\xa0%")]),
        ([100] * 6 + [120] * 6, []),
        ([100] * 3 + [0] * 6, []),
        ([100] * 2, []),
        ([None] * 6, []),
    ],
)
def test_a_jump_of_the_spend_by_thirty_percent_or_more_is_a_change_on_its_first_day(spend, found):
    frame = days(*((f"2026-11-{day:02d}", value, 10, 1) for day, value in enumerate(spend, start=1)))
    assert [(str(day.date()), change) for day, change in changes(frame).itertuples(index=False)] == found


def test_with_many_changes_their_words_are_left_to_the_pointer():
    figure = trend_of(None, *(f"Ad {place}" for place in range(9)))
    mark = next(trace for trace in figure.data if trace.name == "Changes")
    assert (mark.mode, len(mark.x)) == ("markers", 9)


def test_the_day_on_which_clocks_change_is_one_day_like_any_other():
    frame = days(
        *((f"2026-10-{day}", 100.0, 10, 1) for day in (23, 24, 26, 27))
    )  # 25 October has 25 hours in Berlin
    figure = daily_trend(frame, since=date(2026, 10, 24), until=date(2026, 10, 26))
    assert list(figure.data[0].x) == [f"2026-10-{day}" for day in range(23, 28)]
    assert {(shape.x0, shape.x1) for shape in figure.layout.shapes} == {
        (pd.Timestamp("2026-10-23 12:00"), pd.Timestamp("2026-10-26 12:00"))
    }


def test_without_a_period_all_days_are_the_period():
    frame = days(("2026-11-01", 10.0, 20, 2), ("2026-11-02", 30.0, 40, 4))
    assert trend_finding(frame) == "Per day: $20 spent, 30 conversations, 3.0 sales."
    assert not daily_trend(frame).layout.shapes
