"""Under which ids an event knows its person: one, or on WhatsApp several that mean the same."""

import re
from typing import Any

from receiver.deliveries.json_text import mapping, parse_json, sequence, text

_CHANGED_ID = re.compile(r"changed from (\S+) to (\S+)$")
# Of each list of a WhatsApp change, the keys that name the person (in a group: the participant, not the group).
_PERSON_KEYS = {
    "contacts": ("wa_id", "user_id", "parent_user_id"),
    "messages": ("from", "from_user_id", "from_parent_user_id"),
    "message_echoes": ("to", "to_user_id", "to_parent_user_id"),
    "statuses": ("recipient_id", "recipient_user_id", "recipient_parent_user_id"),
    "user_preferences": ("wa_id", "user_id", "parent_user_id"),
}
_PARTICIPANT_KEYS = (
    "recipient_participant_id",
    "recipient_participant_user_id",
    "recipient_participant_parent_user_id",
)
_SYSTEM_KEYS = ("wa_id", "new_wa_id", "user_id", "parent_user_id")


def person_ids(platform: str | None, contact_id: str | None, payload: str) -> frozenset[str]:
    """Return every id by which an event names its contact; empty where no person is meant.

    On WhatsApp the phone number, the business-scoped user ids and, in a notice that one of them has changed,
    the old and the new one belong to one person.

    Parameters
    ----------
    platform, contact_id, payload : the columns of the event
    """
    if platform != "whatsapp":
        return frozenset(() if contact_id is None else (contact_id,))
    item = mapping(parse_json(payload.encode()))
    if contact_id is None:
        return _updated_ids(item)
    ids: set[str | None] = {contact_id}
    for name, keys in _PERSON_KEYS.items():
        for leaf in map(mapping, sequence(item.get(name))):
            participant = [text(leaf.get(key)) for key in _PARTICIPANT_KEYS]
            ids.update(participant if any(participant) else (text(leaf.get(key)) for key in keys))
            ids.update(_changed_ids(mapping(leaf.get("system"))))
    return frozenset(id_ for id_ in ids if id_)


def _updated_ids(change: dict[str, Any]) -> frozenset[str]:
    """Return the ids that a change of one person's id ties together."""
    updates = sequence(mapping(change.get("value")).get("user_id_update"))
    if len(updates) != 1:
        return frozenset()
    ids = mapping(mapping(updates[0]).get("user_id"))
    named = (text(mapping(updates[0]).get("wa_id")), text(ids.get("previous")), text(ids.get("current")))
    return frozenset(filter(None, named))


def _changed_ids(notice: dict[str, Any]) -> list[str | None]:
    change = _CHANGED_ID.search(str(notice.get("body")))
    return [*(text(notice.get(key)) for key in _SYSTEM_KEYS), *(change.groups() if change else ())]
