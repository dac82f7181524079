import json
import re
from datetime import date
from html.parser import HTMLParser

from ctm_analytics.report.index import index_page, write_index

HOSTILE = '<script>alert("x")</script>"><img src=x onerror=alert(1)>'


def report(reports, name, since, until, **summary):
    folder = reports / name / f"{since}_{until}"
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "all-ads.csv").write_text("ad\n")
    (folder / "run.json").write_text(json.dumps({"summary": summary}))
    return folder


class Links(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, _, attributes):
        self.found += [value for name, value in attributes if name in ("href", "src")]


def test_every_run_is_listed_newest_first_with_what_it_says(tmp_path):
    tile = {"label": "CAC", "value": "$33", "interval": "", "change": "▼ 4 %", "verdict": "better"}
    report(
        tmp_path,
        "weekly",
        date(2026, 11, 9),
        date(2026, 11, 15),
        title="Weekly report",
        headlines=["Before."],
    )
    newest = report(
        tmp_path, "weekly", date(2026, 11, 16), date(2026, 11, 22),
        title="Weekly report", headlines=["A new customer cost $33.", "More."], tiles=[tile], notices=["Young."],
    )  # fmt: skip
    report(tmp_path, "monthly", date(2026, 10, 1), date(2026, 10, 31), title="Monthly report")
    (newest / "report.pdf").write_bytes(b"%PDF")
    page = index_page(tmp_path)
    words = [
        "Monthly report",
        "1–31 Oct 2026",
        "Weekly report",
        "16–22 Nov 2026",
        "cost $33.",
        "Young.",
        "▼ 4 %",
        "9–15 Nov",
    ]
    places = [page.index(word) for word in words]
    assert places == sorted(places)
    assert "2 reports" in page
    for link in Links(page).found[1:]:
        assert (
            link.endswith("latest/index.html") or link.endswith("/index.html") or (tmp_path / link).is_file()
        ), link
    assert "weekly/2026-11-16_2026-11-22/report.pdf" in Links(page).found


def test_what_a_report_says_is_text_and_no_script_may_run(tmp_path):
    tile = {"label": HOSTILE, "value": HOSTILE, "interval": "", "change": HOSTILE, "verdict": HOSTILE}
    words = {"title": HOSTILE, "headlines": [HOSTILE], "notices": [HOSTILE], "tiles": [tile], "zone": HOSTILE}
    report(tmp_path, 'a"b<c', date(2026, 11, 9), date(2026, 11, 15), **words)
    page = index_page(tmp_path)
    assert not re.search(r"<(script|img)|onerror=[^&]", page.replace("onerror=alert(1)&gt;", ""))
    assert "default-src 'none'" in page
    assert all("<" not in link and ":" not in link for link in Links(page).found)


def test_what_is_no_report_is_left_out(tmp_path):
    folder = report(tmp_path, "weekly", date(2026, 11, 9), date(2026, 11, 15))
    for name in ("2026-11-16_2026-11-22.tmp", "notes_old"):
        (tmp_path / "weekly" / name).mkdir()
    for content in ("", "[]", '{"summary": []}', "{"):
        (folder / "run.json").write_text(content)
        assert "9–15 Nov" not in index_page(tmp_path)


def test_the_page_is_written_whole_and_the_same_again(tmp_path):
    report(tmp_path, "weekly", date(2026, 11, 9), date(2026, 11, 15))
    write_index(tmp_path)
    first = (tmp_path / "index.html").read_bytes()
    write_index(tmp_path)
    assert (tmp_path / "index.html").read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "weekly"]
