"""A report as PDF, printed by the Chromium or Chrome that is installed here."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ctm_analytics.errors import CtmError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE_SECONDS = 120
# The page unpacks and draws its charts within this much of its own clock, which runs as fast as it can.
_PAGE_MILLISECONDS = 20_000
# As wide as the paper, so that charts are laid out for it; and nothing of the browser's own reaches the network.
_OPTIONS = (
    *("--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer", "--window-size=760,1100"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"),
    f"--virtual-time-budget={_PAGE_MILLISECONDS}",
)
_CLOCK = re.compile(rb"/(CreationDate|ModDate) \(D:[^)]*\)")


class PdfFailed(CtmError):
    """The report is written, but could not be printed."""


def find_browser() -> str | None:
    """Find a browser that prints; ``None`` where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def write_pdf(page: Path, pdf: Path) -> None:
    """Print a report; the same page gives the same bytes.

    Parameters
    ----------
    page : Path, the report's HTML file
    pdf : Path, appears when it is whole

    Raises
    ------
    PdfFailed
        If no browser is installed, or it does not print.
    """
    browser = find_browser()
    if browser is None:
        raise PdfFailed(
            f"{pdf.name}: no Chromium or Chrome is installed here, which prints it. The report itself is written:"
            f" {page}. Install Debian's package 'chromium', or leave pdf out of --format."
        )
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder) / "printed.pdf"
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium refuses root one
        places = (f"--user-data-dir={folder}/profile", f"--print-to-pdf={printed}", page.resolve().as_uri())
        try:
            said = subprocess.run(
                [browser, *_OPTIONS, *sandbox, *places],
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            ).stderr
        except subprocess.TimeoutExpired:
            said = f"it took longer than {PATIENCE_SECONDS} s"
        content = printed.read_bytes() if printed.is_file() else b""
        if not content.rstrip().endswith(b"%%EOF"):  # killed, or the disk was full
            last = next(reversed(said.strip().splitlines()), "it says nothing")
            raise PdfFailed(
                f"{pdf.name}: {Path(browser).name} did not print it ({last}). The report itself is written: {page}."
                " Open it in a browser and print it there."
            )
        made = pdf.with_name(f"{pdf.name}.tmp")
        try:
            made.write_bytes(_CLOCK.sub(_without_clock, content))
            made.replace(pdf)
        finally:
            made.unlink(missing_ok=True)


def _without_clock(written: re.Match[bytes]) -> bytes:
    """Set the instant of printing to zeros of the same length, so that what follows stays in its place."""
    return re.sub(rb"\d", b"0", written[0])
