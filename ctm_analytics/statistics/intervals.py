"""Confidence intervals for rates, counts and costs."""

from collections.abc import Sequence
from functools import lru_cache
from math import inf, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

from ctm_analytics.errors import InvalidArgument


class Interval(NamedTuple):
    """A two-sided interval; ``high`` is ``None`` where the data set no upper end."""

    low: float
    high: float | None


def wilson_interval(conversions: int, trials: int, confidence: float = 0.95) -> Interval | None:
    """Wilson score interval for a conversion rate.

    Parameters
    ----------
    conversions : int, ``0 <= conversions <= trials``
    trials : int, number of independent chances to convert
    confidence : float in (0, 1), two-sided

    Returns
    -------
    Interval or None
        Both ends in [0, 1]; ``None`` when ``trials`` is 0: with no chances there is no rate to bound.

    Raises
    ------
    InvalidArgument
        If the counts contradict each other, or the confidence is not in (0, 1).

    References
    ----------
    Wilson (1927), JASA 22, 209-212; Newcombe (1998), Statistics in Medicine 17, 857-872, method 3.

    Examples
    --------
    >>> wilson_interval(81, 263)
    Interval(low=0.2552..., high=0.3662...)
    """
    if not 0 <= conversions <= trials:
        raise InvalidArgument(f"conversions: {conversions} of {trials} trials cannot be. Use 0 to {trials}.")
    if trials == 0:
        return None
    z = NormalDist().inv_cdf(1 - _tail(confidence))
    rate = conversions / trials
    centre = rate + z * z / (2 * trials)
    half_width = z * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # At the edges the algebra gives exactly 0 or 1; floating point must not say otherwise.
    low = 0.0 if conversions == 0 else (centre - half_width) / scale
    high = 1.0 if conversions == trials else (centre + half_width) / scale
    return Interval(low, high)


def rate_difference_interval(
    first: tuple[int, int], second: tuple[int, int], confidence: float = 0.95
) -> Interval | None:
    """Newcombe's hybrid score interval for the difference of two independent rates, first minus second.

    Parameters
    ----------
    first, second : (conversions, trials), each ``0 <= conversions <= trials``
    confidence : float in (0, 1), two-sided

    Returns
    -------
    Interval or None
        Both ends in [-1, 1]; ``None`` when either has no trials. Formula: with rates p, q and Wilson limits (l, u) of p
        and (m, v) of q, ``p - q - sqrt((p - l)^2 + (v - q)^2)`` to ``p - q + sqrt((u - p)^2 + (q - m)^2)``.

    Raises
    ------
    InvalidArgument
        As in `wilson_interval`.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.

    Examples
    --------
    >>> rate_difference_interval((56, 70), (48, 80))
    Interval(low=0.0524..., high=0.3338...)
    """
    mine, other = wilson_interval(*first, confidence), wilson_interval(*second, confidence)
    if mine is None or other is None:
        return None
    assert mine.high is not None  # a rate is always bounded
    assert other.high is not None
    p, q = first[0] / first[1], second[0] / second[1]
    below = sqrt((p - mine.low) ** 2 + (other.high - q) ** 2)
    above = sqrt((mine.high - p) ** 2 + (q - other.low) ** 2)
    return Interval(p - q - below, p - q + above)


def sum_interval(values: Sequence[float], intervals: Sequence[Interval]) -> Interval:
    """Interval for a sum of independent quantities, from the interval of each.

    Parameters
    ----------
    values : sequence of float, shape (n,), the estimates
    intervals : sequence of Interval, shape (n,), bounded, all of one confidence, which is then that of the sum

    Returns
    -------
    Interval
        Formula (recovery of variances, MOVER): with estimates v and intervals (l, u), ``sum(v) - sqrt(sum((v - l)^2))``
        to ``sum(v) + sqrt(sum((u - v)^2))``. Of one quantity it is that one's own, of none (0, 0).

    References
    ----------
    Zou & Donner (2008), Statistics in Medicine 27, 1693-1702; Newcombe's interval above is its case of two rates.

    Examples
    --------
    >>> sum_interval([10, -2], [Interval(6, 15), Interval(-5, -1)])
    Interval(low=3.0, high=13.09...)
    """
    below = sqrt(sum((value - interval.low) ** 2 for value, interval in zip(values, intervals, strict=True)))
    above = sqrt(
        sum(((interval.high or 0.0) - value) ** 2 for value, interval in zip(values, intervals, strict=True))
    )
    return Interval(sum(values) - below, sum(values) + above)


@lru_cache(maxsize=4096)
def poisson_interval(count: float, confidence: float = 0.95) -> Interval:
    """Exact interval for the mean of a Poisson count, or its gamma form for a fractional count.

    Parameters
    ----------
    count : float, ``>= 0``; fractional where credit is shared between ads
    confidence : float in (0, 1), two-sided

    Returns
    -------
    Interval
        ``low`` is 0 for a count of 0; ``high`` is always finite (3.689 for a count of 0 at 95 %).
        Formula: gamma quantiles of shape ``count`` (lower) and ``count + 1`` (upper).

    Raises
    ------
    InvalidArgument
        If the count is negative, or the confidence is not in (0, 1).

    References
    ----------
    Garwood (1936), Biometrika 28, 437-442.

    Examples
    --------
    >>> poisson_interval(42)
    Interval(low=30.26..., high=56.77...)
    """
    if count < 0:
        raise InvalidArgument(f"count: {count} is negative. Counts start at 0.")
    tail = _tail(confidence)
    if count == 0:
        return Interval(0.0, -log(tail))
    # Imported here because scipy takes a fifth of a second that most commands need not wait for.
    from scipy.special import gammaincinv

    return Interval(float(gammaincinv(count, tail)), float(gammaincinv(count + 1, 1 - tail)))


def cac_interval(spend: float, new_customers: float, confidence: float = 0.95) -> Interval:
    """Interval for the cost of one new customer: the spend is fixed, the customers are Poisson.

    Parameters
    ----------
    spend : float, ``>= 0``, in any one currency
    new_customers : float, ``>= 0``; fractional where credit is shared
    confidence : float in (0, 1), two-sided

    Returns
    -------
    Interval
        Spend divided by the Poisson limits, reversed. Without customers there is no upper end: "at least"
        spend / 3.689 at 95 %.

    Raises
    ------
    InvalidArgument
        If either number is negative, or the confidence is not in (0, 1).

    Examples
    --------
    >>> cac_interval(100, 0)
    Interval(low=27.10..., high=None)
    """
    if spend < 0:
        raise InvalidArgument(f"spend: {spend} is negative. Spend starts at 0.")
    customers = poisson_interval(new_customers, confidence)
    assert customers.high is not None  # a Poisson interval is always bounded
    return Interval(spend / customers.high, spend / customers.low if customers.low > 0 else None)


def ratio_interval(
    numerator: tuple[float, float],
    denominator: tuple[float, float],
    degrees_of_freedom: float = inf,
    confidence: float = 0.95,
) -> Interval | None:
    """Fieller's interval for the ratio of two independent means, such as the average sales of two ads.

    Parameters
    ----------
    numerator, denominator : (mean, standard error), errors ``>= 0``
    degrees_of_freedom : float, ``> 0``, of Student's t; infinite for the normal distribution
    confidence : float in (0, 1), two-sided

    Returns
    -------
    Interval or None
        ``None`` where the denominator may be 0: the ratio is not bounded. Formula: the ratios r for which
        ``(a - r b)^2 <= t^2 (se_a^2 + r^2 se_b^2)``.

    Raises
    ------
    InvalidArgument
        If an error is negative, or degrees of freedom or confidence are out of range.

    References
    ----------
    Fieller (1954), JRSS B 16, 175-185. Franz (2007), arXiv:0710.2024, on the unbounded case.

    Examples
    --------
    >>> ratio_interval((100, 10), (5, 1))
    Interval(low=13.43..., high=33.82...)
    """
    (a, error_a), (b, error_b) = numerator, denominator
    if error_a < 0 or error_b < 0 or not degrees_of_freedom > 0:
        raise InvalidArgument(
            f"standard errors {error_a} and {error_b}, degrees of freedom {degrees_of_freedom}:"
            " an error starts at 0, and freedom above it."
        )
    tail = _tail(confidence)
    # Imported here because scipy takes a fifth of a second that most commands need not wait for.
    from scipy.special import ndtri, stdtrit

    t = float(ndtri(1 - tail) if degrees_of_freedom == inf else stdtrit(degrees_of_freedom, 1 - tail))
    lead = b * b - (t * error_b) ** 2
    if lead <= 0:
        return None
    half = sqrt(max(0.0, (a * b) ** 2 - (a * a - (t * error_a) ** 2) * lead))
    return Interval((a * b - half) / lead, (a * b + half) / lead)


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise InvalidArgument(f"confidence: {confidence} is not between 0 and 1. Use 0.95 for 95 %.")
    return (1 - confidence) / 2
