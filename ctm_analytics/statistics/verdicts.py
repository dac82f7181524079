"""Which ads to scale, to watch and to cut, judged by what their CAC may be."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.shrinkage import Prior, Shrinkage

SCALE_FROM = 0.9
CUT_UP_TO = 0.1

# A posterior that is wider than this share of the prior has learnt too little from the ad itself.
TOO_WIDE = 0.9
_GRID_POINTS = 4096


def probability_below(ads: Shrinkage, target_cac: float) -> NDArray[np.float64]:
    """Chance that each ad's CAC is below the target.

    Parameters
    ----------
    ads : Shrinkage
    target_cac : float, ``> 0``, in the currency of the spend

    Returns
    -------
    float array, shape (ads,), in [0, 1]
        ``P(r > 1 / target)`` of the posterior gamma; NaN where the posterior is unknown or improper.

    Raises
    ------
    InvalidArgument
        If the target is not above 0.

    Examples
    --------
    >>> from ctm_analytics.statistics.shrinkage import shrink_cac
    >>> probability_below(shrink_cac([500, 500, 20], [50, 5, 1]), 30).round(3)
    array([1.   , 0.001, 0.625])
    """
    if not 0 < target_cac < np.inf:
        raise InvalidArgument(f"target_cac: {target_cac} is not an amount above 0.")
    from scipy.special import gammaincc

    with np.errstate(invalid="ignore"):
        chance = np.asarray(gammaincc(ads.shape, ads.rate / target_cac), dtype=np.float64)
    return np.where(ads.rate > 0, chance, np.nan)


def verdicts(
    ads: Shrinkage, p_below_target: ArrayLike, immature_share: ArrayLike | None = None
) -> list[str | None]:
    """Say what to do with each ad: ``scale``, ``watch``, ``cut``, or that it is ``too_early``.

    Parameters
    ----------
    ads : Shrinkage
    p_below_target : array of float, shape (ads,), from `probability_below`
    immature_share : array of float, shape (ads,), in [0, 1], optional: share of the ad's conversations that are younger
        than the attribution window; NaN where it has none

    Returns
    -------
    list of str or None
        ``too_early`` if the ad has spent nothing, if its posterior is about as wide as the prior, or if more than
        half of its conversations are immature; else ``scale`` from 0.9, ``cut`` up to 0.1, ``watch`` between.
        ``None`` where nothing has been spent at all.

    Notes
    -----
    Width is that of the central 90 % of customers per unit of spend, or of its logarithm, whichever has shrunk more:
    money spent in vain narrows the first, customers won narrow the second. At least a tenth of the width must be
    gone: with average luck that takes a quarter of the spend that the prior is worth.

    Examples
    --------
    >>> from ctm_analytics.statistics.shrinkage import shrink_cac
    >>> ads = shrink_cac([500, 500, 20, 0], [50, 5, 1, 0])
    >>> verdicts(ads, probability_below(ads, 30))
    ['scale', 'cut', 'watch', 'too_early']
    """
    chances = np.asarray(p_below_target, dtype=np.float64)
    young = np.zeros_like(chances) if immature_share is None else np.asarray(immature_share, dtype=np.float64)
    if ads.prior is None:
        return [None] * chances.size
    is_early = (young > 0.5) | (_width_left(ads, ads.prior) > TOO_WIDE) | np.isnan(chances)
    return [
        "too_early"
        if early
        else "scale"
        if chance >= SCALE_FROM
        else "cut"
        if chance <= CUT_UP_TO
        else "watch"
        for early, chance in zip(is_early, chances, strict=True)
    ]


def chance_of_best(ads: Shrinkage) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compare all ads at once: which is best, and what is lost by not knowing it.

    Returns
    -------
    p_best : float array, shape (ads,), in [0, 1], sums to 1: chance that no other ad's CAC is lower
    expected_loss : float array, shape (ads,), ``>= 0``: customers per unit of spend that are forgone on average by
        spending on this ad and not on the (unknown) best one
        Both are NaN where the posterior is unknown or improper; such an ad is not compared.

    Notes
    -----
    ``p_best`` is the integral of each ad's density times the others' distribution functions, ``expected_loss`` is
    ``E[max r] - E[r_i]``; both by the trapezoid rule over some 4,000 quantiles of all posteriors together (error below
    1e-3 of a probability, and of E[max r]). Nothing is simulated.

    References
    ----------
    Chapelle & Li (2011), NIPS 24, 2249-2257. Loss: Stucchio (2015), Bayesian A/B testing at VWO.

    Examples
    --------
    >>> from ctm_analytics.statistics.shrinkage import shrink_cac
    >>> p_best, expected_loss = chance_of_best(shrink_cac([500, 500], [50, 40]))
    >>> p_best.round(2)
    array([0.8, 0.2])
    """
    from scipy.special import gammainc, gammaincinv

    p_best, expected_loss = np.full(ads.rate.size, np.nan), np.full(ads.rate.size, np.nan)
    known = ads.rate > 0
    if not known.any():
        return p_best, expected_loss
    shape, rate = ads.shape[known], ads.rate[known]
    levels = np.concatenate(
        (
            [0.0, 1e-9, 1e-6],
            np.linspace(0, 1, max(16, _GRID_POINTS // shape.size) + 2)[1:-1],
            1 - 10.0 ** -np.arange(4, 15),
        )
    )
    quantiles = gammaincinv(shape[:, np.newaxis], levels) / rate[:, np.newaxis]
    # Below some ad's least plausible rate no ad is the best: the grid is spent on what lies above.
    grid = np.unique(quantiles[quantiles >= quantiles[:, 1].max()])
    grid = grid[np.linspace(0, grid.size - 1, min(grid.size, _GRID_POINTS)).round().astype(np.intp)]
    below = gammainc(shape[:, np.newaxis], rate[:, np.newaxis] * grid)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_below = np.log(below)
        others = np.exp(np.nan_to_num(log_below.sum(axis=0) - log_below, nan=0.0, neginf=-np.inf))
    chance = (np.diff(below) * (others[:, 1:] + others[:, :-1]) / 2).sum(axis=1)
    p_best[known] = chance / chance.sum()
    above = 1 - below.prod(axis=0)
    greatest = grid[0] + float((np.diff(grid) * (above[1:] + above[:-1]) / 2).sum())
    expected_loss[known] = np.maximum(0.0, greatest - shape / rate)
    return p_best, expected_loss


def _width_left(ads: Shrinkage, prior: Prior) -> NDArray[np.float64]:
    if prior.rate == 0:
        return np.where(ads.rate > 0, 0.0, 1.0)
    from scipy.special import gammaincinv

    low, high = (gammaincinv(ads.shape, tail) / ads.rate for tail in (0.05, 0.95))
    prior_low, prior_high = (gammaincinv(prior.shape, tail) / prior.rate for tail in (0.05, 0.95))
    with np.errstate(divide="ignore"):
        of_log = np.log(high / low) / np.log(prior_high / prior_low)
    return np.asarray(np.minimum((high - low) / (prior_high - prior_low), of_log), dtype=np.float64)
