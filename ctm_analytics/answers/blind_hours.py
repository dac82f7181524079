"""Hours of the week in which the receiver was down: what happened there, or did not, is not known."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

# No zone of today is off by a part of a quarter of an hour: one lies within one hour of the wall clock everywhere.
QUARTER = timedelta(minutes=15)
_SINCE = datetime(1970, 1, 1)  # noqa: DTZ001 (the gaps are naive UTC, as on disk)

Cell = tuple[int, int]  # weekday, 1 = Monday; hour


def blind_seconds(
    gaps: pa.Table, zone: ZoneInfo, since: date | None, until: date | None
) -> dict[Cell, float]:
    """Add up how long each hour of the week was not captured.

    Parameters
    ----------
    gaps : Table of the model ``capture_gaps``
    zone : ZoneInfo, of days and hours
    since, until : date or None, the first and the last day that count

    Returns
    -------
    dict of (weekday, hour) to seconds, ``> 0``
    """
    found: dict[Cell, float] = {}
    for gap in gaps.to_pylist():
        at, end = gap["gap_started_at"], gap["gap_ended_at"]
        while at < end:
            following = min(end, at - (at - _SINCE) % QUARTER + QUARTER)
            local = at.replace(tzinfo=UTC).astimezone(zone)
            day = local.date()
            if (since is None or day >= since) and (until is None or day <= until):
                cell = local.isoweekday(), local.hour
                found[cell] = found.get(cell, 0.0) + (following - at).total_seconds()
            at = following
    return found


def with_blind_seconds(summaries: pa.Table, blind: dict[Cell, float]) -> pa.Table:
    """Say of each hour of the week how long it was not captured.

    Parameters
    ----------
    summaries : Table of ``latency.summaries`` by ``weekday_hour``
    blind : as of `blind_seconds`

    Returns
    -------
    Table in the order of the week, with ``blind_seconds`` (double, 0 where all was captured) behind weekday and hour.
    An hour that was blind and of which nothing is known is a row too, with counts of 0.
    """
    rows = {(row["weekday"], row["hour"]): row for row in summaries.to_pylist()}
    counts = {field.name: 0 for field in summaries.schema if pa.types.is_integer(field.type)}
    for weekday, hour in blind.keys() - rows.keys():
        rows[weekday, hour] = counts | {"weekday": weekday, "hour": hour}
    fields = list(summaries.schema)
    schema = pa.schema([*fields[:2], pa.field("blind_seconds", pa.float64()), *fields[2:]])
    week = [rows[cell] | {"blind_seconds": blind.get(cell, 0.0)} for cell in sorted(rows)]
    return pa.Table.from_pylist(week, schema=schema)
