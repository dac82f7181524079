"""Aliases: a WhatsApp contact's numbers and user ids are one person, read from deliveries as Meta documents them."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from worlds import START, World

from receiver.deliveries import read_delivery

HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1)
NUMBER, NEW_NUMBER = "16505551234", "16505559876"
USER, NEW_USER = "US.13491208655302741918", "US.99991208655302749999"


def deliver(world: World, at: datetime, account: str = "number-1", **value: Any) -> None:
    """Store what the receiver reads in a delivery of one change."""
    metadata = {"display_phone_number": "15550783881", "phone_number_id": account}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata} | value}
    entry = {"id": "102290129340398", "changes": [change]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    micros = int((at - EPOCH) / timedelta(microseconds=1))
    for event in read_delivery(body, received_at=micros):
        row = event._asdict() | {
            "received_at": at,
            "occurred_at": EPOCH + timedelta(microseconds=event.occurred_at),
        }
        row.pop("text")
        contact, occurred_at, kind = row.pop("contact_id"), row.pop("occurred_at"), row.pop("event_type")
        world.event(contact, occurred_at, kind, account=row.pop("account_id"), **row)


def says(world: World, at: datetime, phone: str | None, user: str | None, **fields: Any) -> None:
    ids = {"wa_id": phone, "user_id": user, "from": phone, "from_user_id": user}
    known = {key: value for key, value in ids.items() if value is not None}
    account = fields.pop("account", "number-1")
    message = {key: known[key] for key in ("from", "from_user_id") if key in known}
    message |= {
        "id": f"wamid.{at}",
        "timestamp": seconds(at),
        "type": "text",
        "text": {"body": "Hi"},
    } | fields
    contact = {key: known[key] for key in ("wa_id", "user_id") if key in known}
    deliver(world, at, account, contacts=[contact], messages=[message])


def is_sent(world: World, at: datetime, **recipient: str) -> None:
    status = {"id": f"wamid.{at}", "status": "sent", "timestamp": seconds(at)} | recipient
    deliver(world, at, statuses=[status])


def notices(world: World, at: datetime, message: dict[str, Any], **system: str) -> None:
    common = {"id": f"wamid.{at}", "timestamp": seconds(at), "type": "system", "system": system}
    deliver(world, at, messages=[message | common])


def seconds(at: datetime) -> str:
    return str(int(at.replace(tzinfo=UTC).timestamp()))


def people(world: World, **words: Any) -> list[str]:
    rows = world.open(**words).sql("select contact_id from contacts order by contact_id").table.to_pylist()
    return [row["contact_id"] for row in rows]


def conversations(world: World, **words: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = world.open(**words).conversations().table.to_pylist()
    return rows


def test_a_number_and_a_user_id_of_one_delivery_are_one_person(world: World) -> None:
    says(world, START, None, USER)
    says(world, START + HOUR, NUMBER, USER)
    (conversation,) = conversations(world)
    assert (conversation["contact_id"], conversation["messages_in"]) == (NUMBER, 2)


def test_the_pair_may_come_with_any_event_and_in_any_order(world: World) -> None:
    says(world, START, NUMBER, USER)
    says(world, START + HOUR, NUMBER, None)
    says(world, START + 2 * HOUR, None, USER)
    assert people(world) == [NUMBER]


def test_an_answer_to_a_user_id_answers_the_one_who_wrote_with_a_number(world: World) -> None:
    says(world, START, None, USER)
    is_sent(world, START + HOUR, recipient_id=NUMBER, recipient_user_id=USER)
    (conversation,) = conversations(world)
    assert conversation["first_response_seconds"] == 3600


def test_without_a_pair_two_ids_are_two_people(world: World) -> None:
    says(world, START, None, USER)
    says(world, START + HOUR, NUMBER, NEW_USER)
    assert people(world) == [NUMBER, USER]


def test_a_pair_holds_in_every_account_and_each_has_its_own_contact(world: World) -> None:
    for account in ("number-1", "number-2"):
        says(world, START, None, USER, account=account)
    says(world, START, NUMBER, None, account="number-2")
    says(world, START + HOUR, NUMBER, USER)
    found = sorted((row["account_id"], row["messages_in"]) for row in conversations(world))
    assert found == [("number-1", 2), ("number-2", 2)]


def test_a_changed_number_is_one_person(world: World) -> None:
    says(world, START, NUMBER, None)
    says(world, START + 2 * HOUR, NEW_NUMBER, None)
    body = f"User A changed from {NUMBER} to {NEW_NUMBER}"
    notices(world, START + HOUR, {"from": NUMBER}, type="user_changed_number", body=body, wa_id=NEW_NUMBER)
    assert people(world) == [NUMBER]


def test_a_changed_user_id_is_one_person(world: World) -> None:
    says(world, START, None, USER)
    says(world, START + 2 * HOUR, None, NEW_USER)
    body = f"User Pablo Morales changed from {USER} to {NEW_USER}"
    message = {"from_user_id": NEW_USER}
    notices(world, START + HOUR, message, type="user_changed_user_id", body=body, user_id=NEW_USER)
    assert people(world) == [USER]


def test_an_update_of_a_user_id_is_one_person(world: World) -> None:
    says(world, START, None, USER)
    says(world, START + HOUR, None, NEW_USER)
    says(world, START + HOUR, NUMBER, None)
    update = {
        "wa_id": NUMBER,
        "user_id": {"previous": USER, "current": NEW_USER},
        "timestamp": seconds(START),
    }
    change = {"field": "user_id_update", "value": {"user_id_update": [update]}}
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
    micros = int((START - EPOCH) / timedelta(microseconds=1))
    (event,) = read_delivery(json.dumps(body).encode(), received_at=micros)
    world.event(
        "",
        START,
        event.event_type,
        platform="whatsapp",
        payload=event.payload,
        message_type=event.message_type,
        contact_key=None,
        contact_id=None,
    )
    assert people(world) == [NUMBER]


def test_ids_tied_in_a_chain_are_one_person(world: World) -> None:
    says(world, START, None, USER)
    says(world, START + HOUR, NUMBER, USER)
    body = f"User A changed from {NUMBER} to {NEW_NUMBER}"
    notices(
        world, START + 2 * HOUR, {"from": NUMBER}, type="user_changed_number", body=body, wa_id=NEW_NUMBER
    )
    says(world, START + 3 * HOUR, NEW_NUMBER, NEW_USER)
    says(world, START + 4 * HOUR, None, NEW_USER)
    (conversation,) = conversations(world)
    assert (conversation["contact_id"], conversation["messages_in"]) == (NUMBER, 4)


def test_what_ties_two_ids_counts_from_when_it_is_known(world: World) -> None:
    says(world, START, None, USER)
    says(world, START + HOUR, NUMBER, None)
    says(world, START + 2 * HOUR, NUMBER, USER)
    before = (START + HOUR).replace(tzinfo=UTC)
    assert people(world, as_of=before) == [NUMBER, USER]
    assert people(world) == [NUMBER]


def test_a_conversation_keeps_its_id_when_its_person_turns_out_to_have_another(world: World) -> None:
    says(world, START, None, USER)
    before = {row["opened_at"]: row["conversation_id"] for row in conversations(world)}
    says(world, START + 48 * HOUR, NUMBER, USER)
    after = {row["opened_at"]: row["conversation_id"] for row in conversations(world)}
    assert len(after) == 2
    assert before.items() <= after.items()


def test_a_touch_under_one_id_earns_a_sale_matched_by_another(world: World) -> None:
    ad = {"source_url": "https://fb.me/x", "source_id": "120226305854810726", "source_type": "ad"}
    says(world, START, None, USER, referral=ad)
    says(world, START + HOUR, NUMBER, USER)
    world.sale("number", START + 2 * HOUR, "5.00", contact_id=NUMBER)
    world.sale("user id", START + 2 * HOUR, "5.00", contact_id=USER)
    world.sale("phone", START + 2 * HOUR, "5.00", phone=f"+{NUMBER}")
    world.sale("customer", START + 2 * HOUR, "5.00", email="ana@example.com")
    world.contact(USER, email="ana@example.com")
    (row,) = world.open().ads().table.to_pylist()
    assert (row["ad_id"], row["conversations"], row["sales"]) == (ad["source_id"], 1, 4)


@pytest.mark.parametrize("payload", ['{"contacts":[{"user_id', "not json", '{"user_id":"\\ud800"}'])
def test_a_payload_that_is_not_whole_json_ties_nothing_and_breaks_nothing(world: World, payload: str) -> None:
    says(world, START, None, USER)
    world.event(NUMBER, START, platform="whatsapp", payload=payload)
    assert people(world) == [NUMBER, USER]


PLACES: dict[str, dict[str, Any]] = {
    "a message": {"messages": [{"from": NUMBER, "from_user_id": USER, "type": "text"}]},
    "its contact": {
        "contacts": [{"wa_id": NUMBER, "user_id": USER}],
        "messages": [{"from": NUMBER, "type": "text"}],
    },
    "a contact's number": {
        "contacts": [{"wa_id": NUMBER, "user_id": USER}],
        "messages": [{"from": USER, "type": "text"}],
    },
    "an echo": {
        "message_echoes": [{"from": "15550783881", "to": NUMBER, "to_user_id": USER, "type": "text"}]
    },
    "a status": {"statuses": [{"recipient_id": NUMBER, "recipient_user_id": USER, "status": "delivered"}]},
    "a status in a group": {
        "statuses": [
            {"recipient_participant_id": NUMBER, "recipient_participant_user_id": USER, "status": "delivered"}
            | {"recipient_id": "group", "recipient_user_id": NEW_USER}
        ]
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_a_pair_is_read_wherever_meta_writes_it(world: World, place: str) -> None:
    says(world, START, None, USER)
    says(world, START, NUMBER, None)
    ((name, (*_, leaf)),) = ((name, leaves) for name, leaves in PLACES[place].items() if name != "contacts")
    stamped = leaf | {"id": "wamid.1", "timestamp": seconds(START + HOUR)}
    deliver(world, START + HOUR, **(PLACES[place] | {name: [stamped]}))
    assert people(world) == [NUMBER]


def test_a_changed_number_in_the_words_of_older_versions_is_one_person(world: World) -> None:
    says(world, START, NUMBER, None)
    says(world, START + 2 * HOUR, NEW_NUMBER, None)
    words = {"type": "customer_changed_number", "body": "a new number", "new_wa_id": NEW_NUMBER}
    notices(world, START + HOUR, {"from": NUMBER}, **words)
    assert people(world) == [NUMBER]


def test_a_dashboard_test_is_nobody(world: World) -> None:
    says(world, START, NUMBER, USER)
    world.event(USER, START, "test", platform="whatsapp", account="number-1")
    assert world.open().sql("from contact_aliases").table.num_rows == 0


def test_a_user_id_by_which_nobody_is_known_ties_nothing(world: World) -> None:
    says(world, START, NUMBER, USER)
    says(world, START, NEW_NUMBER, USER)
    says(world, START, None, NEW_USER)
    assert people(world) == [NUMBER, NEW_NUMBER, NEW_USER]


def test_a_user_id_that_was_only_told_ties_a_number_to_what_it_became(world: World) -> None:
    says(world, START, NUMBER, USER)
    words = {"type": "user_changed_user_id", "body": f"User A changed from {USER} to {NEW_USER}"}
    notices(world, START + HOUR, {"from_user_id": NEW_USER}, **words, user_id=NEW_USER)
    assert people(world) == [NUMBER]


def test_ids_four_steps_apart_are_one_person_and_five_steps_apart_are_two(world: World) -> None:
    numbers = [f"1650555000{place}" for place in range(6)]
    for hours, (old, new) in enumerate(pairwise(numbers)):
        words = {"type": "user_changed_number", "body": f"User A changed from {old} to {new}"}
        notices(world, START + hours * HOUR, {"from": old}, **words, wa_id=new)
    says(world, START + 6 * HOUR, numbers[4], None)
    assert people(world) == [numbers[0]]
    says(world, START + 6 * HOUR, numbers[5], None)
    assert people(world) == [numbers[0], numbers[5]]


def test_an_id_that_is_captured_later_is_nobodys_alias_yet(world: World) -> None:
    says(world, START, NUMBER, USER)
    says(world, START + 2 * HOUR, None, USER)
    aliases = {
        hours: world.open(as_of=(START + hours * HOUR).replace(tzinfo=UTC))
        .sql("from contact_aliases")
        .table.num_rows
        for hours in (1, 2)
    }
    assert aliases == {1: 0, 2: 2}
