"""A report is printed by the browser that is there; without one it is said what to do."""

import shutil

import pytest

from ctm_analytics.report.pdf import PdfFailed, write_pdf


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("<!doctype html><title>Weekly</title><p>A new customer cost $33.", encoding="utf-8")
    return page


def put_browser(folder, script):
    """Let the only browser that is found be a shell script."""
    folder.mkdir()
    browser = folder / "chromium"
    browser.write_text(f"#!{shutil.which('sh')}\n{script}\n", encoding="utf-8")
    browser.chmod(0o755)
    return str(folder)


def test_a_page_is_printed_twice_the_same(page):
    first, second = page.with_name("first.pdf"), page.with_name("second.pdf")
    write_pdf(page, first)
    write_pdf(page, second)
    assert first.read_bytes().startswith(b"%PDF-")
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in page.parent.iterdir()) == ["first.pdf", "index.html", "second.pdf"]


def test_without_a_browser_the_next_step_is_said(page, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PdfFailed) as caught:
        write_pdf(page, page.with_name("report.pdf"))
    assert str(caught.value) == (
        "report.pdf: no Chromium or Chrome is installed here, which prints it. The report itself is written:"
        f" {page}. Install Debian's package 'chromium', or leave pdf out of --format."
    )


def test_half_a_page_is_no_page(page, tmp_path, monkeypatch):
    script = """for word; do case "$word" in --print-to-pdf=*) echo %PDF-1.4 > "${word#*=}";; esac; done"""
    monkeypatch.setenv("PATH", put_browser(tmp_path / "bin", script))
    with pytest.raises(PdfFailed, match="did not print it"):
        write_pdf(page, page.with_name("report.pdf"))
    assert not list(page.parent.glob("*.pdf*"))


def test_a_browser_that_does_not_print_is_quoted_and_leaves_nothing(page, tmp_path, monkeypatch):
    monkeypatch.setenv(
        "PATH", put_browser(tmp_path / "bin", "echo starting >&2; echo no display >&2; exit 1")
    )
    with pytest.raises(PdfFailed, match=r"chromium did not print it \(no display\)"):
        write_pdf(page, page.with_name("report.pdf"))
    assert not page.with_name("report.pdf").exists()
