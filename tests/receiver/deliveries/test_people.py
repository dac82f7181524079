"""All ids of one person are found in what one event says, and nobody else's."""

import pytest

from receiver.deliveries.people import person_ids

BUSINESS, PHONE, USER, PARENT = "15550783881", "16505551234", "US.134912086553027", "US.ENT.118157992128868"


def ids_in(samples, **change):
    (event,) = samples.read(samples.whatsapp(**change))
    return person_ids(event.platform, event.contact_id, event.payload)


@pytest.mark.parametrize(
    "change",
    [
        {"contacts": [{"wa_id": PHONE, "user_id": USER}], "messages": [{"from": PHONE, "id": "w", "type": "text"}]},
        {"messages": [{"from": PHONE, "from_user_id": USER, "id": "w", "type": "text"}]},
        {"message_echoes": [{"from": BUSINESS, "to": PHONE, "to_user_id": USER, "id": "w", "type": "text"}]},
        {"statuses": [{"id": "w", "status": "read", "recipient_id": PHONE, "recipient_user_id": USER}]},
        {"statuses": [{
            "id": "w", "status": "read", "recipient_id": "a-group", "recipient_type": "group",
            "recipient_participant_id": PHONE, "recipient_participant_user_id": USER,
        }]},
        {"user_preferences": [{"wa_id": PHONE, "user_id": USER, "category": "marketing_messages", "value": "stop"}]},
        {"field": "user_id_update", "user_id_update": [{"wa_id": PHONE, "user_id": {"current": USER}}]},
    ],
)  # fmt: skip
def test_the_number_and_the_user_id_are_one_person(samples, change):
    assert ids_in(samples, **change) == {PHONE, USER}


def test_a_parent_id_is_the_persons_too(samples):
    message = {"from_user_id": USER, "from_parent_user_id": PARENT, "id": "w", "type": "text"}
    assert ids_in(samples, messages=[message]) == {USER, PARENT}


@pytest.mark.parametrize("key", ["user_id", "wa_id", "new_wa_id"])
def test_the_old_and_the_new_id_of_a_notice_are_one_person(samples, key):
    notice = {"type": "user_changed_user_id", "body": f"User A changed from {USER} to US.99", key: "US.99"}
    message = {"from": PHONE, "id": "w", "type": "system", "system": notice}
    assert ids_in(samples, messages=[message]) == {PHONE, USER, "US.99"}


def test_two_people_of_one_change_are_not_tied_together(samples):
    updates = [{"wa_id": PHONE, "user_id": {"current": USER}}, {"wa_id": "2", "user_id": {"current": "US.2"}}]
    assert ids_in(samples, field="user_id_update", user_id_update=updates) == frozenset()


def test_where_no_person_is_meant_there_is_none(samples):
    assert person_ids("messenger", None, "{}") == frozenset()
    assert person_ids(None, None, "[]") == frozenset()
    assert person_ids("instagram", "42", "{}") == {"42"}
