"""Simulated businesses whose truth is known: what the workbench says of them holds it, and the naive figures do not."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.recovery import Covered, coverage

BUSINESSES = 6


@pytest.fixture(scope="module")
def found() -> dict[str, list[Covered]]:
    return coverage(BUSINESSES, seed=1)


# docs/benchmarks.md has the same for 200 businesses, within 92 to 98 %.
@pytest.mark.parametrize(
    "figure",
    [
        "conversion rate of a ripe cohort",
        "matured conversion rate",
        "CAC of a ripe cohort",
        "matured CAC",
        "median first response",
    ],
)
def test_an_interval_holds_the_truth_as_often_as_it_says(
    found: dict[str, list[Covered]], figure: str
) -> None:
    held = [each.is_covered for each in found[figure]]
    # So few would be seen once in ten thousand times if each held it with a chance of 95 %.
    assert sum(held) >= stats.binom.ppf(1e-4, len(held), 0.95)


def test_intervals_are_no_wider_than_they_have_to_be(found: dict[str, list[Covered]]) -> None:
    held = [each.is_covered for of in found.values() for each in of]
    assert np.mean(held) < 0.99


def test_the_naive_figures_are_wrong_beyond_their_intervals(found: dict[str, list[Covered]]) -> None:
    naive = {figure: np.mean([each.is_covered_naively for each in of]) for figure, of in found.items()}
    off = {figure: np.median([each.naive_over_truth for each in of]) for figure, of in found.items()}
    assert naive["median first response"] < 0.1
    assert naive["matured CAC"] < 0.9
    assert off["median first response"] < 0.7
    assert off["matured conversion rate"] < 0.95
    assert off["matured CAC"] > 1.05
