"""Items of the Messenger Platform, Instagram's included: sender, recipient, timestamp and one event key.

Instagram has no field for echoes (they come among the messages) and tells reads by ``mid``, not by watermark;
otherwise the two write the same.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from receiver.deliveries.envelope import Item
from receiver.deliveries.json_text import mapping, sequence, text
from receiver.deliveries.reading import Reading, ReadingOptions, instant_key, responder_of, unknown, whole_key
from receiver.deliveries.referrals import NO_REFERRAL, Referral, messaging_referral

Content = dict[str, Any]
Key = tuple[object, ...]


class Parties(NamedTuple):
    """Who an item is between, and whether the business sent it."""

    account_id: str | None
    contact_id: str | None
    outbound: bool

    @property
    def direction(self) -> str:
        """Which way something went that was said or done in the thread."""
        return "outbound" if self.outbound else "inbound"


def is_messaging(content: object) -> bool:
    """Tell whether a change's value is a messaging item: the dashboard and Instagram wrap them so."""
    return isinstance(content, dict) and ("sender" in content or "recipient" in content)


def read_messaging(item: Item, content: object, options: ReadingOptions) -> Reading:
    """Read one messaging item; the event keys are tried from the most telling to the least."""
    if not isinstance(content, dict):
        return unknown(item)
    if isinstance(content.get("message"), dict):
        return _message(item, content, options)
    for key, reader in _READERS.items():
        if isinstance(content.get(key), dict):
            return reader(item, content)
    return _unknown_event(item, content)


def parties_of(item: Item, content: Content, is_echo: bool = False) -> Parties:
    """Tell account and contact apart: the contact is the side that is not the account.

    An echo's sides are swapped. Where neither side is the entry's account (an item for another Page, a sample
    of old documentation) the echo flag alone decides.
    """
    sender = text(mapping(content.get("sender")).get("id"))
    recipient = text(mapping(content.get("recipient")).get("id"))
    outbound = is_echo or (sender is not None and sender == item.account_id)
    account_id = item.account_id or (sender if outbound else recipient)
    if sender == recipient == account_id:
        contact_id = None  # the business wrote to itself
    elif account_id in (sender, recipient):
        contact_id = recipient if sender == account_id else sender
    else:
        contact_id = recipient if outbound else sender
    return Parties(account_id, contact_id, outbound)


def _message(item: Item, content: Content, options: ReadingOptions) -> Reading:
    message = content["message"]
    mid = text(message.get("mid"))
    key = ("mid", mid) if mid else None
    parties = parties_of(item, content, message.get("is_echo") is True)
    if message.get("is_deleted") is True:
        key = ("deletion", mid) if mid else None
        return _reading(item, content, parties, "deletion", key, direction=parties.direction, message_id=mid)
    app_id = text(message.get("app_id"))
    return _reading(
        item,
        content,
        parties,
        "echo" if parties.outbound else "message",
        key,
        direction=parties.direction,
        message_id=mid,
        message_type=_message_type(message),
        referral=messaging_referral(content),
        app_id=app_id,
        responder=responder_of(app_id, options) if parties.outbound else None,
        text=text(message.get("text")),
    )


def _message_type(message: Content) -> str | None:
    types = [text(mapping(attachment).get("type")) for attachment in sequence(message.get("attachments"))]
    if "sticker" in types:
        return "sticker"  # until August 2026 one sticker came as an image and a sticker
    if types:
        return types[0]
    if message.get("is_unsupported") is True:
        return "unsupported"
    return "text" if "text" in message else None


def _postback(item: Item, content: Content) -> Reading:
    postback = content["postback"]
    mid = text(postback.get("mid"))
    return _person_event(
        item,
        content,
        "postback",
        ("mid", mid) if mid else None,
        message_id=mid,
        referral=messaging_referral(content),
        text=text(postback.get("title")),
    )


def _template(item: Item, content: Content) -> Reading:
    """Read a tap on a coupon's "Reveal code": it comes among the messages, but without a message."""
    if text(content["template"].get("type")) != "coupon":
        return _unknown_event(item, content)
    return _person_event(item, content, "postback", message_type="coupon")


def _reaction(item: Item, content: Content) -> Reading:
    reaction = content["reaction"]
    parties = parties_of(item, content)
    actor = parties.account_id if parties.outbound else parties.contact_id
    mid, action = text(reaction.get("mid")), text(reaction.get("action"))
    key = ("reaction", mid, actor, action, instant_key(item, content.get("timestamp")))
    return _person_event(item, content, "reaction", key, message_id=mid, status=action)


def _edit(item: Item, content: Content) -> Reading:
    edit = content["message_edit"]
    mid = text(edit.get("mid"))
    key = ("edit", mid, text(edit.get("num_edit"))) if mid else None
    return _person_event(item, content, "edit", key, message_id=mid, text=text(edit.get("text")))


def _read(item: Item, content: Content) -> Reading:
    read = content["read"]
    mid, watermark = text(read.get("mid")), text(read.get("watermark"))
    key = ("read", parties_of(item, content).contact_id, watermark or mid)
    return _receipt(item, content, "read", key if watermark or mid else None, message_id=mid)


def _delivery(item: Item, content: Content) -> Reading:
    delivery = content["delivery"]
    mids = sorted(mid for mid in map(text, _list(delivery.get("mids"))) if mid)
    watermark = text(delivery.get("watermark"))
    key = ("delivery", parties_of(item, content).contact_id, watermark, *mids)
    only_mid = mids[0] if len(mids) == 1 else None
    return _receipt(item, content, "delivery", key if watermark or mids else None, message_id=only_mid)


def _referral(item: Item, content: Content) -> Reading:
    """Read a click that opened a thread, or a lead form of an ad (whose times are in seconds)."""
    referral = messaging_referral(content)
    key = (
        "referral",
        parties_of(item, content).contact_id,
        instant_key(item, content.get("timestamp")),
        referral.referral_source,
        referral.referral_type,
        referral.ad_id,
        referral.ref,
    )
    event_type = "lead" if "lead" in content else "referral"
    return _person_event(item, content, event_type, key, referral=referral)


def _optin(item: Item, content: Content) -> Reading:
    optin = content["optin"]
    return _person_event(
        item,
        content,
        "optin",
        message_type=text(optin.get("type")),
        status=text(optin.get("notification_messages_status")),
        referral=Referral(ref=text(optin.get("ref"))) if "ref" in optin else NO_REFERRAL,
    )


def _call_permission(item: Item, content: Content) -> Reading:
    response = text(content["call_permission_reply"].get("response"))
    return _person_event(item, content, "optin", message_type="call_permission_reply", status=response)


def _feedback(item: Item, content: Content) -> Reading:
    """Read a judgement of what the business or its AI said: a reaction in more words."""
    mid = text(mapping(content.get("response_feedback")).get("mid"))
    key = "messaging_feedback" if "messaging_feedback" in content else "response_feedback"
    return _person_event(item, content, "reaction", message_type=key, message_id=mid)


def _cart(item: Item, content: Content) -> Reading:
    return _person_event(item, content, "message", message_type="order")


def _lead_answers(item: Item, content: Content) -> Reading:
    """Read what a person filled in: the form itself must be fetched, or its answers are personal data."""
    kind = "form" if "form" in content else "messaging_customer_information"
    return _person_event(item, content, "lead", message_type=kind if kind in content else None)


def _handover(item: Item, content: Content) -> Reading:
    step = next(key for key in _HANDOVERS if key in content)
    return _receipt(item, content, "handover", message_type=step)


def _account_linking(item: Item, content: Content) -> Reading:
    status = text(content["account_linking"].get("status"))
    return _receipt(item, content, "status", message_type="account_linking", status=status)


def _policy(item: Item, content: Content) -> Reading:
    enforcement = mapping(content.get("policy_enforcement") or content.get("policy-enforcement"))
    return Reading(
        event_type="account",
        natural_key=whole_key(item, content, content.get("timestamp")),
        payload=item.content,
        account_id=parties_of(item, content).account_id,
        time=content.get("timestamp"),
        message_type="policy_enforcement",
        status=text(enforcement.get("action")),
    )


def _unknown_event(item: Item, content: Content) -> Reading:
    event_keys = [key for key in content if key not in ("sender", "recipient", "timestamp")]
    return _receipt(item, content, "unknown", message_type=event_keys[0] if len(event_keys) == 1 else None)


def _person_event(
    item: Item, content: Content, event_type: str, key: Key | None = None, **columns: Any
) -> Reading:
    """Read what a person did in the thread (or the business, where it is the sender)."""
    parties = parties_of(item, content)
    return _reading(item, content, parties, event_type, key, direction=parties.direction, **columns)


def _receipt(
    item: Item, content: Content, event_type: str, key: Key | None = None, **columns: Any
) -> Reading:
    """Read what neither side said: a receipt, a change of state."""
    return _reading(item, content, parties_of(item, content), event_type, key, **columns)


def _reading(
    item: Item, content: Content, parties: Parties, event_type: str, key: Key | None, **columns: Any
) -> Reading:
    time = content.get("timestamp")
    return Reading(
        event_type=event_type,
        natural_key=key or whole_key(item, content, time),
        payload=item.content,
        account_id=parties.account_id,
        contact_id=parties.contact_id,
        time=time,
        **columns,
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


_HANDOVERS = ("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles")

_READERS: dict[str, Callable[[Item, Content], Reading]] = {
    "postback": _postback,
    "reaction": _reaction,
    "message_edit": _edit,
    "read": _read,
    "delivery": _delivery,
    "referral": _referral,
    "lead": _lead_answers,
    "form": _lead_answers,
    "messaging_customer_information": _lead_answers,
    "optin": _optin,
    "call_permission_reply": _call_permission,
    "messaging_feedback": _feedback,
    "response_feedback": _feedback,
    "order": _cart,
    "template": _template,
    **dict.fromkeys(_HANDOVERS, _handover),
    "account_linking": _account_linking,
    "policy_enforcement": _policy,
    "policy-enforcement": _policy,  # the spelling of old fixtures
}
