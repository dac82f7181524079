"""Spend over a period, as an estimate by day."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.currencies import smallest_unit
from ctm_analytics.imports.faults import Fault, Findings
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.rows import without_faulty

_COUNTS = ["impressions", "link_clicks", "reported_conversations"]


def spread_evenly(rows: pa.Table, layout: Layout, findings: Findings) -> pa.Table:
    """Give every day of a row's period the same share of its numbers, to the cent.

    What does not divide goes to the first days, a cent each, so that the days add up to what the file says. Rows
    of one ad whose periods overlap without being equal would count days twice: they are named.

    Parameters
    ----------
    rows : pa.Table with ``period_start``, ``period_end`` and the fields of spend
    layout : Layout
    findings : Findings, takes the faults

    Returns
    -------
    pa.Table
        One row per day of each period, with ``day``, and ``is_estimated`` where the period was longer than a day.
    """
    _name_overlaps(rows, layout, findings)
    rows = without_faulty(rows, findings)
    is_long = pc.not_equal(rows["period_start"], rows["period_end"])
    days = [part for row in rows.filter(is_long).to_pylist() for part in _days(row)]
    short = rows.filter(pc.invert(is_long))
    short = short.set_column(short.column_names.index("day"), "day", short["period_start"])
    estimated = pa.Table.from_pylist(days, rows.schema)
    flags = pa.chunked_array([pa.repeat(pa.scalar(False), len(short)), pa.repeat(pa.scalar(True), len(days))])
    return pa.concat_tables([short, estimated]).append_column("is_estimated", flags)


def _name_overlaps(rows: pa.Table, layout: Layout, findings: Findings) -> None:
    columns = ["ad_id", "period_start", "period_end"]
    periods = rows.group_by(columns).aggregate([("source_line", "min")]).to_pylist()
    latest: dict[str, dict[str, Any]] = {}
    for period in sorted(periods, key=lambda period: [str(period[name]) for name in columns]):
        line, start, end = period["source_line_min"], period["period_start"], period["period_end"]
        earlier = latest.get(period["ad_id"])
        if start > end:
            reason = f"before the period begins, {start}"
            findings.faults.append(Fault(line, layout.header_of("period_end"), str(end), reason))
            continue
        if earlier and start <= earlier["period_end"]:
            reason = (
                f"overlaps {earlier['period_start']} to {earlier['period_end']} of the same ad,"
                f" line {earlier['source_line_min']}"
            )
            findings.faults.append(Fault(line, layout.header_of("period_start"), str(start), reason))
        if not earlier or end > earlier["period_end"]:
            latest[period["ad_id"]] = period


def _days(row: dict[str, Any]) -> list[dict[str, Any]]:
    first: date = row["period_start"]
    count = (row["period_end"] - first).days + 1
    shares = {"spend": _shares(row["spend"], count, smallest_unit(row["currency"]))}
    shares |= {name: _shares(row[name], count, 1) for name in _COUNTS}
    return [
        row | {"day": first + timedelta(days=place)} | {name: parts[place] for name, parts in shares.items()}
        for place in range(count)
    ]


def _shares(total: Any, count: int, smallest: Any) -> list[Any]:
    if total is None:
        return [None] * count
    units = int(total / smallest)
    return [(units // count + (place < units % count)) * smallest for place in range(count)]
