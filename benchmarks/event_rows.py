"""Columns of numbers become event rows, as the publisher makes them: with ids, referrals and payloads."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from drawn_year import (
    ADS,
    BOT,
    DELIVERY,
    ECHO,
    HUMAN,
    MESSAGE,
    POSTBACK,
    READ,
    REFERRAL,
    WHATSAPP,
    Events,
    Numbers,
    account_of,
    hides_number,
    platform_of,
)
from numpy.typing import NDArray

from receiver.deliveries.event import contact_key
from receiver.store.parquet import event_schema

PLATFORMS = ("messenger", "instagram", "whatsapp")
INBOX_APP, BOT_APP = "26390203743090", "584201937465821"
_BASE64 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
MID_LENGTH = 44

# What stands around the ids of an event's payload, by what it is.
_THREAD = '{"sender":{"id":"', '"},"recipient":{"id":"', '"},"timestamp":'
_WHATSAPP = '{"field":"messages","messaging_product":"whatsapp","metadata":{"phone_number_id":"'
_BODIES = {
    MESSAGE: (',"message":{"mid":"', '"', "}}"),
    POSTBACK: (',"postback":{"mid":"', '","payload":"GET_STARTED"', "}}"),
    REFERRAL: (',"unused":"', '"', "}"),
    ECHO: (',"message":{"is_echo":true,"mid":"', '"', "}}"),
    READ: (',"read":{"mid":"', '"', "}}"),
    DELIVERY: (',"delivery":{"mids":["', '"]', "}}"),
}
_WHATSAPP_BODIES = {
    MESSAGE: ('"messages":[{"type":"text","from":"', '","from_user_id":"', '"'),
    POSTBACK: ('"messages":[{"type":"button","from":"', '","from_user_id":"', '"'),
    REFERRAL: ('"messages":[{"type":"request_welcome","from":"', '","from_user_id":"', '"'),
    ECHO: ('"statuses":[{"status":"sent","recipient_id":"', '","recipient_user_id":"', '"'),
    READ: ('"statuses":[{"status":"read","recipient_id":"', '","recipient_user_id":"', '"'),
    DELIVERY: ('"statuses":[{"status":"delivered","recipient_id":"', '","recipient_user_id":"', '"'),
}


def ad_id(ad: Numbers) -> pa.Array:
    return pc.cast(pa.array(120_226_305_851_371_113 + ad, mask=(ad < 0) | (ad >= ADS)), pa.string())


def account_id(platform: Numbers, account: Numbers) -> pa.Array:
    start = np.array([117_172_741_761_305, 17_841_405_309_211_844, 106_540_352_242_922])
    return pc.cast(pa.array(start[platform] + 7_919 * account), pa.string())


def contact_id(contact: Numbers, platform: Numbers, is_hidden: NDArray[np.bool_]) -> pa.Array:
    start = np.array([6_352_966_037_982_703, 4_688_669_014_901_155, 4_915_000_000_000])
    number = pc.cast(pa.array(start[platform] + contact), pa.string())
    return pc.if_else(pa.array(is_hidden), user_id(contact), number)


def user_id(contact: Numbers) -> pa.Array:
    number = pc.cast(pa.array(1_349_120_865_530_274_191 + 31 * contact), pa.string())
    return pc.binary_join_element_wise("US.", number, "")


def event_rows(events: Events, dice: np.random.Generator) -> pa.Table:
    """Give rows in the schema of ``events``, in the order of receipt."""
    events = events.where(np.argsort(events.received_at, kind="stable"))
    platform = platform_of(events.contact)
    is_hidden = hides_number(events.contact, events.occurred_at)
    is_whatsapp = platform == WHATSAPP
    account = account_id(platform, account_of(events.contact))
    contact = contact_id(events.contact, platform, is_hidden)
    mid = pc.binary_join_element_wise(
        _picked(("m_", "aWdf", "wamid."), platform), _drawn_text(dice, len(events), MID_LENGTH, _BASE64), ""
    )
    is_link = events.ad == ADS
    is_ad = (events.ad >= 0) & ~is_link
    is_message = (events.kind == MESSAGE) | (events.kind == ECHO)
    has_mid = events.kind != REFERRAL
    ad = ad_id(events.ad)
    ref = pc.binary_join_element_wise("promo-", pc.cast(pa.array(events.ad % 37), pa.string()), "")
    has_ref = is_link | (is_ad & (events.ad % 3 == 0))
    title = pc.binary_join_element_wise("Offer ", pc.cast(pa.array(events.ad), pa.string()), "")
    in_thread = ~is_whatsapp
    columns = {
        "event_id": _drawn_text(dice, len(events), 32, _HEX),
        "platform": _picked(PLATFORMS, platform),
        "account_id": account,
        "contact_id": contact,
        "contact_key": _keys(platform, account, contact),
        "event_type": _event_types(events.kind, is_whatsapp),
        "direction": _picked(("inbound", "outbound", None), np.array([0, 0, 0, 1, 2, 2])[events.kind]),
        "occurred_at": pa.array(events.occurred_at, pa.timestamp("us")),
        "received_at": pa.array(events.received_at, pa.timestamp("us")),
        "message_id": _only(mid, has_mid),
        "message_type": _only(_picked(("text",), np.zeros_like(platform)), is_message),
        "referral_source": _only(
            _picked(("ADS", "ad", "SHORTLINK"), np.where(is_link, 2, is_whatsapp.astype(np.int64))),
            is_ad | is_link,
        ),
        "referral_type": _only(_picked(("OPEN_THREAD",), np.zeros_like(platform)), (is_ad | is_link) & in_thread),
        "ad_id": ad,
        "ref": _only(ref, has_ref),
        "ad_title": _only(title, is_ad),
        "ctwa_clid": _only(_drawn_text(dice, len(events), 36, _BASE64), is_ad & is_whatsapp),
        "app_id": _only(
            _picked((INBOX_APP, BOT_APP), (events.responder == BOT).astype(np.int64)),
            (events.responder >= HUMAN) & in_thread,
        ),
        "responder": _picked((None, "unknown", "human", "bot"), events.responder),
        "standby": pa.array(np.zeros(len(events), bool)),
        "status": _only(
            _picked(("sent", "read", "delivered"), np.maximum(events.kind - ECHO, 0)),
            (events.kind >= ECHO) & is_whatsapp,
        ),
        "text_length": pa.array((events.occurred_at // 1_000) % 160, pa.int32(), mask=~is_message),
        "payload": _payloads(events, platform, is_hidden, account, contact, mid, ad, title),
        "delivery_id": _drawn_text(dice, len(events), 32, _HEX),
    }  # fmt: skip
    schema = event_schema(store_text=False)
    nothing = pa.nulls(len(events), pa.string())
    return pa.table([columns.get(name, nothing) for name in schema.names], schema=schema)


def _keys(platform: Numbers, account: pa.Array, contact: pa.Array) -> pa.Array:
    """Ask the receiver for each person's key, once."""
    people, first, place = np.unique(contact.to_numpy(False), return_index=True, return_inverse=True)
    accounts = account.take(pa.array(first)).to_pylist()
    keys = [
        contact_key(PLATFORMS[kind], of_account, person)
        for kind, of_account, person in zip(platform[first].tolist(), accounts, people.tolist(), strict=True)
    ]
    return pa.array(np.array(keys, np.int64)[place])


def _event_types(kind: Numbers, is_whatsapp: NDArray[np.bool_]) -> pa.Array:
    types = ("message", "postback", "referral", "echo", "read", "delivery", "status")
    code = np.where(is_whatsapp & (kind >= READ), 6, kind)
    return _picked(types, np.where(is_whatsapp & (code == POSTBACK), MESSAGE, code))


def _payloads(
    events: Events,
    platform: Numbers,
    is_hidden: NDArray[np.bool_],
    account: pa.Array,
    contact: pa.Array,
    mid: pa.Array,
    ad: pa.Array,
    title: pa.Array,
) -> pa.Array:
    is_whatsapp = pa.array(platform == WHATSAPP)
    millis = pc.cast(pa.array(events.occurred_at // 1_000), pa.string())
    seconds = pc.cast(pa.array(events.occurred_at // 1_000_000), pa.string())
    is_outbound = pa.array(events.kind == ECHO)
    thread_kind = np.where(events.kind == REFERRAL, REFERRAL, events.kind)
    before, after, end = (
        _picked([_BODIES[kind][part] for kind in range(6)], thread_kind) for part in range(3)
    )
    referral = pc.if_else(
        pa.array(events.ad >= 0),
        pc.binary_join_element_wise(
            ',"referral":{"source":"ADS","type":"OPEN_THREAD","ad_id":"', pc.fill_null(ad, ""),
            '","ads_context_data":{"ad_title":"', title, '"}}', "",
        ),
        "",
    )  # fmt: skip
    thread = pc.binary_join_element_wise(
        _THREAD[0], pc.if_else(is_outbound, account, contact), _THREAD[1], pc.if_else(is_outbound, contact, account),
        _THREAD[2], millis, before, mid, after, referral, end, "",
    )  # fmt: skip
    first, second, third = (
        _picked([_WHATSAPP_BODIES[kind][part] for kind in range(6)], events.kind) for part in range(3)
    )
    user = user_id(events.contact)
    number = pc.if_else(pa.array(is_hidden), "", contact)
    person = pc.if_else(
        pa.array(is_hidden),
        '{"user_id":"',
        pc.binary_join_element_wise('{"wa_id":"', contact, '","user_id":"', ""),
    )
    whatsapp = pc.binary_join_element_wise(
        _WHATSAPP, account, '"},"contacts":[', person, user, '"}],', first, number, second, user, third,
        ',"timestamp":"', seconds, '","id":"', mid, '"', referral, "}]}", "",
    )  # fmt: skip
    return pc.if_else(is_whatsapp, whatsapp, thread)


def _picked(values: Sequence[str | None], codes: Numbers) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(codes))


def _only(values: pa.Array, chosen: NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(chosen), values, pa.scalar(None, pa.string()))


def _drawn_text(dice: np.random.Generator, count: int, length: int, alphabet: NDArray[np.uint8]) -> pa.Array:
    drawn = alphabet[dice.integers(0, len(alphabet), count * length, np.uint8)]
    ends = np.arange(0, (count + 1) * length, length, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(drawn))
