"""`ctm lab` in Debian's Chromium: the start notebook, run to its end as a newcomer would."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).parents[2]
START = ROOT / "notebooks" / "00_start_here.ipynb"
PATIENCE_SECONDS = 120  # of a machine that does other things too


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab as `ctm lab` starts it, on a copy of the start notebook, as running it writes there."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    notebook = Path(shutil.copy(START, folder / "notebooks"))
    (folder / "data").symlink_to(ROOT / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    own = {
        f"JUPYTER{name}_DIR": str(folder / name.strip("_").lower())
        for name in ("_CONFIG", "_DATA", "_RUNTIME")
    }
    own |= {f"JUPYTERLAB_{name}_DIR": str(folder / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    words = ["lab", "--notebook", notebook, "--port", port, "--allow-root", "--no-browser"]
    with subprocess.Popen(
        [sys.executable, "-m", "ctm_analytics", *map(str, words), f"--IdentityProvider.token={token}"],
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token={token}")
        yield f"http://127.0.0.1:{port}/?token={token}"
        server.terminate()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            urlopen(address, timeout=5).close()
        except URLError:
            assert time.monotonic() < deadline, "JupyterLab does not start"
            time.sleep(0.2)
        else:
            return


@pytest.fixture(scope="module")
def page(chromium: Browser, lab: str) -> Iterator[Page]:
    """The start notebook after Run All Cells, with the addresses that it asked for in ``asked``."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_SECONDS * 1000)
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("websocket", lambda socket: page.asked.append(socket.url))
    page.goto(lab)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    page.wait_for_selector(f".jp-Notebook-cell:nth-child({_cells()})")
    _run_all(page)
    expect(page.locator(".jp-CodeCell").last).to_contain_text(
        "had an answer within", timeout=PATIENCE_SECONDS * 1000
    )
    yield page
    if folder := os.environ.get("CTM_SCREENSHOTS"):
        _photograph(page, Path(folder))
    context.close()


def _run_all(page: Page) -> None:
    """Choose Run All Cells until it is taken: JupyterLab drops it without a word while the kernel is on its way."""
    prompt = page.locator(".jp-CodeCell .jp-InputPrompt").last
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (prompt.text_content() or "").strip() == "[ ]:":
        assert time.monotonic() < deadline, "JupyterLab runs nothing"
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.wait_for_timeout(3000)


def _cells() -> int:
    return len(nbformat.read(START, as_version=4).cells)


def _photograph(page: Page, folder: Path) -> None:
    for place, cell in enumerate(page.locator(".jp-CodeCell").all()):
        cell.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        page.screenshot(path=folder / f"lab-{place}.png")


def test_it_opens_at_the_start_notebook_and_runs_without_an_error(page: Page) -> None:
    assert page.url.endswith("/lab/tree/00_start_here.ipynb")
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_the_card_and_the_tables_are_shown_with_units(page: Page) -> None:
    cells = page.locator(".jp-CodeCell")
    assert "DEMO DATA" in (cells.nth(1).text_content() or "")
    table = cells.nth(2).locator("table").text_content() or ""
    assert "Reel – Testimonial" in table
    assert re.search(r"\$\d+ – \$\d+", table), "what stands between two dollar signs is no formula"
    assert "%" in table


def test_the_charts_are_drawn(page: Page) -> None:
    charts = page.locator(".js-plotly-plot")
    assert charts.count() == 2
    for place in range(2):
        charts.nth(place).scroll_into_view_if_needed()
        expect(charts.nth(place).locator("svg.main-svg").first).to_be_visible()
        assert charts.nth(place).locator(".modebar-btn[data-title*='loud']").count() == 0


def test_no_news_is_offered(page: Page) -> None:
    assert page.locator(".Toastify__toast").count() == 0


def test_nothing_is_asked_of_another_machine(page: Page) -> None:
    hosts = {
        urlsplit(address).hostname for address in page.asked if not address.startswith(("data:", "blob:"))
    }
    assert hosts == {"127.0.0.1"}
