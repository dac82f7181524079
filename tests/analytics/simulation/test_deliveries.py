from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from ctm_analytics.simulation.business import BOT_APP_ID, HELP_DESK_APP_ID
from ctm_analytics.simulation.deliveries import deliveries_of, odd_deliveries
from ctm_analytics.simulation.people import hides_phone
from ctm_analytics.simulation.records import Event
from ctm_analytics.simulation.world import World
from receiver.deliveries import ReadingOptions, read_delivery
from receiver.deliveries.event import Event as EventRow

OPTIONS = ReadingOptions(bot_app_ids=frozenset({BOT_APP_ID}), human_app_ids=frozenset({HELP_DESK_APP_ID}))


Delivery = tuple[bytes, list[EventRow]]


@pytest.fixture(scope="module")
def deliveries(shop: World) -> list[Delivery]:
    """Each body in the order of posting, with what the receiver reads in it."""
    return [(body, read_delivery(body, received_at=0, options=OPTIONS)) for body in deliveries_of(shop)]


def stored_rows(deliveries: list[Delivery]) -> list[EventRow]:
    """What a receiver keeps: each event id once."""
    rows = {row.event_id: row for _, rows in reversed(deliveries) for row in rows}
    return list(rows.values())


def told(event: Event) -> tuple[Any, ...]:
    # Messenger tells of a read by its watermark alone, and of a delivery without a time of its own.
    by_watermark = event.event_type == "read" and event.contact.platform == "messenger"
    return (
        *event.contact[:3],
        event.event_type,
        None if by_watermark else event.message_id,
        event.ad_id,
        event.ref,
        event.responder,
        None if event.event_type == "delivery" else event.at,
    )


def kept(row: EventRow) -> tuple[Any, ...]:
    return (
        row.platform,
        row.account_id,
        row.contact_id,
        row.event_type,
        row.message_id,
        row.ad_id,
        row.ref,
        row.responder,
        None if row.event_type == "delivery" else row.occurred_at,
    )


def test_the_bodies_say_what_happened_each_thing_once(shop: World, deliveries: list[Delivery]) -> None:
    rows = [row for row in stored_rows(deliveries) if row.event_type not in ("test", "unknown")]
    assert Counter(map(kept, rows)) == Counter(map(told, shop.events))


def test_odd_deliveries_are_kept_as_what_they_are(shop: World, deliveries: list[Delivery]) -> None:
    rows = Counter(row.event_type for row in stored_rows(deliveries))
    odd = Counter(delivery.event_type for delivery in odd_deliveries(shop.period))
    assert odd == {"test": 2, "unknown": 2}
    assert {event_type: rows[event_type] for event_type in odd} == odd


def test_a_delivery_holds_up_to_forty_items_of_several_accounts(deliveries: list[Delivery]) -> None:
    sizes = {len(rows) for _, rows in deliveries}
    assert (min(sizes), max(sizes)) == (1, 40)
    assert max(len({row.account_id for row in rows}) for _, rows in deliveries) == 2


def test_two_in_a_hundred_events_come_again_in_another_delivery(deliveries: list[Delivery]) -> None:
    bodies_by_event: dict[str, set[bytes]] = {}
    for body, rows in deliveries:
        for row in rows:
            bodies_by_event.setdefault(row.event_id, set()).add(body)
    again = sum(len(bodies) > 1 for bodies in bodies_by_event.values())
    assert 0.01 < again / len(bodies_by_event) < 0.03


def test_some_events_stand_twice_in_one_delivery(deliveries: list[Delivery]) -> None:
    assert any(len({row.event_id for row in rows}) < len(rows) for _, rows in deliveries)


def test_some_deliveries_come_twice_byte_for_byte(deliveries: list[Delivery]) -> None:
    # These name the time of sending, so only the same delivery has the same bytes.
    pages = [body for body, _ in deliveries if body.startswith(b'{"object":"page"')]
    assert max(Counter(pages).values()) > 1


def test_events_of_one_account_come_out_of_order(deliveries: list[Delivery]) -> None:
    first_seen: dict[str, EventRow] = {}
    for _, rows in deliveries:
        for row in rows:
            first_seen.setdefault(row.event_id, row)
    order = [
        row.occurred_at
        for row in first_seen.values()
        if row.account_id == "682498302938465" and row.event_type == "message"
    ]
    assert sum(earlier > later for earlier, later in pairwise(order)) > len(order) / 100


def test_a_person_known_by_user_id_alone_has_no_phone_in_any_delivery(
    shop: World, deliveries: list[Delivery]
) -> None:
    hidden = {event.contact for event in shop.events if hides_phone(event.contact)}
    everything = b"".join(body for body, _ in deliveries)
    assert hidden
    assert b'"from_user_id":"ZA.' in everything
    assert b'"from":"ZA.' not in everything
    for contact in hidden:
        assert contact.contact_id.encode() in everything
        assert contact.phone[1:].encode() not in everything


def test_text_beyond_ascii_is_escaped_as_meta_does(deliveries: list[Delivery]) -> None:
    assert all(body.isascii() for body, _ in deliveries)
    assert any(b"\\u" in body for body, _ in deliveries)
