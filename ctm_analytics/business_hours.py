"""The setting ``business_hours``: weekly hours as people write them, checked once."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from ctm_analytics.errors import InvalidArgument

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_KEYS = (*WEEKDAYS, "timezone", "holidays", "valid_from")
_HOURS = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-4]):([0-5]\d)")
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class BusinessHours:
    """Weekly hours in a zone, from an instant on.

    Attributes
    ----------
    timezone : str or None, IANA name; None is the reporting time zone
    shifts : tuple of (weekday 0 to 6, opening minute, closing minute); a closing beyond 1440 is after midnight
    holidays : frozenset of date, on which no shift begins
    valid_from : aware datetime or None, since when these hours hold
    """

    timezone: str | None
    shifts: tuple[tuple[int, int, int], ...]
    holidays: frozenset[date] = frozenset()
    valid_from: datetime | None = None


def read_business_hours(value: object) -> tuple[BusinessHours, ...]:
    """Read the setting: one table of hours, or several, each with the instant from which it holds.

    Parameters
    ----------
    value : dict or list of dict, as TOML gives them; ``monday = "09:00-12:30, 13:30-18:00"``,
        ``friday = "22:00-02:00"``

    Raises
    ------
    InvalidArgument
        Naming the key, the value and the rule.

    Examples
    --------
    >>> read_business_hours({"friday": "18:00-02:00"})[0].shifts
    ((4, 1080, 1560),)
    """
    tables = value if isinstance(value, list) else [value]
    hours = tuple(_read(table) for table in tables)
    changes = [each.valid_from for each in hours[1:] if each.valid_from is not None]
    if len(changes) < len(hours) - 1 or changes != sorted(set(changes)):
        raise InvalidArgument("business_hours: each table after the first needs a later valid_from.")
    return hours


def _read(table: object) -> BusinessHours:
    if not isinstance(table, dict):
        raise InvalidArgument(
            f"business_hours: {table!r} is not a table. Write [business_hours] and below it"
            ' monday = "09:00-18:00", and so on.'
        )
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise InvalidArgument(f"business_hours: {unknown[0]!r} is not one. Use {', '.join(_KEYS)}.")
    zone = table.get("timezone")
    if zone is not None and str(zone) not in available_timezones():
        raise InvalidArgument(f"business_hours: {zone!r} is not an IANA time zone. Use e.g. 'Europe/Berlin'.")
    shifts = tuple(
        shift for number, day in enumerate(WEEKDAYS) for shift in _shifts(number, day, table.get(day, ""))
    )
    return BusinessHours(zone, shifts, _holidays(table.get("holidays", [])), _valid_from(table))


def _shifts(number: int, day: str, text: object) -> list[tuple[int, int, int]]:
    shifts = []
    for part in filter(None, (part.strip() for part in str(text).split(","))):
        found = _HOURS.fullmatch(part)
        if found is None:
            raise InvalidArgument(
                f'business_hours: {day} {part!r} is not from-to. Write "09:00-18:00", or "09:00-12:00, 13:00-18:00".'
            )
        hours = [int(digits) for digits in found.groups()]
        opens, closes = 60 * hours[0] + hours[1], 60 * hours[2] + hours[3]
        if opens >= _DAY_MINUTES or closes > _DAY_MINUTES:
            raise InvalidArgument(f"business_hours: {day} {part!r} is no time of day. Use 00:00 to 24:00.")
        # "22:00-02:00" ends after midnight, "00:00-00:00" is the whole day.
        shifts.append((number, opens, closes if closes > opens else closes + _DAY_MINUTES))
    return shifts


def _holidays(value: Any) -> frozenset[date]:
    try:
        return frozenset(day if type(day) is date else date.fromisoformat(str(day)) for day in value)
    except (TypeError, ValueError):
        raise InvalidArgument(
            f'business_hours: holidays {value!r} is not a list of days. Write ["2026-12-25"].'
        ) from None


def _valid_from(table: dict[str, Any]) -> datetime | None:
    value = table.get("valid_from")
    if value is None:
        return None
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InvalidArgument(
            f"business_hours: valid_from {value!s} is not an instant with a zone. Use e.g. 2026-10-01T00:00:00+02:00."
        )
    return instant
