"""The business clock: it runs while the business is open, and stands still while it is closed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument

MINUTES_PER_DAY = 24 * 60
_MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How far ahead a due time is looked for: a year beyond it there will be no opening either.
_DUE_WITHIN_DAYS = 366


class Shift(NamedTuple):
    """Open hours that begin on a weekday.

    Attributes
    ----------
    weekday : int, 0 (Monday) to 6 (Sunday): the day on which the shift begins
    opens_minute : int, minutes after midnight on the wall clock, 0 to 1439
    closes_minute : int, above ``opens_minute`` and at most a day later; above 1440 it ends after midnight
    """

    weekday: int
    opens_minute: int
    closes_minute: int


@dataclass(frozen=True)
class Schedule:
    """Weekly hours in a zone, from an instant on.

    Attributes
    ----------
    zone : ZoneInfo, whose wall clock the hours are on
    shifts : tuple of Shift; several a day are split shifts, overlapping ones count once, none is always closed
    holidays : frozenset of date: no shift begins on these; a shift of the evening before still ends after midnight
    valid_from : aware datetime or None; the schedule replaces the one before at this instant, also within a shift.
        ``None`` is since ever
    """

    zone: ZoneInfo
    shifts: tuple[Shift, ...]
    holidays: frozenset[date] = field(default=frozenset())
    valid_from: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse hours that no clock shows.

        Raises
        ------
        InvalidArgument
            Naming the shift and the rule.
        """
        for shift in self.shifts:
            length = shift.closes_minute - shift.opens_minute
            if not (0 <= shift.weekday <= 6 and 0 <= shift.opens_minute < MINUTES_PER_DAY):
                raise InvalidArgument(
                    f"{shift}: no such day or minute. Use weekday 0 to 6, minute 0 to 1439."
                )
            if not 0 < length <= MINUTES_PER_DAY:
                raise InvalidArgument(
                    f"{shift}: a shift is longer than nothing and at most a day. Add 1440 to end after midnight."
                )
        if self.valid_from is not None and self.valid_from.tzinfo is None:
            raise InvalidArgument(f"valid_from: {self.valid_from} has no zone. Give an instant.")


def business_seconds(
    since: ArrayLike, until: ArrayLike, schedules: Sequence[Schedule]
) -> NDArray[np.float64]:
    """Count the seconds between instants during which the business was open.

    Parameters
    ----------
    since, until : arrays of datetime64, shape (n,), in UTC; microseconds matter
    schedules : sequence of Schedule, by ``valid_from``; each holds until the next begins, the first since ever

    Returns
    -------
    float64 array, shape (n,), ``>= 0``
        0 while closed throughout, however long; NaN where an instant is missing (NaT).

    Raises
    ------
    InvalidArgument
        If the arrays differ in length, an ``until`` is before its ``since``, there is no schedule, or schedules are
        out of order.

    Notes
    -----
    Elapsed time is real time: on the night on which clocks go forward a shift from 22:00 to 06:00 has seven hours.
    A wall-clock time that the change skips is read with the offset before it; one that comes twice opens at its first
    occurrence and closes at its second. Every opening in the range becomes an interval in UTC once, with the
    open time before it; an instant then costs one binary search, in whole microseconds throughout.

    References
    ----------
    Fivetran's dbt_zendesk, decision log: first reply time in business minutes under changing schedules.

    Examples
    --------
    >>> weekdays = tuple(Shift(day, 9 * 60, 17 * 60) for day in range(5))
    >>> schedule = Schedule(ZoneInfo("Europe/Berlin"), weekdays)
    >>> friday, monday = np.datetime64("2026-11-20T15:30"), np.datetime64("2026-11-23T08:10")
    >>> business_seconds([friday], [monday], [schedule]) / 60
    array([40.])
    """
    starts, ends = (np.asarray(instants, dtype="datetime64[us]") for instants in (since, until))
    if starts.shape != ends.shape:
        raise InvalidArgument(f"since and until: {starts.size} and {ends.size} instants. Give one of each.")
    if (ends < starts).any():
        raise InvalidArgument("until: an instant before its since. Give the earlier one first.")
    _check_order(schedules)
    seconds = np.full(starts.shape, np.nan)
    known = ~(np.isnat(starts) | np.isnat(ends))
    if known.any():
        begin, end = starts[known].astype(np.int64), ends[known].astype(np.int64)
        opens, closes = _openings(int(begin.min()), int(end.max()), schedules)
        seconds[known] = (
            _open_before(end, opens, closes) - _open_before(begin, opens, closes)
        ) / _MICROSECONDS
    return seconds


def business_due(
    since: ArrayLike, allowed_seconds: float, schedules: Sequence[Schedule]
) -> NDArray[np.datetime64]:
    """Say when the business clock will have run for so long.

    Parameters
    ----------
    since : array of datetime64, shape (n,), in UTC
    allowed_seconds : float, ``> 0``, of open time
    schedules : as in `business_seconds`

    Returns
    -------
    datetime64[us] array, shape (n,), in UTC
        The earliest instant with that much open time since then; NaT for NaT, and where a year beyond the allowance is
        not enough: a business that never opens owes no reply.

    Raises
    ------
    InvalidArgument
        If the allowance is not above 0, there is no schedule, or schedules are out of order.

    Examples
    --------
    >>> weekdays = tuple(Shift(day, 9 * 60, 17 * 60) for day in range(5))
    >>> business_due([np.datetime64("2026-11-20T16:30")], 3600, [Schedule(ZoneInfo("UTC"), weekdays)])
    array(['2026-11-23T09:30:00.000000'], dtype='datetime64[us]')
    """
    if not 0 < allowed_seconds < np.inf:
        raise InvalidArgument(f"allowed_seconds: {allowed_seconds} is not above 0.")
    _check_order(schedules)
    starts = np.asarray(since, dtype="datetime64[us]")
    due = np.full(starts.shape, np.datetime64("NaT", "us"))
    known = ~np.isnat(starts)
    if known.any():
        begin, allowed = starts[known].astype(np.int64), round(allowed_seconds * _MICROSECONDS)
        horizon = int(begin.max()) + allowed + _DUE_WITHIN_DAYS * 86_400 * _MICROSECONDS
        opens, closes = _openings(int(begin.min()), horizon, schedules)
        total = np.concatenate(([0], np.cumsum(closes - opens)))
        wanted = _open_before(begin, opens, closes) + allowed
        place = np.searchsorted(total[1:], wanted)
        is_due = place < opens.size
        found = np.full(begin.size, np.datetime64("NaT", "us"))
        at = opens[place[is_due]] + wanted[is_due] - total[place[is_due]]
        found[is_due] = at.astype("datetime64[us]")
        due[known] = found
    return due


def _check_order(schedules: Sequence[Schedule]) -> None:
    if not schedules:
        raise InvalidArgument("schedules: there is none. Give at least one.")
    changes = [schedule.valid_from for schedule in schedules[1:]]
    if any(change is None for change in changes) or changes != sorted(changes, key=_microseconds):
        raise InvalidArgument("schedules: each after the first needs a later valid_from. Sort them by it.")


def _openings(
    since: int, until: int, schedules: Sequence[Schedule]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Disjoint open intervals that touch the range, in order, as microseconds of UTC."""
    bounds = [since, *(_microseconds(schedule.valid_from) for schedule in schedules[1:]), until]
    found = []
    for schedule, begin, end in zip(schedules, bounds, bounds[1:], strict=False):
        begin, end = max(begin, since), min(end, until)
        if begin < end:
            # A schedule holds from one instant to another: what lies outside is another schedule's.
            found += [
                (max(a, begin), min(b, end))
                for a, b in _shifts(schedule, begin, end)
                if a < end and b > begin
            ]
    merged: list[list[int]] = []
    for opens, closes in sorted(found):
        if merged and opens <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], closes)
        else:
            merged.append([opens, closes])
    pairs = np.array(merged, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _shifts(schedule: Schedule, begin: int, end: int) -> Iterable[tuple[int, int]]:
    by_weekday: dict[int, list[Shift]] = {}
    for shift in schedule.shifts:
        by_weekday.setdefault(shift.weekday, []).append(shift)
    # A shift of the day before the last midnight may still be on; zones are at most a day apart.
    day, last = (_day(instant, schedule.zone) for instant in (begin, end))
    day -= timedelta(days=2)
    while day <= last:
        if day not in schedule.holidays:
            for shift in by_weekday.get(day.weekday(), ()):
                yield (
                    _on_the_wall(day, shift.opens_minute, schedule.zone, fold=0),
                    _on_the_wall(day, shift.closes_minute, schedule.zone, fold=1),
                )
        day += timedelta(days=1)


def _on_the_wall(day: date, minute: int, zone: ZoneInfo, *, fold: int) -> int:
    # Arithmetic on one zone's datetimes moves the hands of the wall clock.
    wall = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
    # Fold 1 of a skipped time is earlier than fold 0; only a repeated time has a later, second occurrence.
    return max(_microseconds(wall), _microseconds(wall.replace(fold=fold)))


def _open_before(
    instants: NDArray[np.int64], opens: NDArray[np.int64], closes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Open microseconds from the first opening to each instant."""
    if opens.size == 0:
        return np.zeros_like(instants)
    total = np.concatenate(([0], np.cumsum(closes - opens)))
    place = np.searchsorted(opens, instants, side="right") - 1
    within = np.minimum(instants, closes[place]) - opens[place]
    return np.where(place < 0, 0, total[place] + within)


def _day(instant: int, zone: ZoneInfo) -> date:
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(zone).date()


def _microseconds(instant: datetime | None) -> int:
    return -(2**62) if instant is None else (instant - _EPOCH) // timedelta(microseconds=1)
