"""How fast people are answered, with those who still wait counted as waiting."""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.answers.performance import KEYS as PERFORMANCE_KEYS
from ctm_analytics.answers.waits import Keys, Waits, group_name, grouped
from ctm_analytics.business_hours import BusinessHours
from ctm_analytics.statistics.business_time import Schedule, Shift, business_seconds
from ctm_analytics.statistics.log_rank import log_rank_test
from ctm_analytics.statistics.survival import KaplanMeier, Share

KEYS = PERFORMANCE_KEYS | {
    "hour": ("hour",),
    "weekday": ("weekday",),
    "weekday_hour": ("weekday", "hour"),
    "business_time": ("is_business_time",),
    "responder": ("responder",),
}
# Groups that a test can compare, within bands of six hours: at night everybody waits.
COMPARED = ("ad", "adset", "campaign", "platform")
# The test's time grows with the square of the groups; of so many some differ anyway.
MOST_COMPARED = 100
TURNS = ("first", "next", "all")

# What people ask for: within five minutes, an hour, a day.
LIMITS_SECONDS = {"5m": 300, "1h": 3_600, "24h": 86_400}
DAY_SECONDS = 86_400
FIRST_RESPONSES = ("median_first_response_seconds", "answered_within_24h")

_GROUP_NAMES = {True: "Mon–Fri 08–18", False: "Nights and weekends"}


def on_business_clock(waits: pa.Table, hours: Sequence[BusinessHours], timezone: str) -> pa.Table:
    """Let the waits run only while the business is open.

    Parameters
    ----------
    waits : Table of the mart ``response_waits`` with ``:clock`` business
    hours : sequence of BusinessHours, the setting
    timezone : str, the reporting time zone, where the hours name none
    """
    schedules = [
        Schedule(
            ZoneInfo(each.timezone or timezone),
            tuple(Shift(*shift) for shift in each.shifts),
            each.holidays,
            each.valid_from,
        )
        for each in hours
    ]
    started_at, ended_at = (waits.column(name).to_numpy() for name in ("started_at", "ended_at"))
    place = waits.schema.get_field_index("waited_seconds")
    open_seconds = business_seconds(started_at, ended_at, schedules)
    return waits.set_column(place, "waited_seconds", pa.array(open_seconds))


def summaries(waits: pa.Table, by: str, *, turns: str = "first", clock: str = "elapsed") -> pa.Table:
    """Summarise each group's waits.

    Parameters
    ----------
    waits : Table of the mart ``response_waits``
    by : str, a key of ``KEYS``
    turns : ``first`` for first responses, ``next`` for those to later turns, or ``all``
    clock : ``elapsed`` or ``business``; it is in the columns' names

    Returns
    -------
    Table with the group's keys, ``engaged`` (or ``turns``) and ``answered`` (bigint), the Kaplan–Meier median with its
    95 % interval and the 90th percentile (double, null when too few were answered), the mean wait within a day, the
    shares answered within 5 minutes, 1 hour and 24 hours with their 95 % intervals, and the naive median over the
    answered alone, shown to show the bias
    """
    names = _names(turns, clock)
    rows = [keys | _summary(group, names) for keys, group in _groups(waits, by)]
    fields = [waits.schema.field(key) for key in KEYS[by]]
    fields += [
        pa.field(name, pa.int64()) for name in ("engaged" if turns == "first" else "turns", "answered")
    ]
    fields += [pa.field(name, pa.float64()) for name in names.values()]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def first_responses(waits: pa.Table, by: str) -> dict[tuple[Any, ...], dict[str, float | None]]:
    """Give each group the two of its measures that stand beside its costs.

    Returns
    -------
    dict of the group's key to ``FIRST_RESPONSES``, as in :func:`summaries`
    """
    found: dict[tuple[Any, ...], dict[str, float | None]] = {}
    for keys, group in _groups(waits, by):
        curve = group.curve()
        within_a_day = curve.ended_by(DAY_SECONDS)
        values = (curve.quantile(0.5), within_a_day and within_a_day.value)
        found[tuple(keys.values())] = dict(zip(FIRST_RESPONSES, values, strict=True))
    return found


def view(table: pa.Table, by: str) -> tuple[str, ...]:
    """Name the columns that people see: of a group its finest name, of the measures all."""
    names = [name for name in KEYS[by] if not name.endswith("_id")]
    keys = names[:1] if by in ("ad", "adset", "campaign") else names
    return (*keys, *(name for name in table.column_names if name not in KEYS[by]))


def compared(waits: pa.Table, by: str) -> str | None:
    """Say whether the groups wait equally long; None where that cannot be told, or there are too many to compare.

    Log-rank test within bands of six hours of the day: a group that is written to at night is not slower for that.

    Parameters
    ----------
    waits : Table of the mart ``response_waits`` with ``:by_hour_band``
    by : one of ``COMPARED``
    """
    of_ads = waits.filter(pc.is_valid(waits.column(KEYS[by][0])))
    if pc.count_distinct(of_ads.column(KEYS[by][0])).as_py() > MOST_COMPARED:
        return None
    test = log_rank_test(
        of_ads.column("waited_seconds").to_numpy(),
        of_ads.column("is_answered").to_numpy(zero_copy_only=False),
        np.array(of_ads.column(KEYS[by][0]).to_pylist(), dtype=np.str_),
        strata=of_ads.column("hour_band").to_numpy(),
        weights=of_ads.column("conversations").to_numpy(),
    )
    if test is None:
        return None
    words = "wait alike as far as these data tell" if test.p_value > 0.05 else "do not wait alike"
    chance = "p < 0.001" if test.p_value < 0.001 else f"p = {test.p_value:.3f}"
    return f"{_PLURALS[by]} {words} (log-rank within bands of six hours, {chance})"


_PLURALS = {"ad": "ads", "adset": "ad sets", "campaign": "campaigns", "platform": "platforms"}


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


def _names(turns: str, clock: str) -> dict[str, str]:
    """Name each measure's column: a first response is not any response, and business seconds are not seconds."""
    response = "first_response" if turns == "first" else "response"
    seconds, within = ("business_seconds", "_business") if clock == "business" else ("seconds", "")
    names = {
        "median": f"median_{response}_{seconds}",
        "median_low": f"median_{response}_{seconds}_low",
        "median_high": f"median_{response}_{seconds}_high",
        "p90": f"p90_{response}_{seconds}",
        "mean": f"mean_{response}_within_24h_{seconds}",
    }
    for limit in LIMITS_SECONDS:
        names |= {f"{limit}{end}": f"answered_within_{limit}{within}{end}" for end in ("", "_low", "_high")}
    return names | {"naive": f"naive_median_{response}_{seconds}"}


def _summary(waits: Waits, names: dict[str, str]) -> dict[str, Any]:
    seconds, answered, conversations = waits
    curve = waits.curve()
    mean = curve.restricted_mean(DAY_SECONDS)
    low, high = curve.quantile_interval(0.5)
    measures = {
        "median": curve.quantile(0.5),
        "median_low": low,
        "median_high": high,
        "p90": curve.quantile(0.9),
        "mean": None if mean is None else mean.value,
        "naive": _median(seconds[answered], conversations[answered]),
    }
    for limit, limit_seconds in LIMITS_SECONDS.items():
        # A share of nothing: three nulls in the table.
        share = curve.ended_by(limit_seconds) or Share(None, None, None)  # type: ignore[arg-type]
        measures |= dict(zip((limit, f"{limit}_low", f"{limit}_high"), share, strict=True))
    waiting = int(conversations.sum())
    return {"engaged": waiting, "turns": waiting, "answered": int(conversations[answered].sum())} | {
        name: measures[measure] for measure, name in names.items()
    }


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
