"""Deliveries about a WhatsApp Business account: messages, statuses, echoes of the phone app, changes."""

from collections.abc import Callable, Iterator
from typing import Any

from receiver.deliveries.envelope import Item
from receiver.deliveries.json_text import mapping, sequence, text
from receiver.deliveries.reading import Reading, unknown, whole_key
from receiver.deliveries.referrals import whatsapp_referral

Leaf = dict[str, Any]

_ACCOUNT_FIELDS = (
    "account_",
    "business_",
    "flows",
    "message_template_",
    "partner_solutions",
    "payment_configuration_",
    "phone_number_",
    "security",
    "template_",
)
_ERRORS_ONLY = {"messaging_product", "metadata", "errors"}
_MEDIA = ("image", "video", "document", "audio", "sticker")
_PERSON_KEYS = ("from", "from_user_id", "to", "to_user_id", "recipient_id", "recipient_user_id", "wa_id")


def read_whatsapp_item(item: Item) -> Iterator[Reading]:
    """Read one change: each message, status, echo, call and preference in it is an event of its own."""
    change = mapping(item.content)
    value = mapping(change.get("value"))
    found = False
    for name, reader in _READERS.items():
        for leaf in sequence(value.get(name)):
            found = True
            yield _read_leaf(item, change, name, leaf, reader) if isinstance(leaf, dict) else unknown(item)
    if not found:
        yield _without_leaves(item, change, value)


def _read_leaf(
    item: Item, change: Leaf, name: str, leaf: Leaf, reader: Callable[[Item, Leaf, Leaf], Reading]
) -> Reading:
    """Read a leaf; its payload keeps Meta's shape: the change with this leaf and the contact it is about."""
    value = change["value"]
    contact = _contact_of(leaf, sequence(value.get("contacts")))
    reading = reader(item, leaf, contact)
    if name == "statuses" and change.get("field") == "calls":
        reading = reading._replace(message_type="call")
    beside = {key: held for key, held in value.items() if key not in _READERS and key != "contacts"}
    contacts = {"contacts": [contact]} if contact else {}
    return reading._replace(
        account_id=_phone_number_id(value) or item.account_id,
        payload={"field": change.get("field"), **beside, **contacts, name: [leaf]},
    )


def _without_leaves(item: Item, change: Leaf, value: Leaf) -> Reading:
    """Read a change about the account, or an error about no message; anything else is unknown."""
    field = text(change.get("field"))
    account_id = _phone_number_id(value) or item.account_id
    reading = unknown(item)._replace(account_id=account_id, message_type=field)
    only_errors = "errors" in value and set(value) <= _ERRORS_ONLY
    if only_errors or (field or "").startswith(_ACCOUNT_FIELDS):
        return reading._replace(
            event_type="account", status=text(value.get("event") or value.get("decision"))
        )
    return reading


def _phone_number_id(value: Leaf) -> str | None:
    return text(mapping(value.get("metadata")).get("phone_number_id"))


def _contact_of(leaf: Leaf, contacts: list[Any]) -> Leaf:
    """Return the contact that a leaf names by either id; a delivery's only contact needs no naming."""
    ids = {leaf[key] for key in _PERSON_KEYS if isinstance(leaf.get(key), str)}
    people = [person for person in contacts if isinstance(person, dict)]
    for person in people:
        if any(isinstance(person.get(key), str) and person[key] in ids for key in ("wa_id", "user_id")):
            return person
    return people[0] if len(people) == 1 else {}


def _person_id(contact: Leaf, phone: object, user_id: object) -> str | None:
    """Return the phone number (wa_id) where the delivery tells it, else the business-scoped user id.

    Since April 2026 Meta sends the user id always, and no number of people who hide theirs. The number comes
    first all the same: sales and older deliveries are joined on it. Both ids stay in the payload and no
    event_id depends on the choice, so contacts can be merged later without being captured again.
    """
    return text(phone) or text(contact.get("wa_id")) or text(user_id) or text(contact.get("user_id"))


def _message(item: Item, message: Leaf, contact: Leaf) -> Reading:
    contact_id = _person_id(contact, message.get("from"), message.get("from_user_id"))
    reading = _thread_event(item, message, "message", "inbound")
    return reading._replace(contact_id=contact_id, referral=whatsapp_referral(message))


def _echo(item: Item, echo: Leaf, contact: Leaf) -> Reading:
    """Read what was typed in the WhatsApp Business app: by a person, always."""
    contact_id = _person_id(contact, echo.get("to"), echo.get("to_user_id"))
    return _thread_event(item, echo, "echo", "outbound")._replace(contact_id=contact_id, responder="human")


def _thread_event(item: Item, message: Leaf, event_type: str, direction: str) -> Reading:
    wamid, kind, time = text(message.get("id")), text(message.get("type")), message.get("timestamp")
    reading = Reading(
        event_type=event_type,
        natural_key=("mid", wamid) if wamid else whole_key(item, message, time),
        payload=message,
        account_id=item.account_id,
        direction=direction,
        time=time,
        message_id=wamid,
        message_type=kind,
    )
    if kind == "request_welcome":  # the chat was opened for the first time, and nothing said in it
        return reading._replace(event_type="referral")
    if reader := _NOT_MESSAGES.get(kind):
        return reader(reading, message)
    return reading._replace(text=_text_of(message))


def _edit(reading: Reading, message: Leaf) -> Reading:
    edit = mapping(message.get("edit"))
    target = text(edit.get("original_message_id"))
    return reading._replace(event_type="edit", message_id=target, text=_text_of(mapping(edit.get("message"))))


def _revoke(reading: Reading, message: Leaf) -> Reading:
    target = text(mapping(message.get("revoke")).get("original_message_id"))
    return reading._replace(event_type="deletion", message_id=target)


def _reaction(reading: Reading, message: Leaf) -> Reading:
    target = text(mapping(message.get("reaction")).get("message_id"))
    return reading._replace(event_type="reaction", message_id=target)


def _system(reading: Reading, message: Leaf) -> Reading:
    """Read a notice that a number, an id or a security code has changed: nobody wrote it."""
    status = text(mapping(message.get("system")).get("type"))
    return reading._replace(event_type="status", direction=None, status=status)


_NOT_MESSAGES: dict[str | None, Callable[[Reading, Leaf], Reading]] = {
    "edit": _edit,
    "revoke": _revoke,
    "reaction": _reaction,
    "system": _system,
}


def _text_of(message: Leaf) -> str | None:
    interactive = mapping(message.get("interactive"))
    reply = mapping(interactive.get("button_reply") or interactive.get("list_reply"))
    return (
        text(mapping(message.get("text")).get("body"))
        or text(mapping(message.get("button")).get("text"))
        or text(reply.get("title"))
        or text(mapping(message.get("order")).get("text"))
        or next(
            (caption for kind in _MEDIA if (caption := text(mapping(message.get(kind)).get("caption")))), None
        )
    )


def _status(item: Item, status: Leaf, contact: Leaf) -> Reading:
    """Read a status: ``sent`` is the only sign of a reply through the API, the others tell its fate."""
    wamid, step, time = text(status.get("id")), text(status.get("status")), status.get("timestamp")
    phone = status.get("recipient_participant_id") or status.get("recipient_id")
    user_id = status.get("recipient_participant_user_id") or status.get("recipient_user_id")
    key = ("status", wamid, step, text(phone) or text(user_id))
    is_reply = step == "sent"
    return Reading(
        event_type="echo" if is_reply else "status",
        natural_key=key if wamid else whole_key(item, status, time),
        payload=status,
        account_id=item.account_id,
        contact_id=_person_id(contact, phone, user_id),
        direction="outbound" if is_reply else None,
        time=time,
        message_id=wamid,
        responder="unknown" if is_reply else None,
        status=step,
        pricing_category=text(mapping(status.get("pricing")).get("category")),
    )


def _call(item: Item, call: Leaf, contact: Leaf) -> Reading:
    call_id, step, time = text(call.get("id")), text(call.get("event")), call.get("timestamp")
    person = call.get("to") if call.get("direction") == "BUSINESS_INITIATED" else call.get("from")
    return Reading(
        event_type="status",
        natural_key=("call", call_id, step) if call_id and step else whole_key(item, call, time),
        payload=call,
        account_id=item.account_id,
        contact_id=_person_id(contact, contact.get("wa_id"), None) or text(person),
        time=time,
        message_type="call",
        status=step,
    )


def _preference(item: Item, preference: Leaf, contact: Leaf) -> Reading:
    time = preference.get("timestamp")
    return Reading(
        event_type="optin",
        natural_key=whole_key(item, preference, time),
        payload=preference,
        account_id=item.account_id,
        contact_id=_person_id(contact, preference.get("wa_id"), preference.get("user_id")),
        direction="inbound",
        time=time,
        message_type=text(preference.get("category")),
        status=text(preference.get("value")),
    )


_READERS: dict[str, Callable[[Item, Leaf, Leaf], Reading]] = {
    "messages": _message,
    "message_echoes": _echo,
    "statuses": _status,
    "calls": _call,
    "user_preferences": _preference,
}
