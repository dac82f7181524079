"""Intervals and survival, each written again from its textbook formula."""

import math

from scipy import stats

Z = stats.norm.ppf(0.975)


def wilson(successes: int, trials: int) -> tuple[float | None, float | None]:
    """Solve (p - rate)^2 = z^2 p (1 - p) / n for p: the two ends of Wilson's interval."""
    if trials == 0:
        return None, None
    rate = successes / trials
    # p^2 (1 + z^2/n) - p (2 rate + z^2/n) + rate^2 = 0
    a, b, c = 1 + Z * Z / trials, -(2 * rate + Z * Z / trials), rate * rate
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def poisson(count: float) -> tuple[float, float]:
    """Return Garwood's exact interval for a count, by the gamma quantiles."""
    low = stats.gamma.ppf(0.025, count) if count > 0 else 0.0
    return float(low), float(stats.gamma.ppf(0.975, count + 1))


Steps = list[tuple[float, float, float, int]]  # seconds, share still waiting, Greenwood's sum, at risk


def kaplan_meier(waits: list[tuple[float, bool]]) -> Steps:
    """Multiply, at each answer, the share of those still waiting that went on waiting."""
    waiting, greenwood = 1.0, 0.0
    steps = []
    for seconds in sorted({waited for waited, answered in waits if answered}):
        at_risk = sum(waited >= seconds for waited, _ in waits)
        answers = sum(waited == seconds and answered for waited, answered in waits)
        waiting *= 1 - answers / at_risk
        greenwood += answers / (at_risk * (at_risk - answers)) if at_risk > answers else math.inf
        steps.append((seconds, waiting, greenwood, at_risk))
    return steps


def quantile(steps: Steps, probability: float) -> float | None:
    """Return the first instant at which at least that share has been answered."""
    for seconds, waiting, _, _ in steps:
        if waiting <= 1 - probability + 1e-12:
            return seconds
    return None


def share_answered(
    waits: list[tuple[float, bool]], seconds: float
) -> tuple[float | None, float | None, float | None]:
    """Return the share answered by an instant, with its log-log band; null where nobody was watched so long."""
    steps = kaplan_meier(waits)
    past = [step for step in steps if step[0] <= seconds]
    if all(waited < seconds for waited, _ in waits) and not (past and past[-1][1] < 1e-12):
        return None, None, None
    if not past:
        return 0.0, None, None
    _, waiting, greenwood, _ = past[-1]
    if waiting < 1e-12:
        return 1.0, None, None
    width = Z * math.sqrt(greenwood) / abs(math.log(waiting))
    return 1 - waiting, 1 - waiting ** math.exp(-width), 1 - waiting ** math.exp(width)


def restricted_mean(waits: list[tuple[float, bool]], limit: float) -> float | None:
    """Add up the area under the curve, up to the limit; null where nobody was watched so long."""
    steps = kaplan_meier(waits)
    if all(waited < limit for waited, _ in waits) and not (steps and steps[-1][1] < 1e-12):
        return None
    area, since, waiting = 0.0, 0.0, 1.0
    for seconds, after, _, _ in steps:
        if seconds < limit:
            area += (seconds - since) * waiting
            since, waiting = seconds, after
    return area + (limit - since) * waiting
