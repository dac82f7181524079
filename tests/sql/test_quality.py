"""Quality: each check finds what it is named after."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from worlds import START, World

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
