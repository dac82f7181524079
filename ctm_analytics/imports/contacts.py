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

    def finish(self) -> None:
        """Add nothing: each part has said all."""
