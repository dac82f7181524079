"""Sales: the latest word counts, the best evidence matches, and a customer is new once."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from worlds import START, World

DAY = timedelta(days=1)
LATER = datetime(2026, 11, 20)


def rows(world: World, relation: str, **settings: Any) -> dict[str, dict[str, Any]]:
    return {row["sale_id"]: row for row in world.open(**settings).sql(f"from {relation}").table.to_pylist()}


def matched(world: World) -> dict[str, str]:
    return {sale: row["matched_by"] for sale, row in rows(world, "sale_matches").items()}


def test_the_latest_import_of_a_sale_wins(world: World) -> None:
    world.sale("s", START, "12.50", imported_at=LATER).sale("s", START, "10.00")
    (sale,) = world.open().sql("from sales").table.to_pylist()
    assert sale["net_cents"] == 1250


def test_a_refund_lowers_the_net_and_a_full_refund_no_longer_counts(world: World) -> None:
    world.sale("part", START, "10.00", refunded_amount=Decimal("4.00"))
    world.sale("all", START, "10.00", refunded_amount=Decimal("10.00"))
    world.sale("cancelled", START, "10.00", status="cancelled")
    sales = rows(world, "sales")
    assert {name: (row["net_cents"], row["is_counted"]) for name, row in sales.items()} == {
        "part": (600, True),
        "all": (0, False),
        "cancelled": (0, False),
    }


def test_a_free_order_counts(world: World) -> None:
    world.sale("free", START, "0.00")
    assert rows(world, "sales")["free"]["is_counted"]


def test_better_evidence_comes_first(world: World) -> None:
    world.event("p", START, ref="r").event("15550001", START, platform="whatsapp", account="number-1")
    world.contact("q", email="a@example.com").event("q", START)
    world.sale("contact", START, "1", contact_id="p", email="a@example.com")
    world.sale("identity", START, "1", email="a@example.com", phone="+15550001")
    world.sale("phone", START, "1", phone="+15550001", ref="r")
    world.sale("ref", START, "1", ref="r", ad_id="1")
    world.sale("ad", START, "1", ad_id="1")
    world.sale("none", START, "1", email="nobody@example.com")
    assert matched(world) == {
        "contact": "contact_id",
        "identity": "identity",
        "phone": "phone",
        "ref": "ref",
        "ad": "ad_id",
        "none": "unmatched",
    }


def test_two_contacts_for_one_key_are_ambiguous_and_weaker_evidence_does_not_help(world: World) -> None:
    world.event("p", START, account="page-1").event("p", START, account="page-2")
    world.sale("s", START, "1", contact_id="p", ad_id="1")
    world.sale("told", START, "1", contact_id="p", account_id="page-2")
    assert matched(world) == {"s": "ambiguous", "told": "contact_id"}


def test_a_ref_that_several_contacts_used_matches_nobody(world: World) -> None:
    world.event("p", START, ref="spring").event("q", START, ref="spring")
    world.sale("bare", START, "1", ref="spring").sale("declared", START, "1", ref="spring", ad_id="1")
    assert matched(world) == {"bare": "ambiguous", "declared": "ad_id"}


@pytest.mark.parametrize(
    ("wa_id", "phone"),
    [
        ("554188887777", "+5541988887777"),
        ("5541988887777", "+554188887777"),
        ("5215512345678", "+525512345678"),
        ("525512345678", "+5215512345678"),
        ("14155550123", "+14155550123"),
    ],
)
def test_brazils_ninth_digit_and_mexicos_1_are_folded(world: World, wa_id: str, phone: str) -> None:
    world.event(wa_id, START, platform="whatsapp").sale("s", START, "1", phone=phone)
    assert matched(world) == {"s": "phone"}


@pytest.mark.parametrize(
    ("wa_id", "phone"), [("552133334444", "+5521933334444"), ("521551234567", "+52551234567")]
)
def test_only_mobile_numbers_of_full_length_are_folded(world: World, wa_id: str, phone: str) -> None:
    is_same = wa_id == "552133334444"  # a ninth digit in front of eight is what the rule is about
    world.event(wa_id, START, platform="whatsapp").sale("s", START, "1", phone=phone)
    assert matched(world) == {"s": "phone" if is_same else "unmatched"}


def test_a_phone_matches_no_messenger_id_of_the_same_digits(world: World) -> None:
    world.event("15550001", START, platform="messenger").sale("s", START, "1", phone="+15550001")
    assert matched(world) == {"s": "unmatched"}


def test_a_customer_is_new_at_the_first_sale_only_even_if_that_was_refunded(world: World) -> None:
    world.sale("first", START, "5.00", customer_id="c", refunded_amount=Decimal("5.00"))
    world.sale("second", START + DAY, "5.00", customer_id="c")
    customers = rows(world, "customers")
    assert [customers[sale]["is_new_customer"] for sale in ("first", "second")] == [True, False]


def test_the_files_own_word_on_new_customers_wins(world: World) -> None:
    world.sale("first", START, "5.00", customer_id="c", is_new_customer=False)
    assert rows(world, "customers")["first"]["is_new_customer"] is False


def test_whether_an_unknown_buyer_is_new_is_unknown(world: World) -> None:
    world.sale("s", START, "5.00", ad_id="1")
    assert rows(world, "customers")["s"]["is_new_customer"] is None


def test_the_buyer_is_known_by_customer_id_then_email_then_phone_then_contact(world: World) -> None:
    world.event("p", START)
    world.sale("1", START, "5", customer_id="c", email="e").sale("2", START, "5", email="e", phone="+1")
    world.sale("3", START, "5", phone="+1", contact_id="p").sale("4", START, "5", contact_id="p")
    keys = {sale: row["customer_key"].split("|")[0] for sale, row in rows(world, "customers").items()}
    assert keys == {"1": "customer", "2": "email", "3": "phone", "4": "contact"}


def test_a_foreign_sale_is_converted_at_the_rate_of_its_day_and_rounded_to_the_cent(world: World) -> None:
    world.sale("s", START, "10.00", currency="EUR").rate(START.date(), "EUR", "1.08555")
    world.spend(START.date(), "1", "1.00")
    sales = rows(world, "sales", settings='reporting_currency = "USD"')
    assert sales["s"]["net_cents"] == 1086
