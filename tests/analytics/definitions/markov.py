"""What an ad's removal would cost: a Markov chain of order 1, read from the definition with fractions alone."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

START, SALE, NOTHING = "(start)", "(sale)", "(nothing)"

Journey = tuple[tuple[str, ...], bool]  # ads in their order, and whether a sale came of it


def removal_effects(journeys: Iterable[Journey]) -> dict[str, Fraction]:
    """Say of each ad what share of the sales would be lost if whoever reaches it bought nothing."""
    steps: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for ads, is_converted in journeys:
        way = [START, *ads, SALE if is_converted else NOTHING]
        for here, there in pairwise(way):
            steps[here][there] += 1
    ads = sorted(steps.keys() - {START})
    whole = _chance(steps, ads, removed=None)
    return {ad: 1 - _chance(steps, ads, removed=ad) / whole if whole else Fraction(0) for ad in ads}


def _chance(steps: dict[str, dict[str, int]], ads: list[str], removed: str | None) -> Fraction:
    """Solve chance(here) = sum over there of p(here → there) · chance(there), by elimination."""
    states = [START, *(ad for ad in ads if ad != removed)]
    rows = []
    for here in states:
        all_steps = sum(steps[here].values())
        shares = {there: Fraction(times, all_steps) for there, times in steps[here].items()}
        row = [Fraction(int(state == here)) - shares.get(state, Fraction(0)) for state in states]
        rows.append([*row, shares.get(SALE, Fraction(0))])
    for pivot in range(len(states)):
        chosen = next(number for number in range(pivot, len(states)) if rows[number][pivot])
        rows[pivot], rows[chosen] = rows[chosen], rows[pivot]
        rows[pivot] = [value / rows[pivot][pivot] for value in rows[pivot]]
        for number, row in enumerate(rows):
            if number != pivot and row[pivot]:
                rows[number] = [a - row[pivot] * b for a, b in zip(row, rows[pivot], strict=True)]
    return rows[0][-1]
