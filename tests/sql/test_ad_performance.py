"""Ad performance: what is counted, and out of what."""

from datetime import timedelta
from typing import Any

from worlds import AS_OF, START, World

DAY = timedelta(days=1)


def ads(world: World, **words: Any) -> dict[str | None, dict[str, Any]]:
    return {row.get("ad_id"): row for row in world.open().ads(**words).table.to_pylist()}


def test_a_conversation_is_immature_until_it_is_as_old_as_the_window(world: World) -> None:
    week_ago = AS_OF.replace(tzinfo=None) - 7 * DAY
    world.event("old", week_ago, ad_id="1").event("young", week_ago + timedelta(microseconds=1), ad_id="1")
    assert (ads(world)["1"]["conversations"], ads(world)["1"]["immature"]) == (2, 1)


def test_a_conversation_with_two_sales_is_one_conversion(world: World) -> None:
    world.event("p", START, ad_id="1").event("q", START, ad_id="1")
    for number in (1, 2):
        world.sale(f"s{number}", START + number * DAY, "5.00", contact_id="p")
    row = ads(world)["1"]
    assert (row["sales"], row["new_customers"], row["conversions"], row["conversion_rate"]) == (2, 1, 1, 0.5)


def test_who_bought_without_writing_a_word_is_no_conversion(world: World) -> None:
    world.event("p", START, "referral", ad_id="1").sale("s", START + DAY, "5.00", contact_id="p")
    row = ads(world)["1"]
    assert (row["sales"], row["engaged"], row["conversions"], row["conversion_rate"]) == (1, 0, 0, None)


def test_what_no_ad_brought_has_no_conversion_rate(world: World) -> None:
    world.event("p", START).sale("s", START + DAY, "5.00", contact_id="p")
    row = ads(world)[None]
    assert (row["engaged"], row["sales"], row["conversions"], row["conversion_rate"]) == (1, 1, None, None)


def test_the_total_is_of_ads_only(world: World) -> None:
    world.event("p", START, ad_id="1").event("q", START)
    assert ads(world, by="total")[None]["conversations"] == 1


def test_coverage_is_engaged_ad_conversations_per_reported_one(world: World) -> None:
    world.event("p", START, ad_id="1").event("q", START, "referral", ad_id="1").event("r", START)
    world.spend(START.date(), "1", "5.00", reported_conversations=4)
    assert ads(world)["1"]["coverage"] == 0.25


def test_a_period_holds_both_its_ends_and_nothing_else(world: World) -> None:
    for days in range(4):
        world.event(f"p{days}", START + days * DAY, ad_id="1").spend((START + days * DAY).date(), "1", "1.00")
    row = ads(world, since="2026-11-03", until="2026-11-04")["1"]
    assert (row["conversations"], str(row["spend"])) == (2, "2.00")


def test_weeks_begin_on_monday(world: World) -> None:
    world.event("p", START - DAY, ad_id="1").event("q", START, ad_id="1")
    weeks = [str(row["week"]) for row in world.open().ads(by="week").table.to_pylist()]
    assert weeks == ["2026-10-26", "2026-11-02"]


def test_filters_keep_an_account_a_campaign_and_an_ad_apart(world: World) -> None:
    world.event("p", START, ad_id="1").event("p", START, ad_id="2", account="page-2")
    world.spend(START.date(), "1", "5.00", ad_name="One", campaign_id="c1", campaign_name="First")
    workbench = world.open()
    assert [row["ad_id"] for row in workbench.ads(account="page-2").table.to_pylist()] == ["2"]
    assert [row["ad_id"] for row in workbench.ads(campaign="First").table.to_pylist()] == ["1"]
    assert [row["ad_id"] for row in workbench.ads(ad="One").table.to_pylist()] == ["1"]


def test_an_ad_without_a_report_hides_no_loss_of_another(world: World) -> None:
    world.spend(START.date(), "1", "10.00", reported_conversations=10)
    for number in range(2):
        world.event(f"a{number}", START, ad_id="1")
    for number in range(10):
        world.event(f"b{number}", START, ad_id="2")
    workbench = world.open()
    (total,) = workbench.ads(by="total").table.to_pylist()
    missed = {row["check"]: row["count"] for row in workbench.quality().table.to_pylist()}[
        "missed_conversations"
    ]
    assert (total["coverage"], missed) == (0.2, 8)


def test_customers_of_ads_without_known_spend_make_no_cac_cheaper(world: World) -> None:
    world.spend(START.date(), "1", "10.00").event("p", START, ad_id="1").event("q", START, ad_id="2")
    world.sale("s", START + DAY, "5", contact_id="p").sale("t", START + DAY, "5", contact_id="q")
    (total,) = world.open().ads(by="total").table.to_pylist()
    assert (total["new_customers"], total["cac"], total["cost_per_conversation"], total["roas"]) == (
        2,
        10,
        10,
        0.5,
    )
