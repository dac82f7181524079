"""Properties of the reader, for bytes, for JSON and for real bodies that were tampered with."""

import copy
import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.deliveries import COLUMNS, read_delivery

RECEIVED_AT = 1_795_000_000_000_000
PYTHON_TYPES = {"string": str, "int64": int, "int32": int, "bool": bool, "timestamp": int}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
keys = st.sampled_from(
    ["object", "entry", "id", "time", "messaging", "standby", "changes", "calls", "field", "value", "sender",
     "recipient", "timestamp", "message", "mid", "text", "attachments", "type", "payload", "referral", "ad_id",
     "postback", "read", "delivery", "mids", "watermark", "reaction", "message_edit", "optin", "lead", "statuses",
     "status", "messages", "message_echoes", "contacts", "metadata", "system", "quick_reply", "from", "interactive",
     "edit", "app_roles", "policy_enforcement", "is_echo", "is_deleted", "body", "errors"]
) | st.text(max_size=5)  # fmt: skip
jsons = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=30,
)
objects = st.sampled_from(["page", "instagram", "whatsapp_business_account"])


def read(body: object):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    events = read_delivery(raw, received_at=RECEIVED_AT)
    assert events
    for event in events:
        for (name, kind), value in zip(COLUMNS, event, strict=True):
            assert value is None or type(value) is PYTHON_TYPES[kind], name
            if kind == "string" and value is not None:
                value.encode()
            if kind == "int64" and value is not None:
                assert -(2**63) <= value < 2**63
        json.loads(event.payload, parse_constant=lambda constant: (_ for _ in ()).throw(ValueError(constant)))
    return events


def ids(body: object) -> list[str]:
    return [event.event_id for event in read(body)]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(body):
    read(body)


@settings(deadline=None)
@given(jsons)
def test_no_json_raises(body):
    read(body)


@settings(deadline=None, max_examples=100)
@given(objects, st.lists(jsons, max_size=4), st.sampled_from(["messaging", "standby", "changes", "calls"]))
def test_no_item_raises(platform, items, place):
    read({"object": platform, "entry": [{"id": "1", "time": 1783075200, place: items}]})


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(keys, jsons, max_size=8))
def test_no_whatsapp_value_raises(value):
    change = {"field": "messages", "value": value}
    read({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_no_tampered_sample_raises(samples, data):
    body = copy.deepcopy(samples.bodies[data.draw(st.sampled_from(sorted(samples.bodies)))])
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from([*places(body), (body, "object")]))
        if data.draw(st.booleans()):
            holder[key] = data.draw(jsons)
        elif isinstance(holder, dict):
            holder.pop(key, None)
    read(body)


def places(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in list(pairs):
        yield value, key
        yield from places(held)


@settings(deadline=None, max_examples=100)
@given(st.data(), st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing_but_the_delivery_id(samples, data, randomness):
    body = samples.bodies[data.draw(st.sampled_from(sorted(samples.bodies)))]
    assert ids(body) == ids(shuffled(body, randomness))


def shuffled(value, randomness: random.Random):
    if isinstance(value, list):
        return [shuffled(element, randomness) for element in value]
    if not isinstance(value, dict):
        return value
    pairs = [(key, shuffled(held, randomness)) for key, held in value.items()]
    randomness.shuffle(pairs)
    return dict(pairs)


@settings(deadline=None)
@given(
    platform=objects,
    account=st.integers(1, 10**30) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=30),
    person=st.integers(1, 10**30) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=30),
    ad=st.integers(1, 10**30) | st.from_regex(r"[1-9][0-9]{0,40}", fullmatch=True),
)
def test_ids_survive_whatever_they_are(platform, account, person, ad):
    if platform == "whatsapp_business_account":
        referral = {"source_type": "ad", "source_id": ad}
        message = {
            "from": person,
            "id": "wamid.1",
            "type": "text",
            "timestamp": "1749416383",
            "referral": referral,
        }
        value = {"metadata": {"phone_number_id": account}, "messages": [message]}
        entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    else:
        item = {"sender": {"id": person}, "recipient": {"id": account}, "referral": {"ad_id": ad}}
        entry = {"id": account, "messaging": [item]}
    (event,) = read({"object": platform, "entry": [entry]})
    contact = None if str(account) == str(person) and platform != "whatsapp_business_account" else str(person)
    assert (event.account_id, event.contact_id, event.ad_id) == (str(account), contact, str(ad))


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_an_event_keeps_its_id_whatever_events_come_with_it(samples, data):
    names = data.draw(st.lists(st.sampled_from(sorted(samples.bodies)), min_size=2, max_size=4))
    for platform in ("page", "instagram", "whatsapp_business_account"):
        bodies = [samples.bodies[name] for name in names if samples.bodies[name]["object"] == platform]
        entries = [entry for body in bodies for entry in body["entry"]]
        if entries:
            apart = [event_id for body in bodies if body["entry"] for event_id in ids(body)]
            assert ids({"object": platform, "entry": entries}) == apart
