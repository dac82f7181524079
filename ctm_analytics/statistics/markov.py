"""Markov attribution: how many sales would be lost if an ad led nowhere."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.statistics.paths import Path, Paths, counted_paths

# States are the last ads of a path; these three are none.
START: Path = ()
CONVERSION: Path = ("(conversion)",)
NULL: Path = ("(null)",)

LONGEST_ORDER = 3

# A chain of so many states is inverted in some seconds at most; a larger one is sparse, and is pushed.
DENSE_STATES = 3000
_ADS_AT_ONCE = 128
_ON_ITS_WAY = 1e-16


class MarkovAttribution(NamedTuple):
    """Removal effects and credits per ad.

    Attributes
    ----------
    ads : tuple of str, in alphabetical order
    removal_effects : float array in [0, 1]: share of the chain's conversions that pass through the ad;
        NaN where nothing converted
    credits : float array, ``>= 0``; with ``unattributed`` they sum to all conversions
    conversion_probability : float in [0, 1], of the chain; ``None`` without paths. It equals
        conversions / (conversions + nulls) in every order
    unattributed : float, conversions of paths that name no ad
    """

    ads: tuple[str, ...]
    removal_effects: NDArray[np.float64]
    credits: NDArray[np.float64]
    conversion_probability: float | None
    unattributed: float


def markov_attribution(
    paths: Sequence[Iterable[str | None]], conversions: ArrayLike, nulls: ArrayLike, order: int = 1
) -> MarkovAttribution:
    """Share conversions between ads by removal effect, exactly.

    Parameters
    ----------
    paths : sequence of sequences of ad ids, first touch first; empty ids are left out
    conversions : array of float, shape (paths,), ``>= 0``: sales at the end of each path
    nulls : array of float, shape (paths,), ``>= 0``: how often each path ended without one
    order : int, 1 to 3: on how many last ads the next step depends

    Returns
    -------
    MarkovAttribution
        ``credits = conversions * removal_effects / sum of removal_effects``. Without conversions they are 0.

    Raises
    ------
    InvalidArgument
        If paths and counts differ in number, a count is negative or not finite, or the order is not 1, 2 or 3.

    Notes
    -----
    A state is the run of the last ``order`` ads (fewer at the start of a path). With ``Q`` the transitions between
    states, ``s`` the first step and ``r`` the step to a sale, the chain converts with probability
    ``p = s (I - Q)^-1 r``. Removing an ad sends every step into one of its states A, those that end with it, to null.
    By the strong Markov property what is lost is ``v_A N_AA^-1 h_A`` with ``N = (I - Q)^-1``, visits ``v = s N`` and
    chances ``h = N r``, so that one inverse serves all ads. Beyond ``DENSE_STATES`` states the same systems are
    solved by the series ``s (I + Q + Q^2 + ...) r``, whose error is at most what is still on its way: it ends below
    1e-16. Nothing is simulated.

    Touches of one ad in a row count once. In a chain of order 1 that changes no removal effect, because a
    stay of any length leaves by the same doors; in a higher order it keeps a double click from filling the memory
    with one ad. Removal redirects to null: the remaining ads do not take over.

    The credits are the published, global ones: an ad can be credited with part of a sale that it never touched. To hand
    out every sale to its own touches only, weigh these by ``removal_effects``.

    References
    ----------
    Anderl, Becker, von Wangenheim & Schumann (2016), International Journal of Research in Marketing 33, 457-474.
    Kemeny & Snell (1976), Finite Markov Chains, chapter 3. On repeats: stats.stackexchange.com/questions/381305.

    Examples
    --------
    >>> answer = markov_attribution([["C1", "C2", "C3"], ["C1"], ["C2", "C3"]], [1, 0, 0], [0, 1, 1])
    >>> answer.removal_effects
    array([0.5, 1. , 1. ])
    >>> answer.credits
    array([0.2, 0.4, 0.4])
    """
    counted = counted_paths(paths, conversions, nulls)
    steps = _counted_steps(counted, order)
    ads = counted.ads
    total = float(counted.conversions.sum())
    if total == 0:
        probability = 0.0 if steps else None
        return MarkovAttribution(
            ads, np.full(len(ads), np.nan), np.zeros(len(ads)), probability, counted.unattributed
        )
    probability, lost = _removals(_probabilities(steps), ads)
    return MarkovAttribution(
        ads, lost / probability, total * lost / lost.sum(), probability, counted.unattributed
    )


def step_removal_effects(
    origins: ArrayLike, targets: ArrayLike, journeys: ArrayLike, converted: ArrayLike
) -> NDArray[np.float64]:
    """Work out the removal effects of `markov_attribution` where the steps of a chain of order 1 are counted already.

    Parameters
    ----------
    origins, targets : arrays of int, shape (steps,): ads, numbered from 0; -1 is a journey's start, as a target its end
    journeys : array of float, shape (steps,), ``> 0``: how often each step was taken
    converted : array of float, shape (steps,): how often a step to the end was a sale; elsewhere it counts for nothing

    Returns
    -------
    float array in [0, 1], shape (ads,)
        NaN where nothing converted.

    Raises
    ------
    InvalidArgument
        If the arrays differ in length.

    Examples
    --------
    >>> step_removal_effects([-1, 0, 0, 1], [0, 1, -1, -1], [2, 1, 1, 1], [0, 0, 1, 0])
    array([1., 0.])
    """
    origin, target = (np.asarray(ads, dtype=np.intp) for ads in (origins, targets))
    taken, sold = (np.asarray(counts, dtype=np.float64) for counts in (journeys, converted))
    if not origin.shape == target.shape == taken.shape == sold.shape:
        raise InvalidArgument("origins, targets, journeys, converted: give one of each per step.")
    ads = int(max(origin.max(initial=-1), target.max(initial=-1))) + 1
    leaving = np.bincount(origin + 1, weights=taken, minlength=ads + 1)[origin + 1]
    is_first, is_last = origin < 0, target < 0
    is_inner = ~is_first & ~is_last
    first, sale = np.zeros(ads), np.zeros(ads)
    first[target[is_first]] = (taken / leaving)[is_first]
    sale[origin[is_last]] = (sold / leaving)[is_last]
    chain = _Chain(first, sale, origin[is_inner], target[is_inner], (taken / leaving)[is_inner])
    probability, lost = _solved(chain, [np.array([ad]) for ad in range(ads)])
    return lost / probability if probability > 0 else np.full(ads, np.nan)


def transition_probabilities(
    paths: Sequence[Iterable[str | None]], conversions: ArrayLike, nulls: ArrayLike, order: int = 1
) -> dict[tuple[Path, Path], float]:
    """Chance of each step of the chain of `markov_attribution`, which see for parameters and errors.

    Returns
    -------
    dict of (from, to) to float in (0, 1]
        States are tuples of ads; ``START``, ``CONVERSION`` and ``NULL`` of this module stand for the ends. The steps
        out of a state sum to 1.

    Examples
    --------
    >>> transition_probabilities([["a"]], [1], [3])
    {((), ('a',)): 1.0, (('a',), ('(conversion)',)): 0.25, (('a',), ('(null)',)): 0.75}
    """
    return _probabilities(_counted_steps(counted_paths(paths, conversions, nulls), order))


_Steps = dict[tuple[Path, Path], float]


def _counted_steps(counted: Paths, order: int) -> _Steps:
    if order not in range(1, LONGEST_ORDER + 1):
        raise InvalidArgument(f"order: {order} is not an order of the chain. Use 1, 2 or 3.")
    steps: defaultdict[tuple[Path, Path], float] = defaultdict(float)
    # Python's own numbers: a million steps are added one by one.
    counts = zip(counted.paths, counted.conversions.tolist(), counted.nulls.tolist(), strict=True)
    for path, converted, lost in counts:
        state = START
        for ad, _ in groupby(path):
            following = (*state[1 - order :], ad) if order > 1 else (ad,)
            steps[state, following] += converted + lost
            state = following
        steps[state, CONVERSION] += converted
        steps[state, NULL] += lost
    return {step: count for step, count in steps.items() if count}


def _probabilities(steps: _Steps) -> _Steps:
    leaving: dict[Path, float] = {}
    for (origin, _), count in steps.items():
        leaving[origin] = leaving.get(origin, 0.0) + count
    return {(origin, target): count / leaving[origin] for (origin, target), count in steps.items()}


class _Chain(NamedTuple):
    """First steps, steps to a sale, and the steps between states as rows, columns and chances."""

    first: NDArray[np.float64]
    sale: NDArray[np.float64]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    chances: NDArray[np.float64]


def _removals(steps: _Steps, ads: tuple[str, ...]) -> tuple[float, NDArray[np.float64]]:
    """Chance of a conversion, and how much of it passes through each ad."""
    states = {
        state: index for index, state in enumerate(dict.fromkeys(origin for origin, _ in steps if origin))
    }
    first, sale = np.zeros(len(states)), np.zeros(len(states))
    inner = []
    for (origin, target), chance in steps.items():
        if target == CONVERSION:
            sale[states[origin]] = chance
        elif origin == START:
            first[states[target]] = chance
        elif target != NULL:
            inner.append((states[origin], states[target], chance))
    rows, columns, chances = (np.array([step[part] for step in inner]) for part in range(3))
    chain = _Chain(first, sale, rows.astype(np.intp), columns.astype(np.intp), chances.astype(np.float64))
    members: dict[str, list[int]] = {ad: [] for ad in ads}
    for state, index in states.items():
        members[state[-1]].append(index)
    through = [np.array(members[ad], dtype=np.intp) for ad in ads]
    return _solved(chain, through)


def _solved(chain: _Chain, through: list[NDArray[np.intp]]) -> tuple[float, NDArray[np.float64]]:
    return _inverted(chain, through) if chain.first.size <= DENSE_STATES else _pushed(chain, through)


def _inverted(chain: _Chain, through: list[NDArray[np.intp]]) -> tuple[float, NDArray[np.float64]]:
    """Solve for all ads at once: first entries into an ad's states times the chance to convert from there."""
    moves = np.zeros((chain.first.size, chain.first.size))
    moves[chain.rows, chain.columns] = chain.chances
    fundamental = np.linalg.inv(np.eye(chain.first.size) - moves)
    visits, chances = chain.first @ fundamental, fundamental @ chain.sale
    lost = [
        float(np.linalg.solve(fundamental[np.ix_(ad, ad)].T, visits[ad]) @ chances[ad]) if ad.size else 0.0
        for ad in through
    ]
    return min(1.0, float(chain.first @ chances)), np.array(lost)


def _pushed(chain: _Chain, through: list[NDArray[np.intp]]) -> tuple[float, NDArray[np.float64]]:
    """Solve by the Neumann series, a matrix product a step, until what is still on its way is below rounding."""
    # Imported here because scipy takes a fifth of a second that most commands need not wait for.
    from scipy.sparse import csr_array

    states = chain.first.size
    onward = csr_array((chain.chances, (chain.columns, chain.rows)), shape=(states, states))
    everywhere = np.zeros(0, dtype=np.intp)
    converted = []
    for start in range(0, len(through) + 1, _ADS_AT_ONCE):
        removed = [everywhere, *through][start : start + _ADS_AT_ONCE]
        is_open = np.ones((states, len(removed)))
        for place, members in enumerate(removed):
            is_open[members, place] = 0.0
        crowd = chain.first[:, np.newaxis] * is_open
        arrived = np.zeros(len(removed))
        while crowd.sum(axis=0).max() > _ON_ITS_WAY:
            arrived += chain.sale @ crowd
            crowd = (onward @ crowd) * is_open
        converted.append(arrived)
    whole, *without = np.concatenate(converted)
    return min(1.0, float(whole)), np.maximum(0.0, whole - np.array(without))
