"""Spend: one row per day and ad."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.currencies import written
from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports.faults import Fault, Findings, plural
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.presets import Preset
from ctm_analytics.imports.rows import require, without_faulty
from ctm_analytics.imports.spreading import spread_evenly

TYPES = {
    "day": "day",
    "period_start": "day",
    "period_end": "day",
    "ad_id": "id",
    "spend": "amount",
    "currency": "currency",
    "ad_name": "name",
    "adset_id": "id",
    "adset_name": "name",
    "campaign_id": "id",
    "campaign_name": "name",
    "impressions": "count",
    "link_clicks": "count",
    "reported_conversations": "count",
    "results": "tally",
    "result_type": "name",
}
_KEY = ["day", "ad_id"]
_NAMES = ["ad_name", "adset_id", "adset_name", "campaign_id", "campaign_name"]
_NUMBERS = ["spend", "impressions", "link_clicks", "reported_conversations"]


def arrange(rows: pa.Table, layout: Layout, findings: Findings, *, is_spread: bool = False) -> pa.Table:
    """Bring typed rows to one row per day and ad.

    Rows of one day and ad are parts of it (result types, breakdowns) and are added up. Rows over several days are
    refused, or spread over them.

    Raises
    ------
    InvalidFile
        If rows cover several days and are not to be spread.
    """
    if "conversations" in layout.preset.rules:
        rows = _with_conversations(rows, layout.preset)
    rows = _without_totals(rows, layout, findings)
    rows = _with_days(rows, layout, findings, is_spread=is_spread)
    if layout.preset.rules.get("ads_without_delivery"):
        rows = _without_idle_ads(rows, findings)
    rows = require(rows, ["day", "ad_id", "spend", "currency"], layout, findings)
    if len(rows.group_by(_KEY).aggregate([])) < len(rows):
        _name_repeats(rows, layout, findings)
        _name_mixed_currencies(rows, layout, findings)
        rows = _added_up(without_faulty(rows, findings), findings)
    return rows


def _with_conversations(rows: pa.Table, preset: Preset) -> pa.Table:
    """Take the results that are conversations for what Meta reported, where it has no column of its own."""
    names = [
        *preset.rules["conversations"]["result_types"],
        *preset.fields["reported_conversations"].spellings,
    ]
    types = pa.array([name.lower() for name in names], pa.string())
    are_conversations = pc.is_in(pc.utf8_lower(rows["result_type"]), value_set=types)
    conversations = pc.if_else(are_conversations, rows["results"], None)
    reported = pc.coalesce(rows["reported_conversations"], conversations)
    return rows.set_column(
        rows.column_names.index("reported_conversations"), "reported_conversations", reported
    )


def _without_totals(rows: pa.Table, layout: Layout, findings: Findings) -> pa.Table:
    if "totals" not in layout.preset.rules:
        return rows
    names = [name for name in ["ad_id", *_NAMES] if name in layout.columns]
    is_nameless = _is_nameless(rows, names, layout)
    nameless, spends = rows.filter(is_nameless).to_pylist(), rows["spend"].filter(pc.invert(is_nameless))
    if not nameless:
        return rows
    added_up = pc.sum(spends).as_py() or Decimal("0.00")
    totals = [row for row in nameless if any(row[name] for name in names)]
    empty = [row for row in nameless if row not in totals and not any(row[name] for name in _NUMBERS)]
    others = [row for row in nameless if row not in totals and row not in empty]
    ends = (rows["source_line"][0].as_py(), rows["source_line"][-1].as_py()) if len(rows) else ()
    if len(others) == 1 and others[0]["source_line"] in ends:
        # Where the file has no names, their absence says nothing: then only the sum shows what the row is.
        totals += [row for row in others if len(names) > 1 or row["spend"] == added_up]
    findings.leave_out(
        len(empty), "row without an ad and without numbers", "rows without an ad and without numbers"
    )
    for row in totals:
        _leave_out_total(row, added_up, Decimal("0.01") * max(1, len(spends)), findings)
    left_out = pa.array([row["source_line"] for row in [*totals, *empty]], pa.int64())
    return rows.filter(pc.invert(pc.is_in(rows["source_line"], value_set=left_out)))


def _is_nameless(rows: pa.Table, names: list[str], layout: Layout) -> pa.ChunkedArray:
    """Find the rows that name nothing, or only that they are a total."""
    languages = layout.preset.rules["totals"]["labels"].values()
    labels = pa.array([label.lower() for language in languages for label in language])
    return _all(
        [
            pc.or_(pc.is_null(rows[name]), pc.is_in(pc.utf8_lower(rows[name]), value_set=labels))
            for name in names
        ]
    )


def _leave_out_total(row: dict[str, Any], added_up: Decimal, tolerance: Decimal, findings: Findings) -> None:
    line, said, currency = row["source_line"], row["spend"], row["currency"] or ""
    findings.leave_out(1, f"totals row (line {line})", "")
    # Each row is rounded to the cent, the total by itself.
    if said is not None and abs(said - added_up) > tolerance:
        findings.notes.append(
            f"the totals row (line {line}) says {written(said, currency)},"
            f" the rows add up to {written(added_up, currency)}: is the export complete?"
        )


def _with_days(rows: pa.Table, layout: Layout, findings: Findings, *, is_spread: bool) -> pa.Table:
    exact = rows.append_column("is_estimated", pa.repeat(pa.scalar(False), len(rows)))
    if "day" in layout.columns:
        return exact
    long = rows.filter(pc.not_equal(rows["period_start"], rows["period_end"]))
    if len(long) and is_spread:
        rows = require(rows, ["period_start", "period_end", "ad_id", "currency"], layout, findings)
        return spread_evenly(rows, layout, findings)
    if len(long):
        first = long.slice(0, 1).to_pylist()[0]
        raise InvalidFile(
            f"{findings.file}: {plural(len(long), 'row covers', 'rows cover')} several days"
            f" (line {first['source_line']}: {first['period_start']} to {first['period_end']}),"
            " and spend is kept by day."
            f" {layout.preset.fields['day'].missing} Or give each day the same share: --spread-evenly"
            " (marked as estimated)."
        )
    return exact.set_column(exact.column_names.index("day"), "day", exact["period_start"])


def _without_idle_ads(rows: pa.Table, findings: Findings) -> pa.Table:
    is_idle = pc.and_(pc.is_valid(rows["ad_id"]), _all([pc.is_null(rows[name]) for name in _NUMBERS]))
    findings.leave_out(
        pc.sum(is_idle).as_py() or 0, "row of an ad without any number", "rows of ads without any number"
    )
    return rows.filter(pc.invert(is_idle)) if pc.any(is_idle).as_py() else rows


def _name_repeats(rows: pa.Table, layout: Layout, findings: Findings) -> None:
    """Name rows equal in every column: the same export pasted twice, not two parts of one day."""
    first_lines: dict[tuple[object, ...], int] = {}
    counted = rows.group_by([*_KEY, "row_hash"]).aggregate([("source_line", "count")])
    suspects = set(counted.filter(pc.greater(counted["source_line_count"], 1))["row_hash"].to_pylist())
    for row in _suspected(rows, "row_hash", suspects):
        key = (row["day"], row["ad_id"], row["row_hash"])
        first = first_lines.setdefault(key, row["source_line"])
        if first != row["source_line"]:
            reason = f"the same row as line {first}"
            findings.faults.append(Fault(row["source_line"], layout.header_of("ad_id"), row["ad_id"], reason))


def _name_mixed_currencies(rows: pa.Table, layout: Layout, findings: Findings) -> None:
    counted = rows.group_by(_KEY).aggregate([("currency", "count_distinct")])
    suspects = set(counted.filter(pc.greater(counted["currency_count_distinct"], 1))["ad_id"].to_pylist())
    seen: dict[tuple[object, object], tuple[str, int]] = {}
    for row in _suspected(rows, "ad_id", suspects):
        currency, line = seen.setdefault((row["day"], row["ad_id"]), (row["currency"], row["source_line"]))
        if currency != row["currency"]:
            reason = f"line {line} has {currency} for the same day and ad"
            findings.faults.append(
                Fault(row["source_line"], layout.header_of("currency"), row["currency"], reason)
            )


def _suspected(rows: pa.Table, name: str, values: set[Any]) -> list[dict[str, Any]]:
    suspects = pa.array(list(values), rows.schema.field(name).type)
    return rows.filter(pc.is_in(rows[name], value_set=suspects)).to_pylist() if values else []


def _added_up(rows: pa.Table, findings: Findings) -> pa.Table:
    first = [*_NAMES, "currency"]
    grouped = rows.group_by(_KEY, use_threads=False).aggregate(
        [(name, "sum") for name in _NUMBERS]
        + [(name, "first") for name in first]
        + [("source_line", "min"), ("is_estimated", "any")]
    )
    grouped = grouped.rename_columns(
        [column.rpartition("_")[0] if column not in _KEY else column for column in grouped.column_names]
    )
    parts = len(rows) - len(grouped)
    findings.leave_out(
        parts,
        "row added to another of the same day and ad (result types or breakdowns)",
        "rows added to others of the same day and ad (result types or breakdowns)",
    )
    return grouped


def _all(masks: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    result = masks[0]
    for mask in masks[1:]:
        result = pc.and_(result, mask)
    return result
