"""What one item of a delivery says, before it becomes a row."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from receiver.deliveries.envelope import Item
from receiver.deliveries.instants import microseconds
from receiver.deliveries.json_text import canonical_json
from receiver.deliveries.referrals import NO_REFERRAL, Referral

# The inboxes in which people answer, as `app_id` of an echo: Meta's message_echoes page prints the first (API
# v12 and later), its handover pages and real echoes the second; the third is Instagram's inbox.
INBOX_APP_IDS = frozenset({"26390203743090", "263902037430900", "1217981644879628"})


@dataclass(frozen=True)
class ReadingOptions:
    """How deliveries are read.

    Attributes
    ----------
    store_text : bool
        Keep what people wrote, in ``text`` and in ``payload``. A deleted message is never kept.
    bot_app_ids, human_app_ids : frozenset of str
        Apps whose echoes a bot, or a person, has written.
    """

    store_text: bool = False
    bot_app_ids: frozenset[str] = frozenset()
    human_app_ids: frozenset[str] = frozenset()


DEFAULT_OPTIONS = ReadingOptions()


class Reading(NamedTuple):
    """One thing that Meta reported, in the words of docs/data-contract.md.

    ``natural_key`` makes the event itself within its account; ``time`` is as Meta wrote it, None if absent.
    """

    event_type: str
    natural_key: tuple[object, ...]
    payload: Mapping[str, Any]
    account_id: str | None
    contact_id: str | None = None
    direction: str | None = None
    time: object = None
    message_id: str | None = None
    message_type: str | None = None
    referral: Referral = NO_REFERRAL
    app_id: str | None = None
    responder: str | None = None
    status: str | None = None
    pricing_category: str | None = None
    text: str | None = None


def responder_of(app_id: str | None, options: ReadingOptions) -> str:
    """Return who wrote an echo as far as its app id proves it; the user's own lists come first."""
    if app_id in options.human_app_ids:
        return "human"
    if app_id in options.bot_app_ids:
        return "bot"
    return "human" if app_id in INBOX_APP_IDS else "unknown"


def instant_key(item: Item, time: object) -> int | None:
    """Return an instant for a natural key: the item's own, else the delivery's."""
    own = microseconds(time)
    return own if own is not None else microseconds(item.time)


def whole_key(
    item: Item, leaf: object, time: object = None, *, is_unique: bool = False
) -> tuple[object, ...]:
    """Return the natural key of an item that names nothing by which to know it again: all of it.

    An item without a time of its own (an account restricted, released, restricted again) is told from its
    like by the delivery's time, unless it ``is_unique``: rather a rare duplicate than a lost event.
    """
    digest = hashlib.sha256(canonical_json(leaf).encode()).hexdigest()
    has_time = is_unique or microseconds(time) is not None
    return ("item", digest, None if has_time else microseconds(item.time))


def unknown(item: Item, message_type: str | None = None) -> Reading:
    """Read an item of unknown shape: kept, never interpreted."""
    payload = item.content if isinstance(item.content, dict) else {"item": item.content}
    return Reading(
        event_type="unknown",
        natural_key=whole_key(item, payload, payload.get("timestamp")),
        payload=payload,
        account_id=item.account_id,
        time=payload.get("timestamp"),
        message_type=message_type,
    )
