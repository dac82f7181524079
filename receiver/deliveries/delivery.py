"""Deliveries → rows: the one way through, for the publisher and for ``ctm inspect``."""

from collections.abc import Iterable
from typing import Any

from receiver.deliveries.changes import read_account_item
from receiver.deliveries.envelope import TEST_ACCOUNT_ID, Item, items_of
from receiver.deliveries.event import Event, contact_key, delivery_id, event_id
from receiver.deliveries.instants import microseconds
from receiver.deliveries.json_text import parse_json, to_json, wrap_bytes
from receiver.deliveries.reading import DEFAULT_OPTIONS, Reading, ReadingOptions, unknown
from receiver.deliveries.redaction import without_content
from receiver.deliveries.whatsapp import read_whatsapp_item

# Every row repeats what surrounds its item. Meta batches at most 1,000 items of a few hundred bytes; a body whose rows
# would hold this many times its own size is built to fill memory, and is kept as it came.
_MOST_GROWTH = 16
_SMALL_BYTES = 16 << 20

# What the App Dashboard's "Test" buttons send beside an account that does not exist.
_TEST_MESSAGE_ID = "random_mid"
_TEST_PHONE_NUMBER_ID = "123456123"


def read_delivery(body: bytes, *, received_at: int, options: ReadingOptions = DEFAULT_OPTIONS) -> list[Event]:
    """Read the rows of one delivery.

    A total function: whatever the bytes, it returns at least one row and raises nothing. Bytes that are not
    JSON, or JSON nested too deep or repeating itself too often, are one ``unknown`` event in base64; JSON of
    unknown shape is ``unknown`` and kept like any other item, without known keys of text.

    Parameters
    ----------
    body : bytes
        The body as received.
    received_at : int
        Microseconds since 1970 UTC.
    options : ReadingOptions

    Returns
    -------
    list of Event
        In the order of the delivery. The same item always has the same ``event_id``, whatever delivery brings
        it, also twice in this list.
    """
    try:
        delivery = parse_json(body)
    except (ValueError, RecursionError):
        return [_unreadable(body, received_at)]
    brought_by = delivery_id(body)
    rows: list[Event] = []
    room = _MOST_GROWTH * len(body) + _SMALL_BYTES
    try:
        for item in items_of(delivery):
            for reading in _read(item, options):
                rows.append(_row(item, reading, received_at, brought_by, options))
                room -= len(rows[-1].payload)
                if room < 0:
                    return [_unreadable(body, received_at)]
    except RecursionError:  # hundreds of levels deep: nothing that Meta sends
        return [_unreadable(body, received_at)]
    return rows


def _unreadable(body: bytes, received_at: int) -> Event:
    brought_by = delivery_id(body)
    item = Item(None, None, None, "delivery", None)
    reading = unknown(item)._replace(natural_key=("body", brought_by))
    return _row(item, reading, received_at, brought_by, DEFAULT_OPTIONS)._replace(payload=wrap_bytes(body))


def _read(item: Item, options: ReadingOptions) -> Iterable[Reading]:
    if item.place == "delivery":
        return [unknown(item)]
    if item.platform == "whatsapp":
        return read_whatsapp_item(item)
    return [read_account_item(item, options)]


def _row(item: Item, reading: Reading, received_at: int, brought_by: str, options: ReadingOptions) -> Event:
    account_id, contact_id = reading.account_id, reading.contact_id
    return Event(
        event_id(item.platform, account_id, reading.natural_key),
        item.platform,
        account_id,
        contact_id,
        None if contact_id is None else contact_key(item.platform, account_id, contact_id),
        "test" if _is_test(item, reading) else reading.event_type,
        reading.direction,
        microseconds(reading.time) or microseconds(item.time) or received_at,
        received_at,
        reading.message_id,
        reading.message_type,
        *reading.referral,
        reading.app_id,
        reading.responder or ("unknown" if reading.direction == "outbound" else None),
        item.place == "standby",
        reading.status,
        reading.pricing_category,
        None if reading.text is None else len(reading.text),
        to_json(_kept(reading, options)),
        brought_by,
        reading.text if options.store_text else None,
    )


def _kept(reading: Reading, options: ReadingOptions) -> Any:
    """Return what of an item is stored; what a person has deleted is not kept for anyone."""
    if options.store_text and reading.event_type != "deletion":
        return reading.payload
    return without_content(reading.payload)


def _is_test(item: Item, reading: Reading) -> bool:
    return (
        item.account_id == TEST_ACCOUNT_ID
        or reading.message_id == _TEST_MESSAGE_ID
        or reading.account_id == _TEST_PHONE_NUMBER_ID
    )
