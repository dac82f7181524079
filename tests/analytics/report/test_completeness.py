"""Days of which nothing, or too little, is known are named; an ordinary pause is none of them."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pandas as pd
import pytest

from ctm_analytics.errors import NoData
from ctm_analytics.report.completeness import missing
from ctm_analytics.report.page import Report

SINCE, UNTIL = date(2026, 11, 16), date(2026, 11, 22)


def days(**changed):
    """Fourteen days of 100 spent and 20 conversations, less what is changed: ``d22={"spend": None}``."""
    rows = [
        {"day": date(2026, 11, 9) + timedelta(place), "spend": 100.0, "conversations": 20}
        for place in range(14)
    ]
    for name, values in changed.items():
        row = next(row for row in rows if row["day"].day == int(name[1:]))
        row.update(values or {"spend": None, "conversations": 0})
    return pd.DataFrame(rows).assign(day=lambda frame: pd.to_datetime(frame["day"]))


def test_a_whole_period_lacks_nothing():
    assert missing(days(), SINCE, UNTIL) == ""


def test_the_days_after_the_last_are_unknown():
    assert missing(days(d21=None, d22=None), SINCE, UNTIL) == "nothing is known of 21–22 Nov 2026"


def test_a_day_on_which_the_ads_paused_lacks_nothing():
    assert missing(days(d18=None), SINCE, UNTIL) == ""


def test_a_day_of_which_the_export_says_that_nothing_was_spent_is_known():
    paused = {"spend": 0.0, "conversations": 0}
    assert missing(days(d21=paused, d22=paused), SINCE, UNTIL) == ""


def test_a_day_with_spend_and_without_its_twenty_conversations_was_not_captured():
    lacking = missing(days(d17={"conversations": 0}, d19={"conversations": 0}), SINCE, UNTIL)
    assert lacking == "no conversation was captured on 17 Nov 2026 and 19 Nov 2026"


def test_where_few_write_a_day_without_any_is_nothing_special():
    quiet = days(d17={"conversations": 0}).assign(conversations=lambda frame: frame["conversations"] // 10)
    assert missing(quiet, SINCE, UNTIL) == ""


def test_conversations_without_spend_are_spend_that_lacks_unless_none_is_known_at_all():
    assert missing(days(d22={"spend": None}), SINCE, UNTIL) == "no ad spend of 22 Nov 2026"
    assert missing(days().assign(spend=None), SINCE, UNTIL) == ""


class Answer:
    """One number about any period, and the days of ``changed``."""

    def __init__(self, by="total", changed=None, **period):
        self.df = days(**changed or {}) if by == "day" else pd.DataFrame({"conversations": [len(period)]})


@pytest.mark.parametrize(
    ("changed", "notice"),
    [
        ({}, []),
        (
            {"d22": None},
            ["In this period nothing is known of 22 Nov 2026: the numbers are of what is known."],
        ),
        ({"d09": None}, ["Not compared with 9–15 Nov 2026: there nothing is known of 9 Nov 2026."]),
    ],
)
def test_where_days_lack_data_nothing_is_compared_and_the_reader_is_told(origin, changed, notice):
    report = Report("Weekly", SINCE, UNTIL, workbench=origin)
    report.days(partial(Answer, changed=changed))
    _, before = report.compare(Answer)
    assert report.notices == notice
    assert before.isna().all() == bool(notice)


def test_a_period_that_is_not_over_is_not_compared(origin):
    report = Report("Weekly", SINCE, date(2026, 11, 23), workbench=origin)
    report.days(Answer)
    assert report.notices[0] == "The period is not over: the numbers are those until 23 Nov 2026, 07:10."
    assert not report.is_comparable


def test_a_report_on_invented_data_says_so_first(origin):
    report = Report("Weekly", SINCE, UNTIL, workbench=replace(origin, is_invented=True))
    assert report.notices == ["DEMO DATA, invented: no business sold any of this."]


def test_without_any_ad_there_is_an_empty_frame_of_days_and_a_sentence(origin):
    def nothing(**_):
        raise NoData("nothing")

    report = Report("Weekly", SINCE, UNTIL, workbench=origin)
    assert len(report.days(nothing)) == 0
    assert report.notices == [
        "No ad spent anything or brought anybody: all conversations opened without one."
    ]
    now, before = report.compare(nothing)
    assert pd.isna([now.cac_low, before.spend]).all()
