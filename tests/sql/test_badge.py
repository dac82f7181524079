"""Meta's badge: which messages count as new, which answers count, and what is enough."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from worlds import START, World

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LATER = START.replace(tzinfo=UTC) + timedelta(days=3)


def badge(world: World) -> dict[str, Any]:
    (row,) = world.open(as_of=LATER).badge().table.to_pylist()
    return row


def asked(world: World, people: int, answered: int, after: timedelta = 10 * MINUTE) -> World:
    for number in range(people):
        world.event(f"p{number}", START)
        if number < answered:
            world.echo(f"p{number}", START + after)
    return world


@pytest.mark.parametrize(
    ("answered", "after", "is_enough"),
    [
        (9, 15 * MINUTE, True),
        (8, 15 * MINUTE, False),
        (9, 15 * MINUTE + timedelta(seconds=1), False),
        (10, timedelta(minutes=1), True),
    ],
)
def test_nine_in_ten_within_fifteen_minutes_pass(
    world: World, answered: int, after: timedelta, is_enough: bool
) -> None:
    row = badge(asked(world, 10, answered, after))
    assert (row["new_messages"], row["replied"]) == (10, answered)
    assert (row["response_rate"], row["is_very_responsive"]) == (answered / 10, is_enough)


def test_the_time_is_the_mean_of_the_fastest_nine_in_ten(world: World) -> None:
    for number in range(10):
        world.event(f"p{number}", START).echo(f"p{number}", START + (number + 1) * MINUTE)
    assert badge(world)["response_time_seconds"] == 5 * 60


def test_an_instant_answer_is_none_and_the_one_by_hand_behind_it_counts(world: World) -> None:
    world.event("p", START).echo("p", START + timedelta(seconds=1)).event("q", START)
    world.echo("q", START + timedelta(seconds=1)).echo("q", START + 20 * MINUTE)
    row = badge(world)
    assert (row["replied"], row["response_time_seconds"]) == (1, 20 * 60)


def test_an_answer_of_an_app_that_is_no_known_bot_counts(world: World) -> None:
    world.event("p", START).echo("p", START + MINUTE, responder="unknown", app_id="crm")
    assert badge(world)["replied"] == 1


def test_a_message_is_new_only_after_24_hours_of_silence_by_both(world: World) -> None:
    world.event("p", START).echo("p", START + HOUR).event("p", START + 24 * HOUR)  # 23 hours of silence
    world.event("q", START).echo("q", START + HOUR).event("q", START + 25 * HOUR)
    assert badge(world)["new_messages"] == 3


def test_an_ad_that_is_clicked_within_a_day_makes_no_message_new(world: World) -> None:
    world.event("p", START).event("p", START + HOUR, ad_id="1")
    assert badge(world)["new_messages"] == 1


def test_what_the_business_began_is_no_new_message(world: World) -> None:
    world.echo("p", START).event("p", START + HOUR).event("q", START)
    assert badge(world)["new_messages"] == 1


def test_only_the_last_seven_days_count(world: World) -> None:
    world.event("p", START - timedelta(days=4)).event("q", START - timedelta(days=4) + timedelta(seconds=1))
    assert badge(world)["new_messages"] == 1


AD = {"ad_id": "1", "referral_source": "ADS"}


def test_who_answers_what_the_business_has_said_sends_no_new_message(world: World) -> None:
    world.event("p", START, "referral", **AD).echo("p", START + HOUR).event("p", START + 2 * HOUR)
    assert world.open(as_of=LATER).badge().table.num_rows == 0


def test_a_silent_click_is_no_word(world: World) -> None:
    world.event("p", START).echo("p", START + MINUTE).event("p", START + 20 * HOUR, "referral", **AD)
    world.event("p", START + 25 * HOUR, **AD | {"ad_id": "2"})
    assert badge(world)["new_messages"] == 2


def test_at_one_instant_the_message_comes_before_its_answer(world: World) -> None:
    world.event("p", START).echo("p", START, responder="human")
    row = badge(world)
    assert (row["new_messages"], row["replied"], row["response_time_seconds"]) == (1, 1, 0)


def test_a_day_before_the_seven_is_remembered_for_who_was_silent(world: World) -> None:
    first = START - timedelta(days=4) + timedelta(seconds=1)  # just within the seven days
    world.event("p", first - 24 * HOUR + timedelta(seconds=1)).event("p", first)
    world.event("q", first - 24 * HOUR).event("q", first)
    assert badge(world)["new_messages"] == 1


def test_a_reply_counts_though_its_conversation_began_before_the_days_that_are_looked_at(
    world: World,
) -> None:
    last = START - timedelta(days=2)
    for number in range(8):
        world.event("p", last - number * 25 * HOUR)
    world.echo("p", last + MINUTE)
    (row,) = world.open(settings="conversation_gap_hours = 48", as_of=LATER).badge().table.to_pylist()
    assert (row["new_messages"], row["replied"], row["response_time_seconds"]) == (2, 2, 60)
