"""Sales: one row per order or deal."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.currencies import written
from ctm_analytics.imports.faults import Fault, Findings, listed, plural, shown
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.rows import require, without_faulty

TYPES = {
    "sale_id": "id",
    "sold_at": "instant",
    "gross_amount": "amount",
    "refunded_amount": "amount",
    "currency": "currency",
    "customer_id": "id",
    "email": "email",
    "phone": "phone",
    "platform": "platform",
    "account_id": "id",
    "contact_id": "id",
    "ref": "name",
    "ad_id": "id",
    "status": "name",
    "is_new_customer": "flag",
    "cancelled_at": "name",
    "note_attributes": "name",
    "tags": "name",
}


class SalesArrangement:
    """Brings typed rows to one row per sale, part after part; the rows of a sale are in one part.

    Parameters
    ----------
    layout : Layout
    findings : Findings, takes the faults and what is left out
    """

    def __init__(self, layout: Layout, findings: Findings) -> None:
        self._layout = layout
        self._findings = findings
        self._other_statuses: set[str] = set()
        self._others = 0
        self._unpaid = 0

    def part(self, rows: pa.Table) -> pa.Table:
        """Fold line items, read statuses, take ids from notes."""
        layout, findings = self._layout, self._findings
        line_items = layout.preset.rules.get("line_items", {})
        if "blank" in line_items:
            rows = _without_line_items(rows, line_items["blank"], findings)
        if "repeated" in line_items:
            rows = _without_repeated_orders(rows, findings)
        if "attributes" in layout.preset.rules:
            rows = _with_attributes(rows, layout.preset.rules["attributes"])
        rows = self._with_statuses(rows)
        refunded = pc.fill_null(rows["refunded_amount"], Decimal("0.00"))
        rows = rows.set_column(rows.column_names.index("refunded_amount"), "refunded_amount", refunded)
        rows = require(rows, ["sale_id", "sold_at", "gross_amount", "currency"], layout, findings)
        _name_repeated_sales(rows, layout, findings)
        _name_excessive_refunds(rows, layout, findings)
        return without_faulty(rows, findings)

    def finish(self) -> None:
        """Say what all parts together left out."""
        names = listed([shown(name) for name in sorted(self._other_statuses)])
        said = f"whose {self._layout.header_of('status')} is no sale: {names}"
        self._findings.leave_out(self._others, f"row {said}", f"rows {said}")
        if self._unpaid:
            self._findings.notes.append(f"{plural(self._unpaid, 'order')} not paid yet, counted as sold")

    def _with_statuses(self, rows: pa.Table) -> pa.Table:
        statuses = self._layout.preset.rules["statuses"]
        are_others_left_out = statuses.get("others") == "left out"
        usual = "" if are_others_left_out else statuses["won"][0]
        found = pc.fill_null(pc.utf8_lower(rows["status"]), usual)
        known = pa.array([*statuses["won"], *statuses["cancelled"]], pa.string())
        is_known = pc.is_in(found, value_set=known)
        strange = rows.filter(pc.invert(is_known))
        if are_others_left_out:
            self._others += len(strange)
            self._other_statuses.update(name or "" for name in pc.unique(strange["status"]).to_pylist())
            rows, found = rows.filter(is_known), found.filter(is_known)
        else:
            _name_strange_statuses(strange, known, self._layout, self._findings)
        is_cancelled = pc.or_(
            pc.is_in(found, value_set=pa.array(statuses["cancelled"], pa.string())),
            pc.is_valid(rows["cancelled_at"]),
        )
        is_unpaid = pc.is_in(found, value_set=pa.array(statuses.get("unpaid", []), pa.string()))
        self._unpaid += pc.sum(pc.and_(is_unpaid, pc.invert(is_cancelled))).as_py() or 0
        status = pc.if_else(is_cancelled, "cancelled", "won")
        rows = rows.set_column(rows.column_names.index("status"), "status", status)
        return without_faulty(rows, self._findings)


def _without_line_items(rows: pa.Table, blank: str, findings: Findings) -> pa.Table:
    orders = rows.filter(pc.is_valid(rows[blank]))["sale_id"].combine_chunks()
    is_line_item = pc.and_(pc.is_null(rows[blank]), pc.is_in(rows["sale_id"], value_set=orders))
    findings.leave_out(
        pc.sum(is_line_item).as_py() or 0,
        "row with a further line item of its order",
        "rows with further line items of their orders",
    )
    return rows.filter(pc.invert(is_line_item))


def _without_repeated_orders(rows: pa.Table, findings: Findings) -> pa.Table:
    """Keep the first of the rows that say the same about an order."""
    first = rows.group_by(list(TYPES), use_threads=False).aggregate([("source_line", "min")])
    findings.leave_out(
        len(rows) - len(first),
        "row with a further line item of its order",
        "rows with further line items of their orders",
    )
    return rows.filter(pc.is_in(rows["source_line"], value_set=first["source_line_min"]))


def _with_attributes(rows: pa.Table, rules: Mapping[str, Any]) -> pa.Table:
    aliases = {alias: name for name, alternatives in rules["keys"].items() for alias in alternatives}
    cells = zip(*(rows[name].to_pylist() for name in rules["separators"]), strict=True)
    found = [_attributes(zip(texts, rules["separators"].values(), strict=True), aliases) for texts in cells]
    for name in rules["keys"]:
        values = pa.array([pairs.get(name) for pairs in found], pa.string())
        rows = rows.set_column(rows.column_names.index(name), name, pc.coalesce(rows[name], values))
    return rows


def _attributes(cells: Iterable[tuple[str | None, str]], aliases: Mapping[str, str]) -> dict[str, str]:
    """Read the ``key: value`` parts of cells, each with the sign that separates its parts."""
    found: dict[str, str] = {}
    for text, separator in cells:
        for part in (text or "").split(separator):
            key, _, value = part.partition(":")
            name = aliases.get(key.strip().lower())
            if name and value.strip():
                found.setdefault(name, value.strip())
    return found


def _name_strange_statuses(rows: pa.Table, known: pa.Array, layout: Layout, findings: Findings) -> None:
    for line, text in zip(rows["source_line"].to_pylist(), rows["status"].to_pylist(), strict=True):
        reason = f"not a status: expected {', '.join(known.to_pylist())}"
        findings.faults.append(Fault(line, layout.header_of("status"), text, reason))


def _name_repeated_sales(rows: pa.Table, layout: Layout, findings: Findings) -> None:
    counted = rows.group_by("sale_id").aggregate([("source_line", "count")])
    repeated = counted.filter(pc.greater(counted["source_line_count"], 1))["sale_id"].combine_chunks()
    suspects = rows.filter(pc.is_in(rows["sale_id"], value_set=repeated))
    first_lines: dict[str, int] = {}
    for sale_id, line in zip(
        suspects["sale_id"].to_pylist(), suspects["source_line"].to_pylist(), strict=True
    ):
        first = first_lines.setdefault(sale_id, line)
        if first != line:
            reason = f"the same sale as line {first}"
            findings.faults.append(Fault(line, layout.header_of("sale_id"), sale_id, reason))


def _name_excessive_refunds(rows: pa.Table, layout: Layout, findings: Findings) -> None:
    excessive = rows.filter(pc.greater(rows["refunded_amount"], rows["gross_amount"]))
    for row in excessive.to_pylist():
        gross, refunded = (
            written(row[name], row["currency"]) for name in ("gross_amount", "refunded_amount")
        )
        column = layout.header_of("refunded_amount")
        reason = f"more than the sale itself, {gross}"
        findings.faults.append(Fault(row["source_line"], column, refunded, reason))
