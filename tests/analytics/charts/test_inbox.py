from ctm_analytics.charts import inbox_by_time_left, inbox_finding, inbox_table

from . import frames

HOUR = 3600.0
WAITING = frames.inbox(
    (0.5 * HOUR, "ad", 23 * HOUR), (3 * HOUR, "contact", 60.0), (HOUR, "ad", 60.0), (30 * HOUR, "ad", 60.0)
)


def test_people_are_counted_by_the_time_until_their_window_closes_those_from_ads_apart():
    figure = inbox_by_time_left(WAITING)
    drawn = {trace.name: dict(zip(trace.x, trace.y, strict=True)) for trace in figure.data}
    assert drawn == {
        "From an ad (3)": {"under 1 h": 1, "1 to 4 h": 1, "4 to 12 h": 0, "12 to 24 h": 0, "24 h or more": 1},
        "Others (1)": {"under 1 h": 0, "1 to 4 h": 1, "4 to 12 h": 0, "12 to 24 h": 0, "24 h or more": 0},
    }
    assert {bool(trace.marker.pattern.shape) for trace in figure.data} == {True, False}


def test_the_finding_says_how_many_windows_close_soon_and_who_waited_longest():
    assert (
        inbox_finding(WAITING) == "4 people wait, for up to 23\xa0h; the windows of 3 close within 4 hours."
    )
    assert inbox_finding(WAITING.iloc[:1]) == (
        "1 person waits, for up to 23\xa0h; the window of 1 closes within 4 hours."
    )


def test_the_table_holds_counts_and_nobodys_id():
    table = inbox_table(WAITING)
    assert list(table["waiting"]) == [1, 2, 0, 0, 1]
    assert list(table["waiting_from_ads"]) == [1, 1, 0, 0, 1]


def test_where_nobody_waits_the_chart_says_so():
    figure = inbox_by_time_left(frames.inbox())
    assert (figure.layout.meta["finding"], figure.layout.meta["nothing"]) == (
        "Nobody waits for an answer.",
        True,
    )
    assert list(inbox_table(frames.inbox())["waiting"]) == [0, 0, 0, 0]
