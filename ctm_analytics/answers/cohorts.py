"""How cohorts ripen: the share that has bought by each age, with those who are too young still waiting."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.answers.performance import KEYS
from ctm_analytics.answers.waits import Keys, Waits, grouped
from ctm_analytics.statistics.maturation import matured_conversion_rate

# People look at these; the rows have every day.
SHOWN_AGES_DAYS = (1, 3, 7, 14, 28, 60, 90)


def matured_rates(waits: pa.Table, by: str, window_days: int) -> dict[tuple[Any, ...], float]:
    """Say of each group which share will have bought at the end of the attribution window.

    1 − Kaplan–Meier of the time from touch to sale; who is younger than the window is censored at that age.

    Parameters
    ----------
    waits : Table of the mart ``conversion_waits``
    by : str, a key of ``KEYS``
    window_days : int, the window that the waits were read with

    Returns
    -------
    dict of the group's key to a float in [0, 1]; a group of which nobody is as old as the window is left out, unless
    all have bought
    """
    rates = {}
    for keys, group in _groups(waits, by):
        matured = matured_conversion_rate(group.durations, group.is_ended, window_days, group.conversations)
        if matured is not None:
            rates[tuple(keys.values())] = matured.value
    return rates


def ripening(waits: pa.Table, by: str, window_days: int) -> pa.Table:
    """Lay out each cohort's curve day by day, as far as it has been seen.

    Returns
    -------
    Table: the group's keys; ``cohort`` (text), ``age_days`` (bigint, from 0), ``conversations`` (bigint, of all ages);
    ``bought_share`` (double in [0, 1], within that many days of the touch) with its pointwise log-log band,
    ``bought_share_low`` and ``_high`` (null where it is not defined); ``at_risk`` (bigint, still waiting at that age),
    ``too_young`` (bigint, not that old yet: from then on the share is an estimate)
    """
    rows: list[dict[str, Any]] = []
    longest = min(int(pc.max(waits.column("waited_days")).as_py() or 0), window_days)
    for keys, group in _groups(waits, by):
        curve = group.curve()
        # Where all have bought nobody is waited for: the curve stays where it is, as long as any cohort is seen.
        is_over = bool(curve.survival.size) and curve.survival[-1] == 0
        for age in range((longest if is_over else min(int(curve.last_time), window_days)) + 1):
            share = curve.ended_by(age)
            if share is None:
                break
            rows.append(
                keys
                | {
                    "cohort": _name(keys, by),
                    "age_days": age,
                    "conversations": int(group.conversations.sum()),
                    "bought_share": share.value,
                    "bought_share_low": share.low,
                    "bought_share_high": share.high,
                    "at_risk": int(group.conversations[group.durations >= age].sum()),
                    "too_young": int(group.conversations[~group.is_ended & (group.durations < age)].sum()),
                }
            )
    fields = [waits.schema.field(key) for key in KEYS[by]]
    fields += [("cohort", pa.string()), ("age_days", pa.int64()), ("conversations", pa.int64())]
    fields += [(f"bought_share{end}", pa.float64()) for end in ("", "_low", "_high")]
    return pa.Table.from_pylist(
        rows, schema=pa.schema([*fields, ("at_risk", pa.int64()), ("too_young", pa.int64())])
    )


def side_by_side(ripened: pa.Table) -> pa.Table:
    """Lay the ages beside each other, one row per cohort, for people."""
    ages = [age for age in SHOWN_AGES_DAYS if age in set(ripened.column("age_days").to_pylist())]
    # Two ads may have one name.
    keys = ripened.column_names[: ripened.column_names.index("age_days")]
    laid: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in ripened.to_pylist():
        key = tuple(row[name] for name in keys)
        of = laid.setdefault(key, {"cohort": row["cohort"], "conversations": row["conversations"]})
        if row["age_days"] in ages:
            of[f"bought_within_{row['age_days']}d"] = row["bought_share"]
    fields = [("cohort", pa.string()), ("conversations", pa.int64())]
    fields += [(f"bought_within_{age}d", pa.float64()) for age in ages]
    return pa.Table.from_pylist(list(laid.values()), schema=pa.schema(fields))


def _name(keys: Keys, by: str) -> str:
    """Name a cohort by the finest name it has, an ad without one by its id."""
    name = keys.get(f"{by}_name") or keys.get(f"{by}_id") or next(iter(keys.values()), None)
    return "All" if name is None else str(name)


def _groups(waits: pa.Table, by: str) -> Iterator[tuple[Keys, Waits]]:
    return grouped(waits, KEYS[by], "waited_days", "is_converted")
