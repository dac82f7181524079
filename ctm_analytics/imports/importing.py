"""One import, from the file to the data folder, the same for every kind."""

from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports.accepted import AcceptedRows
from ctm_analytics.imports.csv_reading import CsvFile, open_csv
from ctm_analytics.imports.evidence import Evidence
from ctm_analytics.imports.faults import Findings, plural
from ctm_analytics.imports.json_reading import is_json, open_json_lines
from ctm_analytics.imports.kinds import Kind
from ctm_analytics.imports.layout import Layout, choose_layout
from ctm_analytics.imports.ledger import earlier_import, imports_folder, publish, unused_id
from ctm_analytics.imports.options import Options
from ctm_analytics.imports.parts import PART_BYTES, Parts
from ctm_analytics.imports.plain_reading import NotPlain, read_plain
from ctm_analytics.imports.recounting import count_again
from ctm_analytics.imports.rows import Casting, cast_rows
from ctm_analytics.imports.saved_presets import all_presets, check_name, save_preset
from ctm_analytics.imports.source import Source, open_source
from ctm_analytics.imports.summary import ImportSummary
from ctm_analytics.imports.text_rows import TextFile, TextRows, read_rows
from ctm_analytics.schemas import INSTANT


def import_file(kind: Kind, file: Path | BinaryIO, data: Path, options: Options) -> ImportSummary:
    """Read, check and store one file; ``ctm_analytics.imports`` has a function per kind.

    Raises
    ------
    InvalidFile
        If the file, its header or more rows than ``max_errors`` do not fit. Then nothing is stored.
    InvalidArgument
        For a preset, column or field that does not exist.
    """
    folder = imports_folder(data, kind.name, options.settings.imports_url)
    if options.save_preset:
        check_name(options.save_preset, kind.name)
    with open_source(file, options.on_progress) as source:
        earlier = earlier_import(folder, source.sha256)
        if earlier and not options.save_preset:
            return count_again(kind, folder, earlier, options, data)
        text_file: TextFile = open_json_lines(source) if is_json(source) else open_csv(source)
        layout = choose_layout(text_file, kind.name, all_presets(kind.name, data), options)
        if options.save_preset and not options.dry_run:
            save_preset(options.save_preset, layout.preset, options.mapping or {}, data)
        if earlier:
            return count_again(kind, folder, earlier, options, data)
        return _import(kind, _Opened(source, text_file, layout), folder, options, data)


@dataclass(frozen=True)
class _Opened:
    """A file whose columns are understood."""

    source: Source
    text_file: TextFile
    layout: Layout


def _import(kind: Kind, opened: _Opened, folder: Path, options: Options, data: Path) -> ImportSummary:
    source, layout = opened.source, opened.layout
    imported_at = options.imported_at.astimezone(UTC)
    import_id = unused_id(folder, imported_at, source.sha256)
    origin = {
        "import_id": pa.scalar(import_id, pa.string()),
        "imported_at": pa.scalar(imported_at.replace(tzinfo=None), INSTANT),
        "source_file": pa.scalar(source.name, pa.string()),
    }
    findings = Findings(source.name)
    accepted = AcceptedRows(kind, options.settings.zone, origin, is_kept=not options.dry_run)
    with closing(accepted):
        _arrange(kind, opened, options, findings, accepted)
        summary = ImportSummary(
            kind=kind.name,
            file=source.name,
            import_id=import_id,
            preset=layout.preset.name,
            why=layout.why,
            format=opened.text_file.describe(),
            rows_read=findings.rows_read,
            rows_imported=accepted.rows,
            left_out=findings.left_out,
            first_day=min(accepted.days, default=None),
            last_day=max(accepted.days, default=None),
            days=len(accepted.days),
            amounts=dict(sorted(accepted.amounts.items())),
            unused_columns=layout.unused,
            notes=(*findings.remarks, *_of_the_future(accepted.future)),
            is_dry_run=options.dry_run,
            bad_rows=findings.described() if findings.faults else "",
        )
        if options.dry_run:
            return summary
        record = {
            "sha256": source.sha256,
            "bytes": source.size,
            "imported_at": imported_at.isoformat(),
            "mapping": layout.mapping(),
            "reporting_timezone": options.settings.reporting_timezone,
        }
        url = options.settings.imports_url
        return publish(folder, accepted.content(), summary, record, data=data, url=url)


def _of_the_future(sales: int) -> tuple[str, ...]:
    if not sales:
        return ()
    are_dated = plural(sales, "sale is dated", "sales are dated")
    return (f"{are_dated} after this import: not counted until then. Not meant? See --date-format",)


def _arrange(
    kind: Kind, opened: _Opened, options: Options, findings: Findings, accepted: AcceptedRows
) -> None:
    """Cast and arrange the rows, part after part, and refuse the file when too many do not fit."""
    layout = opened.layout
    arrangement = kind.arrangement(layout, findings)
    evidence, parts = _read(kind, opened, findings, options.max_errors)
    with closing(parts):
        casting = Casting(
            layout, kind.types, evidence.notation(findings.file, options), evidence.rounded_fields()
        )
        for done, part in enumerate(parts):
            options.on_progress("storing", done, parts.count)
            accepted.add(arrangement.part(cast_rows(part, casting, findings)))
            findings.refuse_flood(options.max_errors)
    arrangement.finish()
    reasons = findings.reasons()
    if reasons and options.rejects:
        options.rejects.write_text("".join(opened.text_file.rejects(reasons)), encoding="utf-8")
    if len(reasons) > options.max_errors or (reasons and not accepted.rows):
        raise findings.refusal()
    findings.leave_out(len(reasons), "row that does not fit", "rows that do not fit")
    if not accepted.rows:
        left_out = "; ".join(f"{count:,} {reason}" for count, reason in findings.left_out)
        raise InvalidFile(f"{findings.file}: no row to import: {left_out or 'there is only a header'}.")


def _read(kind: Kind, opened: _Opened, findings: Findings, max_errors: int) -> tuple[Evidence, Parts]:
    """Read all rows as text, the fast way if it can be, and see how the file writes."""
    wanted = sorted({place for places in opened.layout.columns.values() for place in places})
    if isinstance(opened.text_file, CsvFile):
        with suppress(NotPlain):
            return _gathered(kind, opened, read_plain(opened.text_file, wanted), findings, max_errors)
    return _gathered(kind, opened, read_rows(opened.text_file, wanted, findings.faults), findings, max_errors)


def _gathered(
    kind: Kind, opened: _Opened, blocks: Iterable[TextRows], findings: Findings, max_errors: int
) -> tuple[Evidence, Parts]:
    key = opened.layout.columns.get(kind.key or "", ())
    count = -(-opened.source.size // PART_BYTES) if key else 1
    evidence, parts = Evidence(opened.layout, kind.types), Parts(key, count)
    for block in blocks:
        evidence.observe(block)
        parts.add(block)
        findings.refuse_flood(max_errors)
    findings.rows_read = parts.rows + len(findings.faults)
    return evidence, parts
