"""Two ads: how far apart their CACs are, and what it still takes to tell."""

from typing import NamedTuple

import numpy as np

from ctm_analytics.errors import InvalidArgument


class CacComparison(NamedTuple):
    """Ratio of the first ad's CAC to the second's, with its interval and the chance of such a difference by luck.

    ``ratio`` is ``None`` where it has no value (an ad without customers), ``low`` is 0 where the first
    may cost nothing in comparison, ``high`` is ``None`` where the ratio has no upper end.
    """

    ratio: float | None
    low: float
    high: float | None
    p_value: float


class StillNeeded(NamedTuple):
    """Days and money, over both ads together, until a true difference of the size seen would show."""

    days: float
    spend: float


class AdResult(NamedTuple):
    """What an ad has spent and won so far, and what it spends a day: all ``>= 0``, in one currency."""

    spend: float
    new_customers: float
    daily_spend: float = 0.0


def compare_cac(first: AdResult, second: AdResult, confidence: float = 0.95) -> CacComparison | None:
    """Compare two ads' CACs, exactly.

    Parameters
    ----------
    first, second : AdResult
    confidence : float in (0, 1), two-sided

    Returns
    -------
    CacComparison or None
        ``None`` when either ad has spent nothing, or neither has a customer: nothing can be compared.

    Raises
    ------
    InvalidArgument
        If a number is negative or not finite, or the confidence is not in (0, 1).

    Notes
    -----
    Customers are Poisson at a rate per unit of spend. Given both ads' customers together, the first's are binomial
    with chance ``p = r1 s1 / (r1 s1 + r2 s2)``. Clopper and Pearson's limits for p become limits for ``CAC1 / CAC2
    = r2 / r1``; the p-value is twice the smaller tail at ``r1 = r2``. With fractional customers the beta form of
    both is used.

    References
    ----------
    Przyborowski & Wilenski (1940), Biometrika 31, 313-323. R: `poisson.test` for two samples.

    Examples
    --------
    >>> answer = compare_cac(AdResult(500, 50), AdResult(500, 25))
    >>> round(answer.ratio, 2), round(answer.p_value, 4)
    (0.5, 0.0052)
    """
    _check((first, second), confidence)
    if not (first.spend and second.spend and first.new_customers + second.new_customers):
        return None
    # Imported here because scipy takes a fifth of a second that most commands need not wait for.
    from scipy.special import betainc, betaincinv

    tail = (1 - confidence) / 2
    mine, other = first.new_customers, second.new_customers
    low = float(betaincinv(mine, other + 1, tail)) if mine else 0.0
    high = float(betaincinv(mine + 1, other, 1 - tail)) if other else 1.0
    exposure = first.spend / second.spend
    alike = first.spend / (first.spend + second.spend)
    at_least = float(betainc(mine, other + 1, alike)) if mine else 1.0
    at_most = float(betainc(other, mine + 1, 1 - alike)) if other else 1.0
    return CacComparison(
        exposure * other / mine if mine and other else None,
        exposure * (1 - high) / high,
        exposure * (1 - low) / low if low else None,
        min(1.0, 2 * min(at_least, at_most)),
    )


def still_needed(
    first: AdResult, second: AdResult, power: float = 0.8, significance: float = 0.05
) -> StillNeeded | None:
    """Foresee the days and the money until two ads can be told apart, if the difference is as large as it looks.

    Parameters
    ----------
    first, second : AdResult, with ``daily_spend``: what each will go on spending
    power : float in (0.5, 1): chance that the difference shows by then
    significance : float in (0, 1), two-sided

    Returns
    -------
    StillNeeded or None
        0 days where `compare_cac` tells them apart already. ``None`` where no money ever will: both cost the same,
        an ad has spent nothing, or an ad without further spend has told too little.

    Raises
    ------
    InvalidArgument
        If a number is negative or not finite, or power or significance is out of range.

    Notes
    -----
    The logarithm of the ratio of two Poisson rates has variance ``1/n1 + 1/n2`` about, so that what is needed is
    ``1/N1 + 1/N2 = (log ratio / (z(1 - significance/2) + z(power)))^2``, where each N grows by daily spend / CAC a
    day. An ad without a customer counts as if it had half a one. It is a plan, not a promise: the ratio seen by
    chance may be too large, and looking every day until it shows makes false alarms.

    References
    ----------
    Ng & Tang (2005), Statistics in Medicine 24, 955-965, on power for the ratio of two Poisson rates.

    Examples
    --------
    >>> still_needed(AdResult(300, 30, 100), AdResult(300, 22, 100))
    StillNeeded(days=16.2..., spend=3257...)
    """
    _check((first, second), 1 - significance)
    if not 0.5 < power < 1:
        raise InvalidArgument(f"power: {power} is not between 0.5 and 1. Use 0.8 for 80 %.")
    now = compare_cac(first, second, 1 - significance)
    if now is not None and now.p_value < significance:
        return StillNeeded(0.0, 0.0)
    if not (first.spend and second.spend):
        return None
    from scipy.optimize import brentq
    from scipy.special import ndtri

    customers = np.array([max(ad.new_customers, 0.5) for ad in (first, second)])
    rates = customers / [first.spend, second.spend]
    growth = rates * [first.daily_spend, second.daily_spend]
    allowed = (np.log(rates[0] / rates[1]) / (ndtri(1 - significance / 2) + ndtri(power))) ** 2

    def excess(days: float) -> float:
        return float((1 / (customers + growth * days)).sum() - allowed)

    at_last = (1 / customers)[growth == 0].sum()
    if allowed <= at_last or allowed == 0:
        return None
    longest = (
        2 * growth[growth > 0].size / (growth[growth > 0].min() * (allowed - at_last))
        if growth.any()
        else 0.0
    )
    days = float(brentq(excess, 0, longest)) if excess(0) > 0 else 0.0
    return StillNeeded(days, days * (first.daily_spend + second.daily_spend))


def _check(ads: tuple[AdResult, AdResult], confidence: float) -> None:
    for ad in ads:
        if min(ad) < 0 or not np.isfinite(ad).all():
            raise InvalidArgument(f"{ad}: a negative or missing number. Use 0 or more.")
    if not 0 < confidence < 1:
        raise InvalidArgument(f"confidence: {confidence} is not between 0 and 1. Use 0.95 for 95 %.")
