"""Event rows as Parquet files that are checked before anybody sees them."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from receiver.deliveries import COLUMNS, Event
from receiver.errors import StorageFailed
from receiver.store.folder import sync_file

_TYPES = {
    "string": pa.string(),
    "int64": pa.int64(),
    "int32": pa.int32(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}


def event_schema(*, store_text: bool) -> pa.Schema:
    """Give the columns of docs/data-contract.md; ``text``, the last one, only where it is to be kept."""
    columns = COLUMNS if store_text else [column for column in COLUMNS if column[0] != "text"]
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns])


def event_batch(events: Sequence[Event], schema: pa.Schema) -> pa.RecordBatch:
    """Turn events into columns.

    Raises
    ------
    ValueError, TypeError, OverflowError
        For a value that its column cannot hold, such as text with half a surrogate pair.
    """
    columns = dict(zip(Event._fields, zip(*events, strict=True), strict=True))
    return pa.record_batch([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def write_events(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch | pa.Table]) -> int:
    """Write a file, sync it, and read every page of it back; memory holds one batch at a time.

    Parameters
    ----------
    batches : iterable of RecordBatch or Table, each becomes a row group of its own

    Returns
    -------
    int
        How many events it holds.

    Raises
    ------
    StorageFailed
        If what lies on disk is not what was written.
    """
    rows, written = 0, hashlib.sha256()
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
        for batch in batches:
            writer.write(batch, row_group_size=max(1, batch.num_rows))
            rows += batch.num_rows
            written.update("".join(batch.column("event_id").to_pylist()).encode())
    sync_file(path)
    found = hashlib.sha256()
    for table in read_checked(path):
        found.update("".join(table.column("event_id").to_pylist()).encode())
    if found.digest() != written.digest():
        raise StorageFailed(f"{path.name}: {rows} events were written, but other rows were read back.")
    return rows


def read_checked(path: Path | pa.NativeFile, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read a file row group by row group, each page against its checksum.

    Parameters
    ----------
    columns : sequence of str or None, the columns to read; ``None`` means all of them
    """
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=columns, use_threads=False)
