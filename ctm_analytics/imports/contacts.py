"""Contacts: one row per statement that a contact is a customer."""

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.imports.faults import Findings
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.rows import require

TYPES = {
    "contact_id": "id",
    "platform": "platform",
    "account_id": "id",
    "customer_id": "id",
    "email": "email",
    "phone": "phone",
}
_KEYS = ["customer_id", "email", "phone"]


class ContactsArrangement:
    """Keeps each statement once, part after part; the rows of a contact are in one part.

    Parameters
    ----------
    layout : Layout
    findings : Findings, takes the faults and what is left out
    """

    def __init__(self, layout: Layout, findings: Findings) -> None:
        self._layout = layout
        self._findings = findings

    def part(self, rows: pa.Table) -> pa.Table:
        """Drop what is said twice, and contacts without any key of a customer: they say nothing."""
        if self._layout.preset.rules.get("whatsapp_phone"):
            rows = self._with_whatsapp_ids(rows)
        rows = require(rows, ["contact_id"], self._layout, self._findings)
        has_key = pc.is_valid(pc.coalesce(*(rows[key] for key in _KEYS)))
        kept = rows.filter(has_key)
        self._findings.leave_out(
            len(rows) - len(kept),
            "row without customer_id, email or phone",
            "rows without customer_id, email or phone",
        )
        grouped = kept.group_by(list(TYPES), use_threads=False).aggregate([("source_line", "min")])
        self._findings.leave_out(
            len(kept) - len(grouped), "row that repeats another", "rows that repeat others"
        )
        return grouped.rename_columns([*TYPES, "source_line"])

    def _with_whatsapp_ids(self, rows: pa.Table) -> pa.Table:
        """Take the digits of a phone number for the contact's id at WhatsApp, where there is no other."""
        digits = pc.replace_substring_regex(rows["phone"], r"[^0-9]", "")
        is_taken = pc.and_(pc.is_null(rows["contact_id"]), pc.starts_with(rows["phone"], "+"))
        is_taken = pc.fill_null(is_taken, False)
        lines = rows["source_line"].filter(is_taken).to_pylist()
        if lines:
            said = "no id of the person at Meta, the number is taken as that of WhatsApp"
            self._findings.remark(self._layout.header_of("phone"), said, lines)
        ids = pc.if_else(is_taken, digits, rows["contact_id"])
        platforms = pc.if_else(is_taken, "whatsapp", rows["platform"])
        for name, values in (("contact_id", ids), ("platform", platforms)):
            rows = rows.set_column(rows.column_names.index(name), name, values)
        has_id = pc.is_valid(rows["contact_id"])
        self._findings.leave_out(
            len(rows) - (pc.sum(has_id).as_py() or 0),
            "row without an id at Meta or a phone number",
            "rows without an id at Meta or a phone number",
        )
        return rows.filter(has_id)

    def finish(self) -> None:
        """Add nothing: each part has said all."""
