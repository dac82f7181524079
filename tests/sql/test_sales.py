"""Sales: the latest word counts, the best evidence matches, and a customer is new once."""

from datetime import UTC, datetime, timedelta
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
        ("5491155555555", "+541155555555"),
        ("541155555555", "+5491155555555"),
        ("14155550123", "+14155550123"),
    ],
)
def test_brazils_ninth_digit_mexicos_1_and_argentinas_9_are_folded(
    world: World, wa_id: str, phone: str
) -> None:
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


def test_two_spellings_of_a_phone_are_one_customer(world: World) -> None:
    world.sale("first", START, "5.00", phone="+5541988887777")
    world.sale("second", START + DAY, "5.00", phone="+554188887777")
    world.sale("other", START + DAY, "5.00", phone="+554188887778")
    customers = rows(world, "customers")
    new = {sale: row["is_new_customer"] for sale, row in customers.items()}
    assert new == {"first": True, "second": False, "other": True}


@pytest.mark.parametrize("phone", ["+554188887777", "01711234567"])
def test_a_contacts_file_may_spell_a_phone_as_the_sale_does_or_otherwise(world: World, phone: str) -> None:
    spelled = {"+554188887777": "+5541988887777"}.get(phone, phone)
    world.event("p", START).contact("p", phone=spelled).sale("s", START, "1", phone=phone)
    assert matched(world) == {"s": "identity"}


def test_a_phone_that_wrote_to_two_accounts_is_ambiguous_until_the_contacts_file_says_which(
    world: World,
) -> None:
    for account in ("number-1", "number-2"):
        world.event("15550001", START, platform="whatsapp", account=account)
    world.sale("s", START, "1", phone="+15550001", ref="r", ad_id="1")
    match = rows(world, "sale_matches")["s"]
    assert (match["matched_by"], match["evidence"], match["declared_ad_id"]) == ("ambiguous", "phone", None)
    world.contact("15550001", account_id="number-2", phone="+15550001")
    match = rows(world, "sale_matches")["s"]
    (fits,) = world.open().sql("select account_id from contacts natural join sale_matches").table.to_pylist()
    assert (match["matched_by"], fits["account_id"]) == ("identity", "number-2")


def test_an_ambiguous_sale_hands_its_credit_to_nobody(world: World) -> None:
    for contact in ("p", "q"):
        world.event(contact, START, ad_id="1").contact(contact, email="a@example.com")
    world.sale("s", START + DAY, "5.00", email="a@example.com")
    (credit,) = world.open().sql("from credits").table.to_pylist()
    assert (credit["ad_id"], credit["credit_billionths"], credit["credited_cents"]) == (None, 10**9, 500)


def test_a_sale_without_any_key_is_unmatched_and_stays_in_the_totals(world: World) -> None:
    world.event("p", START, ad_id="1").sale("s", START, "5.00")
    match = rows(world, "sale_matches")["s"]
    assert (match["matched_by"], match["evidence"], match["contact_key"]) == ("unmatched", None, None)
    unattributed = [row for row in world.open().ads().table.to_pylist() if row["ad_id"] is None]
    assert [(row["sales"], row["revenue"]) for row in unattributed] == [(1, Decimal("5.00"))]


def test_the_latest_import_that_speaks_of_a_contact_counts_and_others_of_it_no_longer_do(
    world: World,
) -> None:
    world.event("p", START).contact("p", email="old@example.com")
    world.contact("p", platform="messenger", email="new@example.com", imported_at=LATER)
    world.sale("old", START, "1", email="old@example.com").sale("new", START, "1", email="new@example.com")
    assert matched(world) == {"old": "unmatched", "new": "identity"}
    before = {"as_of": LATER.replace(tzinfo=UTC) - DAY}
    earlier = {sale: row["matched_by"] for sale, row in rows(world, "sale_matches", **before).items()}
    assert earlier == {"old": "identity", "new": "unmatched"}


def test_a_later_contacts_file_leaves_the_contacts_alone_of_which_it_does_not_speak(world: World) -> None:
    world.event("p", START).event("q", START).contact("p", email="p@example.com")
    world.contact("q", email="q@example.com", imported_at=LATER)
    world.sale("p", START, "1", email="p@example.com").sale("q", START, "1", email="q@example.com")
    assert matched(world) == {"p": "identity", "q": "identity"}


def test_one_import_may_know_a_contact_by_several_keys(world: World) -> None:
    world.event("p", START).contact("p", email="one@example.com").contact("p", email="two@example.com")
    world.sale("1", START, "1", email="one@example.com").sale("2", START, "1", email="two@example.com")
    assert matched(world) == {"1": "identity", "2": "identity"}


def test_keys_of_one_sale_that_point_to_two_contacts_are_ambiguous(world: World) -> None:
    world.event("p", START).event("q", START)
    world.contact("p", customer_id="c").contact("q", email="q@example.com")
    world.sale("s", START, "1", customer_id="c", email="q@example.com")
    assert matched(world) == {"s": "ambiguous"}
