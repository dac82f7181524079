"""Two ads: which costs less per customer, how sure that is, and what it still takes to tell."""

from typing import Any

import pyarrow as pa

from ctm_analytics.statistics.comparison import AdResult, compare_cac, still_needed
from ctm_analytics.statistics.intervals import cac_interval

_SIDES = ("", "other_")
_MEASURES = ("spend", "new_customers", "cac", "cac_low", "cac_high")
SCHEMA = pa.schema(
    [
        *((f"{side}{name}", pa.string()) for side in _SIDES for name in ("ad_id", "ad_name")),
        *((f"{side}{name}", pa.float64()) for side in _SIDES for name in _MEASURES),
        *((name, pa.float64()) for name in ("cac_ratio", "cac_ratio_low", "cac_ratio_high", "p_value")),
        *((name, pa.float64()) for name in ("days_still_needed", "spend_still_needed")),
    ]
)
VIEW = tuple(name for name in SCHEMA.names if not name.endswith(("ad_id", "_low", "_high")))


def compared(first: dict[str, Any], second: dict[str, Any]) -> pa.Table:
    """Compare two ads' CACs, and foresee when they can be told apart.

    Parameters
    ----------
    first, second : dict with ``ad_id``, ``ad_name``, ``spend``, ``new_customers``, ``cac`` and ``days`` (of spend)

    Returns
    -------
    Table of ``SCHEMA``, one row; null where nothing can be compared, or where no money would tell
    """
    mine, other = (
        AdResult(ad["spend"], ad["new_customers"], ad["spend"] / ad["days"] if ad["days"] else 0.0)
        for ad in (first, second)
    )
    row: dict[str, Any] = {}
    for side, ad in zip(_SIDES, (first, second), strict=True):
        row |= {f"{side}{name}": value for name, value in ad.items() if name != "days"}
        if ad["spend"] > 0:
            interval = cac_interval(ad["spend"], ad["new_customers"])
            row |= {f"{side}cac_low": interval.low, f"{side}cac_high": interval.high}
    found, needed = compare_cac(mine, other), still_needed(mine, other)
    if found is not None:
        row |= {"cac_ratio": found.ratio, "cac_ratio_low": found.low, "cac_ratio_high": found.high}
        row["p_value"] = found.p_value
    if needed is not None:
        row |= {"days_still_needed": needed.days, "spend_still_needed": needed.spend}
    return pa.Table.from_pylist([row], schema=SCHEMA)


def sentence(row: dict[str, Any]) -> str:
    """Say what the comparison comes to."""
    names = [row[f"{side}ad_name"] or row[f"{side}ad_id"] for side in _SIDES]
    if row["p_value"] is None:
        return (
            f"{names[0]} and {names[1]} cannot be compared: one has spent nothing, or neither has a customer"
        )
    if row["p_value"] < 0.05:
        # Without a customer on one side there is no ratio, but it is plain which side that is.
        is_first_cheaper = (row["cac"] or float("inf")) < (row["other_cac"] or float("inf"))
        cheaper, dearer = names if is_first_cheaper else names[::-1]
        return f"a customer of {cheaper} costs less than one of {dearer}"
    if row["days_still_needed"] is None:
        return f"{names[0]} and {names[1]} cannot be told apart, and no further money would tell them"
    return (
        f"{names[0]} and {names[1]} cannot be told apart yet: if the difference is as large as it looks,"
        f" about {row['days_still_needed']:,.0f} days more would tell"
    )
