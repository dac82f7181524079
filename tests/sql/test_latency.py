"""Latency: by whose clock, by which hour, and who still waits."""

from datetime import timedelta
from typing import Any

import pytest
from worlds import START, World

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
