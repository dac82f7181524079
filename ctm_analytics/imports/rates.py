"""Rates: one row per day and currency."""

import pyarrow as pa

from ctm_analytics.imports.faults import Fault, Findings
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.rows import require, without_faulty

TYPES = {"day": "day", "currency": "currency", "rate": "rate"}


def arrange(rows: pa.Table, layout: Layout, findings: Findings) -> pa.Table:
    """Refuse a second rate for a day and currency."""
    rows = require(rows, list(TYPES), layout, findings)
    first_lines: dict[tuple[object, str], int] = {}
    for row in rows.to_pylist():
        first = first_lines.setdefault((row["day"], row["currency"]), row["source_line"])
        if first != row["source_line"]:
            reason = f"line {first} has a rate for {row['day']} too"
            findings.faults.append(
                Fault(row["source_line"], layout.header_of("currency"), row["currency"], reason)
            )
    return without_faulty(rows, findings)
