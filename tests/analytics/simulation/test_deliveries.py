import json
from collections import Counter
from itertools import pairwise
from typing import Any

from ctm_analytics.simulation.business import BOT_APP_ID, HELP_DESK_APP_ID
from ctm_analytics.simulation.deliveries import deliveries_of, odd_deliveries
from ctm_analytics.simulation.people import hides_phone
from ctm_analytics.simulation.records import Event
from ctm_analytics.simulation.world import World
from receiver.deliveries import ReadingOptions, read_delivery
from receiver.deliveries.event import Event as EventRow

OPTIONS = ReadingOptions(bot_app_ids=frozenset({BOT_APP_ID}), human_app_ids=frozenset({HELP_DESK_APP_ID}))


def stored_rows(shop: World) -> dict[str, EventRow]:
    """What a receiver keeps: each event id once."""
    rows: dict[str, EventRow] = {}
    for body in deliveries_of(shop):
        for row in read_delivery(body, received_at=0, options=OPTIONS):
            rows.setdefault(row.event_id, row)
    return rows


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


def test_the_bodies_say_what_happened_each_thing_once(shop: World) -> None:
    rows = Counter(
        kept(row) for row in stored_rows(shop).values() if row.event_type not in ("test", "unknown")
    )
    assert rows == Counter(told(event) for event in shop.events)


def test_odd_deliveries_are_kept_as_what_they_are(small_shop: World) -> None:
    rows = Counter(row.event_type for row in stored_rows(small_shop).values())
    odd = Counter(delivery.event_type for delivery in odd_deliveries(small_shop.period))
    assert odd == {"test": 2, "unknown": 2}
    assert {event_type: rows[event_type] for event_type in odd} == odd


def test_a_delivery_holds_up_to_forty_items_of_several_accounts(shop: World) -> None:
    sizes = Counter(len(read_delivery(body, received_at=0)) for body in deliveries_of(shop))
    assert (min(sizes), max(sizes)) == (1, 40)
    entries = [
        len(json.loads(body)["entry"]) for body in deliveries_of(shop) if body.startswith(b'{"object":"page"')
    ]
    assert max(entries) == 2


def test_two_in_a_hundred_events_come_again_in_another_delivery(shop: World) -> None:
    deliveries_by_event: dict[str, set[bytes]] = {}
    repeated_within_one = 0
    for body in deliveries_of(shop):
        ids = [row.event_id for row in read_delivery(body, received_at=0)]
        repeated_within_one += len(ids) - len(set(ids))
        for event_id in ids:
            deliveries_by_event.setdefault(event_id, set()).add(body)
    again = sum(len(bodies) > 1 for bodies in deliveries_by_event.values())
    assert 0.01 < again / len(deliveries_by_event) < 0.03
    assert repeated_within_one > 0


def test_some_deliveries_come_twice_byte_for_byte(shop: World) -> None:
    assert max(Counter(deliveries_of(shop)).values()) > 1


def test_events_come_out_of_order(small_shop: World) -> None:
    order = [
        row.occurred_at
        for body in deliveries_of(small_shop)
        for row in read_delivery(body, received_at=0)
        if row.platform == "messenger" and row.event_type == "message"
    ]
    late = sum(earlier > later for earlier, later in pairwise(order))
    assert late > len(order) / 100


def test_a_person_known_by_user_id_alone_has_no_phone_in_any_delivery(shop: World) -> None:
    hidden = {event.contact for event in shop.events if hides_phone(event.contact)}
    everything = b"".join(deliveries_of(shop))
    assert hidden
    for contact in hidden:
        assert contact.contact_id.encode() in everything
        assert contact.phone[1:].encode() not in everything


def test_text_beyond_ascii_is_escaped_as_meta_does(small_shop: World) -> None:
    bodies = deliveries_of(small_shop)
    assert all(body.isascii() for body in bodies)
    assert any(b"\\u" in body for body in bodies)
