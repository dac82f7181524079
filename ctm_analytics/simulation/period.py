"""The thirty days that are simulated, as instants in microseconds since 1970 UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from ctm_analytics.simulation.business import PERIOD_DAYS, TIMEZONE

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE = ZoneInfo(TIMEZONE)


@dataclass(frozen=True, slots=True)
class Period:
    """Thirty whole days of a zone without daylight saving.

    Attributes
    ----------
    until : date, the last day
    start, end : int, microseconds since 1970 UTC; ``end`` is the midnight after the last day
    """

    until: date
    start: int
    end: int

    @classmethod
    def ending(cls, until: date) -> "Period":
        """Make the thirty days whose last day is ``until``."""
        first_midnight = datetime.combine(until - timedelta(days=PERIOD_DAYS - 1), datetime.min.time(), _ZONE)
        start = (first_midnight - _EPOCH) // timedelta(microseconds=1)
        return cls(until, start, start + PERIOD_DAYS * DAY)

    @property
    def since(self) -> date:
        """The first day."""
        return self.day_at(0)

    def day_at(self, index: int) -> date:
        """Return the calendar day with a 0-based index."""
        return self.until - timedelta(days=PERIOD_DAYS - 1 - index)

    def day_index(self, at: int) -> int:
        """Return the 0-based day of an instant."""
        return (at - self.start) // DAY

    def weekday(self, at: int) -> int:
        """Return the weekday of an instant, 0 = Monday."""
        return self.day_at(self.day_index(at)).weekday()

    def hour(self, at: int) -> float:
        """Return the local time of day of an instant, in hours."""
        return (at - self.start) % DAY / HOUR

    def local_time(self, at: int) -> datetime:
        """Return the instant as a clock on the shop's wall shows it, with its offset."""
        offset = timezone(_ZONE.utcoffset(datetime.combine(self.until, datetime.min.time())) or timedelta())
        return utc(at).astimezone(offset)


def utc(at: int) -> datetime:
    """Return the instant as a datetime in UTC."""
    return _EPOCH + timedelta(microseconds=at)
