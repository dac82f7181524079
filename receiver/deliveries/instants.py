"""Meta's times: milliseconds, seconds, either of them as text, or ISO 8601."""

from datetime import UTC, datetime

# Facebook opened in February 2004, and a year that needs five digits is no date: a time outside is a mistake.
_EARLIEST = int(datetime(2004, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_LATEST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


def microseconds(time: object) -> int | None:
    """Return a time of the wire as microseconds since 1970 UTC.

    Parameters
    ----------
    time : object
        A number or its text: milliseconds from 1e12 on, else seconds (Meta mixes both, even inside one
        delivery); or ISO 8601 text, UTC where it names no zone.

    Returns
    -------
    int or None
        ``None`` if there is no time or it lies outside the years 2004-9998.
    """
    if isinstance(time, str):
        instant = _from_number(int(time)) if time.isdecimal() and len(time) <= 16 else _from_iso(time)
    elif isinstance(time, (int, float)) and not isinstance(time, bool) and abs(time) < _LATEST:
        instant = _from_number(time)
    else:
        return None
    return instant if instant is not None and _EARLIEST <= instant < _LATEST else None


def _from_number(number: float) -> int:
    return int(number * 1_000) if number >= 1e12 else int(number * 1_000_000)


def _from_iso(time: str) -> int | None:
    try:
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp()) * 1_000_000 + moment.microsecond
    except (ValueError, OverflowError):
        return None
