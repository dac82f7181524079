"""Compaction in an object store: by one receiver at a time, and right even when two believe it is their turn.

A lease, an object with a time at which it ends, keeps others from doing the same work for nothing. What keeps the
events right is the manifest: it is replaced only over the very state that the work began with, so of two who
compact one ends with nothing. Files are removed an hour after the manifest has called them replaced.
"""

import contextlib
import json
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from receiver.errors import ReceiverError
from receiver.store.compaction import (
    COMPACT_FILES,
    COMPACT_SECONDS,
    GRACE_SECONDS,
    Compaction,
    mergeable,
)
from receiver.store.folder import RESERVE_BYTES, DataFolder
from receiver.store.manifest import SettledFile
from receiver.store.merging import Interrupted, merge_files
from receiver.store.object_store import ObjectStore, StoreUnavailable
from receiver.store.parquet import read_checked, write_events
from receiver.store.retention import first_kept_day
from receiver.store.shared_events import (
    MANIFEST_KEY,
    ReplacedFile,
    SharedManifest,
    read_shared_manifest,
    recent_objects,
)

LEASE_KEY = "lease.json"
LEASE_SECONDS = 900
ORPHAN_SECONDS = 24 * 3600
DOWNLOADS = 8
FREE_BYTES = 4 * RESERVE_BYTES  # capture comes first
# Meta sends again for at most seven days; one more for clocks that disagree.
REPEAT_DAYS = 8


def is_shared_due(store: ObjectStore, retention_days: int | None = None) -> bool:
    """Whether recent files are so many, or one so old, that they should be settled, or files are to be removed."""
    manifest, _ = read_shared_manifest(store)
    if any(entry.since <= time.time() - GRACE_SECONDS for entry in manifest.replaced):
        return True
    if _outdated(manifest.settled, retention_days):
        return True
    recent = recent_objects(store, manifest)
    oldest = datetime.now(UTC) - timedelta(seconds=COMPACT_SECONDS)
    return len(recent) >= COMPACT_FILES or any(found.modified_at <= oldest for found in recent)


def compact_shared(
    store: ObjectStore,
    folder: DataFolder,
    *,
    retention_days: int | None = None,
    grace_seconds: float = GRACE_SECONDS,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Compaction:
    """Settle what is recent, merge small files of one day, and remove what was replaced long enough ago.

    Does nothing while somebody else has the lease, and ends with nothing when somebody else has replaced the
    manifest meanwhile.

    Parameters
    ----------
    folder : DataFolder, in whose ``staging`` the work is done
    retention_days : int or None, how many days of events are kept; ``None`` keeps all
    grace_seconds : float, how long replaced files stay for readers that have listed them
    is_stopped : callable, asked again and again whether to give up

    Raises
    ------
    StoreUnavailable, ReceiverError
        If the store or a file cannot be read; readers see everything as it was.
    Interrupted
        If ``is_stopped`` said so.
    """
    tag = _take_lease(store)
    if tag is None:
        return Compaction()
    try:
        run = _Run(store, folder, is_stopped)
        run.tidy(grace_seconds, retention_days)
        return run.work()
    finally:
        with contextlib.suppress(StoreUnavailable):  # then it ends by itself
            store.replace(LEASE_KEY, _lease(0), tag)


class _Run:
    """One compaction, from one state of the manifest to the next and the next."""

    def __init__(self, store: ObjectStore, folder: DataFolder, is_stopped: Callable[[], bool]) -> None:
        self._store, self._folder = store, folder
        self._workplace = folder.staging / "shared-compaction"
        self._is_stopped = is_stopped
        self._manifest, self._tag = read_shared_manifest(store)
        self._done = Compaction()

    def work(self) -> Compaction:
        """Settle what is recent, then merge what is small."""
        recent = [found.key for found in recent_objects(self._store, self._manifest)]
        goes_on = not recent or self._settle(recent)
        for entries in mergeable(self._manifest.settled) if goes_on else []:
            if not self._merge(entries):
                break
        shutil.rmtree(self._workplace, ignore_errors=True)
        return self._done

    def tidy(self, grace_seconds: float, retention_days: int | None) -> None:
        """Remove what was replaced long ago, what an interrupted compaction left, and days that are too old."""
        now = time.time()
        latest = now - grace_seconds
        old = [entry for entry in self._manifest.replaced if entry.since <= latest]
        known = {entry.file for entry in self._manifest.settled}
        known |= {entry.file for entry in self._manifest.replaced}
        yesterday = datetime.now(UTC) - timedelta(seconds=ORPHAN_SECONDS)
        orphans = [
            found.key
            for found in self._store.list("settled/")
            if found.key not in known and found.modified_at < yesterday
        ]
        outdated = _outdated(self._manifest.settled, retention_days)
        if not (old or orphans or outdated):
            return
        # These first: one that is there but not called replaced would be live again.
        self._store.delete(entry.file for entry in old)
        left = tuple(entry for entry in self._manifest.replaced if entry not in old)
        # Those last: once the state has changed, nobody who has written them can commit any more.
        left += tuple(ReplacedFile(entry.file, int(now)) for entry in outdated)
        settled = tuple(entry for entry in self._manifest.settled if entry not in outdated)
        if self._commit(self._manifest._replace(settled=settled, replaced=left)):
            self._store.delete(orphans)

    def _settle(self, keys: Sequence[str]) -> bool:
        paths = self._fetched(keys)
        known = self._settled_before(paths)
        if not len(known):
            return self._replace(keys, [], paths)
        kept = [_without(path, known) for path in paths]
        is_committed = self._replace(keys, [], kept)
        if is_committed:
            self._done.copies += _rows(paths) - _rows(kept)
        return is_committed

    def _merge(self, entries: Sequence[SettledFile]) -> bool:
        paths = self._fetched([entry.file for entry in entries])
        return self._replace([entry.file for entry in entries], entries, paths)

    def _settled_before(self, paths: Sequence[Path]) -> pa.Array:
        """Find the ids that settled files have already, because another receiver had the event first."""
        tables = [table for path in paths for table in read_checked(path, ["event_id", "received_at"])]
        new = pa.concat_tables(tables)
        if not len(new):
            return pa.array([], pa.string())
        first_day = (
            (pc.min(new.column("received_at")).as_py() - timedelta(days=REPEAT_DAYS)).date().isoformat()
        )
        ids, known = new.column("event_id").unique(), []
        for entry in self._manifest.settled:
            if entry.day >= first_day:
                self._go_on()
                with pq.ParquetFile(pa.PythonFile(self._store.open(entry.file), "r")) as file:
                    settled = file.read(columns=["event_id"], use_threads=False).column("event_id")
                known.append(ids.filter(pc.is_in(ids, settled.combine_chunks())))
        return pa.concat_arrays(known) if known else pa.array([], pa.string())

    def _fetched(self, keys: Sequence[str]) -> list[Path]:
        shutil.rmtree(self._workplace, ignore_errors=True)
        (self._workplace / "inputs").mkdir(mode=0o700, parents=True)

        def fetch(numbered: tuple[int, str]) -> Path:
            self._go_on()
            if self._folder.free_bytes() < FREE_BYTES:
                raise ReceiverError(f"{self._folder.root}: too little free space to compact.")
            number, key = numbered
            found = self._store.get(key)
            if found is None:
                raise StoreUnavailable(f"{self._store.url}/{key}: gone, though it was listed.")
            path = self._workplace / "inputs" / f"{number:06}.parquet"
            path.write_bytes(found[0])
            return path

        with ThreadPoolExecutor(DOWNLOADS) as threads:
            return list(threads.map(fetch, enumerate(keys)))

    def _replace(self, keys: Sequence[str], entries: Sequence[SettledFile], paths: Sequence[Path]) -> bool:
        """Put the merged events of some files in their place, in one step for every reader."""
        merged = merge_files(paths, self._workplace / "merging", self._is_stopped)
        number = self._manifest.number + 1
        new: list[SettledFile] = []
        for part, file in enumerate(merged.files):
            self._go_on()
            # A name never stands for two contents.
            key = f"settled/day={file.day}/g{number:06}-{part}-{file.sha256[:8]}.parquet"
            self._store.create(key, file.path.read_bytes())
            new.append(SettledFile(key, file.rows, file.sha256, number))
        now = int(time.time())
        settled = (*(entry for entry in self._manifest.settled if entry not in entries), *new)
        replaced = (*self._manifest.replaced, *(ReplacedFile(key, now) for key in keys))
        is_committed = self._commit(
            self._manifest._replace(settled=tuple(sorted(settled)), replaced=replaced)
        )
        if is_committed:
            self._done.count(len(keys), merged)
        return is_committed

    def _commit(self, manifest: SharedManifest) -> bool:
        """Replace the manifest, unless somebody else has: then nothing more is to be done."""
        manifest = manifest._replace(number=self._manifest.number + 1)
        if not self._store.replace(MANIFEST_KEY, manifest.to_json(), self._tag):
            return False
        found, self._tag = read_shared_manifest(self._store)
        self._manifest = found
        return found == manifest

    def _go_on(self) -> None:
        if self._is_stopped():
            raise Interrupted


def _outdated(settled: Sequence[SettledFile], retention_days: int | None) -> list[SettledFile]:
    if retention_days is None:
        return []
    first_day = first_kept_day(retention_days, datetime.now(UTC))
    return [entry for entry in settled if entry.day < first_day]


def _rows(paths: Sequence[Path]) -> int:
    return sum(pq.read_metadata(path).num_rows for path in paths)


def _without(path: Path, known: pa.Array) -> Path:
    kept = path.with_suffix(".kept")
    schema = pq.read_schema(path).remove_metadata()
    rest = (
        table.filter(pc.invert(pc.is_in(table.column("event_id"), known))) for table in read_checked(path)
    )
    write_events(kept, schema, rest)
    return kept


def _lease(until: float) -> bytes:
    return json.dumps({"until": until, "holder": secrets.token_hex(8)}).encode()


def _take_lease(store: ObjectStore) -> str | None:
    """Take the right to compact; the tag that gives it back, or ``None`` while somebody else has it."""
    found = store.get(LEASE_KEY)
    if found is not None and json.loads(found[0])["until"] > time.time():
        return None
    mine = _lease(time.time() + LEASE_SECONDS)
    if not store.replace(LEASE_KEY, mine, found[1] if found else None):
        return None
    taken = store.get(LEASE_KEY)
    return taken[1] if taken is not None and taken[0] == mine else None
