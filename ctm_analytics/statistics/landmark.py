"""Does speed sell? Conversion after a fast and after a slow response, compared like with like."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.intervals import rate_difference_interval


class SpeedEffect(NamedTuple):
    """Difference in conversion between conversations that were answered by the landmark and those that were not.

    Attributes
    ----------
    difference, low, high : float in [-1, 1]: fast minus slow, stratified, with its interval; association, not proof
    fast, slow : int, conversations compared, in strata that hold both
    fast_rate, slow_rate : float in [0, 1], crude rates of these, to show beside the difference
    strata : int, strata that hold both
    left_out : int, conversations that could not be compared: sold by the landmark, not seen all the time until it, too
        young, or in a stratum of one kind only
    """

    difference: float
    low: float
    high: float
    fast: int
    slow: int
    fast_rate: float
    slow_rate: float
    strata: int
    left_out: int


def speed_effect(
    response: ArrayLike,
    seen: ArrayLike,
    sale: ArrayLike,
    watched: ArrayLike,
    strata: ArrayLike,
    *,
    landmark: float,
    horizon: float,
) -> SpeedEffect | None:
    """Compare conversion after the landmark between those answered by then and those still waiting.

    Parameters
    ----------
    response : array of float, shape (n,): time from first message to first response; NaN or infinite without one
    seen : array of float, shape (n,), ``>= 0``: time from first message until when a response would have been seen
    sale : array of float, shape (n,): time from first message to sale; NaN or infinite while there is none
    watched : array of float, shape (n,), ``>= 0``: age of the conversation
    strata : array of int, shape (n,): what is to be alike, such as a number for ad x weekday x hour
    landmark : float, ``> 0``, in the unit of the times, such as an hour
    horizon : float, above the landmark: sales count up to here

    Returns
    -------
    SpeedEffect or None
        95 % interval. ``None`` where no stratum holds both a fast and a slow conversation.

    Raises
    ------
    InvalidArgument
        If the arrays differ in length, ``seen`` or ``watched`` has a gap, or landmark and horizon are out of order.

    Notes
    -----
    Sorting conversations by the response that they got in the end is wrong: who waits ten hours for a response must
    have been a non-buyer for ten hours (immortal time). Here groups are formed by what is known at the landmark,
    only of those who have not bought by then, and only later sales count. Conversations that have not been watched
    to the horizon are left out, whatever they have done, so that fast and slow are watched equally long.

    Strata are pooled by Mantel and Haenszel's risk difference with Sato's variance, which holds for few large as for
    many sparse strata: with ``w = n1 n0 / N``, ``RD = sum((a n0 - c n1) / N) / sum(w)``. A stratum of one kind
    weighs nothing. Where the variance is 0 (nobody or everybody bought) the interval is Newcombe's over the crude
    counts.

    References
    ----------
    Anderson, Cain & Gelber (1983), JCO 1, 710-719 (landmark). Greenland & Robins (1985), Biometrics 41, 55-68; Sato
    (1989), Biometrics 45, 1323-1324. Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.

    Examples
    --------
    >>> response, seen = [0.2] * 50 + [9.0] * 50, [200] * 100
    >>> sale = [5.0] * 20 + [float("nan")] * 30 + [20.0] * 10 + [float("nan")] * 40
    >>> answer = speed_effect(response, seen, sale, [200] * 100, [0] * 100, landmark=1, horizon=168)
    >>> round(answer.difference, 2), round(answer.low, 3), round(answer.high, 3)
    (0.2, 0.025, 0.375)
    """
    answered, known, sold, age = (
        np.asarray(values, dtype=np.float64) for values in (response, seen, sale, watched)
    )
    stratum = np.asarray(strata)
    if not answered.shape == known.shape == sold.shape == age.shape == stratum.shape:
        raise InvalidArgument("response, seen, sale, watched, strata: give one of each per conversation.")
    if np.isnan(known).any():
        raise InvalidArgument("seen: one is missing. Give until when a response would have been seen.")
    if np.isnan(age).any():
        raise InvalidArgument("watched: a missing age. Give the time since the first message.")
    if not 0 < landmark < horizon:
        raise InvalidArgument(f"landmark: {landmark} is not between 0 and the horizon {horizon}.")

    is_known = (answered <= landmark) | (known >= landmark)
    compared = is_known & (age >= horizon) & ~(sold <= landmark)
    is_fast = (answered <= landmark)[compared]
    is_won = (sold <= horizon)[compared]
    _, place = np.unique(stratum[compared], return_inverse=True)
    n1, n0, a, c = (
        np.bincount(place, weights=kind).astype(np.float64)
        for kind in (is_fast, ~is_fast, is_fast & is_won, ~is_fast & is_won)
    )
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        return None
    n1, n0, a, c = n1[both], n0[both], a[both], c[both]
    total, weight = n1 + n0, (n1 * n0 / (n1 + n0)).sum()
    difference = float(((a * n0 - c * n1) / total).sum() / weight)
    p = (n1**2 * c - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / total**2
    q = (a * (n0 - c) + c * (n1 - a)) / (2 * total)
    variance = float((difference * p.sum() + q.sum()) / weight**2)
    fast, slow, won_fast, won_slow = (int(part.sum()) for part in (n1, n0, a, c))
    if variance > 0:
        half = NormalDist().inv_cdf(0.975) * sqrt(variance)
        low, high = max(-1.0, difference - half), min(1.0, difference + half)
    else:
        interval = rate_difference_interval((won_fast, fast), (won_slow, slow))
        assert interval is not None  # both kinds have trials
        assert interval.high is not None  # and a difference of rates is bounded
        low, high = interval.low, interval.high
    return SpeedEffect(
        difference,
        low,
        high,
        fast,
        slow,
        won_fast / fast,
        won_slow / slow,
        int(both.sum()),
        age.size - fast - slow,
    )
