"""Reports as files, and Debian's Chromium to open them in."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from notebook_reports import report_of
from playwright.sync_api import Browser, Page, sync_playwright

from ctm_analytics import charts
from ctm_analytics.report.page import Report

ROOT = Path(__file__).parents[2]
# Nothing of its own may reach the network: every request that a test sees is the report's.
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
HOSTILE_NAMES = [
    '<script>window.hit = "name"</script>',
    "</script><img src=x onerror=\"window.hit = 'image'\">",
    '=HYPERLINK("https://example.org","win")',
    "\"><svg onload=window.hit='svg'>",
    "إعلان الربيع",
    "🎉 Spring & summer",
    "<a href=\"javascript:window.hit='link'\">Sale</a>",
]


@pytest.fixture(scope="session")
def weekly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weekly report of the sample data."""
    out = tmp_path_factory.mktemp("reports")
    data = ROOT / "data" / "sample"
    return report_of(data, out, since="2026-11-09", until="2026-11-15", as_of="2026-12-01T00:00:00+00:00")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on three hundred ads, some of which are called what would harm a careless page."""
    ads = pd.DataFrame(
        {
            "ad_id": [str(place) for place in range(300)],
            "ad_name": [
                HOSTILE_NAMES[place] if place < len(HOSTILE_NAMES) else f"Ad {place}" for place in range(300)
            ],
            "campaign_name": "CTM | ZA",
            "spend": [float(1000 - place) for place in range(300)],
            "currency": "USD",
            "conversations": 40,
            "engaged": 40,
            "conversions": 4,
            "conversion_rate": 0.1,
            "conversion_rate_low": 0.04,
            "conversion_rate_high": 0.23,
            "new_customers": [float(place % 9) for place in range(300)],
            "cac": [(1000 - place) / (place % 9) if place % 9 else None for place in range(300)],
            "cac_low": [(1000 - place) / (place % 9 + 3.7) for place in range(300)],
            "cac_high": [(1000 - place) / (place % 9) * 3 if place % 9 else None for place in range(300)],
        }
    )
    report = Report("<script>window.hit = 'title'</script>", "2026-11-16", "2026-11-22")
    report.headline(charts.best_ad_sentence(ads))
    columns = ["ad_name", "spend", "cac"]
    report.section(HOSTILE_NAMES[1], charts.cac_by_ad(ads), HOSTILE_NAMES[0], ads[columns])
    report.section("Conversion", charts.conversion_by_ad(ads))
    report.ads_table(ads)
    return report.save(tmp_path_factory.mktemp("hostile") / "index.html")


# While Playwright is open, this thread has a running event loop: it must close before other tests want their own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    assert executable, "Chromium is missing: install Debian's package 'chromium'."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a report from disk; its page keeps what it said and asked for in ``said`` and ``asked``."""
    opened: list[Page] = []

    def open_page(path: Path, *, width: int = 1280, drawn: bool = False, **context: object) -> Page:
        page = chromium.new_context(viewport={"width": width, "height": 900}, **context).new_page()
        opened.append(page)
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: (page.said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri())
        if drawn:
            page.wait_for_selector("html[data-drawn]", timeout=60_000)
        return page

    yield open_page
    for page in opened:
        page.context.close()
