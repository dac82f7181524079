"""How much of an ad's CAC is a matter of the attribution model and its window."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.models import literal
from ctm_analytics.schemas import REMOVAL_EFFECTS
from ctm_analytics.settings import ATTRIBUTION_MODELS, LIFETIME_DAYS
from ctm_analytics.statistics.markov import step_removal_effects

MILLION = 1_000_000


def removal_effects(steps: pa.Table) -> pa.Table:
    """Learn what each ad is worth to the journeys that it is part of: Markov chain of order 1.

    Parameters
    ----------
    steps : Table of the mart ``journey_steps``

    Returns
    -------
    Table of the relation ``raw_removal_effects``
        For each window, the ad's removal effect in millionths of the greatest, at least 1.
    """
    windows = [_effects_within(steps, days) for days in pc.unique(steps.column("window_days")).to_pylist()]
    return pa.concat_tables([REMOVAL_EFFECTS.empty_table(), *windows])


def _effects_within(steps: pa.Table, window_days: int) -> pa.Table:
    taken = steps.filter(pc.equal(steps.column("window_days"), window_days))
    ends = [chunk for name in ("ad_id", "next_ad_id") for chunk in taken.column(name).chunks]
    ads = pc.drop_null(pa.chunked_array(ends).unique())
    origins, targets = (
        pc.fill_null(pc.index_in(taken.column(name), ads), -1).to_numpy() for name in ("ad_id", "next_ad_id")
    )
    counts = (taken.column(name).to_numpy() for name in ("journeys", "converted_journeys"))
    effects = step_removal_effects(origins, targets, *counts)
    is_worth = effects > 0
    millionths = np.maximum(1, np.rint(MILLION * effects[is_worth] / effects.max(initial=0))).astype(np.int64)
    columns = [np.full(millionths.size, window_days), ads.filter(pa.array(is_worth)), millionths]
    return pa.table(columns, schema=REMOVAL_EFFECTS)


def as_values(effects: pa.Table) -> str:
    """Write removal effects as a SELECT for the relation ``raw_removal_effects``."""
    rows = ", ".join(f"({', '.join(map(literal, row.values()))})" for row in effects.to_pylist())
    named = f"as effects({', '.join(REMOVAL_EFFECTS.names)})"
    return f"select * from (values {rows or '(0, null, 0)'}) {named}"


def compared(totals: pa.Table) -> pa.Table:
    """Say in each row how far the ad's CAC moves over all models and windows.

    Parameters
    ----------
    totals : Table of the mart ``attribution``

    Returns
    -------
    Table with ``cac_lowest`` and ``cac_highest``, double; the highest is null where a model or window gives the ad no
    new customer, both where the ad has no spend
    """
    costs: dict[str | None, list[float | None]] = {}
    ads = totals.column("ad_id").to_pylist()
    for ad_id, cac in zip(ads, totals.column("cac").to_pylist(), strict=True):
        costs.setdefault(ad_id, []).append(cac)
    known = {ad_id: [cac for cac in of if cac is not None] for ad_id, of in costs.items()}
    lowest = {ad_id: min(of, default=None) for ad_id, of in known.items()}
    highest = {
        ad_id: max(of, default=None) if len(of) == len(costs[ad_id]) else None for ad_id, of in known.items()
    }
    for name, ends in (("cac_lowest", lowest), ("cac_highest", highest)):
        totals = totals.append_column(name, pa.array([ends[ad_id] for ad_id in ads], pa.float64()))
    return totals


def nearest(compared: pa.Table, window_days: int) -> int:
    """Find the compared window that is nearest to a wanted one."""
    windows: set[int] = set(compared.column("window_days").to_pylist())
    return min(windows, key=lambda days: (abs(days - window_days), days))


def side_by_side(compared: pa.Table, model: str, window_days: int) -> pa.Table:
    """Lay models and windows beside each other: one row per ad, for people.

    Parameters
    ----------
    compared : Table of :func:`compared`
    model : str, the one in which windows are compared
    window_days : int, the one in which models are compared

    Returns
    -------
    Table: ``ad_name``, ``ad_id``, ``spend``, ``cac_lowest``, ``cac_highest``, ``cac_<model>`` for each model, and
    ``cac_within_<days>d`` for the windows that people compare
    """
    laid: dict[Any, dict[str, Any]] = {}
    for row in compared.to_pylist():
        if row["ad_id"] is None:
            continue  # no ad, no cost
        of = laid.setdefault(row["ad_id"], {name: row[name] for name in _BESIDE})
        if row["window_days"] == window_days:
            of[f"cac_{row['model']}"] = row["cac"]
        if row["model"] == model:
            of[f"cac_within_{row['window_days']}d"] = row["cac"]
    fields = [compared.schema.field(name) for name in _BESIDE]
    fields += [pa.field(name, pa.float64()) for name in (*_BY_MODEL, *_BY_WINDOW)]
    return pa.Table.from_pylist(list(laid.values()), schema=pa.schema(fields))


_BESIDE = ("ad_name", "ad_id", "spend", "cac_lowest", "cac_highest")
_BY_MODEL = tuple(f"cac_{model}" for model in ATTRIBUTION_MODELS)
_BY_WINDOW = tuple(f"cac_within_{days}d" for days in (1, 7, 28, LIFETIME_DAYS))
VIEW = ("ad_name", "spend", "cac_lowest", "cac_highest", *_BY_MODEL, *_BY_WINDOW)
