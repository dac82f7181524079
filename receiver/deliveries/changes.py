"""Deliveries about a Page or an Instagram account: messaging items, changes of the account, calls.

Messages come in ``messaging[]``; the dashboard and Instagram's own login also wrap them in ``changes[]``,
or put ``field`` and ``value`` flat on the entry.
"""

from typing import Any

from receiver.deliveries.envelope import Item
from receiver.deliveries.json_text import mapping, text
from receiver.deliveries.messaging import is_messaging, read_messaging
from receiver.deliveries.reading import Reading, ReadingOptions, unknown, whole_key
from receiver.deliveries.referrals import Referral, named_ad


def read_account_item(item: Item, options: ReadingOptions) -> Reading:
    """Read one item of a delivery whose object is ``page`` or ``instagram``."""
    content = item.content
    if item.place == "calls" and isinstance(content, dict):
        return _call(item, content)
    if item.place in ("messaging", "standby") or is_messaging(content):
        return read_messaging(item, content, options)
    field = text(mapping(content).get("field"))
    if field is None:
        return _without_values(item) if "changed_fields" in mapping(content) else unknown(item)
    value = mapping(content.get("value"))
    if is_messaging(value):
        return read_messaging(item, value, options)
    return _change(item, field, value)


def _without_values(item: Item) -> Reading:
    """Read names of fields that changed: all that comes while "Include Values" is off in the dashboard."""
    return unknown(item)._replace(event_type="account", message_type="changed_fields")


def _change(item: Item, field: str, value: dict[str, Any]) -> Reading:
    """Read a change of the account. Its comments and posts name people, but not as contacts of a thread."""
    time = value.get("timestamp") or value.get("created_time")
    # Its own id tells a comment from its like; a release or a restriction has none.
    names_itself = bool(text(value.get("id")) or text(value.get("comment_id")))
    reading = Reading(
        event_type="account",
        natural_key=whole_key(item, item.content, time, is_unique=names_itself),
        payload=item.content,
        account_id=item.account_id,
        time=time,
        message_type=field,
    )
    if field == "leadgen":
        return reading._replace(event_type="lead", referral=Referral(ad_id=named_ad(value)))
    if field == "inbox_labels":
        contact_id, action = text(mapping(value.get("user")).get("id")), text(value.get("action"))
        return reading._replace(event_type="status", contact_id=contact_id, status=action)
    return reading


def _call(item: Item, call: dict[str, Any]) -> Reading:
    caller, called = text(call.get("from")), text(call.get("to"))
    call_id, step = text(call.get("id")), text(call.get("event"))
    time = call.get("timestamp")
    return Reading(
        event_type="status",
        natural_key=("call", call_id, step) if call_id and step else whole_key(item, call, time),
        payload=call,
        account_id=item.account_id,
        contact_id=called if caller == item.account_id else caller,
        time=time,
        message_type="call",
        status=step,
    )
