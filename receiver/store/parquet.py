"""Event rows as Parquet files that are checked before anybody sees them."""

from collections.abc import Iterable, Sequence
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


def write_events(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> list[str]:
    """Write a file, sync it, and read every page of it back.

    Returns
    -------
    list of str
        The event ids, in the order of the file.

    Raises
    ------
    StorageFailed
        If what lies on disk is not what was written.
    """
    written: list[str] = []
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
        for batch in batches:
            writer.write_batch(batch)
            written += batch.column("event_id").to_pylist()
    sync_file(path)
    found = read_checked_event_ids(path)
    if found != written:
        raise StorageFailed(
            f"{path.name}: {len(written)} events were written, but other rows were read back."
        )
    return written


def read_event_ids(path: Path) -> list[str]:
    """Read only the event ids of a published file."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        ids: list[str] = file.read(columns=["event_id"], use_threads=False).column("event_id").to_pylist()
    return ids


def read_checked_event_ids(path: Path) -> list[str]:
    """Read every page of a file, each against its checksum, and give the event ids."""
    found: list[str] = []
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for group in range(file.num_row_groups):
            found += file.read_row_group(group, use_threads=False).column("event_id").to_pylist()
    return found
