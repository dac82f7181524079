"""From click to customer: every stage with what is lost before it."""

from itertools import pairwise
from typing import Any

import pyarrow as pa

# Each stage: its column, its words, and what those who do not reach it are.
STAGES = (
    ("link_clicks", "Link clicks", ""),
    ("reported_conversations", "Conversations reported by Meta", "clicked, but started no conversation"),
    ("conversations", "Conversations captured", "reported, but not captured"),
    ("engaged", "Engaged", "opened silently: nothing was written"),
    ("answered", "Answered", "never answered"),
    ("conversions", "Bought", "no sale in the attribution window"),
)

SCHEMA = pa.schema(
    [
        ("stage", pa.string()),
        ("count", pa.int64()),
        ("lost", pa.int64()),
        ("loss", pa.string()),
        ("share_of_previous", pa.float64()),
        ("share_of_first", pa.float64()),
        ("cost_each", pa.float64()),
    ]
)


def stages(totals: dict[str, Any]) -> pa.Table:
    """Lay out the funnel's one row as one row per stage.

    Parameters
    ----------
    totals : the mart ``funnel``'s row; a stage that no file reports is null and is left out

    Returns
    -------
    Table: ``stage``, ``count``, ``lost`` since the stage before (negative where the two count by different rules),
    ``loss`` in words, ``share_of_previous``, ``share_of_first`` in [0, …), ``cost_each`` in the reporting currency
    """
    known = [(column, words, loss) for column, words, loss in STAGES if totals[column] is not None]
    rows = [_row(totals, known[0], None, known[0])] if known else []
    rows += [_row(totals, stage, previous, known[0]) for previous, stage in pairwise(known)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(
    totals: dict[str, Any],
    stage: tuple[str, str, str],
    previous: tuple[str, str, str] | None,
    first: tuple[str, str, str],
) -> dict[str, Any]:
    count = totals[stage[0]] or 0
    before = totals[previous[0]] or 0 if previous else None
    from_first = totals[first[0]] or 0
    spend = totals["paid_spend"]
    return {
        "stage": stage[1],
        "count": count,
        "lost": None if before is None else before - count,
        "loss": _loss(stage[2], before, count),
        "share_of_previous": count / before if before else None,
        "share_of_first": count / from_first if from_first else None,
        "cost_each": spend / count if spend is not None and count else None,
    }


def _loss(words: str, before: int | None, count: int) -> str | None:
    if before is None:
        return None
    return words if count <= before else "more than before: the two count by different rules"
