"""What an ad's CAC most likely is, given how all ads do: gamma–Poisson empirical Bayes."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument

# Shapes of the prior that are tried: from "ads have nothing in common" to "ads differ by 1 %".
_SHAPES = (0.25, 1e4)


class Prior(NamedTuple):
    """Gamma distribution of customers per unit of spend, over ads; a ``rate`` of 0 is Jeffreys' improper prior."""

    shape: float
    rate: float


@dataclass(frozen=True)
class Shrinkage:
    """Each ad's CAC, pulled towards that of all ads, the less it has spent the more.

    Attributes
    ----------
    prior : Prior, or None where nothing has been spent: then every number below is NaN
    shape, rate : float arrays, shape (ads,): posterior gamma of customers per unit of spend
    cac, cac_low, cac_high : float arrays, shape (ads,): posterior median and 90 % interval, in the currency of the
        spend; NaN for an ad without spend where the prior is improper
    """

    prior: Prior | None
    shape: NDArray[np.float64]
    rate: NDArray[np.float64]
    cac: NDArray[np.float64]
    cac_low: NDArray[np.float64]
    cac_high: NDArray[np.float64]


def shrink_cac(spend: ArrayLike, new_customers: ArrayLike, confidence: float = 0.9) -> Shrinkage:
    """Estimate all ads' CAC together.

    Parameters
    ----------
    spend : array of float, shape (ads,), ``>= 0``, in one currency
    new_customers : array of float, shape (ads,), ``>= 0``; fractional where credit is shared
    confidence : float in (0, 1), two-sided

    Returns
    -------
    Shrinkage
        Customers without spend say nothing about cost and are not counted. An ad without spend gets the prior.

    Raises
    ------
    InvalidArgument
        If the arrays differ in length, a number is negative or not finite, or the confidence is not in (0, 1).

    Notes
    -----
    Ad i wins ``n_i ~ Poisson(r_i s_i)`` customers for spend ``s_i``, at rates ``r_i ~ Gamma(shape a, rate b)``. Then
    ``r_i`` given the data is ``Gamma(a + n_i, b + s_i)``, and CAC is ``1 / r_i``. ``a`` and ``b`` are fitted by
    `fit_prior`; that they are estimates is not part of the interval, as always in empirical Bayes.

    References
    ----------
    Robbins (1956), Proc. Third Berkeley Symposium 1, 157-163. Casella (1985), The American Statistician 39, 83-87.

    Examples
    --------
    >>> ads = shrink_cac([500, 500, 20], [50, 5, 1])
    >>> ads.cac.round(1)
    array([10.2, 92.6, 23.2])
    """
    spent, customers = _checked(spend, new_customers, confidence)
    prior = fit_prior(spent, customers)
    if prior is None:
        unknown = np.full(spent.size, np.nan)
        return Shrinkage(None, *(unknown.copy() for _ in range(5)))
    # Imported here because scipy takes a fifth of a second that most commands need not wait for.
    from scipy.special import gammaincinv

    shape = prior.shape + np.where(spent > 0, customers, 0.0)
    rate = prior.rate + spent
    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        cac, low, high = (rate / gammaincinv(shape, part) for part in (0.5, 1 - tail, tail))
    is_improper = rate == 0
    for costs in (cac, low, high):
        costs[is_improper] = np.nan
    return Shrinkage(prior, shape, rate, cac, low, high)


def fit_prior(spend: ArrayLike, new_customers: ArrayLike) -> Prior | None:
    """Fit how customers per unit of spend vary between ads.

    Parameters
    ----------
    spend, new_customers : as in `shrink_cac`

    Returns
    -------
    Prior or None
        ``None`` when nothing has been spent. Jeffreys' ``Gamma(1/2, 0)`` when money has been spent and no customer won:
        every ad then stands for itself.

    Notes
    -----
    Maximises the negative binomial marginal likelihood in the mean ``m = a / b`` and the shape ``a``, plus ``log c``,
    where ``c = 1 / sqrt(a)`` is the coefficient of variation between ads. Without that penalty a few ads, or ads that
    differ less than chance would have it, give ``c = 0``: all ads alike, for certain. With it the estimate
    stays off the border by about one standard error, and it vanishes beside the likelihood of many ads (Chung et al.).
    The shape stays between 0.25 and 10,000. A single ad's prior is about as weak as one customer.

    References
    ----------
    Chung, Rabe-Hesketh, Dorie, Gelman & Liu (2013), Psychometrika 78, 685-709.

    Examples
    --------
    >>> fit_prior([100, 100], [0, 0])
    Prior(shape=0.5, rate=0.0)
    >>> fit_prior([100], [10])
    Prior(shape=1.33..., rate=13.3...)
    """
    spent, customers = _checked(spend, new_customers)
    spent, customers = spent[spent > 0], customers[spent > 0]
    if spent.size == 0:
        return None
    if customers.sum() == 0:
        return Prior(0.5, 0.0)
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    def best_mean(shape: float) -> float:
        # Newton-like fixed point of the score for the mean at a given shape: a weighted ratio of customers to spend.
        mean = float(customers.sum() / spent.sum())
        for _ in range(200):
            weight = 1 / (shape + mean * spent)
            updated = float((weight * customers).sum() / (weight * spent).sum())
            if abs(updated - mean) <= 1e-12 * mean:
                break
            mean = updated
        return updated

    def loss(log_shape: float) -> float:
        shape = float(np.exp(log_shape))
        expected = best_mean(shape) * spent
        likelihood = (
            gammaln(shape + customers)
            - gammaln(shape)
            - shape * np.log1p(expected / shape)
            + customers * (np.log(expected) - np.log(shape + expected))
        )
        return float(log_shape / 2 - likelihood.sum())

    low, high = np.log(_SHAPES)
    grid = np.linspace(low, high, 43)
    nearest = int(np.argmin([loss(point) for point in grid]))
    bounds = (grid[max(0, nearest - 1)], grid[min(grid.size - 1, nearest + 1)])
    fitted = minimize_scalar(loss, bounds=bounds, method="bounded").x
    shape = float(np.exp(min((fitted, *bounds), key=loss)))
    return Prior(shape, shape / best_mean(shape))


def _checked(
    spend: ArrayLike, new_customers: ArrayLike, confidence: float = 0.9
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spent = np.asarray(spend, dtype=np.float64)
    customers = np.asarray(new_customers, dtype=np.float64)
    if spent.shape != customers.shape or spent.ndim != 1:
        raise InvalidArgument(
            f"spend and new_customers: {spent.size} and {customers.size} values. Give one of each per ad."
        )
    for name, values in (("spend", spent), ("new_customers", customers)):
        if not np.isfinite(values).all() or (values < 0).any():
            raise InvalidArgument(f"{name}: a negative or missing value. Give 0 or more for every ad.")
    if not 0 < confidence < 1:
        raise InvalidArgument(f"confidence: {confidence} is not between 0 and 1. Use 0.9 for 90 %.")
    return spent, customers
