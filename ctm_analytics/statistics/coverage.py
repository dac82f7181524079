"""Is less captured than there was? Drops in coverage, judged by chance and not by a threshold."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument

# Fewer days than these do not tell how much coverage moves by itself.
HISTORY_DAYS = 7


def coverage_drop_p_values(captured: ArrayLike, reported: ArrayLike) -> NDArray[np.float64]:
    """Chance of so low a coverage on each day, if capture still worked as on the days before.

    Parameters
    ----------
    captured : array of float, shape (days,), ``>= 0``: conversations captured, in the order of days; may
        exceed what is reported
    reported : array of float, shape (days,), ``>= 0``: conversations that Meta reports; NaN where it reports nothing

    Returns
    -------
    float64 array, shape (days,), in [0, 1]
        NaN where there is nothing to judge: nothing reported, or fewer than seven good days before.

    Raises
    ------
    InvalidArgument
        If the arrays differ in length, or a number is negative.

    Notes
    -----
    Captured counts are Poisson in proportion to what is reported. Given the day and its history together, the
    day's count is binomial with chance ``m / (m + M)``: the lower tail is the p-value, exactly, with no need to
    know the true coverage. Where the history varies more than Poisson counts do (Pearson's chi-square over its
    degrees of freedom, phi > 1), all counts are divided by phi, in the beta form of the tail. A day that is itself
    a drop (`coverage_drops` alone at 1 %) does not enter the history of the days after.

    References
    ----------
    Przyborowski & Wilenski (1940), Biometrika 31, 313-323. McCullagh & Nelder (1989), section 6.2.3, on phi.

    Examples
    --------
    >>> coverage_drop_p_values([48, 50, 52, 49, 51, 50, 50, 20], [50] * 8).round(7)[-2:]
    array([   nan, 4.e-06])
    """
    seen, told = np.asarray(captured, dtype=np.float64), np.asarray(reported, dtype=np.float64)
    if seen.shape != told.shape:
        raise InvalidArgument(
            f"captured, reported: {seen.size} and {told.size} days. Give one of each per day."
        )
    if (seen < 0).any() or (told < 0).any() or np.isnan(seen).any():
        raise InvalidArgument("captured, reported: a negative or missing count. Counts start at 0.")
    # Imported here because scipy takes a fifth of a second that most commands need not wait for.
    from scipy.special import betainc

    p_values = np.full(seen.size, np.nan)
    history: list[int] = []
    for day in np.flatnonzero(told > 0):
        before = np.array(history[-28:], dtype=np.intp)
        if before.size >= HISTORY_DAYS:
            phi = _dispersion(seen[before], told[before])
            now, past = seen[day] / phi, seen[before].sum() / phi
            share = told[day] / (told[day] + told[before].sum())
            p_values[day] = betainc(past, now + 1, 1 - share) if past > 0 else 1.0
        if not p_values[day] < 0.01:
            history.append(int(day))
    return p_values


def coverage_drops(p_values: ArrayLike, false_alarms: float = 0.01) -> NDArray[np.bool_]:
    """Flag the days whose coverage has dropped, with few false alarms over all days together.

    Parameters
    ----------
    p_values : array of float, shape (days,), from `coverage_drop_p_values`; NaN is never flagged
    false_alarms : float in (0, 1): chance of any flag while nothing is wrong

    Returns
    -------
    bool array, shape (days,)
        Holm's step-down: the k smallest are flagged while the i-th smallest is at most false_alarms / (days - i + 1).

    Raises
    ------
    InvalidArgument
        If ``false_alarms`` is not in (0, 1).

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> coverage_drops([0.004, 0.2, 0.0001, float("nan")])
    array([ True, False,  True, False])
    """
    if not 0 < false_alarms < 1:
        raise InvalidArgument(f"false_alarms: {false_alarms} is not between 0 and 1. Use 0.01 for 1 %.")
    p_value = np.asarray(p_values, dtype=np.float64)
    is_drop = np.zeros(p_value.size, dtype=np.bool_)
    order = np.argsort(p_value)[: int((~np.isnan(p_value)).sum())]
    for rank, day in enumerate(order):
        if p_value[day] > false_alarms / (order.size - rank):
            break
        is_drop[day] = True
    return is_drop


def _dispersion(seen: NDArray[np.float64], told: NDArray[np.float64]) -> float:
    expected = told * seen.sum() / told.sum()
    if not expected.any():
        return 1.0
    return max(1.0, float(((seen - expected) ** 2 / expected).sum() / (seen.size - 1)))
