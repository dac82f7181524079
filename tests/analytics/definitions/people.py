"""Which ids are one person: section 5 of the definitions and the aliases of WhatsApp, in plain loops."""

import json
from collections.abc import Iterable

from .facts import Person, Row


def persons(rows: Iterable[Row]) -> dict[Person, Person]:
    """Name the person of each id that an event was captured under: that of the least of the person's ids."""
    captured = {(row["platform"], row["account_id"], row["contact_id"]) for row in rows}
    ties = _ties([row for row in rows if row["platform"] == "whatsapp"])
    answer = {}
    for platform, account, contact in captured:
        same = _reached(contact, ties) if platform == "whatsapp" else {contact}
        own = [each for each in same if (platform, account, each) in captured]
        answer[platform, account, contact] = (platform, account, min(own))
    return answer


def _ties(rows: list[Row]) -> list[set[str]]:
    """List the ids that one event calls the same person."""
    user_ids = {row["contact_id"] for row in rows if "." in row["contact_id"]}
    ties = []
    for row in rows:
        payload = json.loads(row["payload"])
        # A user id by which nobody is known ties nothing.
        told = {contact.get("user_id") for contact in payload.get("contacts", [])}
        ties += [{row["contact_id"], user_id} for user_id in told & user_ids]
        if row.get("status") == "user_changed_number":
            ties.append({row["contact_id"], payload["messages"][0]["system"]["wa_id"]})
    return ties


def _reached(contact: str, ties: list[set[str]]) -> set[str]:
    reached = {contact}
    for _ in range(len(ties)):
        for tie in ties:
            if tie & reached:
                reached |= tie
    return reached
