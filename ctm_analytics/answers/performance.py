"""What each ad cost and brought, with intervals."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from ctm_analytics.columns import preset_names
from ctm_analytics.statistics.intervals import Interval, cac_interval, wilson_interval

KEYS = {
    "ad": ("ad_id", "ad_name", "adset_id", "adset_name", "campaign_id", "campaign_name"),
    "adset": ("adset_id", "adset_name", "campaign_id", "campaign_name"),
    "campaign": ("campaign_id", "campaign_name"),
    "platform": ("platform",),
    "day": ("day",),
    "week": ("week",),
    "total": (),
}

COLUMNS = (
    *("spend", "currency", "impressions", "link_clicks", "reported_conversations"),
    *("conversations", "opened_silently", "engaged", "answered"),
    *("conversions", "conversion_rate", "conversion_rate_low", "conversion_rate_high"),
    *("matured_conversion_rate", "immature"),
    *("sales", "new_customers", "revenue", "average_sale"),
    *("cost_per_conversation", "cost_per_sale", "cac", "cac_low", "cac_high"),
    *("cac_shrunk", "cac_shrunk_low", "cac_shrunk_high", "p_below_target", "verdict"),
    *("expected_new_customers", "matured_cac", "verdict_on", "roas"),
    *("median_first_response_seconds", "answered_within_24h", "coverage"),
)


def with_intervals(performance: pa.Table) -> pa.Table:
    """Add the Wilson interval of the conversion rate and the Poisson interval of CAC.

    Parameters
    ----------
    performance : Table of the mart ``ad_performance``

    Returns
    -------
    Table with ``conversion_rate_low``, ``conversion_rate_high``, ``cac_low``, ``cac_high``: double, null where
    there is nothing to bound; without customers ``cac_high`` is null and ``cac_low`` says "at least"
    """
    rates = _intervals(performance, ("conversions", "ad_engaged"), wilson_interval)
    costs = _intervals(performance, ("paid_spend", "paid_new_customers"), cac_interval)
    for name, intervals in (("conversion_rate", rates), ("cac", costs)):
        performance = _append(performance, f"{name}_low", [each and each.low for each in intervals])
        performance = _append(performance, f"{name}_high", [each and each.high for each in intervals])
    return performance


def arranged(performance: pa.Table, by: str) -> pa.Table:
    """Keep the columns of the contract, in its order."""
    return performance.select([*KEYS[by], *COLUMNS])


def view(by: str, preset: str = "sales") -> tuple[str, ...]:
    """Name the columns of a view: the group's names, then those of a preset of the catalogue.

    Parameters
    ----------
    by : str, a key of ``KEYS``
    preset : ``delivery``, ``messaging``, ``sales`` or ``all``
    """
    if preset == "all":
        return (*sorted(KEYS[by], key=lambda name: name.endswith("_id")), *COLUMNS)
    names = [name for name in KEYS[by] if not name.endswith("_id")][:1]
    return (*names, *preset_names(preset, COLUMNS))


def _intervals(
    table: pa.Table, columns: tuple[str, str], interval: Callable[[Any, Any], Interval | None]
) -> list[Interval | None]:
    pairs = zip(*(table.column(name).to_pylist() for name in columns), strict=True)
    return [None if first is None or second is None else interval(first, second) for first, second in pairs]


def _append(table: pa.Table, name: str, values: list[float | None]) -> pa.Table:
    return table.append_column(name, pa.array(values, pa.float64()))
