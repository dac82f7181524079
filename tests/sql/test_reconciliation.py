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
        "coverage": 4 / 7, "dropped_days": 0,
    }  # fmt: skip


def test_a_sale_is_that_of_the_last_ad_before_it(world: World) -> None:
    world.event("p", START, ad_id="1").event("p", START + DAY, ad_id="2")
    world.sale("s", START + 2 * DAY, "5.00", contact_id="p")
    assert {row["ad_id"]: row["with_kept_sale"] for row in rows(world)} == {"1": 0, "2": 1}


def test_a_longer_window_finds_the_late_sale(world: World) -> None:
    (row,) = rows(shop(world), window_days=14)
    assert (row["with_matched_sale"], row["without_sale"]) == (4, 0)


def test_rows_stand_in_the_order_of_days_and_ads(world: World) -> None:
    for day in reversed(range(10)):
        for ad in reversed(range(40)):
            world.spend((START + day * DAY).date(), f"{ad:02}", "1.00", reported_conversations=1)
    days = [(row["day"], row["ad_id"]) for row in rows(world, by="ad_day")]
    assert (len(days), days) == (400, sorted(days))
    assert [row["ad_id"] for row in rows(world)] == [f"{ad:02}" for ad in range(40)]


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


# Drops in coverage.


def captured(world: World, counts: list[int], reported: int = 20, ad: str = "1") -> World:
    """Capture so many conversations of an ad on each day, of which Meta reports always as many."""
    for day, count in enumerate(counts):
        for number in range(count):
            world.event(f"{ad}-{day}-{number}", START + day * DAY, ad_id=ad)
        world.spend((START + day * DAY).date(), ad, "9.00", reported_conversations=reported)
    return world


def drops(world: World, **words: Any) -> dict[date, int]:
    return {row["day"]: row["dropped_days"] for row in rows(world, by="day", **words) if row["dropped_days"]}


def test_a_day_far_below_the_days_before_is_a_drop_and_chance_is_none(world: World) -> None:
    captured(world, [19, 20, 21, 18, 20, 22, 20, 3, 19])
    assert drops(world) == {date(2026, 11, 9): 1}
    assert [row["dropped_days"] for row in rows(world)] == [1]
    (check,) = (row for row in world.open().quality().table.to_pylist() if row["check"] == "coverage_drops")
    assert (check["status"], check["count"], check["detail"][:8]) == ("fail", 1, "1 of 9: ")


def test_what_is_usual_is_learnt_from_the_days_before_the_period(world: World) -> None:
    captured(world, [19, 20, 21, 18, 20, 22, 20, 3])
    assert drops(world, since=date(2026, 11, 9)) == {date(2026, 11, 9): 1}


def test_a_low_coverage_that_was_always_so_is_no_drop(world: World) -> None:
    assert drops(captured(world, [5, 6, 5, 4, 5, 6, 5, 4, 5])) == {}


def test_one_ad_that_drops_shows_though_another_makes_up_for_it(world: World) -> None:
    captured(captured(world, [20] * 7 + [4]), [20] * 7 + [36], ad="2")
    by_ad = {row["ad_id"]: row["dropped_days"] for row in rows(world)}
    assert (by_ad, drops(world)) == ({"1": 1, "2": 0}, {})
