"""The imports: imports/<kind>/<import_id>.parquet with <import_id>.json beside it, on disk or in an object store.

The Parquet file's rename is the moment at which an import exists. Its JSON is there before, so that every import
that a reader sees is known by content; a JSON without its Parquet file is what a killed import left. The next one
removes it from a disk; in an object store it may be that of an import that is being made, so its name stays taken.
"""

import fcntl
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctm_analytics.errors import InvalidArgument, InvalidFile
from ctm_analytics.imports.faults import listed
from ctm_analytics.imports.summary import ImportSummary
from ctm_analytics.settings import did_you_mean
from ctm_analytics.shared_imports import add_import, mirror_imports, remove_import


def imports_folder(data: Path, kind: str, url: str) -> Path:
    """Name the folder of a kind of imports: the data folder's own, or a fresh copy of that in an object store.

    Raises
    ------
    InvalidArgument, InvalidFile
        If the store cannot be used, refuses, or does not answer.
    """
    return (mirror_imports(url, data) if url else data / "imports") / kind


def earlier_import(folder: Path, sha256: str) -> ImportSummary | None:
    """Find the latest import of the same bytes.

    Parameters
    ----------
    folder : Path, ``imports/<kind>``; it need not exist
    sha256 : str, hex digest of the file's content

    Raises
    ------
    InvalidFile
        If a record of an import cannot be read.
    """
    found = [(at, record) for _, at, record in _imports(folder) if record["sha256"] == sha256]
    if not found:
        return None
    imported_at, record = max(found, key=lambda entry: entry[0])
    return replace(ImportSummary.from_record(record), already_imported_at=imported_at)


def imports_after(folder: Path, instant: datetime) -> tuple[Path, ...]:
    """List the Parquet files of the imports of ``imports/<kind>`` that are later than an instant."""
    return tuple(path for path, imported_at, _ in _imports(folder) if imported_at > instant)


def unused_id(folder: Path, imported_at: datetime, sha256: str) -> str:
    """Name an import: by its instant in UTC, to the second, and its content."""
    name = f"{imported_at:%Y%m%dT%H%M%SZ}-{sha256[:8]}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    taken = {path.stem for path in folder.glob("*.*")}
    return next(name for name in names if name not in taken)


def publish(
    folder: Path,
    content: IO[bytes],
    summary: ImportSummary,
    origin: Mapping[str, Any],
    *,
    follows: str | None = None,
    data: Path,
    url: str = "",
) -> ImportSummary:
    """Store an import, whole or not at all.

    Parameters
    ----------
    folder : Path, ``imports/<kind>``; made if need be
    content : stream, a Parquet file in the schema of the data contract
    summary : ImportSummary
    origin : mapping, what was read: ``sha256``, ``imported_at`` and more, in JSON's types
    follows : str or None, the import of the same bytes that is known to be there
    data : Path, the data folder
    url : str, of the object store of which ``folder`` is a copy, or empty

    Returns
    -------
    ImportSummary
        ``summary``, or that of the same bytes if another process has stored them meanwhile.
    """
    record = json.dumps(summary.to_record() | dict(origin), ensure_ascii=False, indent=1) + "\n"
    if url:
        if add_import(url, folder.name, summary.import_id, record.encode(), content.read()):
            return summary
        mirror_imports(url, data)
        earlier = earlier_import(folder, origin["sha256"])
        if earlier is None:
            raise InvalidFile(f"{url}: somebody is importing the same file at this moment. Try again.")
        return earlier
    folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder) as folder_descriptor:
        earlier = earlier_import(folder, origin["sha256"])
        if earlier and earlier.import_id != follows:
            return earlier
        _remove_leftovers(folder)
        _write(folder / f"{summary.import_id}.json", lambda path: path.write_text(record, encoding="utf-8"))
        os.fsync(folder_descriptor)
        _write(folder / f"{summary.import_id}.parquet", lambda path: _copy(content, path))
        os.fsync(folder_descriptor)
    return summary


def withdraw(folder: Path, import_id: str, url: str = "") -> ImportSummary:
    """Remove one import.

    Parameters
    ----------
    folder : Path, ``imports/<kind>``
    import_id : str, as the summary of the import names it
    url : str, of the object store of which ``folder`` is a copy, or empty

    Returns
    -------
    ImportSummary
        Of what is gone, with ``is_undone`` set.

    Raises
    ------
    InvalidArgument
        If there is no such import.
    InvalidFile
        If its record cannot be read.
    """
    if not folder.is_dir():
        raise _unknown(folder, import_id)
    with _alone_in(folder) as folder_descriptor:
        parquet, record = (folder / f"{import_id}.{suffix}" for suffix in ("parquet", "json"))
        if parquet not in folder.glob("*.parquet"):
            raise _unknown(folder, import_id)
        summary = ImportSummary.from_record(record_of(record))
        # In the order opposite to publication: without its Parquet file an import is gone, whatever happens next.
        if url:
            remove_import(url, folder.name, import_id)
        parquet.unlink(missing_ok=bool(url))  # another process may have made the copy fresh meanwhile
        os.fsync(folder_descriptor)
        record.unlink(missing_ok=bool(url))
    return replace(summary, is_undone=True)


def rewrite(path: Path, rows: Callable[[], Iterable[pa.Table]], schema: pa.Schema) -> None:
    """Give the Parquet file of an import another content, the old one or the new one for every reader.

    Its record stays as it is: it says what was read, so that the same file is not imported again.

    Parameters
    ----------
    path : Path, ``imports/<kind>/<import_id>.parquet``
    rows : callable, gives the new rows, a table at a time
    schema : pa.Schema, of the data contract
    """

    def fill(unfinished: Path) -> None:
        with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for table in rows():
                writer.write_table(table)

    with _alone_in(path.parent) as folder_descriptor:
        if path.exists():  # else it was undone meanwhile
            _write(path, fill)
            os.fsync(folder_descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed imports have left in ``imports/<kind>``."""
    if folder.is_dir():
        with _alone_in(folder):
            _remove_leftovers(folder)


def _unknown(folder: Path, import_id: str) -> InvalidArgument:
    known = sorted((path.stem for path in folder.glob("*.parquet")), reverse=True)
    there = f"There are {listed(known)}." if known else "There is none at all."
    suggestion = did_you_mean(import_id, known)
    return InvalidArgument(f"undo: {import_id!r} is no import of {folder.name}.{suggestion} {there}")


@contextmanager
def _alone_in(folder: Path) -> Iterator[int]:
    """Hold the folder's lock; the system lets go of it when the process ends, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _imports(folder: Path) -> Iterator[tuple[Path, datetime, dict[str, Any]]]:
    """Give the Parquet file, the instant and the record of each import."""
    for path in sorted(folder.glob("*.json")):
        if path.with_suffix(".parquet").exists():
            record = record_of(path)
            yield path.with_suffix(".parquet"), datetime.fromisoformat(record["imported_at"]), record


def record_of(path: Path) -> dict[str, Any]:
    """Read the record of an import: its summary, and what was read.

    Raises
    ------
    InvalidFile
        If it is none.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        ImportSummary.from_record(record)
        datetime.fromisoformat(record["imported_at"])
        if isinstance(record["sha256"], str):
            return record
        problem = "sha256 is no text"
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = str(error)
    raise InvalidFile(
        f"{path}: not the record of an import ({problem}). Restore it, or remove it and its .parquet."
    )


def _remove_leftovers(folder: Path) -> None:
    for path in folder.glob(".*.tmp"):
        path.unlink()
    for path in folder.glob("*.json"):
        if not path.with_suffix(".parquet").exists():
            path.unlink()


def _copy(content: IO[bytes], path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(content, file)


def _write(path: Path, fill: Callable[[Path], object]) -> None:
    """Fill a file under another name, sync it, then give it its own."""
    unfinished = path.with_name(f".{path.name}.tmp")
    fill(unfinished)
    descriptor = os.open(unfinished, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    unfinished.rename(path)
