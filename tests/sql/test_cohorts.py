"""Maturity: how many will have bought when the cohort is as old as the window."""

from datetime import UTC, date, timedelta
from typing import Any

import pytest
from worlds import START, World

import ctm_analytics as ctm

DAY = timedelta(days=1)


def opened(world: World, days: float) -> ctm.Workbench:
    """Ask so many days after the first touch."""
    return world.open(as_of=START.replace(tzinfo=UTC) + timedelta(days=days))


def two_ages(world: World) -> World:
    """Four people are old: two bought, after 1 and 5 days. Four came six days later: one bought after a day."""
    for number in range(4):
        world.event(f"old-{number}", START, ad_id="1")
        world.event(f"young-{number}", START + 6 * DAY, ad_id="1")
    world.sale("s1", START + DAY, "5.00", contact_id="old-0")
    world.sale("s2", START + 5 * DAY, "5.00", contact_id="old-1")
    return world.sale("s3", START + 7 * DAY, "5.00", contact_id="young-0")


def rate(workbench: ctm.Workbench, **words: Any) -> tuple[float, float | None]:
    (row,) = workbench.ads(ad="1", **words).table.to_pylist()
    return row["conversion_rate"], row["matured_conversion_rate"]


def test_the_young_count_as_waiting_from_their_age_on(world: World) -> None:
    # At 8 days: 8 at risk at 1 day and two bought; 3 old and 3 young wait, the young until 2 days; then one of three.
    raw, matured = rate(opened(two_ages(world), 8))
    assert raw == 3 / 8
    assert matured == pytest.approx(1 - 6 / 8 * 2 / 3)


def test_once_all_are_as_old_as_the_window_both_rates_are_one(world: World) -> None:
    raw, matured = rate(opened(two_ages(world), 13))
    assert raw == matured == 3 / 8


def test_while_none_is_as_old_as_the_window_nobody_knows(world: World) -> None:
    assert rate(opened(two_ages(world), 6.5))[1] is None


def test_a_longer_window_waits_longer(world: World) -> None:
    assert rate(opened(two_ages(world), 13), window_days=14)[1] is None


def test_of_those_who_only_opened_a_thread_nobody_waits_for_a_sale(world: World) -> None:
    two_ages(world).event("silent", START, "referral", ad_id="1")
    assert rate(opened(world, 13)) == (3 / 8, 3 / 8)


def test_a_cohort_ripens_day_by_day_as_far_as_it_was_seen(world: World) -> None:
    rows = opened(two_ages(world), 8).cohorts().table.to_pylist()
    found = {
        week: [(row["age_days"], row["bought_share"], row["at_risk"]) for row in rows if row["week"] == week]
        for week in {row["week"] for row in rows}
    }
    # Both came in one week, from its Monday to its Sunday.
    assert found == {
        date(2026, 11, 2): [
            (0, 0.0, 8), (1, 2 / 8, 8), (2, 2 / 8, 6),
            *((age, 2 / 8, 3) for age in (3, 4)), *((age, 0.5, at_risk) for age, at_risk in ((5, 3), (6, 2), (7, 2))),
        ]
    }  # fmt: skip


def test_two_ads_of_one_name_are_two_cohorts_for_people_too(world: World) -> None:
    for ad in "12":
        world.event(f"p{ad}", START, ad_id=ad).spend(START.date(), ad, "5.00", ad_name="Video")
    world.sale("s", START, "5.00", contact_id="p1")
    shown = opened(world, 8).cohorts(by="ad").shown()
    assert [row[1:3] for row in shown.rows] == [
        ["1", "100\N{NO-BREAK SPACE}%"],
        ["1", "0.0\N{NO-BREAK SPACE}%"],
    ]


def test_people_see_the_ages_of_a_cohort_side_by_side(world: World) -> None:
    shown = opened(two_ages(world), 8).cohorts(by="ad").shown()
    assert [label for label, _ in shown.headings] == ["Cohort", "Conversations", "1 d", "3 d", "7 d"]
    cells = [[cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in shown.rows]
    assert cells == [["1", "8", "25.0 %", "25.0 %", "50.0 %"]]
