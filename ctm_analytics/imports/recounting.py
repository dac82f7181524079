"""The same bytes once more, after later imports have replaced some of their rows: they count again.

What is stored of the file is stored once more, not the file itself: who was erased from it stays erased.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ctm_analytics.imports.kinds import Kind
from ctm_analytics.imports.ledger import imports_after, publish, record_of, unused_id
from ctm_analytics.imports.options import Options
from ctm_analytics.imports.summary import ImportSummary
from ctm_analytics.schemas import IMPORTS, INSTANT, ORIGIN

_STATEMENTS = "statements"


def count_again(
    kind: Kind, folder: Path, earlier: ImportSummary, options: Options, data: Path
) -> ImportSummary:
    """Make an import whose bytes came again the latest one, if a later one says something else about its keys.

    Parameters
    ----------
    kind : Kind
    folder : Path, ``imports/<kind>``
    earlier : ImportSummary, the latest import of these bytes, with ``already_imported_at``
    options : Options, of which ``imported_at``, ``dry_run`` and the settings' ``imports_url`` matter here
    data : Path, the data folder

    Returns
    -------
    ImportSummary
        With ``counted_again`` set; or ``earlier``, when all of it counts already and nothing changes.
    """
    path = folder / f"{earlier.import_id}.parquet"
    later = imports_after(folder, earlier.already_imported_at or options.imported_at)
    replaced = _replaced_keys((path, *later), earlier.import_id, kind) if later else 0
    if not replaced:
        return earlier
    record = record_of(path.with_suffix(".json"))
    imported_at = options.imported_at.astimezone(UTC)
    again = replace(
        earlier,
        import_id=unused_id(folder, imported_at, record["sha256"]),
        already_imported_at=None,
        counted_again=replaced,
        is_dry_run=options.dry_run,
    )
    if again.is_dry_run:
        return again
    origin = record | again.to_record() | {"imported_at": imported_at.isoformat()}
    with tempfile.TemporaryFile(prefix="ctm-import-") as content:
        with (
            pq.ParquetWriter(content, IMPORTS[kind.name], compression="zstd") as writer,
            pq.ParquetFile(path) as file,
        ):
            for group in range(file.num_row_groups):
                writer.write_table(_restated(file.read_row_group(group), again.import_id, imported_at))
        content.seek(0)
        url = options.settings.imports_url
        return publish(folder, content, again, origin, follows=earlier.import_id, data=data, url=url)


def _restated(rows: pa.Table, import_id: str, imported_at: datetime) -> pa.Table:
    values = {
        "import_id": pa.scalar(import_id, pa.string()),
        "imported_at": pa.scalar(imported_at.replace(tzinfo=None), INSTANT),
    }
    for name, value in values.items():
        position = rows.column_names.index(name)
        rows = rows.set_column(position, rows.field(position), pa.repeat(value, len(rows)))
    return rows


def _replaced_keys(paths: Sequence[Path], import_id: str, kind: Kind) -> int:
    """Count the keys of an import of which the latest of these says something else."""
    from ctm_analytics.engines.duckdb import DuckDBEngine

    schema = IMPORTS[kind.name]
    fields = ", ".join(name for name in schema.names if name not in dict(ORIGIN))
    grain = ", ".join(kind.grain)
    # Here and not among the models: it compares files, whichever of them count.
    sql = f"""
        with known as (
            select
                *,
                max(imported_at) over (partition by {grain}) as latest_imported_at,
                bool_or(import_id = '{import_id}') over (partition by {grain}) as is_said
            from {_STATEMENTS}
        ),
        said as (select {fields} from known where import_id = '{import_id}'),
        counting as (select {fields} from known where is_said and imported_at = latest_imported_at),
        differing as ((from said except from counting) union all (from counting except from said))
        select count(*) as replaced from (select distinct {grain} from differing)
    """
    engine = DuckDBEngine({_STATEMENTS: tuple(paths)}, {_STATEMENTS: schema})
    replaced: int = engine.query(sql)["replaced"][0].as_py()
    return replaced
