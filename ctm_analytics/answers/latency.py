"""How fast people are answered, with those who still wait counted as waiting."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from ctm_analytics.answers.performance import KEYS as PERFORMANCE_KEYS
from ctm_analytics.answers.waits import Keys, Waits, group_name, grouped
from ctm_analytics.statistics.survival import KaplanMeier, Share

KEYS = PERFORMANCE_KEYS | {
    "hour": ("hour",),
    "weekday": ("weekday",),
    "weekday_hour": ("weekday", "hour"),
    "business_time": ("is_business_time",),
}

# What people ask for: within five minutes, an hour, a day.
LIMITS_SECONDS = {"5m": 300, "1h": 3_600, "24h": 86_400}

_GROUP_NAMES = {True: "Mon–Fri 08–18", False: "Nights and weekends"}


def summaries(waits: pa.Table, by: str) -> pa.Table:
    """Summarise each group's waits.

    Parameters
    ----------
    waits : Table of the mart ``response_waits``
    by : str, a key of ``KEYS``

    Returns
    -------
    Table with the group's keys, ``engaged``, ``answered`` (bigint), ``median_first_response_seconds``,
    ``p90_first_response_seconds`` (double, null when too few were answered), the shares answered within 5 minutes,
    1 hour and 24 hours with their 95 % intervals, and ``naive_median_first_response_seconds`` over answered
    conversations alone, shown to show the bias
    """
    rows = [keys | _summary(group) for keys, group in _groups(waits, by)]
    fields = [waits.schema.field(key) for key in KEYS[by]] + [
        pa.field("engaged", pa.int64()),
        pa.field("answered", pa.int64()),
        pa.field("median_first_response_seconds", pa.float64()),
        pa.field("p90_first_response_seconds", pa.float64()),
        *(
            pa.field(f"answered_within_{limit}{end}", pa.float64())
            for limit in LIMITS_SECONDS
            for end in ("", "_low", "_high")
        ),
        pa.field("naive_median_first_response_seconds", pa.float64()),
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def curves(waits: pa.Table, by: str) -> pa.Table:
    """Draw each group's curve as rows.

    Returns
    -------
    Table: ``group`` (words), ``seconds``, ``answered_share``, ``low``, ``high`` (log-log band, null where undefined),
    ``at_risk``; one row per time at which somebody was answered
    """
    parts = []
    for keys, group in _groups(waits, by):
        parts.append(_steps(_group_name(keys), group.curve()))
    schema = pa.schema(
        [
            ("group", pa.string()),
            *((name, pa.float64()) for name in ("seconds", "answered_share", "low", "high", "at_risk")),
        ]
    )
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _groups(waits: pa.Table, by: str) -> Iterator[tuple[Keys, Waits]]:
    return grouped(waits, KEYS[by], "waited_seconds", "is_answered")


def _summary(waits: Waits) -> dict[str, Any]:
    seconds, answered, conversations = waits
    curve = waits.curve()
    summary: dict[str, Any] = {
        "engaged": int(conversations.sum()),
        "answered": int(conversations[answered].sum()),
        "median_first_response_seconds": curve.quantile(0.5),
        "p90_first_response_seconds": curve.quantile(0.9),
        "naive_median_first_response_seconds": _median(seconds[answered], conversations[answered]),
    }
    for limit, limit_seconds in LIMITS_SECONDS.items():
        share = curve.ended_by(limit_seconds) or Share(None, None, None)  # type: ignore[arg-type]
        for end, value in zip(("", "_low", "_high"), share, strict=True):
            summary[f"answered_within_{limit}{end}"] = value
    return summary


def _median(seconds: np.ndarray[Any, Any], conversations: np.ndarray[Any, Any]) -> float | None:
    return float(np.median(np.repeat(seconds, conversations))) if seconds.size else None


def _steps(group: str, curve: KaplanMeier) -> pa.Table:
    columns = {
        "group": pa.array([group] * curve.times.size, pa.string()),
        "seconds": curve.times,
        "answered_share": 1 - curve.survival,
        "low": pa.array(1 - curve.high, from_pandas=True),
        "high": pa.array(1 - curve.low, from_pandas=True),
        "at_risk": curve.at_risk,
    }
    return pa.table(columns)


def _group_name(keys: Keys) -> str:
    if "is_business_time" in keys:
        return _GROUP_NAMES[keys["is_business_time"]]
    return group_name(keys)
