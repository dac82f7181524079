"""Spend: one row per day and ad, the latest word, in one currency."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from worlds import START, World

DAY = START.date()
LATER = datetime(2026, 11, 20)


def ads(world: World, **words: Any) -> dict[str | None, dict[str, Any]]:
    return {row["ad_id"]: row for row in world.open(**words).ads().table.to_pylist()}


def test_restated_spend_replaces_and_never_adds(world: World) -> None:
    world.spend(DAY, "1", "12.34", imported_at=LATER).spend(DAY, "1", "10.00")
    assert ads(world)["1"]["spend"] == Decimal("12.34")


def test_a_restatement_replaces_its_own_days_and_ads_only(world: World) -> None:
    world.spend(DAY, "1", "10.00").spend(DAY, "2", "5.00").spend(DAY + timedelta(days=1), "1", "7.00")
    world.spend(DAY, "1", "11.00", imported_at=LATER)
    assert {ad: row["spend"] for ad, row in ads(world).items()} == {
        "1": Decimal("18.00"),
        "2": Decimal("5.00"),
    }


def test_what_was_restated_later_is_not_yet_known(world: World) -> None:
    world.spend(DAY, "1", "10.00").spend(DAY, "1", "12.34", imported_at=LATER)
    assert ads(world, as_of=datetime(2026, 11, 19, tzinfo=UTC))["1"]["spend"] == Decimal("10.00")


@pytest.mark.parametrize("by", ["adset", "campaign"])
def test_a_renamed_group_is_one_in_every_answer_under_its_latest_name(world: World, by: str) -> None:
    # "Zebra" was renamed to "Ape" after ad 1 had ended: ad 1's own spend knows the old name only.
    for day, ad, name in ((0, "1", "Zebra"), (2, "2", "Ape")):
        world.event(f"p{ad}", START + timedelta(days=day), ad_id=ad)
        world.spend(DAY + timedelta(days=day), ad, "10.00", **{f"{by}_id": "g", f"{by}_name": name})
    world.sale("s", START + timedelta(days=1), "5.00", contact_id="p1", customer_id="c")
    workbench = world.open()
    (ads,) = workbench.ads(by=by).table.to_pylist()
    (latency,) = workbench.latency(by=by).table.to_pylist()
    assert (ads[f"{by}_name"], latency[f"{by}_name"], latency["engaged"]) == ("Ape", "Ape", 2)
    assert ads["conversion_rate"] == ads["matured_conversion_rate"] == 0.5
    assert ads["expected_new_customers"] == 1
    assert {row["cohort"] for row in workbench.cohorts(by=by).table.to_pylist()} == {"Ape"}


@pytest.mark.parametrize("by", ["adset", "campaign"])
def test_groups_that_a_file_names_without_ids_are_told_apart_by_name(world: World, by: str) -> None:
    for ad in "12":
        world.event(f"p{ad}", START, ad_id=ad).spend(DAY, ad, "10.00", **{f"{by}_name": f"Group {ad}"})
    world.sale("s", START, "5.00", contact_id="p1", customer_id="c")
    rows = {row[f"{by}_name"]: row for row in world.open().ads(by=by).table.to_pylist()}
    names = ("engaged", "matured_conversion_rate", "expected_new_customers")
    assert {name: tuple(row[each] for each in names) for name, row in rows.items()} == {
        "Group 1": (1, 1, 1), "Group 2": (1, 0, 0),
    }  # fmt: skip


def test_a_renamed_ad_is_one_row_under_its_latest_known_name(world: World) -> None:
    world.spend(DAY, "1", "1", ad_name="Old").spend(DAY + timedelta(days=1), "1", "1", ad_name="New")
    world.spend(DAY + timedelta(days=2), "1", "1")
    assert [row["ad_name"] for row in ads(world).values()] == ["New"]


def test_an_ad_that_spent_and_brought_nobody_is_a_row(world: World) -> None:
    row = ads(world.spend(DAY, "1", "36.89"))["1"]
    assert (row["conversations"], row["cac"], row["cac_high"], round(row["cac_low"], 2)) == (
        0,
        None,
        None,
        10.0,
    )


def test_an_ad_that_brought_people_and_has_no_spend_is_a_row_of_unknown_cost(world: World) -> None:
    row = ads(world.event("p", START, ad_id="1"))["1"]
    assert (row["conversations"], row["spend"], row["cac"], row["cac_low"]) == (1, None, None, None)


def test_foreign_spend_is_converted_at_the_rate_of_its_day(world: World) -> None:
    world.spend(DAY, "1", "10.00", currency="EUR").rate(DAY, "EUR", "1.10")
    assert ads(world, settings='reporting_currency = "USD"')["1"]["spend"] == Decimal("11.00")


def test_no_cost_is_told_per_platform(world: World) -> None:
    world.event("p", START, ad_id="1").spend(DAY, "1", "10.00")
    rows = world.open().ads(by="platform").table.to_pylist()
    assert {row["platform"]: (row["spend"], row["cac"], row["cac_low"]) for row in rows} == {
        None: (Decimal("10.00"), None, None),
        "messenger": (None, None, None),
    }
