"""Every chart as Chromium draws it: names to the letter, nothing that leaves the machine, and room on a phone."""

from pathlib import Path

import plotly.io as pio
import pytest
from analytics.charts import frames

from ctm_analytics import charts
from ctm_analytics.report.page import Report

NAMES = [
    "<b>bold</b>",
    '<a href="//example.org">x</a>',
    "&lt;i&gt; &amp;",
    "$5 off, now $4",
    "🎉 إعلان الربيع",
    "An ad with a name that goes on and on " * 4,
    *(f"Ad {place}" for place in range(294)),
]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw everything that names ads, for three hundred of them."""
    report = Report("Gallery", "2026-11-16", "2026-11-22")
    ads = frames.ads(NAMES)
    for title, figure in {
        "CAC": charts.cac_by_ad(ads, target_cac=9.0),
        "Conversion": charts.conversion_by_ad(ads),
        "Models": charts.models_by_ad(frames.attribution(NAMES), window_days=7),
        "Cohorts": charts.cohort_curves(frames.cohorts(NAMES)),
        "Moves": charts.spend_moves(frames.outlook(NAMES), effect=(6.0, 2.0, 9.0)),
        "Waits": charts.waits_by_group(frames.latency(NAMES)),
        "Badge": charts.badge_test(frames.badge(NAMES[:3])),
        "Two": charts.two_ads(frames.pair(*NAMES[:2]), currency="USD"),
        "Stages": charts.waterfall(frames.stages(NAMES)),
        "Speed": charts.speed_effects(frames.effects((5, 0.08, 0.02, 0.14, 200, 300))),
        "Inbox": charts.inbox_by_time_left(frames.inbox((60.0, "ad", 5.0), (90_000.0, "contact", 9.0))),
    }.items():
        report.section(title, figure)
    return report.save(tmp_path_factory.mktemp("gallery") / "index.html")


def test_names_stand_there_to_the_letter(gallery, open_page):
    page = open_page(gallery, drawn=True)
    texts = set(page.locator(".drawing text").all_text_contents())
    for name in NAMES[:5]:
        assert any(name in text for text in texts), name
    assert page.locator(".drawing a").count() == 0
    assert page.locator(".drawing tspan[style*='bold']", has_text="bold").count() == 0


def test_no_chart_offers_to_send_its_data_anywhere_and_none_asks_another_host(gallery, open_page):
    page = open_page(gallery, drawn=True)
    page.locator(".drawing").first.hover()
    buttons = page.locator(".modebar-btn").evaluate_all("all => all.map((each) => each.dataset.title || '')")
    assert buttons
    assert not [title for title in buttons if "cloud" in title.lower() or "share" in title.lower()]
    assert page.said == []
    assert page.asked == [gallery.as_uri()]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_text_of_a_chart_lies_within_it(gallery, open_page, width, scheme):
    page = open_page(gallery, width=width, color_scheme=scheme, drawn=True)
    outside = page.evaluate(
        """() => [...document.querySelectorAll(".drawing")].flatMap((chart) => {
            const frame = chart.getBoundingClientRect();
            return [...chart.querySelectorAll("text")]
                .filter((text) => text.textContent && text.getBoundingClientRect().width)
                .filter((text) => {
                    const box = text.getBoundingClientRect();
                    return box.left < frame.left - 1 || box.right > frame.right + 1;
                })
                .map((text) => text.textContent);
        })"""
    )
    assert outside == []


def test_a_dollar_sign_is_never_the_start_of_a_formula(gallery, open_page):
    page = open_page(gallery, drawn=True)
    assert page.evaluate("document.querySelector('.js-plotly-plot')._context.typesetMath") is False


@pytest.mark.parametrize(
    "figure",
    [
        charts.models_by_ad(frames.attribution(NAMES), window_days=7, target_cac=9.0),
        charts.cac_by_ad(frames.ads(NAMES[:3]), target_cac=9.0),
        charts.cohort_curves(frames.cohorts(NAMES)),
    ],
    ids=["models", "cac", "cohorts"],
)
def test_in_a_notebook_the_title_stands_clear_of_the_legend(figure, tmp_path, open_page):
    path = tmp_path / "figure.html"
    path.write_text(pio.to_html(figure, config=charts.CONFIG, include_plotlyjs=True), encoding="utf-8")
    page = open_page(path, width=900)
    page.wait_for_selector(".legend text")
    title, legend = (page.locator(name).bounding_box() for name in (".gtitle", ".legend .scrollbox"))
    assert title["y"] >= 0
    assert title["y"] + title["height"] <= legend["y"]
    assert page.asked == [path.as_uri()]
