import base64
import gzip
import json
import re
from importlib import resources

import pandas as pd
import pytest

from ctm_analytics import charts
from ctm_analytics.errors import InvalidArgument, NoData
from ctm_analytics.report.page import Report

HOSTILE = '</script><script>alert("x")</script>'


@pytest.fixture
def report(origin, ads, total):
    """A small report with everything in it, its words hostile."""
    made = Report("Weekly report", "2026-11-16", "2026-11-22", workbench=origin)
    made.headline(f"A new customer cost $33. {HOSTILE}")
    made.notice("20 of 50 conversations are young.")
    made.kpi("Spend", total.spend, 2000, unit="money", down_is_good=None)
    made.section(
        "What does a new customer cost?", charts.cac_by_ad(ads), f"Note {HOSTILE}", ads[["ad_name", "cac"]]
    )
    made.ads_table(ads, total)
    checks = [("late_events", "ok", "None."), ("unmatched_sales", "fail", HOSTILE), ("gaps", "warn", "One.")]
    made.quality(pd.DataFrame(checks, columns=["check", "status", "detail"]))
    return made


def elements(page, tag):
    return re.findall(rf"<{tag}\b([^>]*)>(.*?)</{tag}>", page, flags=re.DOTALL)


def test_the_same_content_gives_the_same_bytes(report, tmp_path):
    first, second = report.save(tmp_path / "a" / "index.html"), report.save(tmp_path / "b" / "index.html")
    assert first.read_bytes() == second.read_bytes()


def test_one_file_holds_everything_within_two_and_a_half_megabytes(report, tmp_path):
    page = report.save(tmp_path / "index.html")
    assert page.stat().st_size < 2_500_000
    assert not re.findall(r'(?:src|href)="(?!#)', page.read_text(encoding="utf-8"))


def test_plotly_is_the_one_of_the_installed_wheel(report):
    packed = next(
        text for attributes, text in elements(report.html(), "script") if 'id="plotly"' in attributes
    )
    installed = resources.files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    assert gzip.decompress(base64.b64decode(packed)) == installed
    assert base64.b64decode(packed)[4:8] == b"\0\0\0\0", "a time in the archive would change the bytes"


def test_the_policy_lets_no_other_host_and_no_foreign_script_in(report):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', report.html())
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data: blob:"
    assert all(source.startswith("'sha256-") for source in rules["script-src"].split())
    assert "http" not in policy[1]


def test_every_chart_is_told_not_to_send_its_data_anywhere(report):
    config = next(
        text for attributes, text in elements(report.html(), "script") if 'id="config"' in attributes
    )
    assert json.loads(config)["showSendToCloud"] is False
    assert json.loads(config)["plotlyServerURL"] == ""


def test_no_word_of_the_data_becomes_markup(report):
    page = report.html()
    assert HOSTILE not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_hostile_name_inside_a_figure_cannot_end_its_script(report):
    chart = next(text for attributes, text in elements(report.html(), "script") if "data-chart" in attributes)
    assert "<" not in chart
    shown = json.loads(chart)["layout"]["yaxis"]["ticktext"]
    assert any(name.startswith("&lt;/script&gt;") for name in shown)


def test_the_finding_is_text_on_the_page_and_not_a_second_title_in_the_figure(report):
    page = report.html()
    chart = next(text for attributes, text in elements(page, "script") if "data-chart" in attributes)
    assert "title" not in json.loads(chart)["layout"]
    assert '<p class="finding">' in page


def test_every_chart_has_a_heading_a_reading_and_its_numbers_as_a_table(report):
    page = report.html()
    chart = page[page.index('class="card chart"') : page.index('class="card ads"')]
    assert "<h2" in chart
    assert 'role="figure"' in chart
    assert "<details>" in chart
    assert "<caption>" in chart


def test_the_page_says_period_zone_freshness_currency_model_and_fingerprint(report):
    page = report.html()
    for words in (
        "16–22 Nov 2026",
        "7 days",
        "Africa/Johannesburg",
        "23 Nov 2026, 07:10",
        "USD",
        "last touch, 7 days",
        "9f2c41d07be5aa10",
        "Changes are against 9–15 Nov 2026",
    ):
        assert words in page


def test_the_worst_check_stands_first_and_passed_ones_are_folded_away(report):
    page = report.html()
    quality = page[page.index('class="card quality"') :]
    assert "2 of 3 checks need attention, 1 of them failed." in quality
    order = ["Unmatched sales", "Gaps", "1 check passed", "Late events"]
    assert sorted(order, key=quality.index) == order
    assert "unmatched_sales" not in quality


def test_sections_are_written_as_csv_under_their_own_names(report, tmp_path):
    report.save(tmp_path / "index.html", tables=tmp_path / "tables")
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "can-these-numbers-be-trusted.csv",
        "what-did-each-ad-cost-and-bring.csv",
        "what-does-a-new-customer-cost.csv",
    ]


def test_a_section_without_a_drawing_shows_its_sentence_only(origin, ads):
    empty = Report("Weekly report", "2026-11-16", "2026-11-22", workbench=origin)
    empty.section("Cost", charts.cac_by_ad(ads.iloc[:0]))
    page = empty.html()
    assert "No ad spent anything in this period." in page
    assert "data-chart" not in page.split("<script>")[0]


def test_a_report_of_nothing_is_still_a_page():
    assert "<h1>Empty</h1>" in Report("Empty", "2026-11-16", "2026-11-16").html()


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        ("2026-13-01", "2026-11-22", "since: '2026-13-01' is not a date. Use YYYY-MM-DD, e.g. 2026-11-16."),
        (
            "2026-11-22",
            "2026-11-16",
            "since: 2026-11-22 lies after until: 2026-11-16. Give the earlier day first.",
        ),
    ],
)
def test_days_that_make_no_period_are_refused(since, until, message):
    with pytest.raises(InvalidArgument) as caught:
        Report("Weekly report", since, until)
    assert str(caught.value) == message


class Answer:
    """One row about a period."""

    def __init__(self, since, until):
        self.df = pd.DataFrame({"since": [str(since)], "until": [str(until)]})


def test_a_question_is_compared_with_the_equal_period_before():
    now, before = Report("Weekly report", "2026-11-16", "2026-11-22").compare(Answer)
    assert list(now) == ["2026-11-16", "2026-11-22"]
    assert list(before) == ["2026-11-09", "2026-11-15"]


def test_where_the_period_before_has_no_data_everything_is_unknown():
    def question(since, until):
        if str(since) < "2026-11-16":
            raise NoData("nothing")
        return Answer(since, until)

    _, before = Report("Weekly report", "2026-11-16", "2026-11-22").compare(question)
    assert before.isna().all()
    assert list(before.index) == ["since", "until"]


@pytest.mark.parametrize(
    ("since", "until", "before"),
    [
        ("2026-11-01", "2026-11-30", ("2026-10-01", "2026-10-31")),
        ("2028-03-01", "2028-03-31", ("2028-02-01", "2028-02-29")),
        ("2026-11-01", "2026-11-29", ("2026-10-03", "2026-10-31")),
    ],
)
def test_before_a_calendar_month_comes_the_calendar_month_before(since, until, before):
    assert tuple(map(str, Report("Monthly", since, until).previous)) == before


def test_a_command_made_of_an_id_is_quoted_for_the_shell(origin, ads):
    made = Report("Weekly report", "2026-11-16", "2026-11-22", workbench=origin)
    made.ads_table(ads.assign(ad_id="$(touch /hit)"))
    assert 'data-key="&#39;$(touch /hit)&#39;"' in made.html()


def test_what_was_read_and_how_fresh_it_is_stands_with_the_checks(origin):
    made = Report("Weekly report", "2026-11-16", "2026-11-22", workbench=origin)
    held = {"events": 1200, "last_received_at": pd.Timestamp("2026-11-22 21:30", tz="UTC"), "ads": 3}
    held |= {"last_spend_day": pd.Timestamp("2026-11-21"), "sales": 0, "last_sale_day": None}
    made.quality(pd.DataFrame({"check": ["gaps"], "status": ["ok"]}), pd.Series(held, dtype=object))
    assert made.sections[-1].note == (
        "Read: 1,200 events, the last received 22 Nov 2026, 23:30; spend of 3 ads until 21 Nov 2026; 0 sales."
    )
