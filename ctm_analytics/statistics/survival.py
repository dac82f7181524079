"""Kaplan–Meier: how long people wait, when some are still waiting."""

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument

# Products of fractions miss a round value by a few units in the last place.
_ROUNDING = 1e-12


class Share(NamedTuple):
    """A share in [0, 1] with its interval; ``None`` where the curve has not moved, or has ended."""

    value: float
    low: float | None
    high: float | None


class RestrictedMean(NamedTuple):
    """Mean time until the end, counting no more than a limit of it, with its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True)
class KaplanMeier:
    """A survival curve: a step at each time at which something happened.

    Attributes
    ----------
    times : float array, shape (steps,), increasing; the unit of the durations
    survival : float array, shape (steps,), in [0, 1]: share still waiting after each time
    low, high : float arrays, shape (steps,): pointwise log-log band; NaN where survival is 0
    at_risk, events : float arrays, shape (steps,): how many were waiting just before, how many ended
    last_time : float, the longest duration, ended or not: the curve says nothing beyond
    confidence : float in (0, 1), two-sided, of the band
    """

    times: NDArray[np.float64]
    survival: NDArray[np.float64]
    at_risk: NDArray[np.float64]
    events: NDArray[np.float64]
    last_time: float
    confidence: float

    @property
    def low(self) -> NDArray[np.float64]:
        """Lower end of the band."""
        return self._band[0]

    @property
    def high(self) -> NDArray[np.float64]:
        """Upper end of the band."""
        return self._band[1]

    @cached_property
    def _band(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _log_log_band(self.survival, self._greenwood, self.confidence)

    @cached_property
    def _greenwood(self) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.cumsum(self.events / (self.at_risk * (self.at_risk - self.events)))

    def quantile(self, share: float) -> float | None:
        """Time by which a share has ended: the first time at which survival is at most ``1 - share``.

        Parameters
        ----------
        share : float in (0, 1); 0.5 is the median

        Returns
        -------
        float or None
            ``None`` when the curve never falls that far: fewer than that share were seen to end.
        """
        reached = np.flatnonzero(self.survival <= 1 - share + _ROUNDING)
        return float(self.times[reached[0]]) if reached.size else None

    def quantile_interval(self, share: float) -> tuple[float | None, float | None]:
        """Bounds for the time by which a share has ended: where the band crosses ``1 - share``.

        Parameters
        ----------
        share : float in (0, 1)

        Returns
        -------
        low, high : float or None
            ``high`` is ``None`` while the upper band stays above: it may take any time. ``low`` is ``None`` only where
            the lower band, too, stays above. At a survival of 0 the band is taken to end at 0.

        References
        ----------
        Brookmeyer & Crowley (1982), Biometrics 38, 29-41.

        Examples
        --------
        >>> kaplan_meier([1, 2, 3, 4, 5, 6, 7, 8], [True] * 8).quantile_interval(0.5)
        (1.0, 7.0)
        """
        ends: list[float | None] = []
        for band in (self.low, self.high):
            reached = np.flatnonzero(np.nan_to_num(band, nan=0.0) <= 1 - share + _ROUNDING)
            ends.append(float(self.times[reached[0]]) if reached.size else None)
        return ends[0], ends[1]

    def restricted_mean(self, limit: float) -> RestrictedMean | None:
        """Mean time until the end or the limit, whichever comes first: the area under the curve.

        Parameters
        ----------
        limit : float, ``> 0``, in the unit of the durations

        Returns
        -------
        RestrictedMean or None
            ``None`` when the limit lies beyond the longest duration while some are still waiting. The standard
            error is 0 when nothing ended before the limit.

        Notes
        -----
        Variance: ``sum of A(t)^2 d / (n (n - d))`` over the steps t before the limit, with ``A(t)`` the area from t to
        the limit, as in R's survRM2 and `print(survfit, rmean=)`. (lifelines 0.30 errs here: its issue 1682.)

        References
        ----------
        Klein & Moeschberger (2003), Survival Analysis, 2nd ed., section 4.5. Uno et al. (2014), JCO 32, 2380-2385.

        Examples
        --------
        >>> kaplan_meier([1, 2, 3, 4, 10], [True] * 5).restricted_mean(4).value
        2.8...
        """
        if limit > self.last_time and (self.survival.size == 0 or self.survival[-1] > _ROUNDING):
            return None
        steps = self.times < limit
        times, survival = self.times[steps], self.survival[steps]
        edges = np.concatenate((times, [limit]))
        areas = np.diff(edges) * survival
        after = areas[::-1].cumsum()[::-1]
        at_risk, events = self.at_risk[steps], self.events[steps]
        is_open = at_risk > events
        variance = after**2 * np.divide(
            events, at_risk * (at_risk - events), out=np.zeros_like(after), where=is_open
        )
        return RestrictedMean(float(edges[0] + areas.sum()), float(np.sqrt(variance.sum())))

    def ended_by(self, time: float) -> Share | None:
        """Share that has ended by a time, with its interval.

        Returns
        -------
        Share or None
            ``None`` beyond the longest duration while some are still waiting: nothing was observed there.
        """
        step = int(np.searchsorted(self.times, time, side="right")) - 1
        still_waiting = self.survival[step] if step >= 0 else 1.0
        if time > self.last_time and still_waiting > _ROUNDING:
            return None
        if step < 0:
            return Share(0.0, None, None)
        here = slice(step, step + 1)  # the band elsewhere need not be worked out
        (low,), (high,) = _log_log_band(self.survival[here], self._greenwood[here], self.confidence)
        if np.isnan(low):
            return Share(float(1 - still_waiting), None, None)
        return Share(float(1 - still_waiting), float(1 - high), float(1 - low))


def kaplan_meier(
    durations: ArrayLike,
    observed: ArrayLike,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    entries: ArrayLike | None = None,
) -> KaplanMeier | None:
    """Product-limit estimate of a survival curve with right-censored durations.

    Parameters
    ----------
    durations : array of float, shape (n,), ``>= 0``: time until the end or until it was last seen waiting
    observed : array of bool, shape (n,): whether the end was seen; if not, the duration is censored
    weights : array of int, shape (n,), optional: how many had this duration and outcome (1 by default)
    confidence : float in (0, 1), two-sided, of the pointwise log(-log) band
    entries : array of float, shape (n,), optional, below the durations: since when it was watched (delayed entry); who
        enters at a time is not yet at risk of what happens at it. Where nobody is at risk any more the curve ends

    Returns
    -------
    KaplanMeier or None
        ``None`` when there is no duration at all. With nothing but censored durations it has no step.
        At one time ends come before censorings, as usual.

    Raises
    ------
    InvalidArgument
        If the arrays differ in length, a duration is negative or not a number, or an entry is not below its duration.

    References
    ----------
    Kaplan & Meier (1958), JASA 53, 457-481. Variance: Greenwood (1926). Band: Kalbfleisch & Prentice (2002), 1.4.

    Examples
    --------
    >>> curve = kaplan_meier([9, 13, 13, 18, 23], [True, True, False, True, True])
    >>> curve.quantile(0.5)
    18.0
    """
    duration = np.asarray(durations, dtype=np.float64)
    is_observed = np.asarray(observed, dtype=np.bool_)
    weight = np.ones_like(duration) if weights is None else np.asarray(weights, dtype=np.float64)
    if not duration.shape == is_observed.shape == weight.shape:
        raise InvalidArgument(
            f"durations, observed and weights have {duration.size}, {is_observed.size} and {weight.size} values."
            " Give one of each per observation."
        )
    if duration.size == 0:
        return None
    if np.isnan(duration).any() or duration.min() < 0:
        raise InvalidArgument("durations: a negative or missing duration. Durations start at 0.")
    if not 0 < confidence < 1:
        raise InvalidArgument(f"confidence: {confidence} is not between 0 and 1. Use 0.95 for 95 %.")

    times, position = np.unique(duration, return_inverse=True)
    ended = np.bincount(position, weights=weight * is_observed, minlength=times.size).astype(np.float64)
    left = np.bincount(position, weights=weight, minlength=times.size).astype(np.float64)
    at_risk = left[::-1].cumsum()[::-1]
    if entries is not None:
        at_risk = at_risk - _not_yet_entered(np.asarray(entries, dtype=np.float64), duration, weight, times)
    steps = ended > 0
    times, ended, at_risk = times[steps], ended[steps], at_risk[steps]
    survival = np.cumprod(1 - ended / at_risk)
    return KaplanMeier(times, survival, at_risk, ended, float(duration.max()), confidence)


def _not_yet_entered(
    entry: NDArray[np.float64],
    duration: NDArray[np.float64],
    weight: NDArray[np.float64],
    times: NDArray[np.float64],
) -> NDArray[np.float64]:
    if entry.shape != duration.shape or not (entry < duration).all():
        raise InvalidArgument(
            "entries: one is missing or not below its duration. Give an earlier time for each."
        )
    order = np.argsort(entry)
    from_here_on = np.concatenate((weight[order][::-1].cumsum()[::-1], [0.0]))
    return np.asarray(from_here_on[np.searchsorted(entry[order], times, side="left")])


def _log_log_band(
    survival: NDArray[np.float64], greenwood: NDArray[np.float64], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_survival = np.log(survival)
        spread = z * np.sqrt(greenwood) / log_survival
        low, high = survival ** np.exp(-spread), survival ** np.exp(spread)
    at_zero = survival <= _ROUNDING
    low[at_zero] = np.nan
    high[at_zero] = np.nan
    return low, high
