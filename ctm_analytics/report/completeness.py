"""Which days of a period the numbers cannot speak of: a fall there is missing data, and not bad news."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

import pandas as pd

from ctm_analytics.formats import floats, period

# Where a day brings seven conversations or more, chance alone leaves one in a thousand without any.
USUAL_CONVERSATIONS = 7
DAY = timedelta(days=1)


def missing(days: pd.DataFrame, since: date, until: date) -> str:
    """Say what is missing of a period's days; empty where nothing is.

    Parameters
    ----------
    days : frame of ``workbench.ads(by="day")``, of this period and some weeks before it
    since, until : date, both included

    Returns
    -------
    str
        Days before the first or after the last of which anything is known; days with spend and no conversation where
        others have ``USUAL_CONVERSATIONS`` or more; days without spend that have their share of conversations.

    Examples
    --------
    >>> days = pd.DataFrame({"day": pd.to_datetime(["2026-11-16", "2026-11-17"]), "spend": [90.0, None],
    ...                      "conversations": [12, 14]})
    >>> missing(days, date(2026, 11, 16), date(2026, 11, 18))
    'nothing is known of 18 Nov 2026, no ad spend of 17 Nov 2026'
    """
    spend = dict(zip(_days(days), floats(days["spend"]), strict=True))
    opened = dict(zip(_days(days), floats(days["conversations"]), strict=True))
    paid = [day for day, amount in spend.items() if amount > 0]
    # A day of which the export says that nothing was spent is known, too.
    booked = [day for day, amount in spend.items() if amount >= 0]
    known = sorted({*booked, *(day for day, count in opened.items() if count > 0)})
    usual = sum(opened[day] for day in paid if opened[day] > 0) / max(len(paid), 1)
    rules: dict[str, Callable[[date], bool]] = {
        "nothing is known of": lambda day: not known or not known[0] <= day <= known[-1],
        "no conversation was captured on": lambda day: (
            spend.get(day, 0) > 0 and not opened[day] > 0 and (usual >= USUAL_CONVERSATIONS or not usual)
        ),
        "no ad spend of": lambda day: (
            bool(paid) and not spend.get(day, 0) >= 0 and opened.get(day, 0) > max(usual / 2, 1)
        ),
    }
    asked = [since + place * DAY for place in range((until - since).days + 1)]
    found = {words: [day for day in asked if rule(day)] for words, rule in rules.items()}
    return ", ".join(f"{words} {_listed(lacking)}" for words, lacking in found.items() if lacking)


def _days(days: pd.DataFrame) -> list[date]:
    return [pd.Timestamp(day).date() for day in days["day"]]


def _listed(days: Iterable[date]) -> str:
    return " and ".join(period(first, last) for first, last in _runs(days))


def _runs(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    run: list[date] = []
    for day in days:
        if run and day - run[-1] != DAY:
            yield run[0], run[-1]
            run = []
        run.append(day)
    if run:
        yield run[0], run[-1]
