"""Spend: one row per day and ad."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports.faults import Fault, Findings, plural
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.presets import Preset
from ctm_analytics.imports.rows import require, without_faulty
from ctm_analytics.imports.spreading import spread_evenly
from ctm_analytics.imports.totals import NAMES, NUMBERS, Totals, all_of

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


class SpendArrangement:
    """Brings typed rows to one row per day and ad, part after part; the rows of an ad are in one part.

    Rows of one day and ad are parts of it (result types, breakdowns) and are added up. Rows over several days are
    refused, or spread over them.

    Parameters
    ----------
    layout : Layout
    findings : Findings, takes the faults and what is left out
    is_spread : bool, rows over several days are spread over them
    """

    def __init__(self, layout: Layout, findings: Findings, *, is_spread: bool = False) -> None:
        self._layout = layout
        self._findings = findings
        self._is_spread = is_spread
        self._totals = Totals(layout, findings)
        self._long_rows: list[dict[str, Any]] = []
        self._long = 0
        self._estimated_days = 0
        self._untyped = 0

    def part(self, rows: pa.Table) -> pa.Table:
        """Set totals and idle ads aside, and add up what belongs to one day and ad."""
        layout, findings = self._layout, self._findings
        if "conversations" in layout.preset.rules:
            rows = _with_conversations(rows, layout.preset)
        rows = self._totals.set_aside(rows)
        self._untyped += _untyped(rows)
        rows = self._with_days(rows)
        if layout.preset.rules.get("ads_without_delivery"):
            rows = _without_idle_ads(rows, findings)
        rows = require(rows, ["day", "ad_id", "spend", "currency"], layout, findings)
        if _has_repeats(rows):
            _name_repeats(rows, layout, findings)
            _name_mixed_currencies(rows, layout, findings)
            rows = _added_up(without_faulty(rows, findings), findings)
        return rows

    def finish(self) -> None:
        """Judge what only the whole file shows.

        Raises
        ------
        InvalidFile
            If rows cover several days and are not to be spread.
        """
        self._totals.judge()
        if self._untyped:
            results = self._layout.header_of("results")
            self._findings.notes.append(
                f"{results!r} says in {plural(self._untyped, 'row')} how many, but not of what: it is not taken for"
                " conversations. Export 'Messaging conversations started' or 'Result indicator' with it, or, if all"
                f' are conversations: --map "{results}=reported_conversations"'
            )
        if self._long and self._is_spread:
            self._findings.notes.append(
                f"{plural(self._long, 'row over several days', 'rows over several days')} spread evenly over"
                f" {plural(self._estimated_days, 'day')}: these are estimates"
            )
        elif self._long:
            first = min(self._long_rows, key=lambda row: int(row["source_line"]))
            raise InvalidFile(
                f"{self._findings.file}: {plural(self._long, 'row covers', 'rows cover')} several days"
                f" (line {first['source_line']}: {first['period_start']} to {first['period_end']}),"
                " and spend is kept by day."
                f" {self._layout.preset.fields['day'].missing} Or give each day the same share:"
                " --spread-evenly (marked as estimated)."
            )

    def _with_days(self, rows: pa.Table) -> pa.Table:
        exact = rows.append_column("is_estimated", pa.repeat(pa.scalar(False), len(rows)))
        if "day" in self._layout.columns:
            return exact
        is_long = pc.not_equal(rows["period_start"], rows["period_end"])
        long = rows.filter(is_long)
        if len(long) and self._is_spread:
            required = ["period_start", "period_end", "ad_id", "currency"]
            return self._spread(require(rows, required, self._layout, self._findings))
        self._long += len(long)
        self._long_rows += long.slice(0, 1).to_pylist()
        return exact.set_column(exact.column_names.index("day"), "day", exact["period_start"])

    def _spread(self, rows: pa.Table) -> pa.Table:
        spread = spread_evenly(rows, self._layout, self._findings)
        estimated = spread.filter(spread["is_estimated"])
        self._long += len(pc.unique(estimated["source_line"]))
        self._estimated_days += len(estimated)
        return spread


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


def _untyped(rows: pa.Table) -> int:
    """Count the results of which nothing says whether they are conversations."""
    are_untyped = all_of(
        [
            pc.greater(pc.fill_null(rows["results"], 0), 0),
            pc.is_null(rows["result_type"]),
            pc.is_null(rows["reported_conversations"]),
        ]
    )
    return pc.sum(are_untyped).as_py() or 0


def _without_idle_ads(rows: pa.Table, findings: Findings) -> pa.Table:
    is_idle = pc.and_(pc.is_valid(rows["ad_id"]), all_of([pc.is_null(rows[name]) for name in NUMBERS]))
    findings.leave_out(
        pc.sum(is_idle).as_py() or 0, "row of an ad without any number", "rows of ads without any number"
    )
    return rows.filter(pc.invert(is_idle)) if pc.any(is_idle).as_py() else rows


def _has_repeats(rows: pa.Table) -> bool:
    ads = rows["ad_id"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    days = rows["day"].cast(pa.int32()).to_numpy()
    keys = np.sort(ads << 32 | days)
    return bool((keys[1:] == keys[:-1]).any())


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
    first = [*NAMES, "currency"]
    grouped = rows.group_by(_KEY, use_threads=False).aggregate(
        [(name, "sum") for name in NUMBERS]
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
