"""How much of an ad's CAC is a matter of the attribution model and its window."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from ctm_analytics.models import literal
from ctm_analytics.settings import ATTRIBUTION_MODELS, LIFETIME_DAYS
from ctm_analytics.statistics.markov import markov_attribution

MILLION = 1_000_000


def removal_effects(journeys: pa.Table) -> list[tuple[int, str, int]]:
    """Learn what each ad is worth to the journeys that it is part of: Markov chain of order 1.

    Parameters
    ----------
    journeys : Table of the mart ``journeys``, in its order

    Returns
    -------
    list of (window_days, ad_id, millionths)
        For each window, the ad's removal effect in millionths of the greatest, at least 1.
    """
    rows: list[tuple[int, str, int]] = []
    for window_days, paths in _paths(journeys).items():
        conversions, nulls = zip(*paths.values(), strict=True)
        if any(conversions):
            learnt = markov_attribution(list(paths), conversions, nulls)
            greatest = learnt.removal_effects.max()
            rows += [
                (window_days, ad_id, max(1, round(MILLION * effect / greatest)))
                for ad_id, effect in zip(learnt.ads, learnt.removal_effects.tolist(), strict=True)
                if effect > 0
            ]
    return rows


def as_values(effects: Iterable[tuple[int, str, int]]) -> str:
    """Write removal effects as the relation ``raw_removal_effects``."""
    rows = ", ".join(f"({days}, {literal(ad_id)}, {millionths})" for days, ad_id, millionths in effects)
    named = "as effects(window_days, ad_id, removal_effect_millionths)"
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


def _paths(journeys: pa.Table) -> dict[int, dict[tuple[str, ...], tuple[int, int]]]:
    """Count equal journeys: window → path of ad ids → (with a sale, without one).

    Most journeys have one touch; only longer ones are looked at one by one.
    """
    names = journeys.column("journey").combine_chunks().dictionary_encode()
    ads = journeys.column("ad_id").combine_chunks().dictionary_encode()
    windows, journey, ad, is_converted = (
        np.asarray(column)
        for column in (
            journeys.column("window_days"),
            names.indices,
            ads.indices,
            journeys.column("is_converted"),
        )
    )
    # A journey of one window is never the next row's journey of another.
    is_start = np.ones(len(journeys), dtype=np.bool_)
    is_start[1:] = (journey[1:] != journey[:-1]) | (windows[1:] != windows[:-1])
    starts = np.flatnonzero(is_start)
    lengths = np.diff(starts, append=len(journeys))
    known = ads.dictionary.to_pylist()
    counted: dict[int, dict[tuple[str, ...], list[int]]] = {}

    def count(window: int, path: tuple[str, ...], has_sale: bool, times: int) -> None:
        counted.setdefault(window, {}).setdefault(path, [0, 0])[0 if has_sale else 1] += times

    single = starts[lengths == 1]
    keys = np.stack((windows[single], ad[single], is_converted[single]), axis=1)
    for (window, of, has_sale), times in zip(*np.unique(keys, axis=0, return_counts=True), strict=True):
        count(int(window), (known[of],), bool(has_sale), int(times))
    for start, length in zip(starts[lengths > 1].tolist(), lengths[lengths > 1].tolist(), strict=True):
        path = tuple(known[of] for of in ad[start : start + length])
        count(int(windows[start]), path, bool(is_converted[start]), 1)
    return {
        window: {path: (hits, misses) for path, (hits, misses) in paths.items()}
        for window, paths in counted.items()
    }
