"""Do groups wait equally long? The log-rank test and its weighted kin."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument

_ROUNDING = 1e-10
# Times by groups that are held at once: some 8 MB an array.
_BLOCK_CELLS = 1 << 20
_Counts = NDArray[np.float64]

# By the number at risk and the number of ends at each time: what a difference at that time weighs.
_WEIGHTINGS: dict[str, Callable[[_Counts, _Counts], _Counts]] = {
    "log_rank": lambda at_risk, _: np.ones_like(at_risk),
    "wilcoxon": lambda at_risk, _: at_risk,
    "tarone_ware": lambda at_risk, _: np.sqrt(at_risk),
    "peto": lambda at_risk, ended: np.asarray(np.cumprod(1 - ended / (at_risk + 1)), dtype=np.float64),
}


class _Stratum(NamedTuple):
    """Whom a stratum holds: the place of each one's time, the group, and how many ended and left then."""

    place: NDArray[np.intp]
    group: NDArray[np.intp]
    ended: _Counts
    weight: _Counts


class LogRank(NamedTuple):
    """A chi-square test of equal curves, with what each group (in sorted order) saw and could expect."""

    statistic: float
    degrees_of_freedom: int
    p_value: float
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]


def log_rank_test(
    durations: ArrayLike,
    observed: ArrayLike,
    groups: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    weighting: str = "log_rank",
) -> LogRank | None:
    """Test whether two or more groups have one survival curve.

    Parameters
    ----------
    durations : array of float, shape (n,), ``>= 0``
    observed : array of bool, shape (n,): whether the end was seen; if not, the duration is censored
    groups : array, shape (n,): what is compared, such as ad ids
    strata : array, shape (n,), optional: groups are compared only within a stratum, such as an hour of the week
    weights : array of int, shape (n,), optional: how many had this duration and outcome (1 by default)
    weighting : ``log_rank`` (proportional hazards), ``wilcoxon`` (Gehan: early differences count most),
        ``tarone_ware`` or ``peto`` (between the two)

    Returns
    -------
    LogRank or None
        ``None`` when there is nothing to compare: one group only, nobody ended, or no stratum holds two groups at risk.

    Raises
    ------
    InvalidArgument
        If the arrays differ in length, a duration is negative or missing, or the weighting is unknown.

    Notes
    -----
    At each time with d ends among n at risk, a group with m at risk expects ``d m / n`` of them, with the
    hypergeometric (co)variance ``d (n - d) / (n - 1) * m / n * (1 - m / n)``; ties need no further care. Weighted
    differences and covariances are summed over times and strata; the quadratic form in all groups (generalised
    inverse) is chi-square with as many degrees of freedom as the covariance has rank.

    References
    ----------
    Mantel (1966); Peto & Peto (1972), JRSS A 135, 185-207. Klein & Moeschberger (2003), sections 7.3 and 7.5.

    Examples
    --------
    >>> log_rank_test([10, 20, 30, 10, 20, 50], [True] * 6, [1, 1, 1, 0, 0, 0]).p_value
    0.6141...
    """
    if weighting not in _WEIGHTINGS:
        raise InvalidArgument(f"weighting: {weighting!r} is unknown. Use one of {', '.join(_WEIGHTINGS)}.")
    duration = np.asarray(durations, dtype=np.float64)
    count = np.ones_like(duration) if weights is None else np.asarray(weights, dtype=np.float64)
    ended = count * np.asarray(observed, dtype=np.bool_)
    stratum = np.zeros(duration.size) if strata is None else np.asarray(strata)
    if not duration.shape == count.shape == ended.shape == np.shape(groups) == stratum.shape:
        raise InvalidArgument(
            "durations, observed, groups, strata, weights: give one of each per observation."
        )
    if np.isnan(duration).any() or (duration < 0).any():
        raise InvalidArgument("durations: a negative or missing duration. Durations start at 0.")

    names, group = np.unique(np.asarray(groups), return_inverse=True)
    seen, expected, weighted = (np.zeros(names.size) for _ in range(3))
    covariance, total_spread = np.zeros((names.size, names.size)), 0.0
    for label in np.unique(stratum):
        members = stratum == label
        times, place = np.unique(duration[members], return_inverse=True)
        who = _Stratum(place, group[members], ended[members], count[members])
        all_ends, all_left = (
            np.bincount(place, values, times.size).astype(np.float64) for values in (who.ended, who.weight)
        )
        all_at_risk = all_left[::-1].cumsum()[::-1]
        has_end = all_ends > 0
        weights_of = np.zeros(times.size)
        weights_of[has_end] = _WEIGHTINGS[weighting](all_at_risk[has_end], all_ends[has_end])
        for block, ends, at_risk in _blocks(who, times.size, names.size):
            in_block = has_end[block]
            ends, at_risk, weight = ends[in_block], at_risk[in_block], weights_of[block][in_block]
            d, n = ends.sum(axis=1), at_risk.sum(axis=1)
            share = at_risk / n[:, np.newaxis]
            surplus = ends - d[:, np.newaxis] * share
            seen += ends.sum(axis=0)
            expected += d @ share
            weighted += weight @ surplus
            spread = weight**2 * d * (n - d) / np.maximum(n - 1, 1)
            total_spread += float(spread.sum())
            covariance += np.diag(spread @ share) - (share * spread[:, np.newaxis]).T @ share
    spreads, directions = np.linalg.eigh(covariance)
    # Differences sum to 0, so that at least one direction has no spread but rounding.
    is_known = spreads > _ROUNDING * total_spread
    rank = int(is_known.sum())
    if rank == 0:
        return None
    # Imported here because scipy takes a fifth of a second that most commands need not wait for.
    from scipy.special import gammaincc

    statistic = float(((weighted @ directions)[is_known] ** 2 / spreads[is_known]).sum())
    return LogRank(statistic, rank, float(gammaincc(rank / 2, statistic / 2)), seen, expected)


def _blocks(who: _Stratum, times: int, groups: int) -> Iterator[tuple[slice, _Counts, _Counts]]:
    """Yield ends and numbers at risk, times by groups, some times after the others: all together may not fit."""
    order = np.argsort(who.place, kind="stable")
    place, group, ended, weight = (values[order] for values in who)
    at_risk = np.bincount(group, weight, groups).astype(np.float64)
    step = max(1, _BLOCK_CELLS // groups)
    for first in range(0, times, step):
        block = slice(first, min(first + step, times))
        rows, within = block.stop - first, slice(*np.searchsorted(place, (first, block.stop)))
        cell = (place[within] - first) * groups + group[within]
        ends, left = (
            np.bincount(cell, values[within], rows * groups).reshape(rows, groups).astype(np.float64)
            for values in (ended, weight)
        )
        gone = left.cumsum(axis=0)
        yield block, ends, at_risk + left - gone
        at_risk = at_risk - gone[-1]
