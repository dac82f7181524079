"""The business clock: opening hours of every shape, changes of the clock and of the schedule, and bad input."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.business_time import Schedule, Shift, business_due, business_seconds

GREENWICH, BERLIN, NEW_YORK = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
OFFICE = tuple(Shift(weekday, 9 * 60, 17 * 60) for weekday in range(5))


def minutes(since: str, until: str, *schedules: Schedule) -> float:
    seconds = business_seconds([np.datetime64(since)], [np.datetime64(until)], schedules)
    return float(seconds[0] / 60)


def test_the_clock_stands_still_outside_hours() -> None:
    office = Schedule(GREENWICH, OFFICE)
    assert minutes("2026-11-20T18:00", "2026-11-23T09:00", office) == 0
    assert minutes("2026-11-20T16:59", "2026-11-23T09:01", office) == 2
    assert minutes("2026-11-20T10:00", "2026-11-20T10:11", office) == 11


def test_hours_are_those_of_the_zone() -> None:
    # In November Berlin is an hour ahead of UTC.
    assert minutes("2026-11-20T07:30", "2026-11-20T08:30", Schedule(BERLIN, OFFICE)) == 30


def test_a_lunch_break_does_not_count() -> None:
    split = tuple(Shift(day, *hours) for day in range(5) for hours in ((540, 720), (780, 1020)))
    assert minutes("2026-11-20T11:50", "2026-11-20T13:05", Schedule(GREENWICH, split)) == 15


def test_a_shift_past_midnight_goes_on_into_the_next_day() -> None:
    bar = Schedule(GREENWICH, (Shift(4, 20 * 60, 26 * 60),))
    assert minutes("2026-11-21T01:30", "2026-11-21T03:00", bar) == 30
    assert minutes("2026-11-20T19:00", "2026-11-22T00:00", bar) == 360


def test_overlapping_shifts_count_once() -> None:
    assert (
        minutes(
            "2026-11-20T00:00",
            "2026-11-21T00:00",
            Schedule(GREENWICH, (Shift(4, 60, 120), Shift(4, 90, 150))),
        )
        == 90
    )


def test_on_a_holiday_no_shift_begins_but_that_of_the_evening_before_ends() -> None:
    bar = Schedule(
        GREENWICH, tuple(Shift(day, 1200, 1560) for day in range(7)), frozenset({date(2026, 12, 24)})
    )
    assert minutes("2026-12-24T00:00", "2026-12-25T19:00", bar) == 120


def test_always_open_is_the_elapsed_time() -> None:
    always = Schedule(BERLIN, tuple(Shift(day, 0, 1440) for day in range(7)))
    assert minutes("2026-01-01T00:00", "2026-12-31T00:00", always) == 364 * 1440


def test_when_clocks_go_forward_the_night_shift_is_an_hour_shorter_and_in_autumn_longer() -> None:
    night = Schedule(BERLIN, (Shift(5, 22 * 60, 30 * 60),))
    assert minutes("2026-03-28T12:00", "2026-03-29T12:00", night) == 7 * 60
    assert minutes("2026-10-24T12:00", "2026-10-25T12:00", night) == 9 * 60
    assert minutes("2026-06-06T12:00", "2026-06-07T12:00", night) == 8 * 60


def test_a_wall_time_that_comes_twice_opens_at_the_first_and_closes_at_the_second() -> None:
    # On 25 October Berlin's 02:00 to 03:00 comes at 00:00 and at 01:00 UTC.
    assert minutes("2026-10-24T12:00", "2026-10-25T12:00", Schedule(BERLIN, (Shift(6, 150, 210),))) == 120
    assert minutes("2026-10-24T12:00", "2026-10-25T12:00", Schedule(BERLIN, (Shift(6, 60, 150),))) == 150


def test_a_wall_time_that_is_skipped_is_read_with_the_offset_before() -> None:
    # On 29 March 02:30 does not exist in Berlin: with winter's offset it is 01:30 UTC, which the wall calls 03:30.
    assert minutes("2026-03-28T12:00", "2026-03-29T12:00", Schedule(BERLIN, (Shift(6, 150, 300),))) == 90


def test_a_schedule_holds_until_the_next_begins_even_within_a_shift() -> None:
    change = datetime(2026, 11, 20, 12, tzinfo=UTC)
    schedules = (
        Schedule(GREENWICH, OFFICE),
        Schedule(GREENWICH, (Shift(4, 14 * 60, 15 * 60),), valid_from=change),
    )
    assert minutes("2026-11-20T09:00", "2026-11-20T17:00", *schedules) == 3 * 60 + 60
    assert minutes("2026-11-20T13:00", "2026-11-27T17:00", *schedules) == 120


def test_a_business_that_never_opens_takes_no_time_and_owes_no_reply() -> None:
    closed = Schedule(GREENWICH, ())
    assert minutes("2026-01-01T00:00", "2026-12-31T00:00", closed) == 0
    assert np.isnat(business_due([np.datetime64("2026-01-01")], 60, [closed])).all()


def test_a_missing_instant_has_no_answer_and_no_instants_have_none() -> None:
    nothing, now = np.datetime64("NaT"), np.datetime64("2026-11-20T10:00")
    assert np.isnan(business_seconds([nothing, now], [now, nothing], [Schedule(GREENWICH, OFFICE)])).all()
    assert business_seconds([], [], [Schedule(GREENWICH, OFFICE)]).size == 0
    assert np.isnat(business_due([nothing], 60, [Schedule(GREENWICH, OFFICE)])).all()


def open_at(instant: datetime, schedule: Schedule) -> bool:
    """Read the wall clock: is a shift on that began today or yesterday?"""
    wall = instant.astimezone(schedule.zone)
    for days_ago in (0, 1):
        day = wall.date() - timedelta(days=days_ago)
        minute = wall.hour * 60 + wall.minute + days_ago * 1440
        if day not in schedule.holidays and any(
            shift.weekday == day.weekday() and shift.opens_minute <= minute < shift.closes_minute
            for shift in schedule.shifts
        ):
            return True
    return False


SHIFTS = st.builds(
    lambda weekday, opens, length: Shift(weekday, opens, opens + length),
    st.integers(0, 6),
    st.integers(0, 1439),
    st.integers(1, 1440),
)


@settings(max_examples=25)
@given(
    st.lists(SHIFTS, max_size=6).map(tuple),
    st.sampled_from([GREENWICH, BERLIN, NEW_YORK, ZoneInfo("Asia/Kathmandu")]),
    st.integers(0, 4 * 1440),
    st.integers(0, 3 * 1440),
    st.sets(st.dates(date(2026, 6, 1), date(2026, 6, 9)), max_size=2),
)
def test_it_counts_what_a_wall_clock_says_minute_by_minute(shifts, zone, start, length, holidays) -> None:
    schedule = Schedule(zone, shifts, frozenset(holidays))
    since = datetime(2026, 6, 2, tzinfo=UTC) + timedelta(minutes=start)
    ticks = [since + timedelta(minutes=minute) for minute in range(length)]
    until = since + timedelta(minutes=length)
    counted = minutes(*(instant.replace(tzinfo=None).isoformat() for instant in (since, until)), schedule)
    assert counted == sum(open_at(tick, schedule) for tick in ticks)


@settings(max_examples=40)
@given(
    st.lists(SHIFTS, min_size=1, max_size=6).map(tuple),
    st.sampled_from([GREENWICH, BERLIN, NEW_YORK]),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
    st.integers(1, 10**6),
)
def test_what_is_due_is_due_when_the_clock_has_run_so_long(shifts, zone, since, allowed) -> None:
    schedule = [Schedule(zone, shifts)]
    start = np.array([since], dtype="datetime64[us]")
    due = business_due(start, allowed, schedule)
    if not np.isnat(due[0]):
        assert business_seconds(start, due, schedule)[0] == allowed
        assert business_seconds(start, due - np.timedelta64(1, "us"), schedule)[0] < allowed


@settings(max_examples=40)
@given(
    st.lists(st.datetimes(datetime(2026, 2, 1), datetime(2026, 12, 1)), min_size=3, max_size=3).map(sorted)
)
def test_two_stretches_last_as_long_as_the_whole(instants: list[datetime]) -> None:
    first, middle, last = np.array(instants, dtype="datetime64[us]")
    change = datetime(2026, 7, 1, 13, 7, tzinfo=UTC)
    schedules = [Schedule(BERLIN, OFFICE), Schedule(NEW_YORK, (Shift(2, 1300, 1700),), valid_from=change)]
    parts = business_seconds([first, middle], [middle, last], schedules)
    assert parts.sum() == pytest.approx(business_seconds([first], [last], schedules)[0], abs=1e-6)


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (Shift(7, 0, 60), "no such day"),
        (Shift(0, 1440, 1500), "no such day or minute"),
        (Shift(0, 600, 540), "Add 1440 to end after midnight"),
        (Shift(0, 600, 2041), "at most a day"),
    ],
)
def test_hours_that_no_clock_shows_are_refused(shift: Shift, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        Schedule(GREENWICH, (shift,))


def test_instants_and_schedules_that_contradict_each_other_are_refused() -> None:
    now, later = np.datetime64("2026-11-20T10:00"), np.datetime64("2026-11-20T11:00")
    office = Schedule(GREENWICH, OFFICE)
    with pytest.raises(InvalidArgument, match="1 and 2 instants"):
        business_seconds([now], [now, later], [office])
    with pytest.raises(InvalidArgument, match="before its since"):
        business_seconds([later], [now], [office])
    with pytest.raises(InvalidArgument, match="there is none"):
        business_seconds([now], [later], [])
    with pytest.raises(InvalidArgument, match="needs a later valid_from"):
        business_seconds([now], [later], [office, office])
    with pytest.raises(InvalidArgument, match="has no zone"):
        Schedule(GREENWICH, OFFICE, valid_from=datetime(2026, 1, 1))
    with pytest.raises(InvalidArgument, match="allowed_seconds: 0"):
        business_due([now], 0, [office])
