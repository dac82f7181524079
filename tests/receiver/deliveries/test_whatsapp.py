"""WhatsApp: what a reply looks like, and who a person is without a phone number."""

import json

import pytest

BSUID = "US.13491208655302741918"


@pytest.mark.parametrize("status", ["delivered", "read", "failed", "played", "deleted"])
def test_only_sent_is_a_reply(samples, status):
    leaf = {"id": "wamid.1", "timestamp": "1750030073", "recipient_id": "16505551234"}
    statuses = [{**leaf, "status": "sent"}, {**leaf, "status": status}]
    sent, later = samples.read(samples.whatsapp(statuses=statuses))
    assert (sent.event_type, sent.direction, sent.responder) == ("echo", "outbound", "unknown")
    assert (later.event_type, later.direction, later.responder) == ("status", None, None)
    assert (sent.status, later.status) == ("sent", status)
    assert sent.event_id != later.event_id


def test_the_price_of_a_reply_tells_campaigns_apart(samples):
    (event,) = samples.events("meta-docs/wa-status-sent-v24.json")
    assert (event.event_type, event.pricing_category) == ("echo", "marketing")


def test_a_reply_typed_in_the_phone_app_is_human(samples):
    (event,) = samples.events("meta-docs/wa-smb-echo-text.json")
    assert (event.event_type, event.direction, event.responder) == ("echo", "outbound", "human")
    assert event.contact_id == "16505551234"


@pytest.mark.parametrize(("file", "event_type"), [("edit", "edit"), ("revoke", "deletion")])
def test_edits_and_revocations_are_not_replies_and_name_the_message(samples, file, event_type):
    (event,) = samples.events(f"meta-docs/wa-smb-echo-{file}.json")
    assert (event.event_type, event.direction) == (event_type, "outbound")
    assert event.message_id == "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI9"


def test_the_account_is_the_phone_number_id(samples):
    (event,) = samples.events("meta-docs/wa-ctwa-referral-image.json")
    assert event.account_id == "106540352242922"


def test_the_account_of_an_account_change_is_the_business_account(samples):
    (event,) = samples.events("david-lev-pywa/account_update-account_offboarded.json")
    assert (event.event_type, event.account_id, event.status) == (
        "account",
        "102290129340398",
        "ACCOUNT_OFFBOARDED",
    )


def test_the_phone_number_comes_before_the_business_scoped_id(samples):
    (event,) = samples.events("meta-docs/wa-text-bsuid-and-phone.json")
    assert event.contact_id == "16505551234"
    assert BSUID in event.payload


def test_without_a_phone_number_the_business_scoped_id_is_the_contact(samples):
    (event,) = samples.events("meta-docs/wa-text-bsuid-only.json")
    assert event.contact_id == BSUID


def test_a_phone_number_that_only_the_contact_list_tells_is_the_contact(samples):
    message = samples.message(from_user_id=BSUID)
    del message["from"]
    contacts = [{"wa_id": "111", "user_id": "US.1"}, {"wa_id": "222", "user_id": BSUID}]
    (event,) = samples.read(samples.whatsapp(messages=[message], contacts=contacts))
    assert event.contact_id == "222"


def test_a_business_scoped_id_in_from_is_the_contact(samples):
    (event,) = samples.read(samples.whatsapp(messages=[samples.message(**{"from": BSUID})]))
    assert event.contact_id == BSUID


def test_contacts_are_joined_by_id_not_by_position(samples):
    messages = [samples.message(id="wamid.1"), samples.message(id="wamid.2", **{"from": "222"})]
    contacts = [{"wa_id": "222", "user_id": "US.2"}, {"wa_id": "16505551234", "user_id": "US.1"}]
    first, second = samples.read(samples.whatsapp(messages=messages, contacts=contacts))
    assert '"user_id":"US.1"' in first.payload
    assert '"user_id":"US.2"' not in first.payload
    assert '"user_id":"US.2"' in second.payload


def test_the_only_contact_is_not_tied_to_the_messages_of_another(samples):
    messages = [samples.message(id="wamid.1"), samples.message(id="wamid.2", **{"from": "222"})]
    contacts = [{"wa_id": "16505551234", "user_id": "US.1"}]
    first, second = samples.read(samples.whatsapp(messages=messages, contacts=contacts))
    assert '"user_id":"US.1"' in first.payload
    assert "US.1" not in second.payload
    assert "16505551234" not in second.payload


@pytest.mark.parametrize("wa_id", [{}, [], None, 1.5, True])
def test_contacts_whose_ids_are_no_ids_are_nobody(samples, wa_id):
    contacts = [{"wa_id": wa_id}, {"wa_id": wa_id}]
    (event,) = samples.read(samples.whatsapp(messages=[samples.message()], contacts=contacts))
    assert event.contact_id == "16505551234"
    assert '"contacts"' not in event.payload


def test_the_person_of_a_group_status_is_the_participant(samples):
    (event,) = samples.events("david-lev-pywa/message_status-group.json")
    assert event.contact_id == "<GROUP_PARTICIPANT_USER_PHONE_NUMBER>"


def test_each_message_of_a_value_is_an_event_with_its_own_payload(samples):
    messages = [samples.message(id="wamid.1"), samples.message(id="wamid.2")]
    first, second = samples.read(samples.whatsapp(messages=messages))
    assert (first.message_id, second.message_id) == ("wamid.1", "wamid.2")
    assert "wamid.2" not in first.payload


def test_a_reaction_names_the_message_it_is_about(samples):
    (event,) = samples.events("meta-docs/wa-reaction.json")
    assert (event.event_type, event.message_id) == ("reaction", "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI9")


def test_a_changed_id_is_nobody_s_message_and_both_ids_stay(samples):
    (event,) = samples.events("meta-docs/wa-user_changed_user_id.json")
    assert (event.event_type, event.direction, event.status) == ("status", None, "user_changed_user_id")
    assert f"changed from {BSUID} to US.99991208655302749999" in event.payload
    assert "Pablo" not in event.payload


def test_opening_a_chat_is_not_a_message(samples):
    message = samples.message(type="request_welcome")
    del message["text"]
    (event,) = samples.read(samples.whatsapp(messages=[message]))
    assert (event.event_type, event.text_length) == ("referral", None)


def test_a_call_is_a_status(samples):
    (event,) = samples.events("david-lev-pywa/call_connect-user_initiated.json")
    assert (event.event_type, event.message_type, event.status) == ("status", "call", "connect")
    assert (event.contact_id, event.direction) == ("972987654321", None)


def test_an_error_about_no_message_is_about_the_account(samples):
    (event,) = samples.read(samples.whatsapp(errors=[{"code": 131000, "title": "Something went wrong"}]))
    assert (event.event_type, event.account_id) == ("account", "106540352242922")
    assert "131000" in event.payload


def test_a_field_nobody_knows_is_unknown_and_kept(samples):
    (event,) = samples.read(samples.whatsapp(field="history", history=[{"id": "chunk-1"}]))
    assert (event.event_type, event.message_type) == ("unknown", "history")
    assert "chunk-1" in event.payload


@pytest.mark.parametrize(
    ("keys", "length"),
    [
        ({"text": {"body": "Hello"}}, 5),
        ({"type": "image", "text": None, "image": {"id": "1", "caption": "A dress"}}, 7),
        ({"type": "button", "text": None, "button": {"payload": "P", "text": "Yes"}}, 3),
        (
            {
                "type": "interactive",
                "text": None,
                "interactive": {"list_reply": {"id": "1", "title": "Blue"}},
            },
            4,
        ),
        ({"type": "order", "text": None, "order": {"text": "please"}}, 6),
        ({"type": "audio", "text": None, "audio": {"id": "1"}}, None),
    ],
)
def test_the_length_of_a_text_is_kept_wherever_the_text_stands(samples, keys, length):
    (event,) = samples.read(samples.whatsapp(messages=[samples.message(**keys)]))
    assert event.text_length == length
    assert (
        samples.read(samples.whatsapp(messages=[samples.message(**keys)]), store_text=True)[0].text_length
        == length
    )


def test_leaves_that_are_no_objects_are_one_unknown_event(samples):
    events = samples.read(samples.whatsapp(messages=[1, "2", None, samples.message()]))
    assert [event.event_type for event in events] == ["message", "unknown"]


def test_a_body_whose_rows_would_fill_memory_is_kept_as_it_came(samples):
    body = samples.whatsapp(
        padding="a" * 100_000, messages=[samples.message(id=f"wamid.{n}") for n in range(500)]
    )
    (event,) = samples.read(body)
    assert event.event_type == "unknown"
    assert list(json.loads(event.payload)) == ["body_base64"]


def test_a_full_batch_of_a_thousand_messages_is_read(samples):
    events = samples.read(samples.whatsapp(messages=[samples.message(id=f"wamid.{n}") for n in range(1000)]))
    assert len({event.event_id for event in events}) == 1000


@pytest.mark.parametrize(
    ("emoji", "action"), [({"emoji": "👍"}, "react"), ({"emoji": ""}, "unreact"), ({}, "unreact")]
)
def test_a_reaction_without_emoji_takes_the_reaction_back(samples, emoji, action):
    message = samples.message(type="reaction", reaction={"message_id": "wamid.9", **emoji})
    (event,) = samples.read(samples.whatsapp(messages=[message]))
    assert (event.event_type, event.message_id, event.status) == ("reaction", "wamid.9", action)
