"""Published files that are written anew without some of their rows or values: for erasure and retention.

Whoever changes files holds ``folder.compacting_lock`` (``with locked(folder.compacting_lock):``) from the first
look at the manifest to the last change, and ``folder.publishing_lock`` besides, inside it, only while touching
``journal/``, ``done/``, ``quarantine/`` or the index: ``rewrite_settled`` and ``drop_settled`` take that one
themselves. At the end ``remove_replaced(folder, 0)`` (compaction.py) removes what readers may still have open.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from receiver.store.compaction import replace_settled
from receiver.store.folder import DataFolder, sha256_of, sync_folder
from receiver.store.manifest import SettledFile
from receiver.store.parquet import read_checked, write_events

Change = Callable[[pa.Table], pa.Table]


def rewrite_settled(folder: DataFolder, entry: SettledFile, change: Change) -> SettledFile | None:
    """Let every row group of a settled file go through a change, and put the result in its place.

    Parameters
    ----------
    entry : SettledFile, of the manifest
    change : callable, takes a table and gives one with the same columns

    Returns
    -------
    SettledFile or None
        What the manifest lists now; ``None`` when no row is left. Readers see the old file or the new one.
    """
    path = folder.events / entry.file
    temporary = folder.staging / f"{path.stem}.rewritten.tmp"
    rows, sha256 = _write_changed(path, temporary, change)
    if not rows:
        temporary.unlink()
        drop_settled(folder, [entry])
        return None
    # Another content is another name; the generations stay in it.
    named = temporary.rename(path.with_name(f"{path.stem.partition('-x')[0]}-x{sha256[:8]}.parquet"))
    sync_folder(named.parent)
    new = SettledFile(str(named.relative_to(folder.events)), rows, sha256, entry.generation)
    replace_settled(folder, [entry], [new])
    return new


def drop_settled(folder: DataFolder, entries: Sequence[SettledFile]) -> None:
    """Take settled files out of the manifest, in one step for all readers."""
    replace_settled(folder, entries, [])


def rewrite_recent(folder: DataFolder, path: Path, change: Change) -> int:
    """Let the rows of a recent file go through a change; how many are left, possibly none.

    The file keeps its name, since that says that its segment is published: readers see the old or the new.
    """
    temporary = folder.staging / f"{path.stem}.rewritten.tmp"
    rows, _ = _write_changed(path, temporary, change)
    temporary.rename(path)
    sync_folder(path.parent)
    return rows


def _write_changed(path: Path, temporary: Path, change: Change) -> tuple[int, str]:
    schema = pq.read_schema(path).remove_metadata()
    changed = (change(table).cast(schema) for table in read_checked(path))
    rows = write_events(temporary, schema, (table for table in changed if table.num_rows))
    return rows, sha256_of(temporary)
