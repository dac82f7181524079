"""Events that lie in an object store: kept here as local files, each fetched once, each event once.

Files of the store never change, so a copy is as good as the original and is read as fast as any file. What is settled
is copied as it is. The recent files of all receivers, in which an event may stand twice, become one local file.
``docs/data-contract.md`` describes what lies in the store.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctm_analytics.errors import InvalidFile
from ctm_analytics.object_store import asked, listing, open_store, put_file

if TYPE_CHECKING:
    from obstore.store import S3Store

VERSION = 2
DOWNLOADS = 16
ATTEMPTS = 5
# Files that are needed no more stay so long for programs that are reading them.
GRACE_SECONDS = 3600
# A delivery comes again for at most seven days; one more for clocks that disagree.
REPEAT_DAYS = 8
ROW_GROUP_ROWS = 30_000


class SharedFiles(NamedTuple):
    """Local copies of what is live in an object store."""

    events: tuple[Path, ...] = ()
    heartbeats: tuple[Path, ...] = ()


class _Listed(NamedTuple):
    """One state of the store: keys, with the SHA-256 of settled files and the tags of heartbeats."""

    settled: dict[str, str]
    recent: list[str]
    heartbeats: dict[str, str]


class _Gone(Exception):
    """A file that was listed is not there any more: the list is old."""


def fetch_shared_events(url: str, cache: Path) -> SharedFiles:
    """Fetch what is live in an object store and not here yet.

    Credentials, region and endpoint are the process's own ``AWS_…`` variables, where its client looks for them.

    Parameters
    ----------
    url : str, ``s3://bucket/prefix``
    cache : Path, folder of this URL's copies alone

    Raises
    ------
    InvalidArgument
        If the store's client is not installed, or its endpoint would carry events in the clear.
    InvalidFile
        If the store refuses, does not answer, or holds something else than it says.
    """
    store = open_store(url, "events_url")
    for folder in (cache.parent, cache):  # what is in them is what people wrote
        folder.mkdir(mode=0o700, exist_ok=True)
    with asked(url):
        for _ in range(ATTEMPTS):
            with contextlib.suppress(_Gone):
                listed = _list(store, url)
                settled = _copies(store, cache, listed.settled)
                recent = _copies(store, cache, dict.fromkeys(listed.recent, ""))
                beats = {
                    f"{key.removesuffix('.parquet')}.{tag}.parquet": key
                    for key, tag in listed.heartbeats.items()
                }
                heartbeats = _copies(store, cache, dict.fromkeys(beats, ""), beats.__getitem__)
                unsettled = _unsettled(cache, recent, settled)
                _tidy(cache, {*settled, *recent, *heartbeats, *unsettled})
                return SharedFiles(tuple(sorted(settled + unsettled)), tuple(sorted(heartbeats)))
    raise InvalidFile(f"{url}: it changes faster than it can be read. Try again.")


def _list(store: "S3Store", url: str) -> _Listed:
    """List one state: the manifest is the same before and after."""
    manifest, tag = _manifest(store, url)
    replaced = {entry["file"] for entry in manifest["replaced"]}
    recent = [found["path"] for found in listing(store, "recent/") if found["path"] not in replaced]
    heartbeats = {
        found["path"]: hashlib.sha256(str(found["e_tag"]).encode()).hexdigest()[:8]
        for found in listing(store, "heartbeats/")
    }
    if _manifest(store, url)[1] != tag:
        raise _Gone
    return _Listed(
        {entry["file"]: entry["sha256"] for entry in manifest["settled"]}, sorted(recent), heartbeats
    )


def _manifest(store: "S3Store", url: str) -> tuple[dict[str, Any], str]:
    import obstore

    try:
        found = obstore.get(store, "manifest.json")
        manifest = json.loads(bytes(found.bytes()))
        if manifest["version"] != VERSION:
            raise InvalidFile(f"{url}/manifest.json: of another version. Use the release that wrote it.")
    except FileNotFoundError:  # nothing was compacted yet
        return {"settled": [], "replaced": []}, ""
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidFile(
            f"{url}/manifest.json: not a manifest that this version understands ({error!r})."
        ) from None
    return manifest, str(found.meta["e_tag"])


def _copies(
    store: "S3Store",
    cache: Path,
    digests: Mapping[str, str],
    key_of: Callable[[str], str] = str,
) -> list[Path]:
    """Give the local copies of some files, and fetch those that are missing.

    Parameters
    ----------
    digests : mapping of a copy's name to the SHA-256 of its content, or to nothing
    key_of : callable, gives the key of which a name is the copy
    """
    import obstore

    def fetch(name: str) -> Path:
        path = cache / name
        if path.exists():
            return path
        try:
            content = bytes(obstore.get(store, key_of(name)).bytes())
        except FileNotFoundError:
            raise _Gone from None
        if digests[name] not in ("", hashlib.sha256(content).hexdigest()):
            raise InvalidFile(
                f"{name}: its SHA-256 in the store is not the manifest's. Restore it from a copy."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        put_file(path, lambda temporary: temporary.write_bytes(content))
        return path

    with ThreadPoolExecutor(DOWNLOADS) as threads:
        return list(threads.map(fetch, digests))


def _unsettled(cache: Path, recent: Sequence[Path], settled: Sequence[Path]) -> list[Path]:
    """Make one file of all recent ones, without what another of them or a settled file has."""
    if not recent:
        return []
    names = "\n".join(path.name for path in (*recent, *settled))
    path = cache / f"unsettled-{hashlib.sha256(names.encode()).hexdigest()[:16]}.parquet"
    if not path.exists():
        stays = _first_copies(recent, settled)
        put_file(path, lambda temporary: _write_rows(temporary, recent, stays))
    return [path]


def _first_copies(recent: Sequence[Path], settled: Sequence[Path]) -> pa.Array:
    """Say of every row of some files, in their order, whether it is the first of its event."""
    rows = pa.concat_tables(_columns(path, ["event_id", "received_at"]) for path in recent)
    order = pc.sort_indices(rows, [("received_at", "ascending")])
    ranked = rows.take(order).append_column("rank", pa.array(range(len(rows)), pa.int64()))
    first = ranked.group_by("event_id").aggregate([("rank", "min")]).column("rank_min")
    stays = pc.is_in(pa.array(range(len(rows)), pa.uint64()), order.take(first.combine_chunks()))
    if len(rows):
        since = pc.min(rows.column("received_at")).as_py() - timedelta(days=REPEAT_DAYS)
        for path in settled:
            if path.parent.name >= f"day={since.date()}":
                known = _columns(path, ["event_id"]).column("event_id").combine_chunks()
                stays = pc.and_not(stays, pc.is_in(rows.column("event_id"), known).combine_chunks())
    return stays


def _write_rows(target: Path, sources: Sequence[Path], stays: pa.Array) -> None:
    schema = pa.unify_schemas([pq.read_schema(path).remove_metadata() for path in sources])
    position, gathered, gathered_rows = 0, [], 0
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for path in sources:
            rows = _columns(path, None)
            gathered.append(rows.filter(stays.slice(position, len(rows))))
            position, gathered_rows = position + len(rows), gathered_rows + len(gathered[-1])
            if gathered_rows >= ROW_GROUP_ROWS:
                writer.write_table(_joined(gathered, schema))
                gathered, gathered_rows = [], 0
        writer.write_table(_joined(gathered, schema))


def _joined(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *tables], promote_options="default").select(schema.names)


def _columns(path: Path, columns: list[str] | None) -> pa.Table:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(columns)
    except (OSError, ValueError) as error:
        raise InvalidFile(
            f"{path}: cannot be read ({type(error).__name__}). Remove it: it will be fetched again."
        ) from None


def _tidy(cache: Path, needed: set[Path]) -> None:
    now = time.time()
    for path in needed:
        try:
            # Its time of change stays: by that, what was worked out from it is known to be of this file.
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        except FileNotFoundError:  # to another process it was old
            raise _Gone from None
    for path in cache.rglob("*"):
        if path.suffix not in (".parquet", ".tmp") or path in needed:
            continue
        with contextlib.suppress(FileNotFoundError):  # to another process it was old, too
            status = path.stat()
            if max(status.st_atime, status.st_mtime) < now - GRACE_SECONDS:
                path.unlink()
