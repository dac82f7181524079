"""Text to calendar days and instants."""

import re
from datetime import UTC, date, datetime, time, timedelta

from ctm_analytics.imports.faults import Remarked, Unfit
from ctm_analytics.imports.notation import AMBIGUOUS_DAY, Notation

_ISO_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_MIDNIGHT = re.compile(r"(?:[T ]+00?:00(?::00(?:\.0+)?)?)?")
_TIME = re.compile(
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([AP])M)?)?"
    r"(?: ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}))?",
    re.IGNORECASE,
)
_YEARS = range(2000, 2101)
_FURTHEST_OFFSET = timedelta(hours=14)


def day(text: str, notation: Notation) -> date:
    """Read a calendar day; a midnight after it, as spreadsheets write, says nothing."""
    found, rest = _day_and_rest(text, notation)
    if not _MIDNIGHT.fullmatch(rest):
        raise Unfit("not a day: expected YYYY-MM-DD")
    return found


def instant(text: str, notation: Notation) -> datetime | Remarked:
    """Read an instant, in UTC without a zone; a local time is one of ``notation.zone``.

    A local hour that the clock shows twice is taken as the first; one that it skips is refused. A day without a
    time is taken as its last second, so that what was said earlier that day came before it.
    """
    found, rest = _day_and_rest(text, notation)
    match = _TIME.fullmatch(rest)
    if match is None or (match[1] is None and match[6]):
        raise Unfit("not a time: expected e.g. 2026-11-16 14:05:00 +0100")
    if match[1] is None:
        remark = f"no time of day, taken as the end of the day in {notation.zone.key}"
        return Remarked(_utc(datetime.combine(found, time(23, 59, 59)), notation), remark)
    local = datetime.combine(found, _time_of_day(match))
    if match[6]:
        return local - _offset(match[6])
    moment = _utc(local, notation)
    if moment != _utc(local.replace(fold=1), notation):
        return Remarked(moment, f"the clocks of {notation.zone.key} show this time twice, taken as the first")
    return moment


def _day_and_rest(text: str, notation: Notation) -> tuple[date, str]:
    if match := _ISO_DAY.match(text):
        year, month, day_of_month = (int(part) for part in match.groups())
    elif match := AMBIGUOUS_DAY.match(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        is_day_first = notation.is_day_first or match[2] == "."
        day_of_month, month = (first, second) if is_day_first else (second, first)
    else:
        raise Unfit("not a date: expected YYYY-MM-DD")
    try:
        found = date(year, month, day_of_month)
    except ValueError:
        raise Unfit("no such day") from None
    if year not in _YEARS:
        raise Unfit(f"not a year between {_YEARS[0]} and {_YEARS[-1]}")
    return found, text[match.end() :]


def _time_of_day(match: re.Match[str]) -> time:
    hour, half = int(match[1]), match[5]
    if half and not 1 <= hour <= 12:
        raise Unfit("no such time")
    if half:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    microsecond = int((match[4] or "")[:6].ljust(6, "0"))
    try:
        return time(hour, int(match[2]), int(match[3] or 0), microsecond)
    except ValueError:
        raise Unfit("no such time") from None


def _offset(text: str) -> timedelta:
    if text[0] not in "+-":
        return timedelta()
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    if offset > _FURTHEST_OFFSET or int(text[-2:]) > 59:
        raise Unfit("no such offset from UTC")
    return -offset if text[0] == "-" else offset


def _utc(local: datetime, notation: Notation) -> datetime:
    moment = local.replace(tzinfo=notation.zone).astimezone(UTC)
    if moment.astimezone(notation.zone).replace(tzinfo=None, fold=0) != local.replace(fold=0):
        raise Unfit(f"no such time in {notation.zone.key}, where the clocks go forward: add an offset")
    return moment.replace(tzinfo=None)
