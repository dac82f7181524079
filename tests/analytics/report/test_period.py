from datetime import date

import pytest

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.report.period import resolve_period

MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2026, 11, 29)])
def test_the_default_is_the_last_complete_week_from_monday_to_sunday(today):
    assert resolve_period(today) == (date(2026, 11, 16), date(2026, 11, 22))


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ({"last": "7d"}, date(2026, 11, 16), date(2026, 11, 22)),
        ({"last": "1d"}, date(2026, 11, 22), date(2026, 11, 22)),
        ({"week": "2026-W47"}, date(2026, 11, 16), date(2026, 11, 22)),
        ({"week": "2026-W53"}, date(2026, 12, 28), date(2027, 1, 3)),
        ({"month": "2026-10"}, date(2026, 10, 1), date(2026, 10, 31)),
        ({"month": "2026-12"}, date(2026, 12, 1), date(2026, 12, 31)),
        ({"month": "2028-02"}, date(2028, 2, 1), date(2028, 2, 29)),
        ({"since": "2026-11-01", "until": "2026-11-03"}, date(2026, 11, 1), date(2026, 11, 3)),
        ({"since": "2026-11-01"}, date(2026, 11, 1), date(2026, 11, 22)),
    ],
)
def test_period_words_name_whole_days_both_included(words, since, until):
    assert resolve_period(MONDAY, **words) == (since, until)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"since": "2026-13-01"}, "--since: '2026-13-01' is not a date. Use YYYY-MM-DD, e.g. 2026-11-16."),
        (
            {"since": "2026-11-16", "until": "soon"},
            "--until: 'soon' is not a date. Use YYYY-MM-DD, e.g. 2026-11-16.",
        ),
        (
            {"since": "2026-11-03", "until": "2026-11-01"},
            "--since: 2026-11-03 lies after --until: 2026-11-01. Give the earlier day first.",
        ),
        (
            {"until": "2026-11-03"},
            "--until: 2026-11-03 has no --since beside it. Give both, e.g. --since 2026-11-16.",
        ),
        ({"last": "week"}, "--last: 'week' is not a number of days. Use e.g. 7d."),
        ({"last": "0d"}, "--last: '0d' is not a number of days. Use e.g. 7d."),
        ({"week": "2026-W54"}, "--week: '2026-W54' is not an ISO week. Use YYYY-Www, e.g. 2026-W47."),
        ({"week": "47"}, "--week: '47' is not an ISO week. Use YYYY-Www, e.g. 2026-W47."),
        ({"month": "2026-13"}, "--month: '2026-13' is not a month. Use YYYY-MM, e.g. 2026-10."),
        ({"month": "October"}, "--month: 'October' is not a month. Use YYYY-MM, e.g. 2026-10."),
        ({"last": "7d", "week": "2026-W47"}, "--last and --week name two periods. Keep one of them."),
    ],
)
def test_a_period_that_breaks_its_rule_is_named_with_the_next_step(words, message):
    with pytest.raises(InvalidArgument) as caught:
        resolve_period(MONDAY, **words)
    assert str(caught.value) == message
