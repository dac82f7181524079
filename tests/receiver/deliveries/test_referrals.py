"""Which ad, post, product or link brought a person here."""

import pytest

AD = {"ad_id": "120226305854810726", "source": "ADS", "type": "OPEN_THREAD"}
CONTEXT = {"ad_title": "Spring sale", "post_id": "682_704", "product_id": "48", "flow_id": "12"}

PLACES = {
    "in the message": {"message": {"mid": "m_1", "text": "hi", "referral": AD}},
    "in the postback": {"postback": {"mid": "m_1", "title": "Get Started", "referral": AD}},
    "alone in the item": {"referral": AD},
    "beside the message": {"message": {"mid": "m_1", "text": "hi"}, "referral": AD},
    "beside the postback": {"postback": {"mid": "m_1", "title": "Get Started"}, "referral": AD},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("ref", ["spring-1", None])
@pytest.mark.parametrize("platform", ["page", "instagram"])
def test_an_ad_is_found_in_each_place_with_and_without_ref(samples, place, ref, platform):
    keys = {
        key: {**held, "ref": ref} if key == "referral" and ref else held
        for key, held in PLACES[place].items()
    }
    for holder in ("message", "postback"):
        if ref and "referral" in keys.get(holder, {}):
            keys[holder] = {**keys[holder], "referral": {**AD, "ref": ref}}
    (event,) = samples.read({**samples.page(samples.item(**keys)), "object": platform})
    assert (event.ad_id, event.ref) == ("120226305854810726", ref)
    assert (event.referral_source, event.referral_type) == ("ADS", "OPEN_THREAD")


def test_the_ad_context_fills_its_columns(samples):
    referral = {**AD, "ref": "r", "ads_context_data": CONTEXT}
    (event,) = samples.read(samples.page(samples.item(message={"mid": "m_1", "referral": referral})))
    assert (event.ad_title, event.post_id, event.product_id, event.flow_id) == (
        "Spring sale",
        "682_704",
        "48",
        "12",
    )


def test_of_two_referrals_the_one_that_names_an_ad_speaks(samples):
    product = {"product": {"id": "48"}}
    item = samples.item(message={"mid": "m_1", "text": "hi", "referral": product}, referral=AD)
    (event,) = samples.read(samples.page(item))
    assert event.ad_id == "120226305854810726"


def test_an_m_me_link_is_no_ad(samples):
    link = {"ref": "vip", "source": "SHORTLINK", "type": "OPEN_THREAD"}
    (event,) = samples.read(samples.page(samples.item(referral=link)))
    assert (event.event_type, event.ad_id, event.ref, event.referral_source) == (
        "referral",
        None,
        "vip",
        "SHORTLINK",
    )


@pytest.mark.parametrize(
    "file", ["meta-docs/fb-shops-product-referral.json", "meta-docs/ig-shops-product-referral.json"]
)
def test_a_shops_product_is_no_ad(samples, file):
    (event,) = samples.events(file)
    assert (event.ad_id, event.product_id) == (None, "4812345678901234")


@pytest.mark.parametrize("ad_id", [0, "0", "", None, {}, [], True])
def test_what_names_no_ad_is_null(samples, ad_id):
    (event,) = samples.read(samples.page(samples.item(referral={**AD, "ad_id": ad_id})))
    assert event.ad_id is None


def test_an_ad_id_that_is_a_number_beyond_2_53_keeps_every_digit(samples):
    (event,) = samples.events("meta-docs/ig-ctd-ad_id-number.json")
    assert event.ad_id == "120226305854810726"
    assert '"ad_id":120226305854810726' in event.payload


@pytest.mark.parametrize(
    "ad_id", [18446744073709551615, 18446744073709551616, 123456789012345678901234567890]
)
def test_an_ad_id_that_is_a_number_of_64_bits_or_more_keeps_every_digit(samples, ad_id):
    (event,) = samples.read(samples.page(samples.item(referral={**AD, "ad_id": ad_id})))
    assert event.ad_id == str(ad_id)
    assert str(ad_id) in event.payload


def test_a_whatsapp_ad_gives_ad_id_headline_and_click_id(samples):
    (event,) = samples.events("meta-docs/wa-ctwa-referral-image.json")
    assert (event.ad_id, event.ad_title, event.referral_source) == (
        "120226305854810726",
        "Chat with us",
        "ad",
    )
    assert event.ctwa_clid == "Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4_0NiNhEgpGo0AHvvvM"
    assert event.post_id is None


def test_a_whatsapp_post_is_no_ad(samples):
    (event,) = samples.events("meta-docs/wa-referral-post.json")
    assert (event.ad_id, event.post_id, event.ad_title) == (None, "120226305854810726", None)


def test_a_whatsapp_ad_in_a_status_has_no_click_id(samples):
    (event,) = samples.events("meta-docs/wa-ctwa-referral-no-clid-status-placement.json")
    assert (event.ad_id, event.ctwa_clid) == ("120226305854810726", None)


def test_a_whatsapp_ad_is_found_on_any_type_of_message(samples):
    (event,) = samples.events("meta-docs/wa-ctwa-referral-video-image-message.json")
    assert (event.message_type, event.ad_id) == ("image", "120226305854810726")


def test_a_catalogue_product_asked_about_on_whatsapp_is_no_ad(samples):
    (event,) = samples.events("meta-docs/wa-referred_product.json")
    assert (event.ad_id, event.product_id) == (None, "di9ozbzfi4")


def test_a_referral_survives_redaction_whole(samples):
    referral = {**AD, "ads_context_data": CONTEXT, "body": "ad text", "title": "t", "new_key": {"text": "x"}}
    (event,) = samples.read(samples.page(samples.item(referral=referral)))
    for part in ("ad text", "new_key", '"text":"x"', "Spring sale"):
        assert part in event.payload
