"""One event of the world as Meta writes it: an item of a Messenger, Instagram or WhatsApp delivery."""

from base64 import urlsafe_b64encode
from random import Random
from typing import Any, NamedTuple

from ctm_analytics.simulation.business import (
    ADS,
    BOT_APP_ID,
    HELP_DESK_APP_ID,
    INSTAGRAM,
    MESSENGER,
    PAGE_INBOX_APP_ID,
    WHATSAPP,
    WHATSAPP_DISPLAY_NUMBER,
)
from ctm_analytics.simulation.people import hides_phone
from ctm_analytics.simulation.period import SECOND
from ctm_analytics.simulation.records import Contact, Event

_QUESTIONS = (
    "Hi, is this still available?", "How much is delivery?", "Do you have it in oak?", "Hello 👋",
    "What are the measurements?", "Can I pay on delivery?", "Is it in stock?", "Thank you!",
    "Où êtes-vous situés ?", "Can you send me a photo of the back?", "I’ll take two, please.",
)  # fmt: skip
_ANSWERS = (
    "Hi! How can we help?", "Yes, it is in stock.", "Delivery takes two to four days.",
    "Here is your checkout link: https://kayahome.example/checkout", "You’re welcome – enjoy your new table!",
)  # fmt: skip

_TITLES = {ad.ad_id: ad.title for ad in ADS}


class Item(NamedTuple):
    """What one event is in a delivery.

    Attributes
    ----------
    account_id : str
    place : str
        ``messaging``, or of a WhatsApp change ``messages``, ``statuses`` or ``message_echoes``
    content : dict, the item itself
    contact : dict or None, WhatsApp's entry for the person in ``contacts``
    """

    account_id: str
    place: str
    content: dict[str, Any]
    contact: dict[str, Any] | None = None


def item_of(event: Event, random: Random) -> Item:
    """Write an event in the shape of its platform."""
    if event.contact.platform == WHATSAPP:
        return _whatsapp_item(event, random)
    account = {"id": event.contact.account_id}
    person = {"id": event.contact.contact_id}
    sender, recipient = (account, person) if event.event_type == "echo" else (person, account)
    content: dict[str, Any] = {"sender": sender, "recipient": recipient}
    if event.event_type != "delivery":
        content["timestamp"] = _milliseconds(event.at)
    content.update(_messaging_keys(event, random))
    return Item(event.contact.account_id, "messaging", content)


def _messaging_keys(event: Event, random: Random) -> dict[str, Any]:
    mid = event.message_id
    match event.event_type:
        case "message":
            return _message(event, random)
        case "postback":
            postback = {"mid": mid, "title": "Get Started", "payload": "GET_STARTED"}
            return {"postback": {**postback, "referral": _referral(event)}}
        case "referral":
            return {"referral": _referral(event)}
        case "echo":
            return {
                "message": {"is_echo": True, **_app_id(event), "mid": mid, "text": random.choice(_ANSWERS)}
            }
        case "edit":
            return {"message_edit": {"mid": mid, "text": random.choice(_QUESTIONS), "num_edit": "1"}}
    return _about_a_message(event)


def _about_a_message(event: Event) -> dict[str, Any]:
    """Write what happens to a message that was sent before."""
    mid = event.message_id
    match event.event_type:
        case "deletion":
            return {"message": {"mid": mid, "is_deleted": True}}
        case "reaction":
            return {"reaction": {"reaction": "love", "emoji": "❤️", "action": "react", "mid": mid}}
        case "delivery":
            return {"delivery": {"mids": [mid], "watermark": _milliseconds(event.at)}}
        case "read" if event.contact.platform == INSTAGRAM:
            return {"read": {"mid": mid}}
        case "read":
            return {"read": {"watermark": _milliseconds(event.at) - 210}}
    raise ValueError(f"{event.event_type!r} is no event of {event.contact.platform}")


def _message(event: Event, random: Random) -> dict[str, Any]:
    message: dict[str, Any] = {"mid": event.message_id}
    if event.shape in ("image", "sticker"):
        payload: dict[str, Any] = {"url": "https://scontent.xx.fbcdn.net/v/t1.15752-9/photo.jpg"}
        if event.shape == "sticker":
            payload["sticker_id"] = 369239263222822
        message["attachments"] = [{"type": event.shape, "payload": payload}]
    else:
        message["text"] = random.choice(_QUESTIONS)
    if event.ad_id is None:
        return {"message": message}
    if event.shape == "beside message":
        return {"message": message, "referral": _referral(event)}
    return {"message": {**message, "referral": _referral(event)}}


def _referral(event: Event) -> dict[str, Any]:
    if event.ad_id is None:
        source = "SHORTLINK" if event.contact.platform == MESSENGER else "IGME-SOURCE-LINK"
        return {"ref": event.ref, "source": source, "type": "OPEN_THREAD"}
    ref = {"ref": event.ref} if event.ref else {}
    context = {
        "ad_title": _TITLES[event.ad_id],
        "photo_url": f"https://scontent.xx.fbcdn.net/v/t45.1600-4/{event.ad_id}.jpg",
    }
    if event.contact.platform == MESSENGER:
        context["post_id"] = f"{event.contact.account_id}_{event.ad_id[-15:]}"
    return {**ref, "ad_id": event.ad_id, "source": "ADS", "type": "OPEN_THREAD", "ads_context_data": context}


def _app_id(event: Event) -> dict[str, int]:
    if event.responder == "unknown":
        return {}
    if event.responder == "bot":
        return {"app_id": int(BOT_APP_ID)}
    inbox = PAGE_INBOX_APP_ID if event.contact.platform == MESSENGER else HELP_DESK_APP_ID
    return {"app_id": int(inbox)}


def _whatsapp_item(event: Event, random: Random) -> Item:
    stamp = {"id": event.message_id, "timestamp": str(event.at // SECOND)}
    account_id = event.contact.account_id
    person = _whatsapp_contact(event.contact)
    if event.event_type == "status" or (event.event_type == "echo" and event.responder != "human"):
        return Item(account_id, "statuses", {**stamp, **_status(event)})
    if event.event_type == "echo":
        text = {"type": "text", "text": {"body": random.choice(_ANSWERS)}}
        to = {_id_key("to", event.contact): event.contact.contact_id}
        return Item(
            account_id, "message_echoes", {"from": WHATSAPP_DISPLAY_NUMBER, **to, **stamp, **text}, person
        )
    written = {_id_key("from", event.contact): event.contact.contact_id, **stamp}
    if event.event_type == "reaction":
        # A reaction is a message of its own, about another one.
        written["id"] = f"{event.message_id}X"
        reaction = {"message_id": event.message_id, "emoji": "👍"}
        return Item(account_id, "messages", {**written, "type": "reaction", "reaction": reaction}, person)
    referral = {"referral": _whatsapp_referral(event, random)} if event.ad_id else {}
    content = {**referral, **written, **_whatsapp_content(event, random)}
    return Item(account_id, "messages", content, person)


def _whatsapp_contact(contact: Contact) -> dict[str, Any]:
    return {"profile": {"name": contact.name}, _id_key("wa_id", contact): contact.contact_id}


def _id_key(key: str, contact: Contact) -> str:
    """Return the key of a person's id: another one where it is a business-scoped user id."""
    if not hides_phone(contact):
        return key
    return "user_id" if key == "wa_id" else f"{key}_user_id"


def _status(event: Event) -> dict[str, Any]:
    recipient = "recipient_user_id" if hides_phone(event.contact) else "recipient_id"
    status = {"status": event.shape, recipient: event.contact.contact_id}
    if event.event_type == "status":
        return status
    category = "utility" if event.shape == "utility" else "service"
    kind = "regular" if category == "utility" else "free_customer_service"
    pricing = {"billable": category == "utility", "pricing_model": "PMP", "category": category, "type": kind}
    return {**status, "status": "sent", "pricing": pricing}


def _whatsapp_content(event: Event, random: Random) -> dict[str, Any]:
    if event.shape in ("image", "sticker"):
        mime_type = "image/jpeg" if event.shape == "image" else "image/webp"
        media = {"id": f"{random.randrange(10**15, 10**16)}", "mime_type": mime_type}
        return {"type": event.shape, event.shape: media}
    return {"type": "text", "text": {"body": random.choice(_QUESTIONS)}}


def _whatsapp_referral(event: Event, random: Random) -> dict[str, Any]:
    assert event.ad_id is not None
    return {
        "source_url": f"https://fb.me/{event.ad_id[-9:]}",
        "source_id": event.ad_id,
        "source_type": "ad",
        "body": "Made by hand, delivered to your door.",
        "headline": _TITLES[event.ad_id],
        "media_type": "image",
        "image_url": f"https://scontent.xx.fbcdn.net/v/t45.1/{event.ad_id}.jpg",
        "ctwa_clid": "Aff-" + urlsafe_b64encode(random.randbytes(24)).decode(),
    }


def _milliseconds(at: int) -> int:
    return at // 1_000
