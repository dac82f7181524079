"""Who will buy, and who never will: a mixture-cure model, where follow-up is long enough to tell them apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.intervals import Interval

# Three parameters need more sales than a handful.
FEWEST_SALES = 10
# Durations whose logarithms differ by less count as one: far less than anybody can tell apart, and never more than some
# thousand of them, whatever the number of conversations.
_LOG_STEP = 0.005
INSUFFICIENT_FROM = 0.05


@dataclass(frozen=True)
class CureFit:
    """Share of conversations that will ever lead to a sale, and how long the sale takes.

    Attributes
    ----------
    reason : str or None, why nothing can be said yet; then all else is ``None``
    ultimate_rate : float in (0, 1)
    interval : Interval, 95 %, by likelihood
    family : ``weibull`` or ``lognormal``, whichever is likelier
    scale, shape : float, ``> 0``: Weibull's, or the log-normal's median and standard deviation of the logarithm
    """

    reason: str | None
    ultimate_rate: float | None = None
    interval: Interval | None = None
    family: str | None = None
    scale: float | None = None
    shape: float | None = None


def follow_up_alpha(
    durations: ArrayLike, converted: ArrayLike, weights: ArrayLike | None = None
) -> float | None:
    """Maller and Zhou's test of whether follow-up is too short to see a plateau.

    Parameters
    ----------
    durations : array of float, shape (n,), ``>= 0``: time to sale, else age
    converted : array of bool, shape (n,)
    weights : array of int, shape (n,), optional: how many had this duration and outcome

    Returns
    -------
    float in [0, 1] or None
        Below 0.05 follow-up is sufficient. ``None`` without sales. Formula: with the last sale at T and the longest
        duration L, of n conversations N sold in ``(2 T - L, T]``: ``(1 - N / n)^n``. Where the plateau is longer than T
        itself, these are all sales.

    References
    ----------
    Maller & Zhou (1996), Survival Analysis with Long-Term Survivors, section 4.3.

    Examples
    --------
    >>> follow_up_alpha([1, 2, 3, 20, 20], [True, True, True, False, False])
    0.010...
    """
    duration, is_sale, weight = _observations(durations, converted, weights)
    if not is_sale.any():
        return None
    last_sale, longest, total = duration[is_sale].max(), duration.max(), weight.sum()
    late = weight[is_sale & (duration > 2 * last_sale - longest)].sum()
    return float((1 - late / total) ** total)


def fit_cure(durations: ArrayLike, converted: ArrayLike, weights: ArrayLike | None = None) -> CureFit:
    """Fit the share that will ever buy and the lag of those who do, without a window.

    Parameters
    ----------
    durations, converted, weights : as in `follow_up_alpha`

    Returns
    -------
    CureFit
        With a ``reason`` and nothing else where it is not identifiable yet: fewer than 10 sales, or
        `follow_up_alpha` of 0.05 or more. A young cohort's few sales fit "few will buy, soon" and "many will, later"
        equally well.

    Raises
    ------
    InvalidArgument
        If the arrays differ in length, or a duration is negative or not finite.

    Notes
    -----
    Maximum likelihood of ``S(t) = 1 - p F(t)``, right-censored: sum of ``log p + log f`` over sales and of
    ``log(1 - p F)`` over the others, for F Weibull and log-normal. The interval holds every p whose profile
    likelihood is within half of the chi-square quantile (1.92) of the maximum. Durations of 0 count as the smallest
    above 0. Durations less than half a per cent apart count at their mean logarithm: of the log-likelihood that leaves
    out terms of the square of that.

    References
    ----------
    Boag (1949), JRSS B 11, 15-53. Farewell (1982), Biometrics 38, 1041-1046.

    Examples
    --------
    >>> lags = [0.2, 0.5, 0.8, 1, 1.3, 1.6, 2, 2.4, 3, 3.9]
    >>> fit = fit_cure(lags + [30] * 30, [True] * 10 + [False] * 30)
    >>> round(fit.ultimate_rate, 3), fit.family
    (0.25, 'weibull')
    """
    duration, is_sale, weight = _observations(durations, converted, weights)
    sales = int(weight[is_sale].sum())
    if sales < FEWEST_SALES:
        return CureFit(f"not identifiable yet: {sales} sales, {FEWEST_SALES} are needed")
    alpha = follow_up_alpha(duration, is_sale, weight)
    if alpha is None or alpha >= INSUFFICIENT_FROM:
        return CureFit("not identifiable yet: the last sale is too recent to show that sales have ended")
    positive = duration[duration > 0]
    if not positive.size:
        return CureFit("not identifiable yet: everything happened at one instant")
    duration = np.maximum(duration, positive.min())
    fits = [_Likelihood(family, duration, is_sale, weight).fitted() for family in ("weibull", "lognormal")]
    return max(fits, key=lambda fit: fit[0])[1]


class _Likelihood:
    def __init__(
        self,
        family: str,
        duration: NDArray[np.float64],
        is_sale: NDArray[np.bool_],
        weight: NDArray[np.float64],
    ) -> None:
        self.family = family
        self.log_time, self.is_sale, self.weight = _thinned(np.log(duration), is_sale, weight)

    def __call__(self, rate: float, lag: NDArray[np.float64]) -> float:
        """Log-likelihood at a rate, and at the logarithms of scale and shape."""
        from scipy.special import log_ndtr

        log_shape = float(np.clip(lag[1], -6, 6))
        if self.family == "weibull":
            z = np.clip(np.exp(log_shape) * (self.log_time - lag[0]), -700, 50)
            log_density = log_shape + z - self.log_time - np.exp(z)
            by_now = -np.expm1(-np.exp(z))
        else:
            z = (self.log_time - lag[0]) / np.exp(log_shape)
            log_density = -0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_shape - self.log_time
            by_now = np.exp(log_ndtr(z))
        waiting = np.log(np.maximum(1 - rate * by_now, 1e-300))
        return float(self.weight @ np.where(self.is_sale, np.log(rate) + log_density, waiting))

    def best_lag(self, rate: float, start: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        from scipy.optimize import minimize

        found = minimize(
            lambda lag: -self(rate, lag), start, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4}
        )
        return -float(found.fun), found.x

    def fitted(self) -> tuple[float, CureFit]:
        """Maximise over the rate, then follow the profile down to both ends of the interval."""
        from scipy.optimize import brentq, minimize
        from scipy.special import expit, logit

        crude = float(self.weight[self.is_sale].sum() / self.weight.sum())
        start = np.array([float(np.median(self.log_time[self.is_sale])), 0.0])
        found = minimize(
            lambda point: -self(float(expit(point[0])), point[1:]),
            np.array([logit(min(crude * 1.02, 0.999)), *start]),
            method="Nelder-Mead",
            options={"xatol": 1e-6, "fatol": 1e-8, "maxiter": 4000},
        )
        at, lag, most = float(found.x[0]), found.x[1:], -float(found.fun)

        def above(point: float) -> float:
            return self.best_lag(float(expit(point)), lag)[0] - most + 1.9207

        ends = []
        for step in (-0.5, 0.5):
            far = at + step
            while above(far) > 0 and abs(far) < 16:
                far += step
            ends.append(float(expit(brentq(above, at, far, xtol=1e-3))) if abs(far) < 16 else float(far > 0))
        scale, shape = (float(value) for value in np.exp(lag))
        return most, CureFit(None, float(expit(at)), Interval(ends[0], ends[1]), self.family, scale, shape)


def _thinned(
    log_time: NDArray[np.float64], is_sale: NDArray[np.bool_], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Count nearly equal times of one outcome together, at their mean."""
    steps = 2 * np.floor(log_time / _LOG_STEP).astype(np.int64) + is_sale
    groups, group = np.unique(steps, return_inverse=True)
    weights = np.bincount(group, weights=weight).astype(np.float64)
    return np.bincount(group, weights=weight * log_time) / weights, np.asarray(groups % 2 == 1), weights


def _observations(
    durations: ArrayLike, converted: ArrayLike, weights: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    duration, is_sale = np.asarray(durations, dtype=np.float64), np.asarray(converted, dtype=np.bool_)
    weight = np.ones_like(duration) if weights is None else np.asarray(weights, dtype=np.float64)
    if not duration.shape == is_sale.shape == weight.shape:
        raise InvalidArgument("durations, converted, weights: give one of each per conversation.")
    if not np.isfinite(duration).all() or (duration < 0).any():
        raise InvalidArgument("durations: a negative or missing duration. Durations start at 0.")
    return duration, is_sale, weight
