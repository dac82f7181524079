"""Payloads without what people said and who they are: ids, times, referrals and unknown keys stay."""

import re
from collections.abc import Callable
from typing import Any

# What a person wrote, or words about them, under whatever key Meta puts it.
_WORDS = {"text", "caption", "title", "subtitle", "description", "body", "note", "subject", "nlp"}
_ANSWERS = {"answer", "response_json", "review_text"}
_MEDIA = {"url", "image_url", "link", "filename", "location", "sdp"}
_PROFILE = {"profile", "username", "full_name", "first_name", "last_name", "reviewer_name", "sender_name"}
_CHECKOUT = {"shipping_address", "requested_user_info", "payment_credential"}
_CREDENTIALS = {"authorization_code"}
_CONTENT = _WORDS | _ANSWERS | _MEDIA | _PROFILE | _CHECKOUT | _CREDENTIALS

_IDENTIFYING = re.compile(r"^(id|key|type|status|mime_type|sha256)$|_(id|type|time|timestamp)$")
_CONTACT_IDS = ("wa_id", "user_id", "parent_user_id", "identity_key_hash")
_CHANGED_ID = re.compile(r"changed from \S+ to \S+$")


def without_content(value: Any) -> Any:
    """Return a copy of an item without message text, answers, media links, places and profile data.

    A key that is not known to hold content stays, whatever it holds: new fields of Meta are not lost.
    (``message`` is an item's object everywhere but in posts and comments, where it is their text.)
    """
    if isinstance(value, list):
        return [without_content(element) for element in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _TREATMENTS.get(key, without_content)(held) if isinstance(held, (dict, list)) else held
        for key, held in value.items()
        if key not in _CONTENT and not (key == "message" and isinstance(held, str))
    }


def _identifiers(value: Any) -> Any:
    """Keep ids, types and times only: templates and attachments may hold names, addresses, anything."""
    if isinstance(value, list):
        return [_identifiers(element) for element in value if isinstance(element, (dict, list))]
    return {
        key: _identifiers(held) if isinstance(held, (dict, list)) else held
        for key, held in value.items()
        if isinstance(held, (dict, list)) or _IDENTIFYING.search(key)
    }


def _whole(value: Any) -> Any:
    return value


def _contact_ids(contacts: Any) -> Any:
    """Keep the ids of the people a WhatsApp delivery is about, and nothing of the cards that people send."""
    people = contacts if isinstance(contacts, list) else [contacts]
    return [
        {key: person[key] for key in _CONTACT_IDS if key in person}
        for person in people
        if isinstance(person, dict)
    ]


def _quick_reply(reply: Any) -> Any:
    """Keep the payload that the business wrote, but not an e-mail address or a phone number in its place."""
    payload = reply.get("payload") if isinstance(reply, dict) else None
    if isinstance(payload, str) and ("@" in payload or not any(letter.isalpha() for letter in payload)):
        return {key: held for key, held in reply.items() if key != "payload"}
    return reply


def _system_notice(notice: Any) -> Any:
    """Keep a person's old and new id, which stand only in the sentence, without the name before them."""
    kept = without_content(notice)
    if isinstance(notice, dict) and (change := _CHANGED_ID.search(str(notice.get("body")))):
        kept["body"] = change.group()
    return kept


_TREATMENTS: dict[str, Callable[[Any], Any]] = {
    "referral": _whole,
    "errors": _whole,
    "attachments": _identifiers,
    "from": _identifiers,
    "follow_up": _identifiers,
    "responses": _identifiers,
    "contacts": _contact_ids,
    "quick_reply": _quick_reply,
    "system": _system_notice,
}
