"""Answers show themselves: formatted for people, exact for programs, harmless whatever a name holds."""

import re
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from worlds import START, World

from ctm_analytics.workbench import SAMPLE, open_workbench

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def shop(world: World) -> World:
    world.event("p", START, ad_id="1").echo("p", START + timedelta(minutes=5))
    world.spend(START.date(), "1", "50.00", ad_name=HOSTILE)
    return world.sale("s", START + timedelta(days=1), "99.99", contact_id="p")


def test_an_answer_shows_words_and_units_and_says_what_it_rests_on(shop: World) -> None:
    shown = repr(shop.open().ads())
    assert "Spend" in shown
    assert "$50" in shown
    assert "last touch, 7 days, cohort" in shown


def test_a_hostile_name_is_text_in_a_notebook(shop: World) -> None:
    page = shop.open().ads()._repr_html_()
    assert HOSTILE not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_a_notebook_says_which_columns_it_leaves_out(shop: World) -> None:
    assert "more columns in .df" in shop.open().ads()._repr_html_()


def test_a_notebook_says_how_many_rows_it_leaves_out(world: World) -> None:
    for number in range(60):
        world.event(f"p{number}", START)
    page = world.open().conversations()._repr_html_()
    assert page.count("<tr>") == 1 + 50
    assert "10 more rows in .df" in page


def test_money_stays_exact_counts_stay_whole_and_instants_are_utc(shop: World) -> None:
    ads, conversations = shop.open().ads().df, shop.open().conversations().df
    assert ads["revenue"].iloc[0] == Decimal("99.99")
    assert ads["conversations"].dtype == pd.Int64Dtype()
    assert str(conversations["opened_at"].dtype) == "datetime64[us, UTC]"


def test_an_answer_without_a_chart_says_so(shop: World) -> None:
    with pytest.raises(AttributeError, match="no chart of its own"):
        _ = shop.open().conversations().figure


def test_an_opened_workbench_says_what_was_read_how_fresh_it_is_and_what_to_ask(shop: World) -> None:
    lines = repr(shop.open()).replace("\xa0", " ").splitlines()
    assert lines[1].split("  ")[0] == "Events"
    assert "2026-11-02 to 2026-11-02" in lines[1]
    assert "last received 27 d 16 h ago" in lines[1]
    assert lines[2].startswith("Spend")
    assert lines[2].endswith("last day 28 d ago")
    assert lines[4] == "Zone     UTC · USD · as of 2026-11-30 00:00"
    assert re.match(r"Quality  \d+ of \d+ checks ok", lines[5])
    assert lines[6].endswith("workbench.quality()")
    assert len(lines) == 7


def test_a_card_in_a_notebook_says_the_same_and_escapes_it(shop: World, tmp_path: Path) -> None:
    workbench = shop.open()
    page = workbench._repr_html_()
    for words in ("Events", "2026-11-02 to 2026-11-02", "last day 28 d ago", "workbench.ads()"):
        assert words in page
    data = workbench.data.rename(tmp_path / "<b>data")
    assert "<b>" not in open_workbench(data, environ={})._repr_html_()


def test_only_invented_data_are_marked(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    workbench = shop.open()
    assert "DEMO DATA" not in repr(workbench)
    (workbench.data / "truth.json").write_text("{}")
    assert "DEMO DATA" in repr(workbench)
    assert "DEMO DATA" in workbench._repr_html_()
    monkeypatch.chdir(SAMPLE.parents[1])
    assert "DEMO DATA" in repr(open_workbench("data/sample", environ={}))


def test_instants_are_shown_in_the_reporting_time_zone(world: World) -> None:
    world.event("p", START)
    workbench = world.open(settings='reporting_timezone = "Africa/Johannesburg"')
    assert "2026-11-02 10:00:00" in repr(workbench.conversations())


def test_an_empty_inbox_says_of_which_day_the_last_messages_are(shop: World) -> None:
    workbench = shop.open()
    assert workbench.inbox().about.startswith(
        "Nobody waits for an answer: the last messages are of 2026-11-02 · "
    )
    (workbench.data / "truth.json").write_text("{}")
    assert "ctm demo --until 2026-11-29 leaves some waiting" in workbench.inbox().about
    day_after = shop.open(as_of=(START + timedelta(days=1, hours=5)).replace(tzinfo=UTC))
    assert day_after.inbox().about.startswith("Nobody waits for an answer · ")
