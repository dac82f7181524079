"""Credits: who gets a sale, to the cent and to the microsecond."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from worlds import START, World

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


def credits_of(world: World, **words: Any) -> dict[str | None, tuple[float, Decimal]]:
    rows = world.open().ads(**words).table.to_pylist()
    return {row["ad_id"]: (row["sales"], row["revenue"]) for row in rows if row["sales"]}


def two_touches(world: World, amount: str = "10.01") -> World:
    world.event("p", START, ad_id="1").event("p", START + DAY, ad_id="2")
    return world.sale("s", START + 2 * DAY, amount, contact_id="p")


def test_a_touch_exactly_seven_days_before_the_sale_is_credited(world: World) -> None:
    world.event("p", START, ad_id="1").sale("s", START + 7 * DAY, "5.00", contact_id="p")
    assert credits_of(world) == {"1": (1, Decimal("5.00"))}


def test_an_order_one_microsecond_after_the_window_is_unattributed(world: World) -> None:
    world.event("p", START, ad_id="1").sale("s", START + 7 * DAY + MICROSECOND, "5.00", contact_id="p")
    assert credits_of(world) == {None: (1, Decimal("5.00"))}


def test_a_touch_at_the_instant_of_the_sale_is_credited_and_a_later_one_is_not(world: World) -> None:
    world.event("p", START, ad_id="1").event("p", START + MICROSECOND, ad_id="2")
    world.sale("s", START, "5.00", contact_id="p")
    assert credits_of(world) == {"1": (1, Decimal("5.00"))}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("last_touch", {"2": (1, Decimal("10.01"))}),
        ("first_touch", {"1": (1, Decimal("10.01"))}),
        ("linear", {"1": (0.5, Decimal("5.01")), "2": (0.5, Decimal("5.00"))}),
    ],
)
def test_each_model_hands_out_the_whole_sale(world: World, model: str, expected: dict[str, Any]) -> None:
    assert credits_of(two_touches(world), model=model) == expected


def test_thirds_add_up_to_exactly_one_credit_and_the_whole_amount(world: World) -> None:
    for hour, ad in enumerate(("1", "2", "3")):
        world.event("p", START + timedelta(hours=hour), ad_id=ad)
    world.sale("s", START + DAY, "100.00", contact_id="p")
    rows = world.open().sql("from credits").table.to_pylist()
    linear = world.open().ads(model="linear").table.to_pylist()
    assert sum(row["credit_billionths"] for row in rows) == 10**9
    assert sum(row["revenue"] for row in linear) == Decimal("100.00")
    assert [row["revenue"] for row in linear] == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]


def test_a_link_touch_earns_no_credit(world: World) -> None:
    world.event("p", START, "referral", ref="flyer").sale("s", START + DAY, "5.00", contact_id="p")
    assert credits_of(world) == {None: (1, Decimal("5.00"))}


def test_a_link_touch_takes_nothing_from_an_ad(world: World) -> None:
    world.event("p", START, ad_id="1").event("p", START + timedelta(hours=2), "referral", ref="flyer")
    world.sale("s", START + DAY, "5.00", contact_id="p")
    assert credits_of(world) == credits_of(world, model="linear") == {"1": (1, Decimal("5.00"))}


def test_a_declared_ad_is_credited_without_a_contact(world: World) -> None:
    world.event("p", START).sale("s", START + DAY, "5.00", ad_id="9")
    assert credits_of(world) == {"9": (1, Decimal("5.00"))}


def test_a_cancelled_sale_hands_out_nothing(world: World) -> None:
    world.event("p", START, ad_id="1").sale("s", START + DAY, "5.00", contact_id="p", status="cancelled")
    assert credits_of(world) == {}


def test_the_cohort_files_a_sale_under_its_touch_and_the_calendar_under_itself(world: World) -> None:
    # As in Hyros' documentation: clicked on one day, bought five days later.
    world.event("p", START, ad_id="1").sale("s", START + 5 * DAY, "5.00", contact_id="p")
    workbench = world.open()
    filed = {
        basis: [
            str(row["day"]) for row in workbench.ads(by="day", basis=basis).table.to_pylist() if row["sales"]
        ]
        for basis in ("cohort", "calendar")
    }
    assert filed == {"cohort": ["2026-11-02"], "calendar": ["2026-11-07"]}


def test_the_day_of_a_touch_is_that_of_the_reporting_time_zone(world: World) -> None:
    world.event("p", START.replace(hour=23), ad_id="1")
    workbench = world.open(settings='reporting_timezone = "Africa/Johannesburg"')
    assert [str(row["day"]) for row in workbench.ads(by="day").table.to_pylist()] == ["2026-11-03"]
