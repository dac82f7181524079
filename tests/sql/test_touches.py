"""Touches: one click, one touch, whatever events it arrives as."""

from datetime import timedelta

from worlds import START, World

MINUTE = timedelta(minutes=1)


def touches(world: World) -> list[tuple[object, ...]]:
    rows = world.open().sql("from touches order by touched_at, ad_id nulls last, ref").table.to_pylist()
    return [(row["touched_at"].replace(tzinfo=None) - START, row["ad_id"], row["touch_type"]) for row in rows]


def test_a_message_and_its_referral_event_are_one_touch_at_the_first_instant(world: World) -> None:
    world.event("p", START, ad_id="1").event("p", START + MINUTE, "referral", ad_id="1")
    assert touches(world) == [(0 * MINUTE, "1", "ad")]


def test_a_chain_of_referrals_each_within_30_minutes_is_one_touch(world: World) -> None:
    for minutes in (0, 30, 60):
        world.event("p", START + minutes * MINUTE, "referral", ad_id="1")
    assert touches(world) == [(0 * MINUTE, "1", "ad")]


def test_one_microsecond_more_than_30_minutes_is_a_new_touch(world: World) -> None:
    world.event("p", START, ad_id="1").event("p", START + 30 * MINUTE + timedelta(microseconds=1), ad_id="1")
    assert len(touches(world)) == 2


def test_another_ad_in_between_does_not_end_the_first_ads_touch(world: World) -> None:
    world.event("p", START, ad_id="1").event("p", START + MINUTE, ad_id="2")
    world.event("p", START + 2 * MINUTE, ad_id="1")
    assert touches(world) == [(0 * MINUTE, "1", "ad"), (MINUTE, "2", "ad")]


def test_the_same_ad_touches_each_person_apart(world: World) -> None:
    world.event("p", START, ad_id="1").event("q", START + MINUTE, ad_id="1")
    assert len(touches(world)) == 2


def test_a_link_is_a_link_touch_and_names_no_ad(world: World) -> None:
    world.event("p", START, "referral", ref="flyer", referral_source="SHORTLINK")
    world.event("q", START, "referral", product_id="7")
    assert touches(world) == [(0 * MINUTE, None, "link")] * 2


def test_a_message_without_referral_is_no_touch(world: World) -> None:
    world.event("p", START)
    assert touches(world) == []


def test_a_referral_of_a_dashboard_test_is_no_touch(world: World) -> None:
    world.event("p", START, "test", ad_id="1")
    assert touches(world) == []
