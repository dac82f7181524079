"""When the receiver was up: a stretch that no run covers is a gap in capture, and the analysis says so."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from receiver.store.folder import DataFolder, replace_file

_INSTANT = pa.timestamp("us")
_SCHEMA = pa.schema([("receiver_id", pa.string()), ("started_at", _INSTANT), ("beat_at", _INSTANT)])


def write_heartbeat(folder: DataFolder, receiver_id: str, started_at: datetime, beat_at: datetime) -> Path:
    """Say that one run of the receiver was up from one instant (UTC) to another; the file that says it.

    The run's file is replaced, so that it always holds one row.
    """
    row = {"receiver_id": receiver_id, "started_at": _naive(started_at), "beat_at": _naive(beat_at)}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([row], schema=_SCHEMA), sink)
    path = folder.heartbeats / f"{receiver_id}.parquet"
    replace_file(path, sink.getvalue().to_pybytes(), folder.staging)
    return path


def _naive(instant: datetime) -> datetime:
    # The files hold UTC without a zone.
    return instant.replace(tzinfo=None)
