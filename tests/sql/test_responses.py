"""Turns: each run of inbound messages waits for its own answer."""

from datetime import timedelta
from typing import Any

from worlds import START, World

MINUTE = timedelta(minutes=1)


def turns(world: World, **settings: Any) -> list[dict[str, Any]]:
    return world.open(**settings).sql("from responses order by contact_id, turn_started_at").table.to_pylist()


def test_a_run_of_messages_is_one_turn_answered_once(world: World) -> None:
    world.event("p", START).event("p", START + MINUTE).echo("p", START + 3 * MINUTE).echo(
        "p", START + 4 * MINUTE
    )
    (turn,) = turns(world)
    assert (turn["messages_in"], turn["messages_out"], turn["response_seconds"]) == (2, 2, 180)


def test_a_slow_follow_up_shows_in_a_turn_of_its_own(world: World) -> None:
    world.event("p", START).echo("p", START + MINUTE).event("p", START + 2 * MINUTE).echo(
        "p", START + 62 * MINUTE
    )
    assert [turn["response_seconds"] for turn in turns(world)] == [60, 3600]


def test_a_turn_without_answer_has_none(world: World) -> None:
    world.event("p", START)
    (turn,) = turns(world)
    assert (turn["responded_at"], turn["responder"], turn["response_seconds"]) == (None, None, None)


def test_what_the_business_sends_first_answers_nothing(world: World) -> None:
    world.echo("p", START).event("p", START + MINUTE)
    (turn,) = turns(world)
    assert turn["responded_at"] is None


def test_a_touch_ends_the_turn_of_the_conversation_before(world: World) -> None:
    world.event("p", START).event("p", START + MINUTE, ad_id="1").echo("p", START + 2 * MINUTE)
    assert [turn["response_seconds"] for turn in turns(world)] == [None, 60]


def test_an_answer_in_less_than_two_seconds_is_a_bots_unless_known_to_be_a_persons(world: World) -> None:
    just_under = timedelta(seconds=2, microseconds=-1)
    world.event("a", START).echo("a", START + just_under)
    world.event("b", START).echo("b", START + timedelta(seconds=2))
    world.event("c", START).echo("c", START + just_under, responder="human")
    assert [turn["responder"] for turn in turns(world)] == ["bot", "unknown", "human"]


def test_a_listed_app_is_a_bot_however_slow(world: World) -> None:
    world.event("p", START).echo("p", START + 60 * MINUTE, app_id="55")
    assert turns(world, settings='bot_app_ids = ["55"]')[0]["responder"] == "bot"
