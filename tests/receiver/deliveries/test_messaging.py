"""Messenger and Instagram items: who wrote, which way it went, who answered."""

import pytest

PAGE, PERSON = "682498302938465", "6193871550648241"
PAGE_INBOX = 26390203743090


def echo(samples, **keys):
    message = {"mid": "m_1", "text": "Hello", "is_echo": True, **keys}
    return samples.page(samples.item(sender={"id": PAGE}, recipient={"id": PERSON}, message=message))


def test_a_message_is_inbound_and_its_contact_is_the_sender(samples):
    (event,) = samples.read(samples.page(samples.item(message={"mid": "m_1", "text": "hi"})))
    assert (event.event_type, event.direction, event.responder) == ("message", "inbound", None)
    assert (event.account_id, event.contact_id, event.message_id) == (PAGE, PERSON, "m_1")


def test_an_echo_is_outbound_and_its_contact_is_the_recipient(samples):
    (event,) = samples.read(echo(samples))
    assert (event.event_type, event.direction) == ("echo", "outbound")
    assert (event.account_id, event.contact_id) == (PAGE, PERSON)


def test_the_contact_of_an_echo_whose_sides_are_not_swapped_is_still_not_the_account(samples):
    (event,) = samples.events("restfb/messaging-message-basic-echo.json")
    assert (event.event_type, event.account_id, event.contact_id) == ("echo", "12345654332", "987654321432")


def test_a_message_that_the_account_itself_sent_is_an_echo_without_the_flag_too(samples):
    item = samples.item(sender={"id": PAGE}, recipient={"id": PERSON}, message={"mid": "m_1"})
    (event,) = samples.read(samples.page(item))
    assert (event.event_type, event.contact_id) == ("echo", PERSON)


def test_a_message_to_oneself_has_no_contact(samples):
    (event,) = samples.events("meta-docs/ig-is_self.json")
    assert (event.contact_id, event.contact_key) == (None, None)


def test_an_item_for_another_page_belongs_to_the_account_of_its_entry(samples):
    item = samples.item(recipient={"id": "999"}, message={"mid": "m_1"})
    (event,) = samples.read(samples.page(item))
    assert (event.account_id, event.contact_id) == (PAGE, PERSON)


def test_an_entry_without_id_takes_the_account_from_its_item(samples):
    inbound, outbound = (
        samples.item(message={"mid": "m_1"}),
        samples.item(message={"mid": "m_2", "is_echo": True}),
    )
    first, second = samples.read(samples.page(inbound, outbound, entry_id=None))
    assert (first.account_id, first.contact_id) == (PAGE, PERSON)
    assert (second.account_id, second.contact_id) == (PERSON, PAGE)


def test_ids_that_are_numbers_become_text(samples):
    item = samples.item(sender={"id": 987654321432}, recipient={"id": 12345654332}, message={"mid": 7})
    (event,) = samples.read(samples.page(item, entry_id=12345654332))
    assert (event.account_id, event.contact_id, event.message_id) == ("12345654332", "987654321432", "7")


def test_a_guest_known_by_user_ref_has_no_contact_id(samples):
    (event,) = samples.events("restfb/messaging-postback-chat.json")
    assert (event.contact_id, event.direction) == (None, "inbound")
    assert '"user_ref":987654321432' in event.payload


@pytest.mark.parametrize("app_id", [PAGE_INBOX, str(PAGE_INBOX), 263902037430900, 1217981644879628])
def test_an_echo_of_an_inbox_is_human(samples, app_id):
    (event,) = samples.read(echo(samples, app_id=app_id))
    assert (event.app_id, event.responder) == (str(app_id), "human")


@pytest.mark.parametrize("keys", [{}, {"app_id": 1517776481860111}])
def test_who_sent_any_other_echo_is_unknown(samples, keys):
    (event,) = samples.read(echo(samples, **keys))
    assert event.responder == "unknown"


def test_the_user_s_lists_tell_bots_and_humans_apart(samples):
    options = {"bot_app_ids": frozenset({"1", str(PAGE_INBOX)}), "human_app_ids": frozenset({"2"})}
    told = [
        samples.read(echo(samples, app_id=app_id), **options)[0].responder for app_id in (1, 2, PAGE_INBOX)
    ]
    assert told == ["bot", "human", "bot"]


def test_every_outbound_event_has_a_responder(samples):
    reaction = {"mid": "m_1", "action": "react"}
    item = samples.item(sender={"id": PAGE}, recipient={"id": PERSON}, reaction=reaction)
    (event,) = samples.read(samples.page(item))
    assert (event.event_type, event.direction, event.responder) == ("reaction", "outbound", "unknown")


def test_standby_is_marked_and_otherwise_the_same(samples):
    (event,) = samples.events("meta-docs/fb-standby-message.json")
    assert (event.event_type, event.standby) == ("message", True)
    (usual,) = samples.events("meta-docs/ig-text.json")
    assert usual.standby is False


def test_an_echo_in_standby_is_an_echo(samples):
    (event,) = samples.events("meta-docs/fb-standby-echo-template.json")
    assert (event.event_type, event.standby, event.app_id) == ("echo", True, "413038776280800")


def test_a_sticker_that_comes_twice_is_one_sticker(samples):
    (event,) = samples.events("meta-docs/fb-sticker-transition-both.json")
    assert event.message_type == "sticker"


def test_reads_and_deliveries_have_no_direction(samples):
    for file in ("meta-docs/fb-read.json", "meta-docs/ig-seen.json", "meta-docs/fb-delivery.json"):
        (event,) = samples.events(file)
        assert (event.direction, event.responder) == (None, None)


def test_an_instagram_read_names_the_message(samples):
    (event,) = samples.events("meta-docs/ig-seen.json")
    assert event.message_id.startswith("aWdfZAG1")


def test_a_finished_lead_form_is_a_lead_of_its_ad(samples):
    (event,) = samples.events("meta-docs/fb-lead-complete.json")
    assert (event.event_type, event.direction, event.referral_type) == ("lead", "inbound", "LEAD_COMPLETE")
    assert event.ad_id == "23851234567890123"


def test_the_ref_of_an_optin_is_kept(samples):
    (event,) = samples.read(samples.page(samples.item(optin={"ref": "plugin-7"})))
    assert (event.event_type, event.ref) == ("optin", "plugin-7")


def test_an_unknown_event_key_is_kept_whole_under_its_name(samples):
    (event,) = samples.read(samples.page(samples.item(brand_new={"a": 1})))
    assert (event.event_type, event.message_type, event.contact_id) == ("unknown", "brand_new", PERSON)
    assert '"brand_new":{"a":1}' in event.payload


def test_revealing_a_coupon_is_a_tap_and_any_other_template_unknown(samples):
    (event,) = samples.events("meta-docs/fb-coupon-template.json")
    assert (event.event_type, event.direction, event.message_type) == ("postback", "inbound", "coupon")
    assert '"coupon_code":"SAVE20"' in event.payload
    (event,) = samples.read(samples.page(samples.item(template={"type": "brand_new"})))
    assert (event.event_type, event.message_type) == ("unknown", "template")
