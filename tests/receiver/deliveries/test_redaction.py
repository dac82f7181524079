"""What people write and who they are stays out, unless the user asks for it."""

import json

import pytest

from receiver.deliveries.redaction import without_content

CANARY = "canary-7f3a"
MEDIA = ("image", "video", "document", "audio", "sticker")

MESSENGER = [
    {"message": {"mid": "m_1", "text": CANARY, "nlp": {"entities": {"x": CANARY}}}},
    {"message": {"mid": "m_1", "text": CANARY, "is_echo": True}},
    {"message": {"mid": "m_1", "attachments": [{"type": "image", "title": CANARY, "payload": {"url": CANARY}}]}},
    {"message": {"mid": "m_1", "attachments": [{"type": "fallback", "payload": CANARY, "URL": CANARY}]}},
    {"message": {"mid": "m_1", "attachments": [{"type": "location", "payload": {"coordinates": {"lat": CANARY}}}]}},
    {"message": {"mid": "m_1", "attachments": [{"type": "template", "payload": {
        "template_type": "receipt", "recipient_name": CANARY, "address": {"street_1": CANARY},
        "elements": [{"title": CANARY, "subtitle": CANARY, "buttons": [{"title": CANARY, "url": CANARY}]}]}}]}},
    {"message": {"mid": "m_1", "quick_reply": {"payload": f"{CANARY}@example.org"}}},
    {"message": {"mid": "m_1", "reply_to": {"story": {"id": "1", "url": CANARY}}}},
    {"message": {"mid": "m_1", "is_deleted": True, "text": CANARY}},
    {"message_edit": {"mid": "m_1", "text": CANARY}},
    {"postback": {"mid": "m_1", "title": CANARY, "payload": "P"}},
    {"lead": {"data": [{"question": "E-mail?", "answer": CANARY}]}, "referral": {"source": "ADS"}},
    {"messaging_customer_information": {"screens": [{"responses": [{"key": "email", "value": CANARY}]}]}},
    {"messaging_feedback": {"feedback_screens": [{"questions": {"q": {
        "type": "csat", "payload": "4", "follow_up": {"type": "free_form", "payload": CANARY}}}}]}},
    {"order": {"products": [{"id": 1}], "note": CANARY}},
    {"payment": {"requested_user_info": {"contact_name": CANARY}}},
    {"checkout_update": {"shipping_address": {"street1": CANARY}}},
    {"account_linking": {"status": "linked", "authorization_code": CANARY}},
    {"payment": {"payment_credential": {"charge_id": CANARY}}},
    {"brand_new": {"text": CANARY, "from": {"id": "1", "name": CANARY}}},
]  # fmt: skip

FILE = {"id": "1", "caption": CANARY, "filename": CANARY, "url": CANARY}

WHATSAPP = [
    {"text": {"body": CANARY}},
    *({"type": kind, "text": {}, kind: FILE} for kind in MEDIA),
    {"type": "location", "location": {"latitude": CANARY, "name": CANARY}},
    {"type": "contacts", "contacts": [{"name": {"first_name": CANARY}, "phones": [{"wa_id": CANARY}]}]},
    {"type": "button", "button": {"payload": "P", "text": CANARY}},
    {"type": "interactive", "interactive": {"button_reply": {"id": "1", "title": CANARY}}},
    {"type": "interactive", "interactive": {"list_reply": {"id": "1", "title": CANARY, "description": CANARY}}},
    {"type": "interactive", "interactive": {"nfm_reply": {"response_json": CANARY, "body": CANARY, "name": "flow"}}},
    {"type": "order", "order": {"text": CANARY, "product_items": []}},
    {"type": "edit", "edit": {"original_message_id": "1", "message": {"type": "text", "text": {"body": CANARY}}}},
    {"type": "revoke", "revoke": {"original_message_id": "1"}, "text": {"body": CANARY}},
    {"type": "system", "system": {"type": "user_changed_number", "body": f"{CANARY} changed from 1 to 2"}},
    {"type": "system", "system": {"type": "customer_identity_changed", "body": CANARY}},
]  # fmt: skip


def assert_absent(event):
    assert not any(CANARY in str(value) for value in event)


@pytest.mark.parametrize("keys", MESSENGER)
@pytest.mark.parametrize("platform", ["page", "instagram"])
def test_nothing_a_person_wrote_on_messenger_or_instagram_is_in_any_column(samples, keys, platform):
    (event,) = samples.read({**samples.page(samples.item(**keys)), "object": platform})
    assert_absent(event)
    assert json.loads(event.payload)["sender"] == {"id": "6193871550648241"}


@pytest.mark.parametrize("keys", WHATSAPP)
@pytest.mark.parametrize("kind", ["messages", "message_echoes"])
def test_nothing_a_person_wrote_on_whatsapp_is_in_any_column(samples, keys, kind):
    contacts = [{"wa_id": "16505551234", "user_id": "US.1", "profile": {"name": CANARY, "username": CANARY}}]
    (event,) = samples.read(samples.whatsapp(**{kind: [samples.message(**keys)], "contacts": contacts}))
    assert_absent(event)
    assert json.loads(event.payload)["contacts"] == [{"wa_id": "16505551234", "user_id": "US.1"}]


@pytest.mark.parametrize(
    "value",
    [
        {"item": "comment", "message": CANARY, "from": {"id": "1", "name": CANARY}, "comment_id": "c_1"},
        {"text": CANARY, "from": {"id": "1", "username": CANARY}, "comment_id": "c_1"},
        {"item": "post", "sender_name": CANARY, "message": CANARY, "comment_id": "c_1"},
        {"review_text": CANARY, "reviewer_name": CANARY, "comment_id": "c_1"},
    ],
)
def test_nothing_a_visitor_of_the_page_wrote_is_in_any_column(samples, value):
    body = {
        "object": "page",
        "entry": [{"id": "1", "time": 1783075200, "changes": [{"field": "feed", "value": value}]}],
    }
    (event,) = samples.read(body)
    assert_absent(event)
    assert json.loads(event.payload)["value"]["comment_id"] == "c_1"


CONTENT_KEYS = [
    *("text", "caption", "title", "subtitle", "description", "body", "note", "subject", "nlp"),
    *("answer", "response_json", "review_text", "url", "image_url", "link", "filename", "location", "sdp"),
    *("profile", "username", "full_name", "first_name", "last_name", "reviewer_name", "sender_name"),
    *("shipping_address", "requested_user_info", "payment_credential", "authorization_code"),
]


@pytest.mark.parametrize("key", CONTENT_KEYS)
@pytest.mark.parametrize("held", [CANARY, {"any": CANARY}, [CANARY]])
def test_a_key_of_content_does_not_stay_in_any_shape(samples, key, held):
    item = samples.item(brand_new=[{key: held, "other": "kept"}])
    (event,) = samples.read(samples.page(item))
    assert_absent(event)
    assert json.loads(event.payload)["brand_new"] == [{"other": "kept"}]
    (event,) = samples.read(
        samples.whatsapp(field="smb_app_state_sync", state_sync=[{"contact": {key: held}}])
    )
    assert_absent(event)


def test_no_text_of_any_sample_is_in_any_column(samples):
    for file in samples.bodies:
        kept = samples.read(samples.bodies[file], store_text=True)
        for event, with_text in zip(samples.events(file), kept, strict=True):
            assert event.text is None
            words = with_text.text or ""
            if len(words) > 8 and with_text.message_type != "button":
                assert not any(words in str(column) for column in event), file


def test_the_length_of_the_text_stays(samples):
    (event,) = samples.read(samples.page(samples.item(message={"mid": "m_1", "text": "naïve 😀"})))
    assert event.text_length == 7


@pytest.mark.parametrize("text", ["", None, [], {}])
def test_no_text_has_no_length(samples, text):
    (event,) = samples.read(samples.page(samples.item(message={"mid": "m_1", "text": text})))
    assert event.text_length is None


def test_with_store_text_the_text_and_the_whole_item_stay(samples):
    item = samples.item(message={"mid": "m_1", "text": "hi", "attachments": [{"payload": {"url": "u"}}]})
    (event,) = samples.read(samples.page(item), store_text=True)
    assert (event.text, json.loads(event.payload)) == ("hi", item)


@pytest.mark.parametrize("keys", [{"message": {"mid": "m_1", "is_deleted": True, "text": CANARY}}])
def test_a_deleted_message_is_not_kept_even_with_store_text(samples, keys):
    (event,) = samples.read(samples.page(samples.item(**keys)), store_text=True)
    assert event.event_type == "deletion"
    assert_absent(event)


def test_a_revoked_message_is_not_kept_even_with_store_text(samples):
    revoked = samples.message(type="revoke", revoke={"original_message_id": "1"}, text={"body": CANARY})
    (event,) = samples.read(samples.whatsapp(messages=[revoked]), store_text=True)
    assert event.event_type == "deletion"
    assert_absent(event)


def test_storing_text_changes_no_id(samples):
    for file, body in samples.bodies.items():
        ids = [event.event_id for event in samples.events(file)]
        assert ids == [event.event_id for event in samples.read(body, store_text=True)]


def test_ids_times_and_unknown_keys_stay():
    item = {
        "message": {"mid": "m_1", "seq": 3, "text": "x", "metadata": "m", "commands": [{"name": "flights"}],
                    "attachments": [{"type": "sticker", "payload": {"sticker_id": 369239263222822, "url": "u"}}]},
        "hop_context": {"app_id": 413038776280800}, "new_key": [1, {"deep": None}], "timestamp": 1,
    }  # fmt: skip
    item["message"]["quick_reply"] = {"payload": "SIZE_M"}
    assert without_content(item) == {
        "message": {"mid": "m_1", "seq": 3, "metadata": "m", "commands": [{"name": "flights"}],
                    "attachments": [{"type": "sticker", "payload": {"sticker_id": 369239263222822}}],
                    "quick_reply": {"payload": "SIZE_M"}},
        "hop_context": {"app_id": 413038776280800}, "new_key": [1, {"deep": None}], "timestamp": 1,
    }  # fmt: skip


def test_why_a_message_failed_stays(samples):
    (event,) = samples.events("meta-docs/wa-status-failed.json")
    assert "This recipient has chosen to stop receiving marketing messages" in event.payload


@pytest.mark.parametrize("payload", ["+1 555 123 4567", "ann@example.org"])
def test_a_phone_number_or_address_tapped_as_a_quick_reply_goes(samples, payload):
    (event,) = samples.read(
        samples.page(samples.item(message={"mid": "m_1", "quick_reply": {"payload": payload}}))
    )
    assert payload not in event.payload
