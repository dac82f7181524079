"""Where the money would go if the verdicts were followed."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from worlds import START, World

import ctm_analytics as ctm
from ctm_analytics.answers.moves import total_effect, with_moves


def sold(world: World, ad: str, customers: int, spend: str, currency: str = "USD") -> World:
    """Credit an ad, by its sales' own word, with so many customers."""
    for number in range(customers):
        world.sale(f"{ad}-{number}", START, "9.00", ad_id=ad, customer_id=f"{ad}-{number}", currency=currency)
    return world.event(f"p{ad}", START, ad_id=ad).spend(START.date(), ad, spend, currency=currency)


def outlook(workbench: ctm.Workbench) -> dict[str, dict[str, Any]]:
    return {row["ad_id"]: row for row in workbench.outlook().table.to_pylist()}


def good_bad_new(world: World, good: str = "500.00", bad: str = "300.00") -> ctm.Workbench:
    sold(sold(sold(world, "1", 50, good), "2", 1, bad), "3", 1, "20.00")
    return world.open(settings="target_cac = 30")


def test_the_money_of_an_ad_to_cut_goes_to_one_to_scale_and_the_others_keep_theirs(world: World) -> None:
    rows = outlook(good_bad_new(world))
    assert {ad: row["verdict"] for ad, row in rows.items()} == {"1": "scale", "2": "cut", "3": "watch"}
    assert {ad: row["suggested_spend"] for ad, row in rows.items()} == {
        "1": Decimal("800.00"),
        "2": Decimal("0.00"),
        "3": Decimal("20.00"),
    }


def test_an_ad_at_most_doubles_and_the_rest_stays_unspent(world: World) -> None:
    rows = outlook(good_bad_new(world, good="500.00", bad="900.00"))
    assert (rows["1"]["suggested_spend"], rows["2"]["suggested_spend"]) == (1000, 0)


def test_the_effect_is_the_change_of_spend_by_cac_and_its_ends_follow_those_of_cac(world: World) -> None:
    rows = outlook(good_bad_new(world))
    for ad, change in (("1", 300), ("2", -300), ("3", 0)):
        row = rows[ad]
        assert row["expected_effect"] == pytest.approx(change / row["cac_shrunk"])
        ends = sorted((change / row["cac_shrunk_low"], change / row["cac_shrunk_high"]))
        assert [row["expected_effect_low"], row["expected_effect_high"]] == pytest.approx(ends)


def test_without_a_target_nothing_is_suggested(world: World) -> None:
    workbench = sold(world, "1", 50, "500.00").open()
    (row,) = workbench.outlook().table.to_pylist()
    assert (row["suggested_spend"], row["expected_effect"]) == (None, None)
    assert workbench.outlook().figure.layout.meta["finding"].startswith("No verdict yet: set target_cac")


def test_the_chart_says_what_all_moves_together_may_bring(world: World) -> None:
    result = good_bad_new(world).outlook()
    value, low, high = total_effect(result.table)
    parts = [row["expected_effect"] for row in result.table.to_pylist()]
    assert value == pytest.approx(sum(parts))
    assert low < value < high
    assert "Moving $300 from 1 ad to 1 ad may bring" in result.figure.layout.meta["finding"]
    assert list(result.figure_table["suggested_spend"]) == [800, 0, 20]


@pytest.mark.parametrize(
    ("currency", "suggested"), [("JPY", ["133", "266", "0"]), ("KWD", ["133.333", "266.666", "0"])]
)
def test_money_moves_in_whole_smallest_units_and_never_more_than_was_freed(
    currency: str, suggested: list[str]
) -> None:
    row = {"currency": currency, "cac_shrunk": 10.0, "cac_shrunk_low": 8.0, "cac_shrunk_high": 15.0}
    rows = [
        row | {"spend": Decimal(spend), "verdict": verdict}
        for spend, verdict in (("100.000", "scale"), ("200.000", "scale"), ("100.000", "cut"))
    ]
    schema = pa.schema(
        [
            ("spend", pa.decimal128(18, 3)),
            *((name, pa.string()) for name in ("currency", "verdict")),
            *((name, pa.float64()) for name in ("cac_shrunk", "cac_shrunk_low", "cac_shrunk_high")),
        ]
    )
    moved = with_moves(pa.Table.from_pylist(rows, schema=schema))
    assert moved.column("suggested_spend").to_pylist() == [Decimal(each) for each in suggested]


def test_where_nothing_moves_there_is_no_effect_to_add_up(world: World) -> None:
    workbench = sold(world, "3", 1, "20.00").open(settings="target_cac = 30")
    assert total_effect(workbench.outlook().table) is None
    assert workbench.outlook().figure.layout.meta["nothing"] is True
