"""The inbox: who waits now, and how long one may still write back."""

from datetime import UTC, timedelta
from typing import Any

from worlds import START, World

HOUR = timedelta(hours=1)


def waiting(world: World, after: timedelta, **words: Any) -> list[tuple[str, float, float]]:
    rows = world.open(as_of=START.replace(tzinfo=UTC) + after).inbox(**words).table.to_pylist()
    return [(row["contact_id"], row["waited_seconds"], row["seconds_left"]) for row in rows]


def test_an_unanswered_message_waits_from_its_turn_and_until_24_hours_after_the_last(world: World) -> None:
    world.event("p", START).event("p", START + HOUR)
    assert waiting(world, 3 * HOUR) == [("p", 3 * 3600, 22 * 3600)]


def test_an_answered_message_waits_no_more_and_the_next_one_does(world: World) -> None:
    world.event("p", START).echo("p", START + HOUR).event("q", START).echo("q", START + HOUR)
    world.event("q", START + 2 * HOUR)
    assert waiting(world, 3 * HOUR) == [("q", 3600, 23 * 3600)]


def test_a_message_whose_window_has_closed_waits_for_nobody(world: World) -> None:
    world.event("p", START)
    assert waiting(world, 24 * HOUR - timedelta(microseconds=1)) != []
    assert waiting(world, 24 * HOUR) == []


def test_an_unanswered_turn_before_an_answered_one_does_not_wait(world: World) -> None:
    # The ad opens a new conversation, and there the person is answered.
    world.event("p", START).event("p", START + HOUR, ad_id="1").echo("p", START + 2 * HOUR)
    assert waiting(world, 3 * HOUR) == []


def test_what_only_a_bot_answered_waits_for_a_person(world: World) -> None:
    world.event("p", START).echo("p", START + timedelta(seconds=1))
    world.event("q", START).echo("q", START + HOUR, responder="human")
    assert waiting(world, 2 * HOUR) == []
    assert [contact for contact, _, _ in waiting(world, 2 * HOUR, responder="human")] == ["p"]


def test_the_window_that_closes_first_stands_on_top(world: World) -> None:
    world.event("late", START + HOUR).event("early", START)
    assert [contact for contact, _, _ in waiting(world, 2 * HOUR)] == ["early", "late"]


def test_a_filter_leaves_the_others_out(world: World) -> None:
    world.event("p", START, platform="whatsapp").event("q", START, ad_id="1")
    assert [contact for contact, _, _ in waiting(world, HOUR, platform="whatsapp")] == ["p"]
    assert [contact for contact, _, _ in waiting(world, HOUR, ad="1")] == ["q"]
