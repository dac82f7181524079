"""From the conversations that Meta reports to those with a sale that was kept, every loss named."""

from typing import Any

import pyarrow as pa

STAGES = ("reported_conversations", "conversations", "engaged", "with_matched_sale", "with_kept_sale")
LOSSES = ("not_captured", "opened_silently", "without_sale", "sale_not_kept")
KEYS = {
    "ad": ("ad_id", "ad_name", "campaign_id", "campaign_name"),
    "campaign": ("campaign_id", "campaign_name"),
    "day": ("day",),
    "ad_day": ("day", "ad_id", "ad_name", "campaign_id", "campaign_name"),
    "total": (),
}
# How the stages stand beside each other: each with what is lost before the next.
VIEW = tuple(name for pair in zip(STAGES, (*LOSSES, "coverage"), strict=True) for name in pair)


def reconciled(days: pa.Table, by: str) -> pa.Table:
    """Add up the waterfall per ad, campaign, day, ad and day, or in all.

    Days of an ad for which Meta reports nothing are left out of ``not_captured`` and ``coverage``: there nothing can be
    missed.

    Parameters
    ----------
    days : Table of the mart ``reconciliation``
    by : str, a key of ``KEYS``

    Returns
    -------
    Table with the group's keys, ``STAGES`` and ``LOSSES`` (bigint; ``not_captured`` is negative where Meta reports
    fewer, null where it reports nothing) and ``coverage`` (double ``>= 0``, engaged / reported, or null)
    """
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for day in days.to_pylist():
        key = tuple(day[name] for name in KEYS[by])
        row = rows.setdefault(key, dict(zip(KEYS[by], key, strict=True)) | {"covered": 0})
        for name in (*STAGES, *LOSSES):
            if day[name] is not None:
                row[name] = row.get(name, 0) + day[name]
        if day["reported_conversations"] is not None:
            row["covered"] += day["engaged"]
    for row in rows.values():
        reported = row.get("reported_conversations")
        row["coverage"] = row["covered"] / reported if reported else None
    fields = [days.schema.field(name) for name in KEYS[by]]
    fields += [pa.field(name, pa.int64()) for name in (*STAGES, *LOSSES)]
    fields += [pa.field("coverage", pa.float64())]
    return pa.Table.from_pylist(list(rows.values()), schema=pa.schema(fields))
