"""Conversations: what opens one, who is in it, and how its columns are counted."""

from datetime import timedelta
from typing import Any

import pytest
from worlds import START, World

HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)


def conversations(world: World, **settings: Any) -> list[dict[str, Any]]:
    rows = world.open(**settings).conversations().table.to_pylist()
    return sorted(rows, key=lambda row: (row["contact_id"], row["opened_at"]))


def test_silence_of_exactly_24_hours_opens_a_new_conversation(world: World) -> None:
    world.event("p", START).event("p", START + 24 * HOUR)
    assert len(conversations(world)) == 2


def test_silence_of_a_microsecond_less_than_24_hours_does_not(world: World) -> None:
    world.event("p", START).event("p", START + 24 * HOUR - MICROSECOND)
    assert len(conversations(world)) == 1


def test_a_touch_opens_a_conversation_in_the_midst_of_another(world: World) -> None:
    world.event("p", START).event("p", START + HOUR, ad_id="1")
    assert [row["opened_by"] for row in conversations(world)] == ["contact", "ad"]


@pytest.mark.parametrize("kind", ["read", "delivery", "reaction", "status", "edit", "deletion", "test"])
def test_what_is_no_activity_neither_opens_nor_extends_a_conversation(world: World, kind: str) -> None:
    world.event("p", START).event("p", START + 23 * HOUR, kind).event("p", START + 25 * HOUR)
    assert [row["messages_in"] for row in conversations(world)] == [1, 1]


def test_opened_by_tells_ad_link_contact_and_business_apart(world: World) -> None:
    world.event("a", START, ad_id="1").event("b", START, "referral", ref="flyer").event("c", START)
    world.echo("d", START)
    assert [row["opened_by"] for row in conversations(world)] == ["ad", "link", "contact", "business"]


def test_a_person_who_opens_and_says_nothing_is_not_engaged(world: World) -> None:
    world.event("p", START, "referral", ad_id="1").echo("p", START + HOUR)
    (row,) = conversations(world)
    assert (row["engaged"], row["answered"], row["first_response_at"]) == (False, False, None)


def test_a_postback_engages(world: World) -> None:
    world.event("p", START, "postback", ad_id="1")
    assert conversations(world)[0]["engaged"]


def test_the_clock_runs_from_the_first_inbound_message_to_the_first_outbound_one_after_it(
    world: World,
) -> None:
    world.echo("p", START - HOUR).event("p", START).event("p", START + HOUR).echo("p", START + 2 * HOUR)
    (row,) = conversations(world)
    assert row["first_response_seconds"] == 7200


def test_at_one_instant_inbound_comes_before_outbound(world: World) -> None:
    world.echo("p", START).event("p", START)
    (row,) = conversations(world)
    assert (row["opened_by"], row["first_response_seconds"]) == ("contact", 0)


def test_a_human_response_is_one_known_to_come_from_a_person(world: World) -> None:
    world.event("p", START).echo("p", START + HOUR).echo("p", START + 2 * HOUR, responder="human")
    (row,) = conversations(world)
    assert (row["first_response_seconds"], row["first_human_response_seconds"]) == (3600, 7200)


def test_an_app_listed_as_human_answers_as_a_person(world: World) -> None:
    world.event("p", START).echo("p", START + HOUR, app_id="77")
    (row,) = conversations(world, settings='human_app_ids = ["77"]')
    assert row["first_human_response_seconds"] == 3600


def test_an_answer_in_the_conversation_after_does_not_answer_the_one_before(world: World) -> None:
    world.event("p", START).event("p", START + HOUR, ad_id="1").echo("p", START + 2 * HOUR)
    assert [row["answered"] for row in conversations(world)] == [False, True]


def test_the_window_closes_24_hours_after_the_last_inbound_message(world: World) -> None:
    world.event("p", START).event("p", START + HOUR).echo("p", START + 2 * HOUR)
    (row,) = conversations(world)
    assert row["window_closes_at"].replace(tzinfo=None) == START + 25 * HOUR


def test_a_message_sent_after_the_window_is_outside_it(world: World) -> None:
    world.event("p", START).echo("p", START + 24 * HOUR)
    world.event("q", START).echo("q", START + 24 * HOUR + MICROSECOND)
    opened = [
        (row["contact_id"], row["outside_window"]) for row in conversations(world) if row["messages_out"]
    ]
    assert opened == [("p", False), ("q", True)]


def test_the_id_of_a_conversation_survives_later_and_late_data(world: World) -> None:
    world.event("p", START + HOUR)
    before = conversations(world)[0]["conversation_id"]
    world.event("p", START + 2 * HOUR).event("p", START + 80 * HOUR).event("q", START)
    assert before in {row["conversation_id"] for row in conversations(world)}


def test_the_same_person_at_two_accounts_is_two_contacts(world: World) -> None:
    world.event("p", START).event("p", START + HOUR, account="page-2")
    assert len(conversations(world)) == 2


def test_two_ads_clicked_at_one_instant_open_one_conversation_of_the_greater_id(world: World) -> None:
    world.event("p", START, ad_id="1").event("p", START, ad_id="2")
    assert [row["ad_id"] for row in conversations(world)] == ["2"]


def test_each_platform_may_have_its_own_messaging_window(world: World) -> None:
    for platform in ("messenger", "whatsapp"):
        world.event("p", START, platform=platform).echo("p", START + 48 * HOUR, platform=platform)
    settings = "messaging_window_hours = { messenger = 168 }"
    rows = world.open(settings=settings).conversations().table.to_pylist()
    opened = {(row["platform"], row["opened_by"]): row for row in rows}
    assert opened["messenger", "contact"]["window_closes_at"].replace(tzinfo=None) == START + 168 * HOUR
    assert opened["whatsapp", "contact"]["window_closes_at"].replace(tzinfo=None) == START + 24 * HOUR
    # What is written two days later opens a conversation of its own.
    assert not opened["messenger", "business"]["outside_window"]
    assert opened["whatsapp", "business"]["outside_window"]


def test_an_ad_and_a_link_at_one_instant_open_a_conversation_of_the_ad_with_the_ads_own_ref(
    world: World,
) -> None:
    world.event("p", START, ad_id="101").event("p", START, "referral", ref="code-7")
    assert [(row["opened_by"], row["ad_id"], row["ref"]) for row in conversations(world)] == [
        ("ad", "101", None)
    ]
