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


def arrange(rows: pa.Table, layout: Layout, findings: Findings) -> pa.Table:
    """Keep each statement once; a contact without any key of a customer says nothing."""
    rows = require(rows, ["contact_id"], layout, findings)
    has_key = pc.is_valid(pc.coalesce(*(rows[key] for key in _KEYS)))
    kept = rows.filter(has_key)
    findings.leave_out(
        len(rows) - len(kept),
        "row without customer_id, email or phone",
        "rows without customer_id, email or phone",
    )
    grouped = kept.group_by(list(TYPES), use_threads=False).aggregate([("source_line", "min")])
    findings.leave_out(len(kept) - len(grouped), "row that repeats another", "rows that repeat others")
    return grouped.rename_columns([*TYPES, "source_line"])
