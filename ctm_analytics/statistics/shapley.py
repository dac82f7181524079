"""Shapley attribution: what each ad adds, averaged over all orders in which ads could join."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.statistics.paths import counted_paths


class ShapleyAttribution(NamedTuple):
    """Shapley values per ad.

    Attributes
    ----------
    ads : tuple of str, in alphabetical order
    credits : float array, one per ad, ``>= 0``; with ``unattributed`` they sum to all conversions
    unattributed : float, conversions of paths that name no ad
    """

    ads: tuple[str, ...]
    credits: NDArray[np.float64]
    unattributed: float


def shapley_attribution(paths: Sequence[Iterable[str | None]], conversions: ArrayLike) -> ShapleyAttribution:
    """Shapley value of each ad in the game of what a set of ads wins on its own; exact for any number of ads.

    Parameters
    ----------
    paths : sequence of sequences of ad ids; order and repeats do not matter, empty ids are left out
    conversions : array of float, shape (paths,), ``>= 0``: sales on each path

    Returns
    -------
    ShapleyAttribution
        Without paths or conversions every credit is 0. Conversions of a path that names no ad are ``unattributed``.

    Raises
    ------
    InvalidArgument
        If paths and conversions differ in number, or a count is negative or not finite.

    Notes
    -----
    The worth of a set of ads S is ``v(S) = conversions of the paths whose ads all lie in S``: what would have been
    won with no other ad. ``v`` is a sum of one unanimity game per path, and the Shapley value of a unanimity game is an
    equal split over its players. By additivity the value is exact in one pass over the paths: every path's conversions
    are split equally over its distinct ads. Nothing has to be sampled, however many ads there are, and each sale
    hands out exactly 1 to ads that it touched.

    References
    ----------
    Shapley (1953), A value for n-person games. Zhao, Mahboobi & Bagheri (2018), arXiv:1804.05327, theorem 1.

    Examples
    --------
    >>> shapley_attribution([["a"], ["a", "b"]], [4, 6]).credits
    array([7., 3.])
    """
    counted = counted_paths(paths, conversions)
    place = {ad: index for index, ad in enumerate(counted.ads)}
    credit = np.zeros(len(place))
    for path, converted in zip(counted.paths, counted.conversions, strict=True):
        members = set(path)
        credit[[place[ad] for ad in members]] += converted / len(members)
    return ShapleyAttribution(counted.ads, credit, counted.unattributed)
