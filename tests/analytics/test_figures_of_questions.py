"""Each question draws itself, from the very rows that it returns."""

from datetime import date, timedelta

import pytest
from worlds import START, World

import ctm_analytics as ctm


@pytest.fixture
def shop(world: World) -> ctm.Workbench:
    for number in range(30):
        at = START + timedelta(hours=number)
        world.event(f"p{number}", at, ad_id=str(1 + number % 2)).echo(f"p{number}", at + timedelta(minutes=5))
    for number in range(0, 30, 3):
        world.sale(f"s{number}", START + timedelta(days=2), "9.99", contact_id=f"p{number}")
    for ad in "12":
        names = {"ad_name": f"<b>{ad}</b>", "campaign_id": "c", "campaign_name": "All"}
        world.spend(date(2026, 11, 2), ad, "50.00", reported_conversations=20, link_clicks=90, **names)
    return world.open(settings="target_cac = 30")


ASKED = {
    "ads": lambda workbench: workbench.ads(),
    "ads by campaign": lambda workbench: workbench.ads(by="campaign"),
    "ads by day": lambda workbench: workbench.ads(by="day"),
    "attribution": lambda workbench: workbench.attribution(),
    "badge": lambda workbench: workbench.badge(as_of="2026-11-05T00:00:00Z"),
    "cohorts": lambda workbench: workbench.cohorts(),
    "cohorts by ad": lambda workbench: workbench.cohorts(by="ad"),
    "compare": lambda workbench: workbench.compare("1", "2"),
    "funnel": lambda workbench: workbench.funnel(),
    "inbox": lambda workbench: workbench.inbox(as_of="2026-11-03T00:00:00Z"),
    "latency": lambda workbench: workbench.latency(by="ad"),
    "latency by hour": lambda workbench: workbench.latency(by="weekday_hour"),
    "outlook": lambda workbench: workbench.outlook(),
    "reconciliation": lambda workbench: workbench.reconciliation(),
    "response_curve": lambda workbench: workbench.response_curve(by="business_time"),
    "speed": lambda workbench: workbench.speed(),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_question_draws_itself_and_has_rows_to_read_beneath(name: str, shop: ctm.Workbench) -> None:
    result = ASKED[name](shop)
    figure, table = result.figure, result.figure_table
    assert figure.layout.meta["finding"].endswith(".")
    assert len(table) > 0
    assert set(table.columns) <= set(result.df.columns) | {
        "time_left",
        "waiting",
        "waiting_from_ads",
        "started_ads",
    } | {f"cac_{model}" for model in MODELS}


MODELS = ("first_touch", "last_touch", "linear", "markov", "position_based", "shapley", "time_decay")


def test_the_ads_that_begin_to_spend_are_named_on_their_day_but_not_on_the_first_that_is_known(
    world: World,
) -> None:
    for day, ad in ((2, "1"), (4, "2"), (4, "3"), (5, "2")):
        world.spend(date(2026, 11, day), ad, "50.00", ad_name=f"Ad {ad}")
    world.spend(date(2026, 11, 3), "4", "0.00")
    rows = world.open().ads(by="day").figure_table
    named = rows[rows["started_ads"].notna()]
    assert [(day.day, names) for day, names in zip(named["day"], named["started_ads"], strict=True)] == [
        (4, "Ad 2, Ad 3")
    ]
    assert world.open().ads(by="day", ad="3").figure_table["started_ads"].dropna().tolist() == ["Ad 3"]
