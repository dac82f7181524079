"""What a young cohort will come to: sales take time, and those still to come can be foreseen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.intervals import Interval, wilson_interval
from ctm_analytics.statistics.survival import KaplanMeier, Share, kaplan_meier

LAG_STEPS = 256
_DRAWS = 400


def matured_conversion_rate(
    durations: ArrayLike, converted: ArrayLike, window: float, weights: ArrayLike | None = None
) -> Share | None:
    """Conversion rate that a cohort will have when all of it is as old as the attribution window.

    Parameters
    ----------
    durations : array of float, shape (n,), ``>= 0``: time from touch to sale, else the conversation's age
    converted : array of bool, shape (n,): whether a sale was seen
    window : float, ``> 0``, in the unit of the durations; a sale at exactly the window counts, a later one does not
    weights : array of int, shape (n,), optional: how many had this duration and outcome

    Returns
    -------
    Share or None
        1 - Kaplan–Meier at the window's end with its log-log interval; at 0 and at 1 Wilson's, over those who were seen
        to the window's end. ``None`` where nobody is so old yet, and not all have bought: it is not known.

    Raises
    ------
    InvalidArgument
        If the window is not above 0, or as in `kaplan_meier`.

    Examples
    --------
    >>> matured_conversion_rate([1, 7, 7, 2], [True, False, False, False], 7).value
    0.25
    """
    curve, mature = _within(durations, converted, window, weights)
    share = None if curve is None else curve.ended_by(window)
    if share is None or share.low is not None:
        return share
    edge = wilson_interval(round(share.value * mature), mature)
    return share if edge is None else Share(share.value, edge.low, edge.high)


@dataclass(frozen=True)
class ConversionLag:
    """How far the sales that a window will see have come in by an age.

    Attributes
    ----------
    window : float, from which age on everything has come in
    ages : float array, shape (steps,), increasing, at most 256 of them
    completed : float array, shape (steps,), in (0, 1]: share of the window's sales that come within each age
    drawn : float array, shape (draws, steps): the same as it may truly be (Bayesian bootstrap, seeded)
    """

    window: float
    ages: NDArray[np.float64]
    completed: NDArray[np.float64]
    drawn: NDArray[np.float64]


def conversion_lag(
    durations: ArrayLike, converted: ArrayLike, window: float, weights: ArrayLike | None = None, seed: int = 0
) -> ConversionLag | None:
    """Learn from many ads together how long sales take.

    Parameters
    ----------
    durations, converted, window, weights : as in `matured_conversion_rate`, of all ads of a platform
    seed : int, of the draws that carry the uncertainty of the lag

    Returns
    -------
    ConversionLag or None
        ``None``, not identifiable yet, where no sale was seen within the window, or nobody has been followed to its
        end.

    Notes
    -----
    ``G(t) = (1 - S(t)) / (1 - S(window))`` with Kaplan–Meier's S. Each step's chance to end is drawn from
    ``Beta(d, n - d)``, the Bayesian bootstrap for censored data.

    References
    ----------
    Lo (1993), Annals of Statistics 21, 100-123.

    Examples
    --------
    >>> lag = conversion_lag([1, 2, 5, 7, 7], [True, True, True, False, False], 7)
    >>> lag.completed.round(3)
    array([0.333, 0.667, 1.   ])
    """
    curve, _ = _within(durations, converted, window, weights)
    if curve is None or not curve.times.size or (curve.last_time < window and curve.survival[-1] > 0):
        return None
    last = np.unique(np.linspace(0, curve.times.size, LAG_STEPS + 1).round().astype(np.intp)[1:]) - 1
    last = last[last >= 0]
    survival = curve.survival[last]
    before = np.concatenate(([1.0], survival[:-1]))
    at_risk = curve.at_risk[np.concatenate(([0], last[:-1] + 1))]
    ended = at_risk * (1 - survival / before)
    random = np.random.default_rng(seed)
    hazard = random.beta(ended, np.maximum(at_risk - ended, 1e-9), (_DRAWS, last.size))
    drawn = 1 - np.cumprod(1 - hazard, axis=1)
    completed = (1 - survival) / (1 - survival[-1])
    return ConversionLag(float(window), curve.times[last], completed, drawn / drawn[:, -1:])


@dataclass(frozen=True)
class MaturedCac:
    """What an ad's customers will cost when its cohort has ripened.

    Attributes
    ----------
    spend : float, ``>= 0``
    new_customers : float, ``>= 0``, so far
    completed_share : float in (0, 1]: share of the customers to be expected that has come by now
    drawn : float array, shape (draws,), in [0, 1]: the same as it may truly be
    """

    spend: float
    new_customers: float
    completed_share: float
    drawn: NDArray[np.float64]

    @property
    def expected_new_customers(self) -> float:
        """Those who came and those still to come."""
        return self.new_customers / self.completed_share

    @property
    def still_to_come(self) -> float:
        """Customers, ``>= 0``."""
        return self.expected_new_customers - self.new_customers

    @property
    def cac(self) -> float | None:
        """Spend / ``expected_new_customers``; ``None`` without customers."""
        expected = self.expected_new_customers
        return self.spend / expected if expected else None

    def interval(self, confidence: float = 0.95) -> Interval:
        """Interval for it, some thousand times as dear as the value; without customers there is no upper end.

        Raises
        ------
        InvalidArgument
            If the confidence is not in (0, 1).
        """
        if not 0 < confidence < 1:
            raise InvalidArgument(f"confidence: {confidence} is not between 0 and 1. Use 0.95 for 95 %.")
        low, high = _mean_limits(self.new_customers, self.drawn, (1 - confidence) / 2)
        return Interval(self.spend / high, self.spend / low if low else None)


def matured_cac(spend: float, new_customers: float, ages: ArrayLike, lag: ConversionLag) -> MaturedCac | None:
    """Foresee the CAC of an ad's cohort at the end of the window.

    Parameters
    ----------
    spend : float, ``>= 0``
    new_customers : float, ``>= 0``, so far; fractional where credit is shared
    ages : array of float, shape (n,), ``>= 0``: age of each of the ad's engaged conversations, converted or not
    lag : ConversionLag, of the ad's platform

    Returns
    -------
    MaturedCac or None
        ``None`` without conversations, and while none of them is old enough for a first sale.

    Raises
    ------
    InvalidArgument
        If a number is negative or missing.

    Notes
    -----
    Customers so far are Poisson with mean ``c M``: M is the mean at the window's end, and c the mean of ``G(age)``
    over the conversations. The estimate of M is ``n / c``. Its limits are those of the exact Poisson interval
    (Garwood: gamma quantiles of shape n and n + 1), with the gamma distributions averaged over the lag's draws of c,
    so that the interval knows that the lag is an estimate. For a ripe cohort c is 1 and this is `cac_interval`.

    References
    ----------
    Lawless (1994), Canadian Journal of Statistics 22, 15-31 (reporting delays). Garwood (1936).

    Examples
    --------
    >>> lag = conversion_lag([1, 2, 5, 7, 7], [True, True, True, False, False], 7)
    >>> matured_cac(100, 4, [2, 2, 7, 9], lag).cac.__round__(2)
    20.83
    """
    age = np.asarray(ages, dtype=np.float64)
    if min(spend, new_customers) < 0 or not np.isfinite([spend, new_customers]).all():
        raise InvalidArgument(
            f"spend, new_customers: {spend}, {new_customers}: negative or missing. Use 0 or more."
        )
    if np.isnan(age).any() or (age < 0).any():
        raise InvalidArgument("ages: a negative or missing age. Ages start at 0.")
    if age.size == 0:
        return None
    reached = np.searchsorted(lag.ages, age, side="right")
    share = np.bincount(reached, minlength=lag.ages.size + 1)[1:] / age.size
    completed = float(share @ lag.completed)
    if completed == 0:
        return None
    return MaturedCac(spend, new_customers, completed, lag.drawn @ share)


def _within(
    durations: ArrayLike, converted: ArrayLike, window: float, weights: ArrayLike | None
) -> tuple[KaplanMeier | None, int]:
    """Draw the curve up to the window, and count who was seen to its end, or to a sale where all have bought."""
    if not window > 0:
        raise InvalidArgument(f"window: {window} is not above 0.")
    duration = np.asarray(durations, dtype=np.float64)
    in_time = np.asarray(converted, dtype=np.bool_) & (duration <= window)
    curve = kaplan_meier(np.minimum(duration, window), in_time, weights)
    weight = np.ones_like(duration) if weights is None else np.asarray(weights, dtype=np.float64)
    mature = weight[(duration >= window) | in_time.all()].sum()
    return curve, int(mature)


def _mean_limits(count: float, completed: NDArray[np.float64], tail: float) -> tuple[float, float]:
    """Limits for the mean at the window's end: gamma distributions averaged over the draws of what has come in."""
    # Imported here because scipy takes a fifth of a second that most commands need not wait for.
    from scipy.optimize import brentq
    from scipy.special import gammainc, gammaincinv

    def limit(shape: float, level: float) -> float:
        ends = gammaincinv(shape, level) / np.array([completed.max(), completed.min()])
        if ends[0] == ends[1]:
            return float(ends[0])
        return float(brentq(lambda mean: float(gammainc(shape, mean * completed).mean()) - level, *ends))

    completed = np.maximum(completed, 1e-12)
    return (limit(count, tail) if count > 0 else 0.0), limit(count + 1, 1 - tail)
