import csv
import io
import re

import pytest

INK = "getComputedStyle(document.querySelector('.drawing .ytick text')).fill"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


def column(page, name):
    """Read the visible cells of a column of the ads table, by its heading."""
    return page.evaluate(
        """name => {
            const table = document.getElementById("ads");
            const place = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.trim() === name);
            const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
            return rows.map((row) => row.cells[place].innerText.trim());
        }""",
        name,
    )


def headings(page):
    return [text.strip() for text in page.locator("#ads thead th:visible").all_inner_texts()]


def money(cells):
    return [float(re.sub(r"[^0-9.]", "", cell)) for cell in cells if cell != "–"]


@pytest.fixture(params=["weekly", "hostile"])
def either(request):
    return request.getfixturevalue(request.param)


def test_it_opens_from_disk_without_an_error_or_a_request_and_draws_every_chart(either, open_page):
    page = open_page(either, drawn=True)
    charts = page.locator(".drawing")
    assert charts.count() >= 2
    for place in range(charts.count()):
        assert charts.nth(place).locator("svg.main-svg").first.is_visible()
    assert page.said == []
    assert page.asked == [either.as_uri()]


def test_hostile_names_are_shown_and_do_nothing(hostile, open_page):
    page = open_page(hostile, drawn=True)
    assert '<script>window.hit = "name"</script>' in column(page, "Ad")
    assert "<script>window.hit = 'title'</script>" in page.locator("h1").inner_text()
    assert page.locator(".drawing a, #ads a, .drawing img, #ads img").count() == 0
    assert page.evaluate("window.hit") is None


def test_the_policy_refuses_a_script_that_is_not_the_reports_own(hostile, open_page):
    page = open_page(hostile)
    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.hit = 1'; document.body.append(s)"
    )
    assert page.evaluate("window.hit") is None
    assert "Content Security Policy" in page.said[-1]


def test_the_policy_refuses_every_other_host(hostile, open_page):
    page = open_page(hostile)
    refused = page.evaluate("fetch('https://example.org/').then(() => 'reached', () => 'refused')")
    assert refused == "refused"
    assert any("Content Security Policy" in words for words in page.said)


def test_text_and_tables_are_there_without_any_script(weekly, open_page):
    page = open_page(weekly, java_script_enabled=False)
    assert page.locator(".headlines p").first.is_visible()
    assert page.locator("#ads tbody tr").count() > 5
    assert page.locator(".drawing noscript").first.is_visible()
    assert not page.locator(".controls").is_visible()


def test_a_heading_sorts_by_mouse_and_by_keyboard_with_the_unknown_last(hostile, open_page):
    page = open_page(hostile)
    cost = page.locator("#ads th button", has_text=re.compile(r"^CAC$"))
    cost.click()
    descending = column(page, "CAC")
    assert money(descending) == sorted(money(descending), reverse=True)
    assert descending[-1] == "–"
    cost.press("Enter")
    ascending = column(page, "CAC")
    assert money(ascending) == sorted(money(ascending))
    assert ascending[-1] == "–"
    assert page.locator("#ads th[aria-sort]").evaluate_all(
        "cells => cells.map((c) => [c.innerText, c.ariaSort])"
    ) == [["CAC", "ascending"]]


def test_text_sorts_as_people_count(hostile, open_page):
    page = open_page(hostile)
    page.locator("#ads th button", has_text=re.compile(r"^Ad$")).click()
    names = [name for name in column(page, "Ad") if name.startswith("Ad ")]
    assert names == [f"Ad {place}" for place in range(7, 300)]


def test_the_filter_finds_all_its_words_and_says_how_many_rows_are_left(hostile, open_page):
    page = open_page(hostile)
    page.locator("#filter").fill("za ad 29")
    assert column(page, "Ad") == [f"Ad {place}" for place in (29, 129, 229, *range(290, 300))]
    assert page.locator("#shown").inner_text() == "13 of 300 rows"
    page.locator("#filter").fill("")
    assert len(column(page, "Ad")) == 300


def test_presets_choose_columns_by_mouse_and_by_keyboard(weekly, open_page):
    page = open_page(weekly)
    assert "CAC" in headings(page)
    page.locator("[data-preset=delivery]").click()
    assert "CAC" not in headings(page)
    assert {"Ad", "Spend", "Impressions", "Link clicks"} <= set(headings(page))
    page.locator("[data-preset=messaging]").press("Space")
    assert "Median response" in headings(page)
    assert page.locator("[aria-pressed=true][data-preset]").inner_text() == "Messaging"
    page.locator("[data-preset=all]").press("Enter")
    assert len(headings(page)) == page.locator("#ads thead th").count()


def test_head_first_column_and_totals_stay_while_the_table_scrolls(weekly, open_page):
    page = open_page(weekly, width=600)
    page.locator("[data-preset=all]").click()
    region = page.locator("section.ads .scroll")
    before = page.locator("#ads tbody th").first.bounding_box()["x"]
    region.evaluate("region => region.scrollTo(400, 0)")
    assert page.locator("#ads tbody th").first.bounding_box()["x"] == before
    assert page.locator("#ads thead th").first.evaluate("cell => getComputedStyle(cell).position") == "sticky"
    assert page.locator("#ads tfoot td").first.evaluate("cell => getComputedStyle(cell).position") == "sticky"


def test_the_totals_are_no_row_of_the_table(weekly, open_page):
    page = open_page(weekly)
    page.locator("#filter").fill("nothing is called this")
    assert column(page, "Ad") == []
    assert page.locator("#ads tfoot th").inner_text().startswith("All ")


def test_the_download_holds_the_rows_in_view_and_no_formula(hostile, open_page):
    page = open_page(hostile)
    page.locator("#filter").fill("hyperlink")
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "ads_2026-11-16_2026-11-22.csv"
    text = download.value.path().read_text(encoding="utf-8-sig")
    header, row = csv.reader(io.StringIO(text))
    assert header[:2] == ["Ad", "Campaign"]
    assert row[0] == '\'=HYPERLINK("https://example.org","win")'
    assert float(row[header.index("Spend")]) == 998.0
    shown = page.locator(
        "#ads tbody tr:not([hidden]) td.interval span, #ads tbody tr:not([hidden]) td"
    ).all_text_contents()
    interval = row[header.index("CAC, 95 %")]
    assert "–" in interval or interval.startswith("at least")
    assert interval in [text.strip() for text in shown]


def test_dark_follows_the_system_and_the_button_and_charts_follow_both(weekly, open_page):
    page = open_page(weekly, color_scheme="dark", drawn=True)
    assert (page.evaluate(INK), page.evaluate(BACKGROUND)) == ("rgb(230, 233, 237)", "rgb(18, 22, 27)")
    assert page.locator("#theme").get_attribute("aria-pressed") == "true"
    page.locator("#theme").click()
    page.wait_for_function(f"{INK} === 'rgb(27, 31, 36)'")
    assert page.evaluate(BACKGROUND) == "rgb(244, 246, 248)"
    assert page.locator("#theme").get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(either, open_page, width):
    page = open_page(either, width=width, drawn=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for chart in page.locator(".drawing svg.main-svg").all():
        box = chart.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_charts_are_laid_out_anew_when_the_window_narrows(hostile, open_page):
    page = open_page(hostile, drawn=True)
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("document.querySelector('.drawing svg.main-svg').clientWidth < 390")
    page.wait_for_function("!document.querySelector('.drawing .ytick')")
    assert page.locator(".drawing").first.locator(".annotation").count() >= 30


def test_in_print_colours_are_light_and_the_wide_table_has_a_page_across(weekly, open_page):
    page = open_page(weekly, color_scheme="dark", drawn=True)
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    boxes = [
        tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox \[0 0 ([\d.]+ [\d.]+)\]", printed)
    ]
    assert len(printed) > 50_000
    assert {"across" if width > height else "upright" for width, height in boxes} == {"across", "upright"}
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(f"{INK} === 'rgb(27, 31, 36)'")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_a_reader_without_eyes_or_mouse_finds_the_way(weekly, open_page):
    page = open_page(weekly)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1
    assert page.locator("h3, h4").count() == 0
    labels = page.locator(".drawing").evaluate_all(
        "charts => charts.map((chart) => chart.parentElement.ariaLabel)"
    )
    assert labels
    assert all(label.startswith("Chart: ") for label in labels)
    for table in page.locator("table").all():
        assert table.locator("caption").count() == 1
    for region in page.locator(".scroll").all():
        assert region.get_attribute("tabindex") == "0"
        assert region.get_attribute("aria-label")


def test_no_raw_column_name_and_no_raw_number_is_on_the_page(weekly, open_page):
    text = open_page(weekly).locator("body").inner_text()
    assert re.findall(r"\b[a-z]+_[a-z_]+\b", text.replace("ctm_analytics", "")) == []
    assert re.findall(r"\d\.\d{4,}|\bnan\b|\bNone\b|<NA>", text) == []
