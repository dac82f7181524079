"""The proof of an erasure: every file of the data folder is opened, decoded and searched once more."""

import gzip
import mmap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from receiver.store.folder import DataFolder
from receiver.store.parquet import read_checked
from receiver.store.raw import read_sealed
from receiver.store.traces import Traces

_CHUNK_BYTES = 1 << 20


@dataclass
class Proof:
    """What was searched, and where the person still stands.

    Attributes
    ----------
    files : Counter of str: ``parquet``, ``segments``, ``others``
    bytes : int, their size on disk
    left : list of str, files that name the person still, or that could not be searched, below the data folder
    """

    files: Counter[str] = field(default_factory=lambda: Counter(parquet=0, segments=0, others=0))
    bytes: int = 0
    left: list[str] = field(default_factory=list)


def prove(folder: DataFolder, traces: Traces) -> Proof:
    """Search every file below the data folder for what was known of a person.

    Parquet files are searched in every text of every row, segments in every delivery, gzip unpacked, the rest
    byte by byte. Requests for deletion are not: an open one has to name the person, a closed one names nobody.
    """
    proof = Proof()
    for path in _files(folder):
        try:
            size = path.stat().st_size
            kind, is_named = _search(folder, path, traces)
        except FileNotFoundError:
            continue  # published, merged or removed by age since it was listed: its new place is listed behind it
        except (OSError, ValueError) as error:
            proof.left.append(f"{path.relative_to(folder.root)} (cannot be read: {type(error).__name__})")
            continue
        proof.files[kind] += 1
        proof.bytes += size
        if is_named:
            proof.left.append(str(path.relative_to(folder.root)))
    return proof


def _files(folder: DataFolder) -> Iterator[Path]:
    """Yield every file, in the order in which what is captured goes through the folder."""
    requests = folder.erasures / "requests"
    ahead = [folder.journal, folder.staging, folder.events / "recent", folder.events / "settled"]
    for start in [*ahead, folder.root]:
        for path in sorted(start.rglob("*")):
            is_behind = start == folder.root and any(path.is_relative_to(place) for place in ahead)
            if path.is_file() and not path.is_relative_to(requests) and not is_behind:
                yield path


def _search(folder: DataFolder, path: Path, traces: Traces) -> tuple[str, bool]:
    if path.suffix == ".parquet":
        return "parquet", any(_named_rows(rows, traces) for rows in read_checked(path))
    if path.suffix in (".wal", ".open"):
        return "segments", _is_in_segment(folder, path, traces)
    if path.suffix == ".gz":
        return "others", _is_in_gzip(path, traces)
    return "others", _is_in_bytes(path, traces)


def _named_rows(rows: pa.Table, traces: Traces) -> bool:
    if "occurred_at" not in rows.column_names:  # no events: an import, a heartbeat, a table of a report
        return bool(pc.any(traces.mentions.in_rows(_as_texts(rows))).as_py())
    own, others = traces.in_rows(rows)
    return bool(pc.any(pc.or_(own, others)).as_py())


def _as_texts(rows: pa.Table) -> pa.Table:
    """Write a table of any origin as text: an id may be a number there, a category, or deep in a list."""
    columns = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        kind = column.type
        if pa.types.is_integer(kind):
            column = column.cast(pa.string())
        elif not (pa.types.is_string(kind) or pa.types.is_temporal(kind) or pa.types.is_floating(kind)):
            column = pa.chunked_array([[repr(value) for value in column.to_pylist()]], pa.string())
        columns[name] = column
    return pa.table(columns)


def _is_in_segment(folder: DataFolder, path: Path, traces: Traces) -> bool:
    segment = read_sealed(folder, path)
    return any(map(traces.in_delivery, segment.deliveries)) or any(
        map(traces.mentions.in_bytes, segment.damages)
    )


def _is_in_gzip(path: Path, traces: Traces) -> bool:
    before = b""
    with gzip.open(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            if traces.mentions.in_bytes(before + chunk):
                return True
            before = chunk[-_CHUNK_BYTES // 2 :]
    return False


def _is_in_bytes(path: Path, traces: Traces) -> bool:
    with path.open("rb") as file:
        if not path.stat().st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return traces.mentions.in_bytes(content)
