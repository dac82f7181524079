"""What each ad will come to: customers still to come, what one will cost, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.answers.performance import KEYS
from ctm_analytics.answers.waits import places_by_key
from ctm_analytics.formats import percent
from ctm_analytics.statistics.cure import CureFit, fit_cure
from ctm_analytics.statistics.maturation import ConversionLag, conversion_lag, matured_cac
from ctm_analytics.statistics.shrinkage import Shrinkage, shrink_cac
from ctm_analytics.statistics.verdicts import chance_of_best, probability_below, verdicts

# Groups whose CACs are alike enough to learn from each other; a day or a week is no candidate for money.
CANDIDATES = ("ad", "adset", "campaign")

JUDGEMENTS = ("cac_shrunk", "cac_shrunk_low", "cac_shrunk_high", "p_below_target", "verdict")
FORECASTS = ("expected_new_customers", "matured_cac", "verdict_on")
COLUMNS = (
    *("spend", "currency", "new_customers", "still_to_come", "expected_new_customers"),
    *("cac", "matured_cac", "matured_cac_low", "matured_cac_high"),
    *("cac_shrunk", "cac_shrunk_low", "cac_shrunk_high", "p_below_target", "p_best", "expected_loss"),
    *("verdict", "verdict_on"),
)
VIEW = tuple(name for name in COLUMNS if not name.endswith(("currency", "_low", "_high")))
NOT_CAPTURED = "nothing was captured in these days, so nobody knows what the ads brought: run `ctm doctor`"
_TYPES = {"verdict": pa.string(), "verdict_on": pa.date32()}

Key = tuple[Any, ...]
Values = dict[str, Any]


class Ages(NamedTuple):
    """A group's engaged conversations: their ages in days, on which platforms, and the day of the last."""

    days: np.ndarray[Any, Any]
    platforms: frozenset[str]
    last_day: date


@dataclass(frozen=True)
class Lags:
    """How long sales take after a click, learnt from all ads of a platform; ``None``: not identifiable yet."""

    by_platform: Mapping[str, ConversionLag | None]
    pooled: ConversionLag | None

    def of(self, platforms: frozenset[str]) -> ConversionLag | None:
        """Choose the lag of a group: that of its one platform, else that of all together."""
        if len(platforms) == 1:
            return self.by_platform.get(*platforms) or self.pooled
        return self.pooled


def lags(waits: pa.Table, window_days: int) -> Lags:
    """Learn the lags from the whole history.

    Parameters
    ----------
    waits : Table of the mart ``conversion_waits`` by platform, whatever the period that is asked about
    """
    columns = [waits.column(name).to_numpy() for name in ("waited_days", "is_converted", "conversations")]
    platforms = np.array(waits.column("platform").to_pylist(), dtype=np.str_)

    def lag(members: Any) -> ConversionLag | None:
        durations, converted, weights = (column[members] for column in columns)
        return conversion_lag(durations, converted.astype(bool), window_days, weights)

    return Lags({name: lag(platforms == name) for name in np.unique(platforms).tolist()}, lag(slice(None)))


def cure(waits: pa.Table) -> CureFit:
    """Fit who will ever buy, over all ads; ``waits`` are read with a lifetime window."""
    names = ("waited_days", "is_converted", "conversations")
    durations, converted, weights = (waits.column(name).to_numpy() for name in names)
    return fit_cure(durations, converted.astype(bool), weights)


def ages_by_group(ages: pa.Table, by: str) -> dict[Key, Ages]:
    """Collect each group's ages from the mart ``cohort_ages``."""
    days, counts = (ages.column(name).to_numpy() for name in ("age_days", "conversations"))
    return {
        tuple(key.values()): Ages(
            np.repeat(days[places], counts[places]),
            frozenset(ages.column("platform").take(places).unique().to_pylist()),
            pc.max(ages.column("last_day").take(places)).as_py(),
        )
        for key, places in places_by_key(ages, KEYS[by])
    }


def judgements(pool: pa.Table, by: str, target_cac: float | None) -> dict[Key, Values]:
    """Judge all groups together: CAC shrunk towards that of all, the chance to be below the target, and a verdict.

    Parameters
    ----------
    pool : Table of the mart ``ad_performance`` of all groups of the period: what is filtered out teaches too
    by : one of ``CANDIDATES``
    target_cac : float or None; without one there is neither chance nor verdict

    Returns
    -------
    dict of the group's key to ``JUDGEMENTS``
    """
    rows, shrunk = _shrunk(pool, by)
    columns: dict[str, Any] = {
        "cac_shrunk": shrunk.cac, "cac_shrunk_low": shrunk.cac_low, "cac_shrunk_high": shrunk.cac_high,
    }  # fmt: skip
    if target_cac is not None:
        young = [row["immature"] / row["conversations"] if row["conversations"] else np.nan for row in rows]
        columns["p_below_target"] = probability_below(shrunk, target_cac)
        columns["verdict"] = verdicts(shrunk, columns["p_below_target"], young)
    return _by_key(rows, by, columns)


def ranked(pool: pa.Table, by: str) -> dict[Key, Values]:
    """Say of each group how likely it is the best of all, and what is lost by spending on it and not on the best.

    Returns
    -------
    dict of the group's key to ``p_best`` (in [0, 1]) and ``expected_loss`` (customers per unit of spend)
    """
    rows, shrunk = _shrunk(pool, by)
    p_best, expected_loss = chance_of_best(shrunk)
    return _by_key(rows, by, {"p_best": p_best, "expected_loss": expected_loss})


def forecasts(
    performance: pa.Table, by: str, ages: Mapping[Key, Ages], lags: Lags, window_days: int, *, bounded: bool
) -> dict[Key, Values]:
    """Foresee each group's customers and CAC at the end of the attribution window.

    A customer whose sale declares the ad itself is counted as if it had come by a conversation.

    Parameters
    ----------
    bounded : bool, whether to work out intervals, which take longest

    Returns
    -------
    dict of the group's key to ``FORECASTS``, ``still_to_come``, and where it is bounded ``matured_cac_low`` and
    ``matured_cac_high``; what is not identifiable yet is left out
    """
    found: dict[Key, Values] = {}
    for row in performance.to_pylist():
        key = tuple(row[name] for name in KEYS[by])
        of = ages.get(key)
        if of is None:
            continue
        found[key] = {"verdict_on": of.last_day + timedelta(days=window_days)}
        lag = lags.of(of.platforms)
        spend, customers = row["paid_spend"] or 0.0, row["new_customers"] or 0.0
        foreseen = None if lag is None else matured_cac(spend, customers, of.days, lag)
        if foreseen is None:
            continue
        is_paid = row["paid_spend"] is not None
        found[key] |= {
            "still_to_come": foreseen.still_to_come,
            "expected_new_customers": foreseen.expected_new_customers,
            "matured_cac": foreseen.cac if is_paid else None,
        }
        if bounded and is_paid:
            found[key]["matured_cac_low"], found[key]["matured_cac_high"] = foreseen.interval()
    return found


def with_values(
    performance: pa.Table, by: str, values: Mapping[Key, Values], names: tuple[str, ...]
) -> pa.Table:
    """Add columns by the group's key, null where nothing is known."""
    keys = [tuple(row.values()) for row in performance.select(KEYS[by]).to_pylist()] or [()] * len(
        performance
    )
    for name in names:
        column = pa.array([values.get(key, {}).get(name) for key in keys], _TYPES.get(name, pa.float64()))
        performance = performance.append_column(name, column)
    return performance


def lag_sentence(fit: CureFit) -> str:
    """Say how many will ever buy, or why that cannot be told yet."""
    if fit.ultimate_rate is None or fit.interval is None:
        return f"how many will ever buy: {fit.reason}"
    low, high = (percent(end or 0.0, 1) for end in fit.interval)
    return f"{percent(fit.ultimate_rate, 1)} ({low} to {high}) will ever buy, as far as the lag tells"


def _shrunk(pool: pa.Table, by: str) -> tuple[list[Values], Shrinkage]:
    """Shrink the groups that money was spent on and whose customers could be seen."""
    rows = [
        row
        for row in pool.to_pylist()
        if row[KEYS[by][0]] is not None and row["paid_spend"] is not None and _is_seen(row, pool)
    ]
    spend = [row["paid_spend"] for row in rows]
    return rows, shrink_cac(spend, [row["paid_new_customers"] or 0.0 for row in rows])


def is_captured(pool: pa.Table) -> bool:
    """Tell whether anything came of the ads at all: where not, spend alone says nothing about them."""
    counts = ("conversations", "paid_new_customers")  # a sale that no ad is credited with is no sign of one
    return any(pc.any(pc.greater(pool.column(name), 0)).as_py() for name in counts)


def _is_seen(row: Values, pool: pa.Table) -> bool:
    """Leave out whose conversations Meta reports and capture lacks: no customer was seen is not that none came."""
    if row["conversations"] or row["new_customers"]:
        return True
    return is_captured(pool) and not row["reported_conversations"]


def _by_key(rows: list[Values], by: str, columns: Mapping[str, Any]) -> dict[Key, Values]:
    return {
        tuple(row[key] for key in KEYS[by]): {name: _known(values[place]) for name, values in columns.items()}
        for place, row in enumerate(rows)
    }


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value  # NumPy's double is a float
