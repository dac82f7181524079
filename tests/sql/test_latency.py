"""Latency: by whose clock, by which hour, and who still waits."""

from datetime import timedelta
from typing import Any

import pytest
from worlds import START, World

from ctm_analytics.errors import InvalidArgument

HOUR = timedelta(hours=1)


def latency(world: World, *, settings: str = "", **words: Any) -> list[dict[str, Any]]:
    return world.open(settings=settings).latency(**words).table.to_pylist()


@pytest.mark.parametrize("days", range(7))
def test_monday_is_the_first_day_of_the_week(world: World, days: int) -> None:
    world.event("p", START + timedelta(days=days))
    assert [row["weekday"] for row in latency(world, by="weekday")] == [days + 1]


@pytest.mark.parametrize(
    ("after_monday_midnight", "is_business"),
    [
        (8 * HOUR, True),
        (8 * HOUR - timedelta(microseconds=1), False),
        (18 * HOUR - timedelta(microseconds=1), True),
        (18 * HOUR, False),
        (4 * 24 * HOUR + 12 * HOUR, True),
        (5 * 24 * HOUR + 12 * HOUR, False),
    ],
)
def test_business_time_is_monday_to_friday_from_8_to_18(
    world: World, after_monday_midnight: timedelta, is_business: bool
) -> None:
    world.event("p", START - 8 * HOUR + after_monday_midnight)
    assert [row["is_business_time"] for row in latency(world, by="business_time")] == [is_business]


def test_the_hour_is_that_of_the_reporting_time_zone(world: World) -> None:
    world.event("p", START)
    zone = 'reporting_timezone = "America/New_York"'
    assert [row["hour"] for row in latency(world, settings=zone, by="hour")] == [3]


def test_a_message_of_a_bot_answers_but_not_as_a_person(world: World) -> None:
    world.event("p", START).echo("p", START + timedelta(seconds=1)).echo("p", START + HOUR, responder="human")
    assert latency(world)[0]["median_first_response_seconds"] == 1
    assert latency(world, responder="human")[0]["median_first_response_seconds"] == 3600


def test_who_still_waits_counts_and_the_naive_median_forgets_them(world: World) -> None:
    world.event("a", START).echo("a", START + HOUR).event("b", START).event("c", START)
    (row,) = latency(world)
    assert (row["engaged"], row["answered"], row["median_first_response_seconds"]) == (3, 1, None)
    assert (row["naive_median_first_response_seconds"], row["answered_within_24h"]) == (
        3600,
        pytest.approx(1 / 3),
    )


# Later turns.


def test_the_next_turns_have_their_own_answers_and_the_first_is_not_among_them(world: World) -> None:
    world.event("p", START).echo("p", START + HOUR)
    world.event("p", START + 2 * HOUR).echo("p", START + 5 * HOUR).event("p", START + 6 * HOUR)
    (following,) = latency(world, turns="next")
    assert (following["turns"], following["answered"], following["median_response_seconds"]) == (
        2,
        1,
        3 * 3600,
    )
    (together,) = latency(world, turns="all")
    assert (together["turns"], together["answered"]) == (3, 2)


def test_a_turn_that_a_bot_answered_waits_for_a_person_until_the_next_begins(world: World) -> None:
    world.event("p", START).echo("p", START + HOUR, responder="human")
    world.event("p", START + 2 * HOUR).echo("p", START + 2 * HOUR + timedelta(seconds=1))
    world.event("p", START + 4 * HOUR).echo("p", START + 5 * HOUR, responder="human")
    (row,) = latency(world, turns="next", responder="human")
    # One was answered after an hour; the other was watched for two hours, and nobody came.
    assert (row["turns"], row["answered"], row["naive_median_response_seconds"]) == (2, 1, 3600)
    assert row["answered_within_1h"] == 0.5


def test_by_responder_the_unanswered_stand_alone(world: World) -> None:
    world.event("a", START).echo("a", START + HOUR, responder="human")
    world.event("b", START).echo("b", START + timedelta(seconds=1))
    world.event("c", START).echo("c", START + HOUR, responder="unknown").event("d", START)
    rows = {row["responder"]: row["median_first_response_seconds"] for row in latency(world, by="responder")}
    assert rows == {"human": 3600, "bot": 1, "unknown": 3600, None: None}


# The business clock.

HOURS = '[business_hours]\nmonday = "09:00-12:00, 13:00-18:00"\ntuesday = "22:00-02:00"\nholidays = ["2026-11-10"]'


@pytest.mark.parametrize(
    ("written_after", "answered_after", "open_hours"),
    [
        (0 * HOUR, 2 * HOUR, 1),  # START is Monday 8:00: the clock starts at 9
        (3 * HOUR, 6 * HOUR, 2),  # it stands still from 12 to 13
        (9.5 * HOUR, 25.5 * HOUR, 0.5),  # half an hour until 18:00, and Tuesday's shift has not begun
        (41 * HOUR, 43 * HOUR, 1),  # Wednesday 1:00: Tuesday's shift ends at 2
        (7 * 24 * HOUR + 16 * HOUR, 7 * 24 * HOUR + 39 * HOUR, 0),  # Tuesday 10 November is a holiday
    ],
)
def test_the_business_clock_runs_only_while_the_business_is_open(
    world: World, written_after: timedelta, answered_after: timedelta, open_hours: float
) -> None:
    world.event("p", START + written_after).echo("p", START + answered_after)
    (row,) = latency(world, settings=HOURS, business_hours=True)
    assert row["median_first_response_business_seconds"] == open_hours * 3600


def test_the_business_clock_says_what_no_seconds_mean(world: World) -> None:
    workbench = world.event("p", START).echo("p", START + HOUR).open(settings=HOURS)
    assert "0 s is a message that was written and answered" in workbench.latency(business_hours=True).about
    assert "0 s" not in workbench.latency().about


def test_business_hours_are_of_the_reporting_time_zone_unless_they_name_one(world: World) -> None:
    world.event("p", START).echo("p", START + 2 * HOUR)  # 8 to 10 in UTC, 9 to 11 in Berlin
    berlin = 'reporting_timezone = "Europe/Berlin"\n' + HOURS
    (row,) = latency(world, settings=berlin, business_hours=True)
    assert row["median_first_response_business_seconds"] == 2 * 3600
    utc = berlin.replace("[business_hours]", '[business_hours]\ntimezone = "UTC"')
    (row,) = latency(world, settings=utc, business_hours=True)
    assert row["median_first_response_business_seconds"] == 3600


def test_who_still_waits_waits_on_the_business_clock_too(world: World) -> None:
    world.event("p", START).event("q", START).echo("q", START + 2 * HOUR)
    (row,) = latency(world, settings=HOURS, business_hours=True, as_of="2026-11-02T11:00:00+00:00")
    assert row["answered_within_1h_business"] == 0.5  # q after one open hour, p has waited for two
    assert (row["engaged"], row["answered"]) == (2, 1)


def test_hours_that_change_follow_each_other_by_instant_not_by_text(world: World) -> None:
    tables = '[[business_hours]]\nmonday = "09:00-17:00"\n'
    for change in ("2026-12-31T23:30:00-03:00", "2027-01-01T00:00:00+00:00"):  # 02:30 and 00:00 UTC
        tables += f"[[business_hours]]\nvalid_from = {change}\n"
    with pytest.raises(InvalidArgument, match="each table after the first needs a later valid_from"):
        latency(world.event("p", START), settings=tables)


def test_without_business_hours_there_is_no_business_clock(world: World) -> None:
    world.event("p", START)
    with pytest.raises(InvalidArgument, match=r"business_hours: none are set\. Write \[business_hours\]"):
        latency(world, business_hours=True)


# Are the groups alike?


def test_ads_that_are_answered_alike_are_said_to_be_and_others_not(world: World) -> None:
    for number in range(30):
        at = START + number * timedelta(minutes=1)
        world.event(f"a{number}", at, ad_id="1").echo(f"a{number}", at + (number + 1) * timedelta(minutes=1))
        world.event(f"b{number}", at, ad_id="2").echo(f"b{number}", at + (number + 1) * timedelta(minutes=1))
    assert "ads wait alike as far as these data tell (log-rank" in world.open().latency(by="ad").about
    for number in range(30):
        at = START + number * timedelta(minutes=1)
        world.event(f"c{number}", at, ad_id="3").echo(f"c{number}", at + 10 * HOUR)
    about = world.open().latency(by="ad").about
    assert "ads do not wait alike (log-rank within bands of six hours, p < 0.001)" in about


def test_an_ad_that_is_written_to_at_night_is_not_slower_for_that(world: World) -> None:
    # By night all wait ten hours, by day one: ad 1 has more nights, and within a band the ads wait alike.
    for number in range(40):
        for ad, nights in (("1", 30), ("2", 10)):
            is_night = number < nights
            at = START + (18 if is_night else 0) * HOUR + number * timedelta(minutes=1)
            wait = (10 if is_night else 1) * HOUR + (number % 7) * timedelta(seconds=1)
            world.event(f"{ad}-{number}", at, ad_id=ad).echo(f"{ad}-{number}", at + wait)
    assert "ads wait alike" in world.open().latency(by="ad").about


# What was not seen.


def test_an_hour_of_the_week_says_how_long_the_receiver_was_down_in_it(world: World) -> None:
    world.event("p", START).echo("p", START + timedelta(minutes=1))
    world.uptime(START - HOUR, START + timedelta(minutes=50))
    world.uptime(START + 2.25 * HOUR + timedelta(seconds=5), START + 7 * 24 * HOUR)
    rows = {(row["weekday"], row["hour"]): row for row in latency(world, by="weekday_hour")}
    assert {hour: row["blind_seconds"] for (_, hour), row in rows.items()} == {8: 600, 9: 3600, 10: 905}
    assert (rows[1, 8]["engaged"], rows[1, 9]["engaged"]) == (1, 0)
    assert rows[1, 9]["median_first_response_seconds"] is None


def test_a_gap_counts_in_the_days_and_the_zone_of_the_question(world: World) -> None:
    world.event("p", START).event("q", START + 24 * HOUR)
    for day in (0, 1, 7):
        world.uptime(START + day * 24 * HOUR + HOUR, START + (day + 1) * 24 * HOUR)
    # Down for an hour from Tuesday 8:00 UTC, and from Wednesday on until Monday 9:00.
    kolkata = 'reporting_timezone = "Asia/Kolkata"'
    rows = latency(world, settings=kolkata, by="weekday_hour", since="2026-11-02", until="2026-11-03")
    blind = {(row["weekday"], row["hour"]): row["blind_seconds"] for row in rows}
    assert blind == {(1, 13): 0, (2, 13): 1800, (2, 14): 1800}
    world.event("r", START + 48 * HOUR)
    rows = latency(world, settings=kolkata, by="weekday_hour", since="2026-11-04", until="2026-11-04")
    assert [row["blind_seconds"] for row in rows] == [1800, *[3600] * 10]  # Wednesday from 13:30 on


def test_a_week_without_gaps_was_seen_whole(world: World) -> None:
    world.event("p", START)
    assert [row["blind_seconds"] for row in latency(world, by="weekday_hour")] == [0]
