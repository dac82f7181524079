"""The reconciliation: every stage counts conversations, every loss is the difference of two stages."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import START, World

DAY = timedelta(days=1)


def shop(world: World) -> World:
    """Meta reports 7 of ad 1: five were captured, four wrote, three bought, two kept what they bought."""
    for number in range(4):
        world.event(f"p{number}", START, ad_id="1")
    world.event("silent", START, "referral", ad_id="1")
    world.sale("kept", START + DAY, "5.00", contact_id="p0")
    world.sale("cancelled", START + DAY, "5.00", contact_id="p1", status="cancelled")
    world.sale("again", START + 2 * DAY, "5.00", contact_id="p1")
    world.sale("returned", START + DAY, "5.00", contact_id="p2", refunded_amount=Decimal("5.00"))
    world.sale("late", START + 8 * DAY, "5.00", contact_id="p3")
    return world.spend(START.date(), "1", "70.00", reported_conversations=7)


def rows(world: World, **words: Any) -> list[dict[str, Any]]:
    return world.open().reconciliation(**words).table.to_pylist()


def test_each_stage_and_each_loss_is_named(world: World) -> None:
    (row,) = rows(shop(world))
    assert {name: row[name] for name in row if name not in ("ad_name", "campaign_id", "campaign_name")} == {
        "ad_id": "1",
        "reported_conversations": 7, "not_captured": 2,
        "conversations": 5, "opened_silently": 1,
        "engaged": 4, "without_sale": 1,
        "with_matched_sale": 3, "sale_not_kept": 1,
        "with_kept_sale": 2,
        "coverage": 4 / 7,
    }  # fmt: skip


def test_a_longer_window_finds_the_late_sale(world: World) -> None:
    (row,) = rows(shop(world), window_days=14)
    assert (row["with_matched_sale"], row["without_sale"]) == (4, 0)


def test_a_day_for_which_meta_reports_nothing_misses_nothing(world: World) -> None:
    world.event("p", START, ad_id="1").event("q", START + DAY, ad_id="1")
    world.spend(START.date(), "1", "9.00", reported_conversations=1).spend((START + DAY).date(), "1", "9.00")
    (row,) = rows(world)
    assert (row["conversations"], row["not_captured"], row["coverage"]) == (2, 0, 1)


def test_more_captured_than_reported_is_a_negative_loss(world: World) -> None:
    world.event("p", START, ad_id="1").event("q", START, ad_id="1")
    world.spend(START.date(), "1", "9.00", reported_conversations=1)
    (row,) = rows(world)
    assert row["not_captured"] == -1


def test_an_ad_that_meta_reports_and_nothing_was_captured_of_stands_there(world: World) -> None:
    world.event("p", START, ad_id="1").spend(START.date(), "2", "9.00", reported_conversations=4)
    lost = {row["ad_id"]: (row["conversations"], row["not_captured"]) for row in rows(world)}
    assert lost == {"1": (1, None), "2": (0, 4)}


def test_by_ad_and_day_each_stands_alone_and_by_day_all_ads_together(world: World) -> None:
    shop(world).event("p", START + DAY, ad_id="1").event("q", START + DAY, ad_id="2")
    assert [(row["day"], row["ad_id"], row["engaged"]) for row in rows(world, by="ad_day")] == [
        (date(2026, 11, 2), "1", 4), (date(2026, 11, 3), "1", 1), (date(2026, 11, 3), "2", 1),
    ]  # fmt: skip
    assert [(row["day"], row["engaged"]) for row in rows(world, by="day")] == [
        (date(2026, 11, 2), 4), (date(2026, 11, 3), 2),
    ]  # fmt: skip


def test_the_kept_sales_are_the_conversions_of_the_ads_answer(world: World) -> None:
    shop(world)
    (ad,) = world.open().ads(ad="1").table.to_pylist()
    (row,) = rows(world)
    assert row["with_kept_sale"] == ad["conversions"]


@settings(max_examples=5, suppress_health_check=list(HealthCheck), deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_every_stage_less_its_loss_is_the_next(new_world: Any, chance: Any) -> None:
    world = new_world(f"world-{chance.random()}")
    for number in range(20):
        contact = f"p{chance.randrange(8)}"
        at = START + chance.randrange(10) * DAY
        world.event(
            contact, at, chance.choice(["message", "referral"]), ad_id=chance.choice(["1", "2", None])
        )
        status = chance.choice(["won", "cancelled"])
        world.sale(f"s{number}", at + chance.randrange(9) * DAY, "5.00", contact_id=contact, status=status)
        world.spend(at.date(), f"only-{number}", "1.00", reported_conversations=chance.randrange(5))
    for row in rows(world, by="ad_day"):
        if row["reported_conversations"] is not None:
            assert row["reported_conversations"] - row["not_captured"] == row["conversations"]
        assert row["conversations"] - row["opened_silently"] == row["engaged"]
        assert row["engaged"] - row["without_sale"] == row["with_matched_sale"]
        assert row["with_matched_sale"] - row["sale_not_kept"] == row["with_kept_sale"]
