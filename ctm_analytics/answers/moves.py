"""What the verdicts come to in money: from ads to cut to ads to scale, and what that may bring."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pyarrow as pa

from ctm_analytics.currencies import smallest_unit
from ctm_analytics.statistics.intervals import Interval, sum_interval

# An ad takes at most as much again as it spends: how it does beyond that, nobody has seen.
MOST_TIMES = 2
COLUMNS = ("suggested_spend", "expected_effect", "expected_effect_low", "expected_effect_high")


def with_moves(outlook: pa.Table) -> pa.Table:
    """Suggest each ad's spend for a period as long as the one that is asked about.

    The spend of ads to ``cut`` goes to those to ``scale``, in proportion to what they spend, and at most doubles them;
    what they cannot take stays unspent. Ads to ``watch``, and those for which it is ``too_early``, keep theirs.

    Parameters
    ----------
    outlook : Table with ``spend`` (decimal), ``currency``, ``verdict``, ``cac_shrunk`` and its 90 % interval

    Returns
    -------
    Table with ``suggested_spend`` (as ``spend``) and ``expected_effect``: the new customers that the change would
    bring, or cost, if the ad's CAC stayed as it is: change / cac_shrunk, with its 90 % interval (double). Null without
    a verdict.
    """
    rows = outlook.to_pylist()
    suggested = _suggested(rows)
    changes = [
        None if wanted is None else float(wanted - row["spend"])
        for row, wanted in zip(rows, suggested, strict=True)
    ]
    effects = [_effect(row, change) for row, change in zip(rows, changes, strict=True)]
    columns: list[tuple[str, Any, pa.DataType]] = [
        ("suggested_spend", suggested, outlook.schema.field("spend").type),
        *(
            (name, [effect and effect[place] for effect in effects], pa.float64())
            for place, name in enumerate(COLUMNS[1:])
        ),
    ]
    for name, values, kind in columns:
        outlook = outlook.append_column(name, pa.array(values, kind))
    return outlook


def total_effect(moved: pa.Table) -> tuple[float, float, float] | None:
    """Add up what all moves together would bring; ``None`` where none is suggested.

    Returns
    -------
    tuple of float
        New customers, and the ends of their 90 % interval.
    """
    names = COLUMNS[1:]
    effects = [tuple(row[name] for name in names) for row in moved.select(names).to_pylist()]
    known = [effect for effect in effects if effect[0]]
    if not known:
        return None
    low, high = sum_interval([effect[0] for effect in known], [Interval(*effect[1:]) for effect in known])
    assert high is not None  # every part is bounded
    return sum(effect[0] for effect in known), low, high


def _suggested(rows: Sequence[dict[str, Any]]) -> list[Decimal | None]:
    judged = [row for row in rows if row["verdict"] is not None and row["spend"] is not None]
    freed = sum((row["spend"] for row in judged if row["verdict"] == "cut"), Decimal(0))
    scaled = sum((row["spend"] for row in judged if row["verdict"] == "scale"), Decimal(0))
    taken = min(freed, scaled * (MOST_TIMES - 1))

    def wanted(row: dict[str, Any]) -> Decimal | None:
        if row["verdict"] is None or row["spend"] is None:
            return None
        if row["verdict"] == "cut":
            return Decimal(0)
        if row["verdict"] != "scale":
            return Decimal(row["spend"])
        more = taken * row["spend"] / scaled
        return Decimal(row["spend"] + more.quantize(smallest_unit(row["currency"]), ROUND_DOWN))

    return [wanted(row) for row in rows]


def _effect(row: dict[str, Any], change: float | None) -> tuple[float, float, float] | None:
    """Divide a change of spend by CAC; more of a CAC is fewer customers, so that its ends change places."""
    if change is None or not row["cac_shrunk"]:
        return None
    ends = [change / cost if cost else 0.0 for cost in (row["cac_shrunk_low"], row["cac_shrunk_high"])]
    return change / row["cac_shrunk"], min(ends), max(ends)
