"""When somebody at the shop answers: office hours, a short Saturday, and nights that wait for the morning."""

from random import Random

from ctm_analytics.simulation.period import DAY, HOUR, MINUTE, Period

# Opening and closing hour by weekday, 0 = Monday; Sunday is closed.
OPENING_HOURS: dict[int, tuple[float, float]] = {
    **dict.fromkeys(range(5), (8.0, 18.0)),
    5: (9.0, 13.0),
}
SATURDAY = 5

_NEVER_ANSWERED_IN_HOURS = 0.05
_NEVER_ANSWERED_OUT_OF_HOURS = 0.13
_EVENING_SHIFT_SHARE = 0.3


def human_answer_at(random: Random, period: Period, asked_at: int) -> int | None:
    """Return when a person of the shop answers, or ``None`` when nobody ever does.

    Parameters
    ----------
    random : Random
    period : Period
    asked_at : int, microseconds since 1970 UTC
    """
    if _is_open(period, asked_at):
        if random.random() < _NEVER_ANSWERED_IN_HOURS:
            return None
        median = 55 * MINUTE if period.weekday(asked_at) == SATURDAY else 8 * MINUTE
        return asked_at + lognormal(random, median, 1.15, at_least=15 * 1_000_000)
    if random.random() < _NEVER_ANSWERED_OUT_OF_HOURS:
        return None
    if period.hour(asked_at) > 17 and random.random() < _EVENING_SHIFT_SHARE:
        return asked_at + lognormal(random, 50 * MINUTE, 0.9, at_least=MINUTE)
    return _next_opening(period, asked_at) + lognormal(random, 35 * MINUTE, 0.9, at_least=MINUTE)


def lognormal(random: Random, median: int, sigma: float, *, at_least: int = 0) -> int:
    """Draw a duration in microseconds with a median and the standard deviation of its logarithm."""
    return max(at_least, round(median * random.lognormvariate(0, sigma)))


def _is_open(period: Period, at: int) -> bool:
    opening, closing = OPENING_HOURS.get(period.weekday(at), (0.0, 0.0))
    return opening <= period.hour(at) < closing


def _next_opening(period: Period, at: int) -> int:
    midnight = at - (at - period.start) % DAY
    while True:
        weekday = period.weekday(midnight)
        if weekday in OPENING_HOURS:
            opening = midnight + round(OPENING_HOURS[weekday][0] * HOUR)
            if opening > at:
                return opening
        midnight += DAY
