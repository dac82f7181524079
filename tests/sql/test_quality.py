"""Quality: each check finds what it is named after."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from worlds import START, World

from ctm_analytics.errors import InvalidArgument

DAY = timedelta(days=1)


def checks(world: World) -> dict[str, tuple[str, int]]:
    rows: list[dict[str, Any]] = world.open().quality().table.to_pylist()
    return {row["check"]: (row["status"], row["count"]) for row in rows}


def test_a_clean_world_has_nothing_to_say(world: World) -> None:
    world.event("p", START, ad_id="1").spend(START.date(), "1", "5.00", reported_conversations=1)
    world.sale("s", START + DAY, "5.00", contact_id="p")
    assert {check for check, (status, _) in checks(world).items() if status != "ok"} == set()


def test_an_event_stored_twice_is_a_failure(world: World) -> None:
    world.event("p", START, event_id="e").event("p", START, event_id="e")
    assert checks(world)["duplicate_events"] == ("fail", 1)


@pytest.mark.parametrize("other", [{"contact_id": "q"}, {"account_id": "page-2"}, {"platform": "instagram"}])
def test_a_key_of_two_people_is_a_failure(world: World, other: dict[str, str]) -> None:
    world.event("p", START, contact_key=7).event("p", START + DAY, contact_key=7).event("r", START)
    assert checks(world)["shared_contact_keys"] == ("ok", 0)
    world.event("p", START, **({"contact_key": 7} | other))
    assert checks(world)["shared_contact_keys"] == ("fail", 1)


def test_unknown_shapes_and_dashboard_tests_are_counted_apart(world: World) -> None:
    world.event("p", START).event("p", START, "unknown").event("p", START, "test")
    found = checks(world)
    assert (found["unknown_events"][1], found["test_events"]) == (1, ("ok", 1))


def test_a_stretch_without_the_receiver_is_a_gap(world: World) -> None:
    world.event("p", START).uptime(START, START + DAY).uptime(START + 2 * DAY, START + 3 * DAY)
    assert checks(world)["capture_gaps"] == ("warn", 1)


def test_a_restart_within_a_minute_is_none(world: World) -> None:
    world.event("p", START).uptime(START, START + DAY)
    world.uptime(START + DAY + timedelta(seconds=60), START + 2 * DAY)
    assert checks(world)["capture_gaps"] == ("ok", 0)


def test_a_day_with_spend_on_which_nobody_was_heard_of_is_blind(world: World) -> None:
    for number in range(4):
        world.spend((START + number * DAY).date(), "1", "5.00").event("p", START + number * DAY, ad_id="1")
    assert checks(world)["blind_days"] == ("ok", 0)
    world.spend((START + 4 * DAY).date(), "1", "5.00").spend((START + 5 * DAY).date(), "1", "0.00")
    assert checks(world)["blind_days"] == ("warn", 1)


def test_spend_without_a_single_event_is_a_failure(world: World) -> None:
    assert checks(world.spend(START.date(), "1", "5.00"))["blind_days"] == ("fail", 1)


def test_a_sale_dated_in_the_future_is_noted_whatever_the_period_until_a_later_import_mends_it(
    world: World,
) -> None:
    world.event("p", START).sale("s", datetime(2026, 12, 11), "5.00")
    rows = world.open().quality(since=START.date(), until=START.date()).table.to_pylist()
    assert [(row["status"], row["count"]) for row in rows if row["check"] == "future_sales"] == [("warn", 1)]
    world.sale("s", datetime(2026, 11, 12), "5.00", imported_at=datetime(2026, 11, 20))
    assert checks(world)["future_sales"] == ("ok", 0)


def test_sales_are_told_by_what_is_missing_of_them(world: World) -> None:
    world.event("p", START).event("p", START, account="page-2").event("q", START)
    world.sale("nobody", START + DAY, "5", email="x@example.com").sale(
        "two", START + DAY, "5", contact_id="p"
    )
    world.sale("bare", START + DAY, "5").sale(
        "back", START + DAY, "5", contact_id="q", refunded_amount=Decimal(5)
    )
    found = checks(world)
    assert [found[name][1] for name in ("unmatched_sales", "ambiguous_sales", "sales_without_customer")] == [
        2,
        1,
        1,
    ]
    assert found["refunded_sales"] == ("ok", 1)


def test_spend_is_told_by_what_is_wrong_with_it(world: World) -> None:
    world.event("p", START, ad_id="2").spend(START.date(), "1", "5.00", is_estimated=True)
    world.spend(START.date(), "3", "5.00").spend(
        START.date(), "3", "6.00", imported_at=datetime(2026, 11, 20)
    )
    found = checks(world)
    assert found["ads_without_conversation"] == ("warn", 2)
    assert found["ads_without_spend"] == ("warn", 1)
    assert (found["restated_spend"], found["estimated_spend"]) == (("ok", 1), ("warn", 1))


def shop_with_unmatched_sales(world: World) -> World:
    """Two ads with two sales and one; four sales that are nobody's, of which one is surely not a first."""
    world.event("p", START, ad_id="1").event("q", START, ad_id="1").event("r", START, ad_id="2")
    world.event("x", START, account="page-1").event("x", START, account="page-2")
    world.sale("1", START + DAY, "5", contact_id="p").sale("3", START + DAY, "5", contact_id="r")
    world.sale("2", START + DAY, "5", contact_id="q", is_new_customer=False)
    world.sale("new", START + DAY, "7", email="n@example.com")
    world.sale("again", START + 2 * DAY, "5", email="n@example.com")
    world.sale("bare", START + DAY, "5").sale("two", START + DAY, "5", contact_id="x")
    world.sale("gone", START + DAY, "5", email="g@example.com", status="cancelled")
    return world.spend(START.date(), "1", "120.00").spend(START.date(), "2", "50.00")


def quality_by(world: World, by: str, **words: Any) -> dict[str | None, dict[str, Any]]:
    key = {"match": "matched_by"}.get(by, "ad_id")
    return {row[key]: row for row in world.open().quality(by=by, **words).table.to_pylist()}


def test_cac_lies_between_none_and_all_of_the_unmatched_sales_being_the_ads(world: World) -> None:
    names = ("unmatched_sales", "unmatched_new_customers", "match_rate_low", "cac", "cac_if_all")
    shop = shop_with_unmatched_sales(world)
    by_ad = {ad: [row[name] for name in names] for ad, row in quality_by(shop, "ad").items()}
    assert by_ad == {"1": [4, 3, 2 / 6, 120, 120 / 4], "2": [4, 3, 1 / 5, 50, 50 / 4]}
    (total,) = quality_by(shop, "total").values()
    assert [total[name] for name in names] == [4, 3, 3 / 7, 170 / 2, 170 / 5]


def test_the_bound_without_unmatched_sales_is_the_cac_of_the_ads_table(world: World) -> None:
    shop = shop_with_unmatched_sales(world)
    ads = {row["ad_id"]: row["cac"] for row in shop.open().ads().table.to_pylist() if row["ad_id"]}
    assert {ad: row["cac"] for ad, row in quality_by(shop, "ad").items()} == ads


def test_a_bound_of_an_ad_without_spend_or_sales_is_unknown(world: World) -> None:
    world.event("p", START, ad_id="1").spend(START.date(), "2", "50.00")
    rows = quality_by(world, "ad")
    assert [rows["1"][name] for name in ("spend", "cac", "cac_if_all", "match_rate_low")] == [None] * 4
    assert [rows["2"][name] for name in ("cac", "cac_if_all", "match_rate_low")] == [None] * 3


def test_without_unmatched_sales_both_bounds_are_the_cac(world: World) -> None:
    world.event("p", START, ad_id="1").sale("s", START, "5", contact_id="p").spend(START.date(), "1", "50.00")
    row = quality_by(world, "ad")["1"]
    assert [row[name] for name in ("unmatched_new_customers", "cac", "cac_if_all", "match_rate_low")] == [
        0,
        50,
        50,
        1,
    ]


def test_unmatched_sales_are_those_of_the_period(world: World) -> None:
    rows = quality_by(shop_with_unmatched_sales(world), "ad", since="2026-11-02", until="2026-11-03")
    assert rows["1"]["unmatched_sales"] == 3


def test_each_kind_of_match_is_counted(world: World) -> None:
    shop = shop_with_unmatched_sales(world).sale("d", START, "9", ad_id="1")
    rows = [
        (row["matched_by"], row["evidence"], row["count"], row["share"], str(row["net_amount"]))
        for row in quality_by(shop, "match").values()
    ]
    assert rows == [
        ("contact_id", "contact_id", 3, 3 / 9, "15.00"),
        ("ad_id", "ad_id", 1, 1 / 9, "9.00"),
        ("ambiguous", "contact_id", 1, 1 / 9, "5.00"),
        ("unmatched", None, 4, 4 / 9, "17.00"),
    ]


def test_ambiguous_sales_are_listed_with_each_contact_that_they_fit(world: World) -> None:
    shop = shop_with_unmatched_sales(world)
    rows = shop.open().sql("from ambiguous_sales order by account_id").table.to_pylist()
    fits = [(row["sale_id"], row["evidence"], row["account_id"], row["contact_id"]) for row in rows]
    assert fits == [("two", "contact_id", "page-1", "x"), ("two", "contact_id", "page-2", "x")]


def test_what_weaker_evidence_points_to_is_not_listed(world: World) -> None:
    world.event("x", START, account="page-1").event("x", START, account="page-2").event("z", START)
    world.contact("z", email="z@example.com").sale("s", START, "5", contact_id="x", email="z@example.com")
    rows = world.open().sql("from ambiguous_sales").table.to_pylist()
    assert sorted(row["contact_id"] for row in rows) == ["x", "x"]


def test_customers_of_an_ad_without_spend_are_in_no_bound(world: World) -> None:
    shop = shop_with_unmatched_sales(world).event("u", START, ad_id="3")
    (total,) = quality_by(shop.sale("4", START + DAY, "5", contact_id="u"), "total").values()
    assert (total["sales"], total["cac"], total["cac_if_all"]) == (4, 170 / 2, 170 / 5)


def test_a_shared_ref_is_listed_with_two_of_its_contacts(world: World) -> None:
    for contact in ("a", "b", "c"):
        world.event(contact, START, ref="spring")
    rows = world.sale("s", START, "5", ref="spring").open().sql("from ambiguous_sales").table.to_pylist()
    assert {(row["sale_id"], row["evidence"]) for row in rows} == {("s", "ref")}
    assert len({row["contact_id"] for row in rows}) == 2


def test_a_restatement_says_how_much_from_what_to_what_and_when(world: World) -> None:
    day, first, second = START.date(), datetime(2026, 11, 20), datetime(2026, 11, 25)
    world.event("p", START, ad_id="1").spend(day, "2", "8.00").spend(day, "2", "8.00", imported_at=first)
    world.spend(day, "1", "10.00").spend(day, "1", "12.00", imported_at=first)
    world.spend(day, "1", "11.50", imported_at=second).spend(day + DAY, "1", "5.00")
    rows = quality_by(world, "ad")
    names = ("first_spend", "spend", "spend_change", "restated_days", "restated_at")
    assert [rows["1"][name] for name in names] == [
        Decimal("15.00"),
        Decimal("16.50"),
        Decimal("1.50"),
        1,
        second.replace(tzinfo=UTC),
    ]
    assert [rows["2"][name] for name in names] == [Decimal("8.00"), Decimal("8.00"), 0, 0, None]
    each = world.open().sql("from restatements order by restated_at").table.to_pylist()
    assert [
        (row["ad_id"], row["restated_at"], row["previous_cents"], row["restated_cents"]) for row in each
    ] == [
        ("1", first.replace(tzinfo=UTC), 1000, 1200),
        ("1", second.replace(tzinfo=UTC), 1200, 1150),
    ]
    (none,) = (
        world.open().quality(by="ad", as_of="2026-11-19T00:00:00Z", until=day).table.slice(0, 1).to_pylist()
    )
    assert (none["restated_days"], none["spend"]) == (0, Decimal("10.00"))


def test_spend_restated_in_another_currency_is_compared_in_the_reporting_one(world: World) -> None:
    day = START.date()
    world.spend(day, "1", "10.00", currency="EUR").rate(day, "EUR", "1.10")
    world.spend(day, "1", "10.00", imported_at=datetime(2026, 11, 20))
    rows = world.open(settings='reporting_currency = "USD"').quality(by="ad").table.to_pylist()
    assert [(row["first_spend"], row["spend"]) for row in rows] == [(Decimal("11.00"), Decimal("10.00"))]


def test_an_odd_layout_is_refused(world: World) -> None:
    with pytest.raises(InvalidArgument, match="by: 'adset' is not one"):
        shop_with_unmatched_sales(world).open().quality(by="adset")
