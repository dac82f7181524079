"""One event, one id: whatever delivery, batch or order of keys brings it."""

import json

import pytest

from receiver.deliveries.event import contact_key

PAGE, PERSON = "682498302938465", "6193871550648241"


def ids(samples, *bodies):
    return [event.event_id for body in bodies for event in samples.read(body)]


def test_a_message_that_comes_twice_in_one_post_and_across_entries_has_one_id(samples):
    item = samples.item(message={"mid": "m_1", "text": "hi"})
    body = samples.page(item, item)
    body["entry"].append({"id": PAGE, "time": 1783075299999, "messaging": [item]})
    found = ids(samples, body)
    assert len(found) == 3
    assert len(set(found)) == 1


# The samples whose items have no time of their own: these are known by the time of the delivery.
TIMELESS = {
    "meta-docs/fb-inbox_labels.json",
    "meta-docs/fb-messaging_feedback.json",
    "restfb/messaging-accountlinking-linked.json",
    "restfb/messaging-accountlinking-unlinked.json",
}


def test_an_item_keeps_its_id_in_another_batch(samples):
    moved = set()
    for file, body in samples.bodies.items():
        if any(event.event_type in ("account", "unknown", "test") for event in samples.events(file)):
            continue
        again = json.loads(json.dumps(body))
        for entry in again["entry"]:
            entry["time"] = 1790000000000
            for name in ("messaging", "standby"):
                if name in entry:
                    entry[name] = [samples.item(message={"mid": "m_other"}), *entry[name]]
        if not set(ids(samples, body)) <= set(ids(samples, again)):
            moved.add(file)
    assert moved == TIMELESS


def test_standby_and_messaging_bring_the_same_event(samples):
    item = samples.item(message={"mid": "m_1"})
    standby = {"object": "page", "entry": [{"id": PAGE, "standby": [item]}]}
    assert len(set(ids(samples, samples.page(item), standby))) == 1


def test_the_same_message_id_of_another_account_or_platform_is_another_event(samples):
    body = samples.page(samples.item(message={"mid": "m_1"}))
    elsewhere = samples.page(samples.item(message={"mid": "m_1"}), entry_id="5")
    assert len(set(ids(samples, body, elsewhere, {**body, "object": "instagram"}))) == 3


DISTINCT = {
    "a message, its edits, its deletion, reactions to it": [
        {"message": {"mid": "m_1"}},
        {"message": {"mid": "m_1", "is_deleted": True}},
        {"message_edit": {"mid": "m_1", "num_edit": 1}},
        {"message_edit": {"mid": "m_1", "num_edit": 2}},
        {"reaction": {"mid": "m_1", "action": "react"}},
        {"reaction": {"mid": "m_1", "action": "unreact"}},
        {"reaction": {"mid": "m_1", "action": "react"}, "timestamp": 1783075200001},
        {"read": {"mid": "m_1"}},
    ],
    "reads and deliveries by watermark": [
        {"read": {"watermark": 1}},
        {"read": {"watermark": 2}},
        {"read": {"watermark": 1}, "sender": {"id": "7"}},
        {"delivery": {"watermark": 1}},
        {"delivery": {"watermark": 1, "mids": ["m_1"]}},
    ],
    "referrals without a message": [
        {"referral": {"source": "ADS", "ad_id": "1"}},
        {"referral": {"source": "ADS", "ad_id": "2"}},
        {"referral": {"source": "ADS", "ad_id": "1", "ref": "r"}},
        {"referral": {"source": "ADS", "ad_id": "1", "type": "LEAD_COMPLETE"}},
        {"referral": {"source": "ADS", "ad_id": "1"}, "timestamp": 1783075200001},
        {"referral": {"source": "ADS", "ad_id": "1"}, "sender": {"id": "7"}},
    ],
    "items without a natural key": [
        {"optin": {"type": "a"}},
        {"optin": {"type": "b"}},
        {"optin": {"type": "a"}, "timestamp": 1783075200001},
        {"message": {"text": "no mid"}},
    ],
}


@pytest.mark.parametrize("name", DISTINCT)
def test_different_events_have_different_ids(samples, name):
    items = [samples.item(**keys) for keys in DISTINCT[name]]
    found = ids(samples, samples.page(*items))
    assert len(set(found)) == len(items)


def test_an_edit_is_the_same_whether_its_number_is_text_or_not(samples):
    items = [samples.item(message_edit={"mid": "m_1", "num_edit": number}) for number in (1, "1")]
    assert len(set(ids(samples, samples.page(*items)))) == 1


def test_the_words_of_a_message_are_no_part_of_its_id(samples):
    items = [samples.item(message={"mid": "m_1", "text": text}) for text in ("a", "b")]
    assert len(set(ids(samples, samples.page(*items)))) == 1


def test_a_status_is_known_by_message_step_and_recipient(samples):
    leaf = {"id": "wamid.1", "timestamp": "1750030073", "recipient_id": "1", "status": "read"}
    others = [{**leaf, "status": "delivered"}, {**leaf, "recipient_id": "2"}, {**leaf, "id": "wamid.2"}]
    found = ids(samples, samples.whatsapp(statuses=[leaf, {**leaf, "timestamp": "1750030099"}, *others]))
    assert found[0] == found[1]
    assert len(set(found)) == 4


def test_an_account_change_without_a_time_is_known_by_the_delivery_s(samples):
    body = samples.bodies["david-lev-pywa/account_update-account_offboarded.json"]
    later = json.loads(json.dumps(body))
    later["entry"][0]["time"] += 86_400
    assert ids(samples, body) == ids(samples, body)
    assert ids(samples, body) != ids(samples, later)


def test_bytes_that_are_not_json_are_known_by_themselves(samples):
    assert ids(samples, b"a") == ids(samples, b"a") != ids(samples, b"b")


def test_ids_do_not_change_from_one_version_to_the_next(samples):
    """Stored events are deduplicated by these ids: changing them would store redeliveries twice."""
    (message,) = samples.read(samples.page(samples.item(message={"mid": "m_1"})))
    (optin,) = samples.read(samples.page(samples.item(optin={"type": "a"})))
    assert message.event_id == "c7880cb6f5eca4c4e0a6f83a1b08c4e2"
    assert optin.event_id == "babec441d9d85c9084688b3904ac9339"
    assert message.contact_key == 8137351756945704414


def test_a_contact_key_is_a_signed_64_bit_number_of_platform_account_and_contact():
    keys = {
        contact_key(platform, account, contact) for platform in "ab" for account in "cd" for contact in "ef"
    }
    assert len(keys) == 8
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert min(keys) < 0 < max(keys)


def test_a_delivery_id_is_the_beginning_of_the_body_s_sha256(samples):
    (event,) = samples.read(b"{}")
    assert event.delivery_id == "44136fa355b3678a1146ad16f7e8649e"


@pytest.mark.parametrize(
    ("value", "is_known_again"),
    [({"id": "c_1"}, True), ({"comment_id": "c_1"}, True), ({"action": "block"}, False)],
)
def test_what_names_itself_is_known_again_whenever_it_comes(samples, value, is_known_again):
    bodies = [
        {
            "object": "instagram",
            "entry": [{"id": PAGE, "time": time, "changes": [{"field": "f", "value": value}]}],
        }
        for time in (1783075200, 1783075300)
    ]
    first, second = ids(samples, *bodies)
    assert (first == second) == is_known_again
