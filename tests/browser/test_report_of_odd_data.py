"""The weekly report of odd data: correct, readable, and harmless whatever an ad is called."""

import csv
import io
from datetime import date, timedelta

import pytest
from notebook_reports import report_of
from worlds import START, World

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MONDAY = date(2026, 11, 2)
HOSTILE = {
    "1": '<script>window.hit = "name"</script>',
    "2": '=HYPERLINK("https://example.org","win")',
    "3": "إعلان الربيع",
    "4": "👩‍👩‍👧 🎉 Spring",
    "5": "Long " * 80,
    "6": "$(touch /hit)",
    "7": "</script><img src=x onerror=\"window.hit = 'image'\">",
}


def chats(world, ad, number, *, sales=0):
    """So many people came by an ad on the days of the week, half were answered, and the first bought."""
    for place in range(number):
        contact, at = f"{ad}-{place}", START + (place % 7) * DAY
        world.event(contact, at, ad_id=ad)
        if place % 2:
            world.echo(contact, at + (place % 50 + 1) * MINUTE)
        if place < sales:
            world.sale(contact, at + DAY, "80.00", contact_id=contact)
    return world


def paid(world, ad, spend="20.00", **names):
    for place in range(7):
        world.spend(
            MONDAY + place * DAY,
            ad,
            spend,
            impressions=900,
            link_clicks=30,
            reported_conversations=3,
            **names,
        )
    return world


def hostile(world):
    for ad, name in HOSTILE.items():
        paid(chats(world, ad, 20, sales=3), ad, ad_name=name, campaign_name=name, adset_name=name)
    for place in range(8, 301):
        world.spend(
            MONDAY + place % 7 * DAY, str(place), "5.00", ad_name=f"Ad {place}", campaign_name="CTM | ZA"
        )
    return chats(world, "120212000000000123", 3)  # an ad of which no name and no spend is known


WORLDS = {
    "hostile names and 300 ads": hostile,
    "one ad": lambda world: paid(chats(world, "1", 30, sales=4), "1", ad_name="Reel"),
    "no ads": lambda world: chats(world, None, 20),
    "no sales": lambda world: paid(chats(world, "1", 30), "1", ad_name="Reel"),
    "no spend": lambda world: chats(world, "1", 30, sales=4),
    "no events": lambda world: paid(world, "1", "500.00", ad_name="Reel"),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The report of each world, made when it is first asked for."""
    made = {}

    def page(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("odd")
            data = WORLDS[name](World(folder / "data")).write(settings="target_cac = 30")
            made[name] = report_of(data, folder, since=str(MONDAY), until=str(MONDAY + 6 * DAY))
        return made[name]

    return page


@pytest.mark.parametrize("name", WORLDS)
def test_a_report_of_odd_data_is_whole_on_a_phone(pages, open_page, name):
    page = open_page(pages(name), width=390, drawn=True)
    assert page.said == []
    assert page.asked == [pages(name).as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    text = page.locator("body").inner_text()
    assert not any(word in text.split() for word in ("nan", "None", "<NA>", "inf"))
    assert page.locator(".headlines p").count() >= 1
    assert page.locator("#ads tbody:not([hidden]) tr").count() >= 1


def test_names_are_read_as_they_are_written_and_nothing_of_them_runs(pages, open_page):
    page = open_page(pages("hostile names and 300 ads"), drawn=True)
    shown = page.locator("#ads tbody[data-level=ad] th bdi").all_text_contents()
    assert set(HOSTILE.values()) <= set(shown)
    assert "120212000000000123" in shown
    assert len(shown) == 301
    assert page.evaluate("window.hit") is None
    assert page.locator("main img, main a[href*=example]").count() == 0


def test_no_export_of_hostile_names_holds_a_formula(pages, open_page):
    report = pages("hostile names and 300 ads")
    page = open_page(report)
    with page.expect_download() as download:
        page.locator("#download").click()
    exports = [download.value.path(), *(report.parent / "tables").glob("*.csv")]
    cells = [
        cell
        for path in exports
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        for cell in row
    ]
    assert f"'{HOSTILE['2']}" in cells
    assert [cell for cell in cells if cell.startswith(("=", "@", "+"))] == []


def test_the_command_behind_a_row_is_safe_to_paste(pages, open_page):
    page = open_page(pages("hostile names and 300 ads"))
    page.locator("#filter").fill("الربيع")
    page.locator("#ads tbody:not([hidden]) th button").locator("visible=true").first.press("Enter")
    assert page.locator("#detail-name").inner_text() == HOSTILE["3"]
    assert page.locator("#behind code").inner_text() == (
        "ctm conversations --ad 3 --since 2026-11-02 --until 2026-11-08"
    )
    page.keyboard.press("Escape")
    assert not page.locator("#detail").is_visible()


def test_spend_of_which_nothing_was_captured_gives_no_verdict_and_says_so(pages, open_page):
    page = open_page(pages("no events"))
    text = page.locator("body").inner_text()
    assert "what it brought is not known, since nothing was captured" in text
    assert "no conversation was captured on 2–8 Nov 2026" in text
    assert page.locator("#ads .verdict").count() == 0
    assert "(worse)" not in text


def test_the_report_of_no_spend_counts_customers_and_names_no_cost(pages, open_page):
    headline = open_page(pages("no spend")).locator(".headlines p").first.inner_text()
    assert headline == "No ad spend is known for this period; ads brought 4 new customers."
