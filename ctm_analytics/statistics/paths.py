"""Paths of ads, with how often each ended in a sale and how often in none: what data-driven models learn from."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument

Path = tuple[str, ...]


class Paths(NamedTuple):
    """Paths that name at least one ad, and what was won on paths that name none.

    ``conversions`` and ``nulls`` are float arrays with one value per path.
    """

    paths: tuple[Path, ...]
    conversions: NDArray[np.float64]
    nulls: NDArray[np.float64]
    unattributed: float

    @property
    def ads(self) -> tuple[str, ...]:
        """Every ad of any path, in alphabetical order."""
        return tuple(sorted({ad for path in self.paths for ad in path}))


def counted_paths(
    paths: Sequence[Iterable[str | None]], conversions: ArrayLike, nulls: ArrayLike | None = None
) -> Paths:
    """Check paths and their counts; leave out empty places, and paths in which nothing else stands.

    Raises
    ------
    InvalidArgument
        If paths and counts differ in number, or a count is negative or not finite.

    Examples
    --------
    >>> counted = counted_paths([["a", "", "b"], [""]], [2, 3])
    >>> counted.paths, counted.unattributed
    ((('a', 'b'),), 3.0)
    """
    converted = np.asarray(conversions, dtype=np.float64)
    lost = np.zeros_like(converted) if nulls is None else np.asarray(nulls, dtype=np.float64)
    if not converted.shape == lost.shape == (len(paths),):
        raise InvalidArgument(
            f"conversions and nulls: {converted.size} and {lost.size} counts for {len(paths)} paths."
            " Give one of each per path."
        )
    counts = np.concatenate((converted, lost))
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise InvalidArgument("conversions, nulls: a negative or missing count. Counts start at 0.")
    named = [tuple(ad for ad in path if ad) for path in paths]
    kept = np.array([bool(path) for path in named], dtype=np.bool_)
    return Paths(
        tuple(path for path in named if path),
        converted[kept],
        lost[kept],
        float(converted[~kept].sum()),
    )
