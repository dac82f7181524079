"""Deliveries → items: every form in which Meta, its dashboard or its documentation wraps them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from receiver.deliveries.json_text import mapping, sequence, text

PLATFORMS = {"page": "messenger", "instagram": "instagram", "whatsapp_business_account": "whatsapp"}

# App Dashboard "Test" buttons send from an account that does not exist.
TEST_ACCOUNT_ID = "0"

_LISTS = ("messaging", "standby", "changes", "calls")


class Item(NamedTuple):
    """One element of a delivery, and what its envelope says about it.

    ``place`` is the list of the entry that held it, ``entry`` for what stood directly on the entry,
    ``delivery`` for a body without entries; ``time`` is when Meta sent the entry.
    """

    platform: str | None
    account_id: str | None
    time: object
    place: str
    content: Any


def items_of(delivery: object) -> Iterator[Item]:
    """Take a parsed body apart; one of unknown shape, or with nothing in it, is a single item.

    Batches hold several entries, several accounts and several events for each; an entry may be an object
    instead of a list of one. What stands on an entry beside its known lists (call permissions, Instagram's
    flat ``field`` and ``value``, whatever comes next) is an item too.
    """
    if isinstance(delivery, dict) and "field" in delivery and "value" in delivery and "entry" not in delivery:
        # the dashboard's sample of a change, pasted or sent without its envelope
        yield Item(_platform_of_value(delivery["value"]), TEST_ACCOUNT_ID, None, "entry", delivery)
        return
    platform = PLATFORMS.get(text(mapping(delivery).get("object")) or "")
    entries = sequence(mapping(delivery).get("entry")) if platform else []
    found = False
    for entry in entries:
        for item in _items_of_entry(platform, entry):
            found = True
            yield item
    if not found:
        yield Item(platform, None, None, "delivery", delivery)


def _platform_of_value(value: object) -> str | None:
    return text(mapping(value).get("messaging_product"))


def _items_of_entry(platform: str | None, entry: object) -> Iterator[Item]:
    if not isinstance(entry, dict):
        yield Item(platform, None, None, "entry", entry)
        return
    account_id, time = text(entry.get("id")), entry.get("time")
    beside: dict[str, Any] = {}
    for key, held in entry.items():
        if key in _LISTS and isinstance(held, (list, dict)):
            for element in sequence(held):
                yield Item(platform, account_id, time, key, element)
        elif key not in ("id", "time"):
            beside[key] = held
    if beside:
        yield Item(platform, account_id, time, "entry", beside)
