"""Do our intervals hold what is true? Seeded businesses whose truth is known, asked through the whole workbench.

Each business has four ads, clicks at random over three weeks, sales that take their time, and a desk that answers
slowly and sometimes never. Its events, sales and spend are written into a data folder, as the receiver and the
imports write them, and the workbench is asked as of the last midnight, when a third of the cohort is still young.

    python benchmarks/recovery.py [--businesses 200] [--seed 1]
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

ADS = ("ad-1", "ad-2", "ad-3", "ad-4")
START = datetime(2026, 11, 2)  # noqa: DTZ001 (on disk instants are naive UTC)
DAYS, WINDOW_DAYS = 21, 7
SPEND_PER_DAY = 40
# The last day whose cohort is ripe: everything of it is as old as the attribution window.
RIPE_DAYS = DAYS - WINDOW_DAYS
DAY = timedelta(days=1)

Row = dict[str, Any]


@dataclass(frozen=True)
class Truth:
    """What only the simulation knows of an ad; the lags and the desk are those of its business."""

    clicks_per_day: float
    buying_probability: float
    lag_median_days: float
    answering_share: float
    answer_median_hours: float

    @property
    def conversion_rate(self) -> float:
        """Chance that a conversation leads to a sale within the window."""
        in_time = stats.lognorm.cdf(WINDOW_DAYS, 1, scale=self.lag_median_days)
        return float(self.buying_probability * in_time)

    @property
    def cac(self) -> float:
        """Spend per customer that a ripe cohort brings on average."""
        return SPEND_PER_DAY / (self.clicks_per_day * self.conversion_rate)

    @property
    def median_response_seconds(self) -> float:
        """Time by which half of all who write have their answer, the never answered included."""
        return float(3600 * stats.lognorm.ppf(0.5 / self.answering_share, 1, scale=self.answer_median_hours))


class Covered(NamedTuple):
    """Whether an interval holds the truth, whether the naive one does, and the naive figure over the true one."""

    figure: str
    is_covered: bool
    is_covered_naively: bool
    naive_over_truth: float


def business(folder: Path, seed: int) -> tuple[Any, dict[str, Truth]]:
    """Play a business and open the workbench over it."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from worlds import World

    dice = np.random.default_rng(seed)
    lag_median_days, answering_share = dice.uniform(2, 5), dice.uniform(0.7, 0.95)
    answer_median_hours = dice.uniform(4, 30)
    world = World(folder)
    truths = {}
    for ad in ADS:
        truth = truths[ad] = Truth(
            dice.uniform(15, 30),
            dice.uniform(0.1, 0.3),
            lag_median_days,
            answering_share,
            answer_median_hours,
        )
        for day in range(DAYS):
            world.spend((START + day * DAY).date(), ad, str(SPEND_PER_DAY))
        for number in range(dice.poisson(truth.clicks_per_day * DAYS)):
            _visit(world, dice, truth, ad, f"{ad}-{number}")
    return world.open(as_of=(START + DAYS * DAY).replace(tzinfo=UTC)), truths


def _visit(world: Any, dice: np.random.Generator, truth: Truth, ad: str, person: str) -> None:
    end = START + DAYS * DAY
    at = START + dice.uniform(0, DAYS) * DAY
    world.event(person, at, ad_id=ad, referral_source="ADS")
    answer_at = at + timedelta(hours=truth.answer_median_hours * dice.lognormal())
    if dice.random() < truth.answering_share and answer_at < end:
        world.echo(person, answer_at)
    sold_at = at + truth.lag_median_days * dice.lognormal() * DAY
    if dice.random() < truth.buying_probability and sold_at < end:
        world.sale(f"sale-{person}", sold_at, "90.00", contact_id=person)


def asked(workbench: Any, truths: dict[str, Truth]) -> Iterator[Covered]:
    """Ask for every figure of every ad, and hold it against the truth."""
    ripe = _by_ad(workbench.ads(until=(START + (RIPE_DAYS - 1) * DAY).date()))
    whole, foreseen, waits = (
        _by_ad(answer) for answer in (workbench.ads(), workbench.outlook(), workbench.latency(by="ad"))
    )
    answered = _answered_alone(workbench)
    ripened = {
        row["ad_id"]: row
        for row in workbench.cohorts(by="ad").table.to_pylist()
        if row["age_days"] == WINDOW_DAYS
    }
    for ad, truth in truths.items():
        rate, cac, median = truth.conversion_rate, truth.cac, truth.median_response_seconds
        now = whole[ad]
        naive_rate = _holds(now, "conversion_rate", rate), now["conversion_rate"] / rate
        naive_cac = _holds(now, "cac", cac), (now["cac"] or math.nan) / cac
        yield Covered(
            "conversion rate of a ripe cohort", _holds(ripe[ad], "conversion_rate", rate), *naive_rate
        )
        yield Covered("matured conversion rate", _holds(ripened[ad], "bought_share", rate), *naive_rate)
        yield Covered("CAC of a ripe cohort", _holds(ripe[ad], "cac", cac), *naive_cac)
        yield Covered("matured CAC", _holds(foreseen[ad], "matured_cac", cac), *naive_cac)
        seconds = "median_first_response_seconds"
        yield Covered(
            "median first response",
            _holds(waits[ad], seconds, median),
            _alone_hold(answered[ad], median),
            waits[ad][f"naive_{seconds}"] / median,
        )


def _answered_alone(workbench: Any) -> dict[str, list[float]]:
    """List the response times of those who have been answered, ad by ad, shortest first."""
    alone: dict[str, list[float]] = {ad: [] for ad in ADS}
    for row in workbench.conversations().table.select(["ad_id", "first_response_seconds"]).to_pylist():
        if row["first_response_seconds"] is not None and row["ad_id"] is not None:
            alone[row["ad_id"]].append(row["first_response_seconds"])
    return {ad: sorted(seconds) for ad, seconds in alone.items()}


def _alone_hold(answered: list[float], median: float) -> bool:
    """Bound the median by order statistics of the answered, as if nobody else had written."""
    low, high = stats.binom.interval(0.95, len(answered), 0.5)
    return answered[int(low) - 1] <= median <= answered[int(high)]


def _by_ad(answer: Any) -> dict[str, Row]:
    return {row["ad_id"]: row for row in answer.table.to_pylist()}


def _holds(row: Row, figure: str, truth: float) -> bool:
    low, high = row[f"{figure}_low"], row[f"{figure}_high"]
    return (low is None or low <= truth) and (high is None or truth <= high)


def coverage(businesses: int, seed: int) -> dict[str, list[Covered]]:
    """Play businesses with seeds of their own; every figure with what became of it, ad by ad."""
    found: dict[str, list[Covered]] = {}
    for number in range(businesses):
        with tempfile.TemporaryDirectory() as folder:
            for each in asked(*business(Path(folder), seed * 100_000 + number)):
                found.setdefault(each.figure, []).append(each)
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {businesses}", end="", file=sys.stderr)
    return found


def shown(found: dict[str, list[Covered]]) -> str:
    lines = ["| figure | 95 % intervals that hold the truth | naive ones that do | naive figure / truth |"]
    lines.append("|---|---|---|---|")
    for figure, each in found.items():
        naive = np.nanmedian([one.naive_over_truth for one in each])
        held, naively = (
            100 * np.mean([getattr(one, name) for one in each])
            for name in ("is_covered", "is_covered_naively")
        )
        lines.append(f"| {figure} | {held:.1f} % | {naively:.1f} % | {naive:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--businesses", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    print(shown(coverage(chosen.businesses, chosen.seed)))
