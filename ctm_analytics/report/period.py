"""Which days a report is about: the period words of the command line, as pure functions of today."""

import re
from datetime import date, timedelta
from typing import NamedTuple

from ctm_analytics.errors import InvalidArgument

_DAYS = re.compile(r"([1-9][0-9]{0,3})d")
_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


class Period(NamedTuple):
    """Whole days, both included."""

    since: date
    until: date


def resolve_period(
    today: date,
    *,
    since: str | None = None,
    until: str | None = None,
    last: str | None = None,
    week: str | None = None,
    month: str | None = None,
    default: str = "week",
) -> Period:
    """Read one way of naming a period; by default the last complete week, Monday to Sunday.

    Parameters
    ----------
    today : date, in the reporting time zone; a period named by ``last`` ends the day before
    since, until : str, ``YYYY-MM-DD``; ``until`` alone is refused, ``since`` alone runs to yesterday
    last : str, a number of days such as ``7d``
    week : str, ISO week such as ``2026-W47``
    month : str, such as ``2026-10``
    default : ``week``, or ``month`` for the last complete month

    Raises
    ------
    InvalidArgument
        If a word breaks its rule, or two ways are mixed.

    Examples
    --------
    >>> resolve_period(date(2026, 11, 23))
    Period(since=datetime.date(2026, 11, 16), until=datetime.date(2026, 11, 22))
    >>> resolve_period(date(2026, 11, 23), month="2026-10")
    Period(since=datetime.date(2026, 10, 1), until=datetime.date(2026, 10, 31))
    """
    given = {"--since/--until": since or until, "--last": last, "--week": week, "--month": month}
    ways = [name for name, value in given.items() if value]
    if len(ways) > 1:
        raise InvalidArgument(f"{' and '.join(ways)} name two periods. Keep one of them.")
    if last:
        return last_days(today, last)
    if week:
        return iso_week(week)
    if month:
        return calendar_month(month)
    if since or until:
        return between(today, since, until)
    if default == "month":
        last_day = today.replace(day=1) - timedelta(days=1)
        return Period(last_day.replace(day=1), last_day)
    monday = today - timedelta(days=today.weekday() + 7)
    return Period(monday, monday + timedelta(days=6))


def between(today: date, since: str | None, until: str | None) -> Period:
    """Read two days; without ``until`` the period ends yesterday.

    Raises
    ------
    InvalidArgument
    """
    if since is None:
        raise InvalidArgument(
            f"--until: {until} has no --since beside it. Give both, e.g. --since 2026-11-16."
        )
    first = read_day("--since", since)
    end = today - timedelta(days=1) if until is None else read_day("--until", until)
    if first > end:
        raise InvalidArgument(f"--since: {first} lies after --until: {end}. Give the earlier day first.")
    return Period(first, end)


def last_days(today: date, last: str) -> Period:
    """Read a number of whole days that ends yesterday.

    Raises
    ------
    InvalidArgument
    """
    match = _DAYS.fullmatch(last)
    if match is None:
        raise InvalidArgument(f"--last: '{last}' is not a number of days. Use e.g. 7d.")
    return Period(today - timedelta(days=int(match[1])), today - timedelta(days=1))


def iso_week(week: str) -> Period:
    """Read an ISO week, Monday to Sunday.

    Raises
    ------
    InvalidArgument
    """
    match = _WEEK.fullmatch(week)
    try:
        if match is None:
            raise ValueError
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
    except ValueError:
        raise InvalidArgument(f"--week: '{week}' is not an ISO week. Use YYYY-Www, e.g. 2026-W47.") from None
    return Period(monday, monday + timedelta(days=6))


def calendar_month(month: str) -> Period:
    """Read a calendar month.

    Raises
    ------
    InvalidArgument
    """
    match = _MONTH.fullmatch(month)
    try:
        if match is None:
            raise ValueError
        first = date(int(match[1]), int(match[2]), 1)
    except ValueError:
        raise InvalidArgument(f"--month: '{month}' is not a month. Use YYYY-MM, e.g. 2026-10.") from None
    next_month = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return Period(first, next_month - timedelta(days=1))


def read_day(option: str, text: str) -> date:
    """Read a day.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> read_day("--since", "2026-11-16")
    datetime.date(2026, 11, 16)
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(f"{option}: '{text}' is not a date. Use YYYY-MM-DD, e.g. 2026-11-16.") from None


def ripe_from(period: Period, window_days: int) -> date:
    """Find the first day on which everybody who came in a period has had the whole attribution window to buy.

    Examples
    --------
    >>> ripe_from(Period(date(2026, 11, 16), date(2026, 11, 22)), 7)
    datetime.date(2026, 11, 30)
    """
    return period.until + timedelta(days=window_days + 1)


def last_ripe(period: Period, today: date, window_days: int) -> Period:
    """Move a period back by the fewest days that make it ripe; one that is ripe stays.

    Examples
    --------
    >>> last_ripe(Period(date(2026, 11, 16), date(2026, 11, 22)), date(2026, 11, 23), 7)
    Period(since=datetime.date(2026, 11, 9), until=datetime.date(2026, 11, 15))
    """
    young = max(ripe_from(period, window_days) - today, timedelta())
    return Period(period.since - young, period.until - young)
