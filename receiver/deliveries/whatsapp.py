"""Deliveries about a WhatsApp Business account: messages, statuses, echoes of the phone app, changes."""

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from receiver.deliveries.envelope import Item
from receiver.deliveries.json_text import mapping, sequence, text
from receiver.deliveries.reading import Reading, unknown, whole_key
from receiver.deliveries.referrals import whatsapp_referral

Leaf = dict[str, Any]
Columns = dict[str, Any]

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


class Source(NamedTuple):
    """Where a leaf stands: the change around it, its account, and the contact it is about."""

    item: Item
    account_id: str | None
    contact: Leaf
    payload: Leaf


def read_whatsapp_item(item: Item) -> Iterator[Reading]:
    """Read one change: each message, status, echo, call and preference in it is an event of its own."""
    change = mapping(item.content)
    value = mapping(change.get("value"))
    leaves = [(name, leaf) for name in _READERS for leaf in sequence(value.get(name))]
    contacts = _contacts_by_id(value, {_ids_in(leaf) for _, leaf in leaves if isinstance(leaf, dict)})
    for name, leaf in leaves:
        if isinstance(leaf, dict):
            yield _READERS[name](_source_of(item, change, name, leaf, contacts), leaf)
    if not leaves:
        yield _without_leaves(item, change, value)
    elif not all(isinstance(leaf, dict) for _, leaf in leaves):
        yield unknown(item)


def _source_of(item: Item, change: Leaf, name: str, leaf: Leaf, contacts: dict[str | None, Leaf]) -> Source:
    """Return a leaf's surroundings; the payload keeps Meta's shape, with this leaf and its contact only."""
    value = change["value"]
    contact = _contact_of(leaf, contacts)
    payload = {"field": change.get("field")}
    payload |= {key: held for key, held in value.items() if key not in _READERS and key != "contacts"}
    if contact:
        payload["contacts"] = [contact]
    payload[name] = [leaf]
    return Source(item, _phone_number_id(value) or item.account_id, contact, payload)


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


def _ids_in(leaf: Leaf) -> tuple[str | None, ...]:
    return tuple(text(leaf.get(key)) for key in _PERSON_KEYS)


def _contacts_by_id(value: Leaf, named: Collection[tuple[str | None, ...]]) -> dict[str | None, Leaf]:
    """Return the delivery's contacts by either id; its only contact also under none, as it needs no naming.

    Unless the leaves have ``named`` several people: to tie one's id to another would erase both with either.
    """
    people = [person for person in sequence(value.get("contacts")) if isinstance(person, dict)]
    by_id: dict[str | None, Leaf] = {}
    for person in people:
        for key in ("wa_id", "user_id"):
            by_id.setdefault(text(person.get(key)), person)
    by_id.pop(None, None)
    return {**by_id, None: people[0]} if len(people) == 1 and len(named) == 1 else by_id


def _contact_of(leaf: Leaf, contacts: dict[str | None, Leaf]) -> Leaf:
    """Return the contact that a leaf names by either id."""
    if None in contacts:
        return contacts[None]
    return next((contacts[id_] for id_ in _ids_in(leaf) if id_ in contacts), {})


def _person_id(contact: Leaf, phone: object, user_id: object) -> str | None:
    """Return the phone number (wa_id) where the delivery tells it, else the business-scoped user id.

    Since April 2026 Meta sends the user id always, and no number of people who hide theirs. The number comes
    first all the same: sales and older deliveries are joined on it. Both ids stay in the payload and no
    event_id depends on the choice, so contacts can be merged later without being captured again.
    """
    return text(phone) or text(contact.get("wa_id")) or text(user_id) or text(contact.get("user_id"))


def _message(source: Source, message: Leaf) -> Reading:
    contact_id = _person_id(source.contact, message.get("from"), message.get("from_user_id"))
    columns = {"event_type": "message", "direction": "inbound", "referral": whatsapp_referral(message)}
    return _thread_event(source, message, contact_id, columns)


def _echo(source: Source, echo: Leaf) -> Reading:
    """Read what was typed in the WhatsApp Business app: by a person, always."""
    contact_id = _person_id(source.contact, echo.get("to"), echo.get("to_user_id"))
    columns = {"event_type": "echo", "direction": "outbound", "responder": "human"}
    return _thread_event(source, echo, contact_id, columns)


def _thread_event(source: Source, message: Leaf, contact_id: str | None, columns: Columns) -> Reading:
    """Read something in a thread; ``columns`` tell who sent it, its type tells whether it is a message."""
    wamid, kind, time = text(message.get("id")), text(message.get("type")), message.get("timestamp")
    described = _BY_TYPE.get(kind, _words)(message)
    return Reading(
        natural_key=("mid", wamid) if wamid else whole_key(source.item, message, time),
        payload=source.payload,
        account_id=source.account_id,
        contact_id=contact_id,
        time=time,
        **{"message_id": wamid, "message_type": kind, **columns, **described},
    )


def _words(message: Leaf) -> Columns:
    return {"text": _text_of(message)}


def _edit(message: Leaf) -> Columns:
    edit = mapping(message.get("edit"))
    target = text(edit.get("original_message_id"))
    return {"event_type": "edit", "message_id": target, "text": _text_of(mapping(edit.get("message")))}


def _revoke(message: Leaf) -> Columns:
    target = text(mapping(message.get("revoke")).get("original_message_id"))
    return {"event_type": "deletion", "message_id": target}


def _reaction(message: Leaf) -> Columns:
    reaction = mapping(message.get("reaction"))
    # Who takes a reaction back sends it again with an empty emoji, or none.
    action = "react" if reaction.get("emoji") else "unreact"
    return {"event_type": "reaction", "message_id": text(reaction.get("message_id")), "status": action}


def _interactive(message: Leaf) -> Columns:
    permission = mapping(message.get("interactive")).get("call_permission_reply")
    if not isinstance(permission, dict):
        return _words(message)
    status = text(permission.get("response"))
    return {"event_type": "optin", "message_type": "call_permission_reply", "status": status}


def _system(message: Leaf) -> Columns:
    """Read a notice that a number, an id or a security code has changed: nobody wrote it."""
    status = text(mapping(message.get("system")).get("type"))
    return {"event_type": "status", "direction": None, "status": status}


def _welcome(message: Leaf) -> Columns:
    """Read that a chat was opened for the first time, with nothing said in it."""
    return {"event_type": "referral", "message_id": text(message.get("id"))}


_BY_TYPE: dict[str | None, Callable[[Leaf], Columns]] = {
    "interactive": _interactive,
    "edit": _edit,
    "revoke": _revoke,
    "reaction": _reaction,
    "system": _system,
    "request_welcome": _welcome,
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


def _status(source: Source, status: Leaf) -> Reading:
    """Read a status: ``sent`` is the only sign of a reply through the API, the others tell its fate."""
    wamid, step, time = text(status.get("id")), text(status.get("status")), status.get("timestamp")
    phone = status.get("recipient_participant_id") or status.get("recipient_id")
    user_id = status.get("recipient_participant_user_id") or status.get("recipient_user_id")
    key = ("status", wamid, step, text(phone) or text(user_id))
    is_reply = step == "sent"
    return Reading(
        event_type="echo" if is_reply else "status",
        natural_key=key if wamid else whole_key(source.item, status, time),
        payload=source.payload,
        account_id=source.account_id,
        contact_id=_person_id(source.contact, phone, user_id),
        direction="outbound" if is_reply else None,
        time=time,
        message_id=wamid,
        message_type="call" if source.payload["field"] == "calls" else None,
        status=step,
        pricing_category=text(mapping(status.get("pricing")).get("category")),
    )


def _call(source: Source, call: Leaf) -> Reading:
    call_id, step, time = text(call.get("id")), text(call.get("event")), call.get("timestamp")
    person = call.get("to") if call.get("direction") == "BUSINESS_INITIATED" else call.get("from")
    return Reading(
        event_type="status",
        natural_key=("call", call_id, step) if call_id and step else whole_key(source.item, call, time),
        payload=source.payload,
        account_id=source.account_id,
        contact_id=_person_id(source.contact, source.contact.get("wa_id"), None) or text(person),
        time=time,
        message_type="call",
        status=step,
    )


def _preference(source: Source, preference: Leaf) -> Reading:
    time = preference.get("timestamp")
    return Reading(
        event_type="optin",
        natural_key=whole_key(source.item, preference, time),
        payload=source.payload,
        account_id=source.account_id,
        contact_id=_person_id(source.contact, preference.get("wa_id"), preference.get("user_id")),
        direction="inbound",
        time=time,
        message_type=text(preference.get("category")),
        status=text(preference.get("value")),
    )


_READERS: dict[str, Callable[[Source, Leaf], Reading]] = {
    "messages": _message,
    "message_echoes": _echo,
    "statuses": _status,
    "calls": _call,
    "user_preferences": _preference,
}
