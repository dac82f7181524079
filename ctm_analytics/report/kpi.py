"""A tile with one number: its interval, its change against the period before, and whether that is good."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.formats import NOT_KNOWN, count, duration, floats, money, number_or_none, percent
from ctm_analytics.settings import did_you_mean

UNITS = ("count", "money", "percent", "seconds", "ratio")
_LINE_WIDTH, _LINE_HEIGHT = 120.0, 28.0


@dataclass(frozen=True)
class Tile:
    """What the template draws of one number.

    Attributes
    ----------
    change : str, e.g. ``"▼ 4 %"``; empty where there is nothing to compare with
    verdict : str, ``"better"``, ``"worse"``; ``"within chance"`` where the value before lies in the interval; empty
        where neither direction is good; ``"may still improve"`` for a worse value that is not ripe yet
    line : str, points of a small line through ``trend``, in an SVG of 120 by 28; empty without one
    """

    label: str
    value: str
    interval: str
    change: str
    verdict: str
    note: str
    line: str


def tile(
    label: str,
    value: Any,
    previous: Any = None,
    *,
    unit: str = "count",
    down_is_good: bool | None = False,
    interval: tuple[Any, Any] | None = None,
    is_ripening: bool = False,
    note: str = "",
    trend: Iterable[Any] = (),
    currency: str | None = None,
) -> Tile:
    """Write one number as a tile.

    Parameters
    ----------
    value, previous : number or missing; of the period, and of the equal period before
    unit : str, one of ``UNITS``
    down_is_good : bool or None; ``None`` where neither direction is good or bad, such as spend
    interval : pair of numbers or None, the 95 % interval; a missing end is left open
    is_ripening : bool, whether sales are still to come: then the value can only get better

    Raises
    ------
    InvalidArgument
        If the unit does not exist.
    """
    if unit not in UNITS:
        suggestion = did_you_mean(unit, UNITS)
        raise InvalidArgument(f"unit: {unit!r} is not a unit.{suggestion} Use one of {', '.join(UNITS)}.")
    change, is_up = _change(number_or_none(value), number_or_none(previous), unit)
    verdict = ""
    if change and is_up is not None and _within(previous, interval):
        verdict = "within chance"
    elif change and is_up is not None and down_is_good is not None:
        verdict = "better" if is_up is not down_is_good else "worse"
    if is_ripening and verdict == "worse":
        verdict = "may still improve"
    return Tile(
        label=label,
        value=_write(value, unit, currency),
        interval=_interval(interval, unit, currency),
        change=change,
        verdict=verdict,
        note=note,
        line=_line(trend),
    )


def _write(value: Any, unit: str, currency: str | None, decimals: int | None = None) -> str:
    if unit == "money":
        return money(value, currency, decimals)
    if unit == "percent":
        return percent(value, decimals)
    if unit == "seconds":
        return duration(value)
    if unit == "ratio":
        return NOT_KNOWN if number_or_none(value) is None else f"{count(value, 2)}×"
    return count(value)


def _interval(interval: tuple[Any, Any] | None, unit: str, currency: str | None) -> str:
    """Write both ends alike: with a decimal where the lower one is small."""
    if interval is None or (low := number_or_none(interval[0])) is None:
        return ""
    decimals = {"percent": int(low < 0.1), "money": 0 if low >= 20 else 2}.get(unit)
    lowest, highest = (_write(end, unit, currency, decimals) for end in interval)
    return f"95 %: at least {lowest}" if highest == NOT_KNOWN else f"95 %: {lowest} – {highest}"


def _change(now: float | None, before: float | None, unit: str) -> tuple[str, bool | None]:
    """Write the change and whether it is up; nothing where the period before has no data."""
    if now is None or before is None or (before == 0 and unit != "percent"):
        return "", None
    difference = now - before if unit == "percent" else now / before - 1
    points = abs(difference) * 100
    if round(points, 1) == 0:
        return "no change", None
    size = f"{points:.1f}".removesuffix(".0") if points < 10 else f"{points:,.0f}"
    word = ("point" if size == "1" else "points") if unit == "percent" else "%"
    written = f"{size}\xa0{word}"
    return f"{'▲' if difference > 0 else '▼'}\xa0{written}", difference > 0


def _within(previous: Any, interval: tuple[Any, Any] | None) -> bool:
    """Tell whether the interval holds the value before: then the change may be chance alone."""
    if interval is None:
        return False
    before, low, high = (number_or_none(value) for value in (previous, *interval))
    return before is not None and low is not None and low <= before <= (math.inf if high is None else high)


def _line(trend: Iterable[Any]) -> str:
    heights = floats(trend)
    known = heights[heights == heights]
    if len(known) < 2 or len(known) < len(heights):
        return ""
    low, high = float(min(known.min(), 0)), float(known.max())
    span = (high - low) or 1.0
    step = _LINE_WIDTH / (len(known) - 1)
    return " ".join(
        f"{place * step:.1f},{_LINE_HEIGHT - 2 - (height - low) / span * (_LINE_HEIGHT - 4):.1f}"
        for place, height in enumerate(known)
    )
