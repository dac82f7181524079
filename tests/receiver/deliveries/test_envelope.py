"""Every form in which Meta, its dashboard and its documentation wrap an item."""

import base64
import json

import pytest

PAGE = "682498302938465"


def test_every_item_of_every_entry_is_read_in_order(samples):
    events = samples.events("meta-docs/fb-batch-two-entries-two-events.json")
    assert [event.event_type for event in events] == ["message", "message", "read"]
    assert [event.account_id for event in events] == [PAGE, PAGE, "117172741761305"]


def test_an_entry_that_is_an_object_is_a_list_of_one(samples):
    body = samples.page(samples.item(message={"mid": "m_1"}))
    body["entry"] = body["entry"][0]
    (event,) = samples.read(body)
    assert (event.event_type, event.account_id) == ("message", PAGE)


def test_a_messaging_that_is_an_object_is_a_list_of_one(samples):
    body = samples.page(samples.item(message={"mid": "m_1"}))
    body["entry"][0]["messaging"] = body["entry"][0]["messaging"][0]
    (event,) = samples.read(body)
    assert event.event_type == "message"


@pytest.mark.parametrize("wrap", ["changes", "flat"])
def test_a_message_in_changes_or_flat_on_the_entry_is_a_message(samples, wrap):
    change = {"field": "messages", "value": samples.item(message={"mid": "m_1", "text": "hi"})}
    inside = {"changes": [change]} if wrap == "changes" else change
    (event,) = samples.read({"object": "instagram", "entry": [{"id": PAGE, "time": 1783075200, **inside}]})
    (usual,) = samples.read({**samples.page(samples.item(message={"mid": "m_1"})), "object": "instagram"})
    assert (event.event_type, event.direction, event.text_length) == ("message", "inbound", 2)
    assert event.event_id == usual.event_id


def test_a_call_permission_stands_directly_on_the_entry(samples):
    (event,) = samples.events("meta-docs/fb-call_permission_reply.json")
    assert (event.event_type, event.status, event.contact_id) == ("optin", "approve", "6193871550648241")
    assert event.occurred_at == 1783075200000000


def test_a_call_stands_in_a_list_of_its_own(samples):
    (event,) = samples.events("meta-docs/fb-calls-connect.json")
    assert (event.event_type, event.message_type, event.status) == ("status", "call", "connect")
    assert (event.contact_id, event.occurred_at) == ("6193871550648241", 1783075199000000)


def test_the_contact_of_a_call_is_the_side_that_is_not_the_page(samples):
    call = {"id": "c_1", "from": PAGE, "to": "6193871550648241", "event": "connect", "timestamp": 1783075199}
    (event,) = samples.read({"object": "page", "entry": [{"id": PAGE, "calls": [call]}]})
    assert event.contact_id == "6193871550648241"


def test_what_nobody_knows_beside_the_messages_of_an_entry_is_kept_too(samples):
    body = samples.page(samples.item(message={"mid": "m_1"}))
    body["entry"][0]["surprise"] = {"a": 1}
    message, surprise = samples.read(body)
    assert (message.event_type, surprise.event_type) == ("message", "unknown")
    assert surprise.payload == '{"surprise":{"a":1}}'
    assert surprise.account_id == PAGE


DASHBOARD_TESTS = [
    "meta-docs/fb-messages-dashboard-test.json",
    "meta-docs/ig-changes-dashboard-test.json",
    "meta-docs/fb-postback-dashboard-shape.json",
    "chatwoot/ig-test-changes.json",
    "chatwoot/ig-test-text.json",
]


@pytest.mark.parametrize("file", DASHBOARD_TESTS)
def test_a_test_of_the_dashboard_is_a_test(samples, file):
    assert [event.event_type for event in samples.events(file)] == ["test"]


def test_the_dashboard_s_message_id_is_a_test_on_any_account(samples):
    (event,) = samples.read(samples.page(samples.item(message={"mid": "random_mid", "text": "random_text"})))
    assert event.event_type == "test"


def test_a_dashboard_sample_without_envelope_is_a_test(samples):
    value = samples.bodies[DASHBOARD_TESTS[0]]["entry"][0]["changes"][0]["value"]
    (event,) = samples.read({"field": "messages", "value": value})
    assert (event.event_type, event.platform, event.contact_id) == ("test", None, "12334")
    whatsapp = samples.whatsapp(messages=[samples.message()])["entry"][0]["changes"][0]
    (event,) = samples.read(whatsapp)
    assert (event.event_type, event.platform, event.contact_id) == ("test", "whatsapp", "16505551234")


def test_the_test_number_of_whatsapp_s_dashboard_is_a_test(samples):
    body = samples.whatsapp(messages=[samples.message()], metadata={"phone_number_id": "123456123"})
    assert [event.event_type for event in samples.read(body)] == ["test"]


@pytest.mark.parametrize(
    "body",
    [{}, [], None, 7, "text", {"object": "page"}, {"object": "page", "entry": []}, {"object": "user", "entry": [{}]},
     {"object": "whatsapp_business_account", "entry": {}}, {"entry": [{"messaging": [{"message": {"mid": "1"}}]}]}],
)  # fmt: skip
def test_json_of_unknown_shape_is_one_unknown_event_and_kept(samples, body):
    (event,) = samples.read(body)
    assert event.event_type == "unknown"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff\xfe\x00",
        b"{",
        b'{"a":1}x',
        b"[" * 100_000,
        b"9" * 5000,
    ],
)
def test_what_is_not_json_or_far_too_deep_is_one_unknown_event_with_the_body_in_base64(samples, body):
    (event,) = samples.read(body)
    assert (event.event_type, event.platform) == ("unknown", None)
    assert base64.b64decode(json.loads(event.payload)["body_base64"]) == body


@pytest.mark.parametrize("levels", [200, 300, 600, 1000, 5000])
def test_however_deep_json_is_nested_it_is_kept(samples, levels):
    (event,) = samples.read(b'{"a":' * levels + b"1" + b"}" * levels)
    assert event.event_type == "unknown"
    assert event.payload.startswith(('{"a":', '{"body_base64":'))


def test_a_lone_surrogate_becomes_a_replacement_character(samples):
    body = json.dumps(samples.page(samples.item(referral={"ad_id": "9", "ref": "a?b"}))).encode()
    (event,) = samples.read(body.replace(b"a?b", rb"a\ud800b"))
    assert (event.ad_id, event.ref) == ("9", "a\ufffdb")
    assert event.payload.encode()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_json_cannot_write_become_text(samples, number):
    body = samples.page(samples.item(message={"mid": "m_1"}, strange="?"))
    raw = json.dumps(body).replace('"?"', number).encode()
    (event,) = samples.read(raw)
    assert event.event_type == "message"
    assert json.loads(event.payload)["strange"] == number


def test_a_byte_order_mark_is_no_obstacle(samples):
    body = b"\xef\xbb\xbf" + json.dumps(samples.page(samples.item(message={"mid": "m_1"}))).encode()
    assert [event.event_type for event in samples.read(body)] == ["message"]


def test_fields_named_without_values_are_about_the_account(samples):
    body = {"object": "page", "entry": [{"id": PAGE, "time": 1783075200, "changed_fields": ["feed"]}]}
    (event,) = samples.read(body)
    assert (event.event_type, event.message_type, event.account_id) == ("account", "changed_fields", PAGE)
    assert event.payload == '{"changed_fields":["feed"]}'


@pytest.mark.parametrize(("ad_id", "known"), [(120226305854810726, "120226305854810726"), (0, None)])
def test_a_lead_form_outside_a_thread_keeps_its_ad(samples, ad_id, known):
    value = {"ad_id": ad_id, "form_id": 1, "leadgen_id": 2, "created_time": 1485964825}
    entry = {"id": PAGE, "time": 1485964826, "changes": [{"field": "leadgen", "value": value}]}
    (event,) = samples.read({"object": "page", "entry": [entry]})
    assert (event.event_type, event.ad_id, event.contact_id) == ("lead", known, None)
