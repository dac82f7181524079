"""Which days of receipt a statement asks for, by the engine's own plan of it: the files of other days stay closed."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

_INSTANT = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)?"
_COMPARISON = re.compile(rf"\(received_at (>=|<=|>|<|=) '({_INSTANT})'::TIMESTAMP\)")
_DAY = re.compile(r"day=(\d{4}-\d{2}-\d{2})")


class Days(NamedTuple):
    """Days of receipt, UTC, both included."""

    first: date
    last: date

    def may_hold(self, file: Path) -> bool:
        """Whether a file may hold an event of these days: only a settled file has a day in its folder's name."""
        day = _DAY.fullmatch(file.parent.name)
        return day is None or self.first <= date.fromisoformat(day[1]) <= self.last


def asked_days(plan: str) -> Days:
    """Find the days outside which no scan of a plan wants a row.

    Parameters
    ----------
    plan : str, what ``explain (format json)`` says

    Returns
    -------
    Days
        All that there are where some scan is not bound to a range of ``received_at`` that can be read from the plan.
    """
    found = [_days_of(scan) for scan in _scans(json.loads(plan))]
    return Days(min(days.first for days in found), max(days.last for days in found)) if found else _ALL


_ALL = Days(date.min, date.max)


def _scans(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if node["extra_info"].get("Function") == "READ_PARQUET":
            yield node
        yield from _scans(node["children"])


def _days_of(scan: dict[str, Any]) -> Days:
    filters = scan["extra_info"].get("Filters", [])
    first, last = _ALL
    for condition in [filters] if isinstance(filters, str) else filters:
        for sign, written in _ranges(condition):
            instant = datetime.fromisoformat(written)
            if sign in (">", ">=", "="):
                first = instant.date()
            if sign in ("<", "<=", "="):
                # Before midnight is the day before.
                is_before = sign == "<" and instant.date() > date.min
                last = (instant - timedelta(microseconds=is_before)).date()
    return Days(first, last)


def _ranges(condition: str) -> list[tuple[str, str]]:
    """Read comparisons that must all hold; a condition of any other shape says nothing."""
    comparisons = _COMPARISON.findall(condition)
    written = " AND ".join(f"(received_at {sign} '{instant}'::TIMESTAMP)" for sign, instant in comparisons)
    return comparisons if condition in (written, f"({written})") else []
