"""Totals rows of a spend file: left out, and compared with what the other rows add up to."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.currencies import smallest_unit, written
from ctm_analytics.imports.faults import Fault, Findings
from ctm_analytics.imports.layout import Layout

NAMES = ["ad_name", "adset_id", "adset_name", "campaign_id", "campaign_name"]
NUMBERS = ["spend", "impressions", "link_clicks", "reported_conversations"]


class Totals:
    """Rows that name no ad, set aside until all others are added up.

    Parameters
    ----------
    layout : Layout
    findings : Findings, takes the faults and what is left out
    """

    def __init__(self, layout: Layout, findings: Findings) -> None:
        self._layout = layout
        self._findings = findings
        self._names = [name for name in ["ad_id", *NAMES] if name in layout.columns]
        self._totals: list[dict[str, Any]] = []
        self._others: list[dict[str, Any]] = []
        self._added_up = Decimal(0)
        self._rows = 0
        self._ends: set[int] = set()

    def set_aside(self, rows: pa.Table) -> pa.Table:
        """Take the rows away that name nothing, or only that they are a total."""
        if "totals" not in self._layout.preset.rules or not len(rows):
            return rows
        ends = {*self._ends, *pc.min_max(rows["source_line"]).as_py().values()}
        self._ends = {min(ends), max(ends)}
        languages = self._layout.preset.rules["totals"]["labels"].values()
        labels = pa.array([label.lower() for language in languages for label in language])
        # Where no row lacks an ad there is no total; all other columns need not be looked at.
        is_nameless = _lacks(rows, self._names[0], labels)
        for name in self._names[1:] if pc.any(is_nameless).as_py() else ():
            is_nameless = pc.and_(is_nameless, _lacks(rows, name, labels))
        if pc.any(is_nameless).as_py():
            self._sort(rows.filter(is_nameless))
            rows = rows.filter(pc.invert(is_nameless))
        self._added_up += pc.sum(rows["spend"]).as_py() or 0
        self._rows += len(rows)
        return rows

    def judge(self) -> None:
        """Leave out the totals, once all rows were seen; what else names no ad is a bad row."""
        # Where the file has no names, their absence says nothing: then only the sum shows what the row is.
        if (
            len(self._others) == 1
            and self._others[0]["source_line"] in self._ends
            and (len(self._names) > 1 or self._others[0]["spend"] == self._added_up)
        ):
            self._totals.append(self._others.pop())
        self._name(self._others)
        for row in self._totals:
            self._leave_out(row)

    def _sort(self, nameless: pa.Table) -> None:
        has_label = pc.is_valid(pc.coalesce(*(nameless[name] for name in self._names)))
        self._totals += nameless.filter(has_label).to_pylist()
        rest = nameless.filter(pc.invert(has_label))
        is_empty = all_of(
            [pc.equal(pc.coalesce(rest[name], pa.scalar(0, rest[name].type)), 0) for name in NUMBERS]
        )
        self._findings.leave_out(
            pc.sum(is_empty).as_py() or 0,
            "row without an ad and without numbers",
            "rows without an ad and without numbers",
        )
        self._others += rest.filter(pc.invert(is_empty)).to_pylist()
        # Only one row can be the total of all; as soon as there are two, none is.
        if len(self._others) > 2:
            self._name(self._others[2:])
            del self._others[2:]

    def _name(self, rows: list[dict[str, Any]]) -> None:
        column = self._layout.header_of("ad_id")
        self._findings.faults += [Fault(row["source_line"], column, "", "empty") for row in rows]

    def _leave_out(self, row: dict[str, Any]) -> None:
        line, said, currency = row["source_line"], row["spend"], row["currency"] or ""
        self._findings.leave_out(1, f"totals row (line {line})", "")
        # Each row is rounded to the smallest unit, the total by itself.
        tolerance = smallest_unit(currency) * max(1, self._rows)
        if said is not None and abs(said - self._added_up) > tolerance:
            self._findings.notes.append(
                f"the totals row (line {line}) says {written(said, currency)},"
                f" the rows add up to {written(self._added_up, currency)}: is the export complete?"
            )


def _lacks(rows: pa.Table, name: str, labels: pa.Array) -> pa.ChunkedArray:
    return pc.or_(pc.is_null(rows[name]), pc.is_in(pc.utf8_lower(rows[name]), value_set=labels))


def all_of(masks: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Say for each row whether all masks hold."""
    result = masks[0]
    for mask in masks[1:]:
        result = pc.and_(result, mask)
    return result
