"""One import, from the file to the data folder, the same for every kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports import contacts, rates, sales, spend
from ctm_analytics.imports.csv_reading import CsvFile, open_csv
from ctm_analytics.imports.faults import Findings
from ctm_analytics.imports.json_reading import is_json, open_json_lines
from ctm_analytics.imports.layout import Layout, choose_layout
from ctm_analytics.imports.ledger import earlier_import, publish
from ctm_analytics.imports.options import Options
from ctm_analytics.imports.plain_reading import read_plain
from ctm_analytics.imports.rows import cast_rows
from ctm_analytics.imports.saved_presets import all_presets, check_name, save_preset
from ctm_analytics.imports.source import open_source
from ctm_analytics.imports.summary import ImportSummary
from ctm_analytics.imports.text_rows import TextFile, read_rows
from ctm_analytics.schemas import IMPORTS, INSTANT


@dataclass(frozen=True)
class Kind:
    """What tells one kind of import from another.

    Attributes
    ----------
    name : str, the folder below ``imports/``
    types : mapping of str to str, field to the name of its cast
    arrange : callable, brings typed rows to the kind's grain; takes rows, layout, findings
    day_field, amount_field : str or None, what the summary's period and amount are made of
    """

    name: str
    types: Mapping[str, str]
    arrange: Callable[[pa.Table, Layout, Findings], pa.Table]
    day_field: str | None = None
    amount_field: str | None = None


KINDS = {
    kind.name: kind
    for kind in (
        Kind("sales", sales.TYPES, sales.arrange, "sold_at", "gross_amount"),
        Kind("spend", spend.TYPES, spend.arrange, "day", "spend"),
        Kind("contacts", contacts.TYPES, contacts.arrange),
        Kind("rates", rates.TYPES, rates.arrange, "day"),
    )
}


def import_file(kind: Kind, file: Path | BinaryIO, data: Path, options: Options) -> ImportSummary:
    """Read, check and store one file; ``ctm_analytics.imports`` has a function per kind.

    Raises
    ------
    InvalidFile
        If the file, its header or more rows than ``max_errors`` do not fit. Then nothing is stored.
    InvalidArgument
        For a preset, column or field that does not exist.
    """
    folder = data / "imports" / kind.name
    if options.save_preset:
        check_name(options.save_preset, kind.name)
    with open_source(file) as source:
        earlier = earlier_import(folder, source.sha256)
        if earlier and not options.save_preset:
            return earlier
        text_file: TextFile = open_json_lines(source) if is_json(source) else open_csv(source)
        layout = choose_layout(text_file, kind.name, all_presets(kind.name, data), options)
        if options.save_preset and not options.dry_run:
            save_preset(options.save_preset, layout.preset, options.mapping or {}, data)
        if earlier:
            return earlier
        findings = Findings(source.name)
        rows = _read(kind, text_file, layout, options, findings)
    imported_at = options.imported_at.astimezone(UTC)
    days = _days(rows, kind.day_field, options.settings.zone)
    summary = ImportSummary(
        kind=kind.name,
        file=source.name,
        import_id=f"{imported_at:%Y%m%dT%H%M%SZ}-{source.sha256[:8]}",
        preset=layout.preset.name,
        why=layout.why,
        format=text_file.describe(),
        rows_read=findings.rows_read,
        rows_imported=len(rows),
        left_out=tuple(findings.left_out),
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        days=len(days),
        amounts=_amounts(rows, kind.amount_field),
        unused_columns=layout.unused,
        notes=tuple(findings.notes),
        is_dry_run=options.dry_run,
        bad_rows=findings.described() if findings.faults else "",
    )
    if options.dry_run:
        return summary
    origin = {
        "sha256": source.sha256,
        "bytes": source.size,
        "imported_at": imported_at.isoformat(),
        "mapping": layout.mapping(),
        "reporting_timezone": options.settings.reporting_timezone,
    }
    return publish(folder, _stamped(rows, summary, imported_at), summary, origin)


def _read(kind: Kind, text_file: TextFile, layout: Layout, options: Options, findings: Findings) -> pa.Table:
    wanted = sorted({place for places in layout.columns.values() for place in places})
    plain = read_plain(text_file, wanted) if isinstance(text_file, CsvFile) else None
    text = plain or read_rows(text_file, wanted)
    findings.rows_read = text.rows_read
    findings.faults += text.faults
    rows = kind.arrange(cast_rows(text, layout, kind.types, options, findings), layout, findings)
    reasons = findings.reasons()
    if reasons and options.rejects:
        options.rejects.write_text("".join(text_file.rejects(reasons)), encoding="utf-8")
    if len(reasons) > options.max_errors or (reasons and not len(rows)):
        raise findings.refusal()
    findings.leave_out(len(reasons), "row that does not fit", "rows that do not fit")
    if not len(rows):
        left_out = "; ".join(f"{count:,} {reason}" for count, reason in findings.left_out)
        raise InvalidFile(f"{text_file.name}: no row to import: {left_out or 'there is only a header'}.")
    return rows


def _stamped(rows: pa.Table, summary: ImportSummary, imported_at: datetime) -> pa.Table:
    """Add where the rows come from, and bring them into the schema of the data contract."""
    origin = {
        "import_id": pa.scalar(summary.import_id, pa.string()),
        "imported_at": pa.scalar(imported_at.replace(tzinfo=None), INSTANT),
        "source_file": pa.scalar(summary.file, pa.string()),
    }
    for name, value in origin.items():
        rows = rows.append_column(name, pa.repeat(value, len(rows)))
    schema = IMPORTS[summary.kind]
    return rows.select(schema.names).cast(schema)


def _days(rows: pa.Table, day_field: str | None, zone: ZoneInfo) -> set[date]:
    moments = pc.unique(rows[day_field]).to_pylist() if day_field else []
    return {
        moment.replace(tzinfo=UTC).astimezone(zone).date() if isinstance(moment, datetime) else moment
        for moment in moments
    }


def _amounts(rows: pa.Table, amount_field: str | None) -> dict[str, Decimal]:
    if amount_field is None:
        return {}
    sums = rows.group_by("currency").aggregate([(amount_field, "sum")]).sort_by("currency")
    return dict(zip(sums["currency"].to_pylist(), sums[f"{amount_field}_sum"].to_pylist(), strict=True))
