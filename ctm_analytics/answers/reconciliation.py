"""From the conversations that Meta reports to those with a sale that was kept, every loss named."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa

from ctm_analytics.statistics.coverage import coverage_drop_p_values, coverage_drops

STAGES = ("reported_conversations", "conversations", "engaged", "with_matched_sale", "with_kept_sale")
LOSSES = ("not_captured", "opened_silently", "without_sale", "sale_not_kept")
KEYS = {
    "ad": ("ad_id", "ad_name", "campaign_id", "campaign_name"),
    "campaign": ("campaign_id", "campaign_name"),
    "day": ("day",),
    "ad_day": ("day", "ad_id", "ad_name", "campaign_id", "campaign_name"),
    "total": (),
}
# How the stages stand beside each other: each with what is lost before the next.
VIEW = (*(name for pair in zip(STAGES, (*LOSSES, "coverage"), strict=True) for name in pair), "dropped_days")


def reconciled(history: pa.Table, by: str, since: date | None) -> pa.Table:
    """Add up the waterfall per ad, campaign, day, ad and day, or in all.

    Days of an ad for which Meta reports nothing are left out of ``not_captured`` and ``coverage``: there nothing can be
    missed.

    Parameters
    ----------
    history : Table of the mart ``reconciliation``, from the first day on: what is usual is learnt from the days before
    by : str, a key of ``KEYS``
    since : date or None, first day that is added up

    Returns
    -------
    Table with the group's keys, ``STAGES`` and ``LOSSES`` (bigint; ``not_captured`` is negative where Meta reports
    fewer, null where it reports nothing), ``coverage`` (double ``>= 0``, engaged / reported, or null) and
    ``dropped_days`` (bigint: days on which an ad's coverage fell below what chance explains; by ``day`` and in all,
    that of all ads together)
    """
    days = history.to_pylist()
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for day in days:
        if since is not None and day["day"] < since:
            continue
        key = tuple(day[name] for name in KEYS[by])
        row = rows.setdefault(key, dict(zip(KEYS[by], key, strict=True)) | {"covered": 0, "dropped_days": 0})
        for name in (*STAGES, *LOSSES):
            if day[name] is not None:
                row[name] = row.get(name, 0) + day[name]
        if day["reported_conversations"] is not None:
            row["covered"] += day["engaged"]
    together = by in ("day", "total")
    for ad_id, day in dropped(days, together=together):
        if since is None or day >= since:
            of = next(row for row in days if row["day"] == day and (together or row["ad_id"] == ad_id))
            rows[tuple(of[name] for name in KEYS[by])]["dropped_days"] += 1
    for row in rows.values():
        reported = row.get("reported_conversations")
        row["coverage"] = row["covered"] / reported if reported else None
    fields = [history.schema.field(name) for name in KEYS[by]]
    fields += [pa.field(name, pa.int64()) for name in (*STAGES, *LOSSES)]
    fields += [pa.field("coverage", pa.float64()), pa.field("dropped_days", pa.int64())]
    return pa.Table.from_pylist(list(rows.values()), schema=pa.schema(fields))


def dropped(days: Iterable[dict[str, Any]], *, together: bool) -> list[tuple[str | None, date]]:
    """Find the days on which less was captured than chance explains, each ad judged by its own days before.

    Parameters
    ----------
    days : rows of the mart ``reconciliation``, in its order
    together : bool, whether all ads are judged as one

    Returns
    -------
    list of (ad_id, day), where all are one with None for the ad; in all one false alarm in a hundred questions
    """
    counts: dict[tuple[str | None, date], list[int]] = {}
    for row in days:
        if row["reported_conversations"] is not None:
            of = counts.setdefault((None if together else row["ad_id"], row["day"]), [0, 0])
            of[0] += row["engaged"]
            of[1] += row["reported_conversations"]
    series: dict[str | None, list[date]] = {}
    for ad_id, day in sorted(counts, key=lambda key: key[1]):
        series.setdefault(ad_id, []).append(day)
    judged: list[tuple[str | None, date]] = []
    p_values: list[float] = []
    for ad_id, own_days in series.items():
        captured, reported = zip(*(counts[ad_id, day] for day in own_days), strict=True)
        judged += [(ad_id, day) for day in own_days]
        p_values += coverage_drop_p_values(captured, reported).tolist()
    return [key for key, is_drop in zip(judged, coverage_drops(p_values), strict=True) if is_drop]


def drops_in(history: pa.Table, since: date | None) -> tuple[int, int]:
    """Count the days of ads on which coverage dropped since a day, and all those for which Meta reports."""
    days = history.to_pylist()
    reported = [row for row in days if row["reported_conversations"] is not None]
    drops = dropped(days, together=False)
    return (
        sum(since is None or day >= since for _, day in drops),
        sum(since is None or row["day"] >= since for row in reported),
    )
