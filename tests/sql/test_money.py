"""Money: one currency, by the rates of the days, exact to its smallest unit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from worlds import START, World

from ctm_analytics.errors import InvalidArgument

DAY = timedelta(days=1)
MONDAY = START.date()


def settings(currency: str, max_rate_age_days: int = 0) -> str:
    return f'reporting_currency = "{currency}"\nmax_rate_age_days = {max_rate_age_days}'


def net_units(world: World, **words: Any) -> dict[str, int]:
    rows = world.open(**words).sql("from sales").table.to_pylist()
    return {row["sale_id"]: row["net_cents"] for row in rows}


def test_a_missing_rate_is_an_error_that_names_currency_and_days(world: World) -> None:
    for days in range(5):
        world.sale(f"s{days}", START + days * DAY, "10.00", currency="EUR")
    world.rate(MONDAY, "EUR", "1.10")
    with pytest.raises(InvalidArgument) as caught:
        world.open(settings=settings("USD"))
    assert "no rate to USD for EUR on 2026-11-03, 2026-11-04, 2026-11-05 and 1 more days." in str(
        caught.value
    )


def test_the_last_known_rate_stands_for_as_many_days_as_the_setting_says_and_no_longer(world: World) -> None:
    world.rate(MONDAY, "EUR", "1.10").rate(MONDAY - DAY, "EUR", "9").rate(MONDAY + 9 * DAY, "EUR", "9")
    world.sale("s", START + 2 * DAY, "10.00", currency="EUR")
    assert net_units(world, settings=settings("USD", 2)) == {"s": 1100}
    with pytest.raises(InvalidArgument, match="EUR on 2026-11-04"):
        world.open(settings=settings("USD", 1))


def test_a_rate_of_the_day_itself_comes_before_an_older_one(world: World) -> None:
    world.rate(MONDAY, "EUR", "1.10").rate(MONDAY + DAY, "EUR", "1.20")
    world.sale("s", START + DAY, "10.00", currency="EUR")
    assert net_units(world, settings=settings("USD", 7)) == {"s": 1200}


def test_the_latest_import_of_a_rate_counts_from_when_it_is_known(world: World) -> None:
    world.rate(MONDAY, "EUR", "1.10").rate(MONDAY, "EUR", "1.20", imported_at=datetime(2026, 11, 20))
    world.sale("s", START, "10.00", currency="EUR")
    assert net_units(world, settings=settings("USD")) == {"s": 1200}
    before = datetime(2026, 11, 19, tzinfo=UTC)
    assert net_units(world, settings=settings("USD"), as_of=before) == {"s": 1100}


@pytest.mark.parametrize(
    ("currency", "rate", "units", "written"),
    [
        ("JPY", "163.456", 1635, "1635"),  # a yen has no smaller unit
        ("USD", "1.08555", 1086, "10.86"),  # half a cent goes up: 10.8555
        ("KWD", "0.33455", 3346, "3.346"),  # a dinar has a thousand fils: 3.3455
    ],
)
def test_amounts_are_exact_to_the_smallest_unit_of_the_reporting_currency(
    world: World, currency: str, rate: str, units: int, written: str
) -> None:
    world.event("p", START, ad_id="1").sale("s", START, "10.00", currency="EUR", contact_id="p")
    world.rate(MONDAY, "EUR", rate).spend(MONDAY, "1", "10.00", currency="EUR")
    workbench = world.open(settings=settings(currency))
    (row,) = workbench.ads().table.to_pylist()
    (conversation,) = workbench.conversations().table.to_pylist()
    assert net_units(world, settings=settings(currency)) == {"s": units}
    assert [str(row["spend"]), str(row["revenue"]), str(conversation["revenue"])] == [written] * 3
    assert (row["roas"], row["cac"]) == (1, pytest.approx(float(written)))
    assert workbench.funnel().table.to_pylist()[0]["cost_each"] == pytest.approx(float(written))


def test_three_decimals_of_the_reporting_currency_stay(world: World) -> None:
    world.sale("s", START, "10.125", currency="KWD", refunded_amount=Decimal("0.001"))
    assert net_units(world) == {"s": 10124}


def test_the_greatest_amounts_and_rates_are_converted_without_loss(world: World) -> None:
    world.sale("s", START, "999999999.999", currency="KWD").rate(MONDAY, "KWD", "99999.99999999")
    world.sale("own", START, "999999999999999.99").spend(MONDAY, "1", "999999999999999.99")
    expected = {
        "s": 9999999999989000,
        "own": 99999999999999999,
    }  # 999999999.999 × 99999.99999999 = 99999999999890.000…
    assert net_units(world, settings=settings("USD")) == expected
    assert str(world.open(settings=settings("USD")).ads().table["spend"][0]) == "999999999999999.99"


def test_a_sale_refunded_in_full_is_nothing_whatever_the_rate(world: World) -> None:
    world.sale("all", START, "0.01", currency="JPY", refunded_amount=Decimal("0.01"))
    world.sale("part", START, "3.00", currency="JPY", refunded_amount=Decimal("1.00"))
    world.rate(MONDAY, "JPY", "0.0065")
    sales = world.open(settings=settings("USD")).sql("from sales order by sale_id").table.to_pylist()
    assert [(row["net_cents"], row["is_counted"]) for row in sales] == [(0, False), (1, True)]


def test_a_refund_lowers_the_revenue_of_the_day_on_which_the_ad_was_touched(world: World) -> None:
    world.event("p", START, ad_id="1").sale("s", START + 2 * DAY, "10.00", contact_id="p")
    refunded = {"refunded_amount": Decimal("4.00"), "imported_at": datetime(2026, 11, 25)}
    world.sale("s", START + 2 * DAY, "10.00", contact_id="p", **refunded)
    revenue = {
        as_of: {str(row["day"]): row["revenue"] for row in rows if row["revenue"]}
        for as_of in (24, 26)
        if (rows := world.open(as_of=datetime(2026, 11, as_of, tzinfo=UTC)).ads(by="day").table.to_pylist())
    }
    assert revenue == {24: {"2026-11-02": Decimal("10.00")}, 26: {"2026-11-02": Decimal("6.00")}}
