"""What axe-core, and a reader with a keyboard alone, find in the report."""

import pytest
from axe_playwright_python.sync_playwright import Axe

SERIOUS = ("serious", "critical")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious(weekly, open_page, scheme, width):
    page = open_page(weekly, width=width, color_scheme=scheme, drawn=True)
    for summary in page.locator("summary").all():
        summary.click()
    found = Axe().run(page).response["violations"]
    serious = [
        (rule["id"], node["html"][:120], node["failureSummary"][:300])
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"][:3]
    ]
    assert serious == []


def test_axe_finds_nothing_serious_in_everything_about_an_ad(weekly, open_page):
    page = open_page(weekly)
    page.locator("#ads tbody:not([hidden]) th button").first.click()
    assert [rule["id"] for rule in Axe().run(page).response["violations"] if rule["impact"] in SERIOUS] == []


def test_rows_are_grouped_by_keyboard_and_keep_their_order_and_filter(weekly, open_page):
    page = open_page(weekly)
    page.locator("#ads thead button", has_text="CAC").first.press("Enter")
    page.locator("button[data-level=campaign]").press("Space")
    assert page.locator("#ads thead th").first.inner_text().strip() == "Campaign"
    assert page.locator("tbody[data-level=campaign]").is_visible()
    assert page.locator("tbody[data-level=ad]").is_hidden()
    assert page.locator("button[data-level=campaign]").get_attribute("aria-pressed") == "true"
    rows = page.locator("tbody[data-level=campaign] tr").count()
    assert page.locator("#shown").inner_text() == f"{rows} of {rows} rows"
    assert page.locator("#ads th[aria-sort]").inner_text().strip().startswith("CAC")


def test_what_the_columns_mean_unfolds_by_keyboard(weekly, open_page):
    page = open_page(weekly)
    meaning = page.locator(".meanings dt", has_text="Verdict").first
    assert not meaning.is_visible()
    page.locator("summary", has_text="What the columns").press("Enter")
    assert meaning.is_visible()


def test_everything_about_an_ad_opens_and_closes_by_keyboard_and_the_focus_returns(weekly, open_page):
    page = open_page(weekly)
    name = page.locator("#ads tbody:not([hidden]) th button").first
    name.press("Enter")
    words = page.locator("#detail").inner_text()
    assert {"Spend", "CAC, 95 %", "Verdict", "Ad id"} <= set(words.splitlines())
    assert "ctm conversations --ad 1202" in words
    page.locator("#close").press("Enter")
    assert name.evaluate("button => document.activeElement === button")
