"""Tables for a terminal: never wider than it, nothing left out, nothing broken that is copied whole."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import START, World

from ctm_analytics.display import Display, as_text

AD_ID = "120226305854810726"
ADS = Display(
    [
        ("Ad", False),
        ("Ad id", False),
        ("Spend", True),
        ("New customers", True),
        ("CAC", True),
        ("95 %", True),
    ],
    [
        ["Reel – Testimonial", AD_ID, "$969", "33", "$29", "$21 – $43"],
        ["Static – Free Delivery", AD_ID, "$916", "5", "$183", "at least $79"],
    ],
)


def tables(text: str) -> list[list[str]]:
    return [table.splitlines() for table in text.rstrip("\n").split("\n\n")]


def test_what_fits_stands_in_one_table_of_one_line_a_row() -> None:
    (table,) = tables(as_text(ADS, 120))
    assert len(table) == 2 + len(ADS.rows)
    assert table[0].split() == ["Ad", "Ad", "id", "Spend", "New", "customers", "CAC", "95", "%"]


def test_headings_and_names_are_wrapped_before_a_table_is_split() -> None:
    (table,) = tables(as_text(ADS, 70))
    assert table[0].split() == ["Ad", "Ad", "id", "Spend", "New", "CAC", "95", "%"]
    assert table[1].split() == ["customers"]


def test_what_does_not_fit_goes_on_below_under_the_same_names() -> None:
    first, second = tables(as_text(ADS, 48))
    assert first[0].startswith("Ad ")
    assert second[0].startswith("Ad ")
    assert {word for line in first + second for word in line.split()} >= {"$969", "$183", "33", AD_ID}


def test_an_interval_stays_beside_its_estimate() -> None:
    for screen in range(30, 90):
        for table in tables(as_text(ADS, screen)):
            assert ("CAC" in table[0]) == ("95 %" in table[0]), screen


def test_an_id_is_copied_whole() -> None:
    assert as_text(ADS, 40).count(AD_ID) == 2


@given(
    st.integers(30, 200),
    st.lists(st.tuples(st.text("abc ", min_size=1, max_size=30), st.text("12,", max_size=20)), min_size=1),
)
def test_no_line_is_wider_than_the_screen_and_every_word_is_there(
    screen: int, rows: list[tuple[str, str]]
) -> None:
    shown = Display(
        [("Name", False), *[("A long heading", True)] * 7], [[name, *[number] * 7] for name, number in rows]
    )
    text = as_text(shown, screen)
    assert max(map(len, text.splitlines())) <= max(screen, 30 + 2 + 20)
    letters = re.sub(r"\s", "", text)
    for name, number in rows:
        assert number in letters
        assert all(word in letters for word in name.split())


def test_a_name_moves_no_cursor() -> None:
    assert "\x1b" not in as_text(Display([("Ad", False)], [["\x1b[2Jgone"]]), 80)


@pytest.mark.parametrize("screen", [60, 80, 100, 140])
def test_the_ads_fit_every_terminal(world: World, monkeypatch: pytest.MonkeyPatch, screen: int) -> None:
    monkeypatch.setenv("COLUMNS", str(screen))
    world.event("p", START, ad_id=AD_ID).spend(
        START.date(), AD_ID, "50.00", ad_name="A name of many words " * 3
    )
    shown = world.open().ads(columns="all")
    *table, _about, _ = [*repr(shown).splitlines(), ""]
    assert max(map(len, table)) <= screen
    assert AD_ID in "".join(table)
