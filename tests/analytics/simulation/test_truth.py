from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from ctm_analytics.simulation.business import ADS
from ctm_analytics.simulation.period import DAY, HOUR, MINUTE, SECOND
from ctm_analytics.simulation.records import Contact, Event, Sale
from ctm_analytics.simulation.spending import spend_days
from ctm_analytics.simulation.truth import (
    MODELS,
    Conversation,
    Touch,
    as_json,
    conversations_of,
    credits_of,
    touches_of,
    truth_of,
)
from ctm_analytics.simulation.world import World

ANNA = Contact("messenger", "page", "anna", "Anna", "anna@example.com", "+12015550100")
NOON = 1_800_000_000 * SECOND


def event(at: int, event_type: str = "message", **fields: Any) -> Event:
    return Event(ANNA, NOON + at, event_type, **fields)


def click(at: int, ad_id: str = "ad") -> Event:
    return event(at, ad_id=ad_id)


def reply(at: int, responder: str = "human") -> Event:
    return event(at, "echo", responder=responder)


def conversations(*activity: Event) -> list[Conversation]:
    return conversations_of(activity, touches_of(activity))


def sale(sold_at: int, net_cents: int = 100) -> Sale:
    return Sale("#1", sold_at, net_cents, 0, False, "contact_id", ANNA, "anna@example.com", "")


@pytest.fixture(scope="module")
def told(shop: World) -> dict[str, Any]:
    return as_json(truth_of(shop))


def test_clicks_on_one_ad_at_most_thirty_minutes_apart_are_one_touch() -> None:
    clicks = [
        click(0),
        click(30 * MINUTE),
        click(60 * MINUTE),
        click(90 * MINUTE + 1),
        click(91 * MINUTE, "other"),
    ]
    assert [(touch.touched_at - NOON, touch.ad_id) for touch in touches_of(clicks)] == [
        (0, "ad"),
        (90 * MINUTE + 1, "ad"),
        (91 * MINUTE, "other"),
    ]


def test_a_conversation_ends_after_more_than_a_day_of_silence_and_at_every_touch() -> None:
    day = 24 * HOUR
    opened = conversations(event(0), reply(day), event(2 * day + 1), click(2 * day + 2))
    assert [(one.opened_at - NOON, one.opened_by) for one in opened] == [
        (0, "contact"),
        (2 * day + 1, "contact"),
        (2 * day + 2, "ad"),
    ]


def test_the_first_answer_is_counted_from_the_first_thing_the_person_said() -> None:
    (talk,) = conversations(
        event(0, "referral", ad_id="ad"),
        reply(5 * SECOND, "bot"),
        event(MINUTE),
        reply(2 * MINUTE, "bot"),
        reply(HOUR),
    )
    assert talk.first_inbound_at == NOON + MINUTE
    assert talk.first_response_at == NOON + 2 * MINUTE
    assert talk.first_human_response_at == NOON + HOUR


def test_a_reply_of_an_unknown_app_is_an_answer_but_no_persons() -> None:
    (talk,) = conversations(event(0), reply(MINUTE, "unknown"))
    assert (talk.first_response_at, talk.first_human_response_at) == (NOON + MINUTE, None)


def test_a_silent_click_opens_a_conversation_without_messages() -> None:
    (silent,) = conversations(event(0, "referral", ad_id="ad"))
    assert (silent.opened_by, silent.ad_id, silent.messages_in) == ("ad", "ad", 0)


@pytest.mark.parametrize(
    ("age", "is_credited"), [(0, True), (7 * DAY, True), (7 * DAY + 1, False), (-1, False)]
)
def test_a_touch_earns_credit_for_seven_days_both_ends_included(age: int, is_credited: bool) -> None:
    shares = credits_of(sale(NOON + age), [Touch(ANNA, NOON, "ad")])
    assert [bool(shares[model]) for model in MODELS] == [is_credited] * 3


def test_models_share_a_sale_to_the_cent() -> None:
    touches = [Touch(ANNA, NOON, "first"), Touch(ANNA, NOON + 1, "middle"), Touch(ANNA, NOON + 2, "last")]
    shares = credits_of(sale(NOON + DAY), touches)
    assert [(credit.ad_id, credit.share) for credit in shares["last_touch"]] == [("last", 1)]
    assert [(credit.ad_id, credit.share) for credit in shares["first_touch"]] == [("first", 1)]
    assert [(credit.ad_id, credit.share, credit.revenue_cents) for credit in shares["linear"]] == [
        ("first", Fraction(1, 3), 34),
        ("middle", Fraction(1, 3), 33),
        ("last", Fraction(1, 3), 33),
    ]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_hands_out_all_sales_and_all_money(told: dict[str, Any], shop: World, model: str) -> None:
    shares = [ad["credits"][model] for ad in told["ads"]]
    counted = [sale for sale in shop.sales if sale.is_counted]
    assert sum(credit["sales"] for credit in shares) == pytest.approx(len(counted), abs=1e-9)
    assert sum(credit["revenue_cents"] for credit in shares) == sum(sale.net_cents for sale in shop.sales)
    first_sales = sum(one["is_new_customer"] and one["is_counted"] for one in told["sales"])
    assert sum(credit["new_customers"] for credit in shares) == pytest.approx(first_sales, abs=1e-9)


def test_models_differ_where_people_click_twice(told: dict[str, Any]) -> None:
    shared = [one for one in told["sales"] if len(one["credits"]["linear"]) > 1]
    assert any(
        one["credits"]["first_touch"][0]["ad_id"] != one["credits"]["last_touch"][0]["ad_id"]
        for one in shared
    )


def test_some_sales_come_after_the_window(told: dict[str, Any]) -> None:
    touched = {touch["contact_id"] for touch in told["touches"]}
    late = [one for one in told["sales"] if one["contact_id"] in touched and not one["credits"]["linear"]]
    assert late


def test_counts_of_the_ads_are_those_of_the_rows(told: dict[str, Any], shop: World) -> None:
    assert sum(ad["conversations"] for ad in told["ads"]) == len(told["conversations"])
    assert sum(ad["touches"] for ad in told["ads"]) == len(told["touches"])
    assert sum(ad["engaged"] for ad in told["ads"]) == sum(one["engaged"] for one in told["conversations"])
    assert sum(ad["answered"] for ad in told["ads"]) == sum(one["answered"] for one in told["conversations"])
    assert sum(ad["spend_cents"] for ad in told["ads"]) == sum(day.spend_cents for day in spend_days(shop))
    assert len(told["ads"]) == len(ADS) + 1
    assert 3_000 < len(told["conversations"]) < 5_000


def test_each_touch_opens_exactly_one_conversation(told: dict[str, Any]) -> None:
    by_ad = [one for one in told["conversations"] if one["opened_by"] == "ad"]
    keys = Counter((one["contact_id"], one["opened_at"], one["ad_id"]) for one in by_ad)
    assert keys == Counter((one["contact_id"], one["touched_at"], one["ad_id"]) for one in told["touches"])


def test_the_expected_rate_is_what_happens(told: dict[str, Any]) -> None:
    """All ads together, within four standard errors."""
    ads = [ad for ad in told["ads"] if ad["ad_id"] and ad["engaged"]]
    expected = sum(ad["expected_conversion_rate"] * ad["engaged"] for ad in ads)
    conversions = sum(ad["credits"]["last_touch"]["conversions"] for ad in ads)
    assert abs(conversions - expected) < 4 * expected**0.5


def test_good_and_bad_ads_are_told_apart(told: dict[str, Any]) -> None:
    rates = sorted(ad["expected_conversion_rate"] for ad in told["ads"] if ad["engaged"] and ad["ad_id"])
    assert rates[-1] > 4 * rates[0]
