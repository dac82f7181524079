import json

import pandas as pd

from ctm_analytics.report.mail import html_of
from ctm_analytics.report.message import Message
from ctm_analytics.report.page import Report
from ctm_analytics.report.slack import payload
from ctm_analytics.report.summary import MOST_ADS, summarise

NAMES = ("<script>alert(1)</script>", "=HYPERLINK(1)", "🚀" * 200, "\u202etfel ot thgir", "x" * 3000)


def report(ads, origin):
    report = Report("Weekly", "2026-11-16", "2026-11-22", workbench=origin)
    report.headline("A new customer cost $33.")
    report.kpi("CAC", 33.0, 35.0, unit="money", down_is_good=True)
    report.ads_table(ads)
    return report


def test_a_summary_is_the_reports_own_words(ads, origin):
    summary = summarise(report(ads, origin))
    assert (summary["title"], summary["since"], summary["zone"]) == (
        "Weekly",
        "2026-11-16",
        "Africa/Johannesburg",
    )
    assert summary["headlines"] == ["A new customer cost $33."]
    assert (summary["tiles"][0]["value"], summary["tiles"][0]["verdict"]) == ("$33", "better")
    assert json.loads(json.dumps(summary)) == summary


def test_ads_stand_by_spend_without_what_no_ad_is_credited_with(ads, origin):
    table = summarise(report(ads, origin))["ads"]
    assert table["columns"] == ["Ad", "Spend", "New customers", "CAC"]
    assert [row[1:] for row in table["rows"]] == [["$1,582", "0", "at least $429"], ["$629", "17", "$37"]]


def test_three_hundred_hostile_ads_are_a_small_mail(ads, origin):
    one = ads.iloc[0].to_dict()
    many = pd.DataFrame(
        [one | {"ad_id": str(n), "ad_name": NAMES[n % len(NAMES)]} for n in range(300)], dtype=object
    )
    summary = summarise(report(many, origin))
    assert (len(summary["ads"]["rows"]), summary["ads"]["left_out"]) == (MOST_ADS, 300 - MOST_ADS)
    message = Message(subject="x", title="x", period="x", summary=summary)
    assert len(html_of(message).encode()) < 30_000
    assert "<script" not in html_of(message)
    assert len(json.dumps(payload(message))) < 10_000


def test_a_report_without_ads_has_none(origin):
    made = Report("Own", "2026-11-16", "2026-11-22", workbench=origin)
    assert summarise(made)["ads"] == {}
