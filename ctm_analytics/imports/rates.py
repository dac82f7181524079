"""Rates: one row per day and currency."""

import pyarrow as pa

from ctm_analytics.imports.faults import Fault, Findings
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.rows import require, without_faulty

TYPES = {"day": "day", "currency": "currency", "rate": "rate"}


class RatesArrangement:
    """Refuses a second rate for a day and currency; a file of rates is one part.

    Parameters
    ----------
    layout : Layout
    findings : Findings, takes the faults
    """

    def __init__(self, layout: Layout, findings: Findings) -> None:
        self._layout = layout
        self._findings = findings

    def part(self, rows: pa.Table) -> pa.Table:
        """Name the rows that repeat a day and currency."""
        rows = require(rows, list(TYPES), self._layout, self._findings)
        first_lines: dict[tuple[object, str], int] = {}
        for row in rows.to_pylist():
            first = first_lines.setdefault((row["day"], row["currency"]), row["source_line"])
            if first != row["source_line"]:
                reason = f"line {first} has a rate for {row['day']} too"
                self._findings.faults.append(
                    Fault(row["source_line"], self._layout.header_of("currency"), row["currency"], reason)
                )
        return without_faulty(rows, self._findings)

    def finish(self) -> None:
        """Add nothing: the part has said all."""
