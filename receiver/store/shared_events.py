"""Events in an object store: published there by receivers on any number of machines, without a lock.

Below the store's URL lie:

- ``recent/<segment>.parquet``, one file per segment, whose name only its receiver can give, and gives once;
- ``settled/day=YYYY-MM-DD/…parquet``, compacted, by day of receipt;
- ``manifest.json``: the settled files, and the recent or settled files that they replace;
- ``heartbeats/<receiver>.parquet``, and ``lease.json`` of whoever compacts.

What is live is every settled file of the manifest, and every recent file that it does not call replaced. An event
may be in two live files, where it came to two receivers: whoever reads takes it once.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from receiver.errors import ReceiverError
from receiver.store.manifest import SettledFile
from receiver.store.object_store import ObjectStore, StoredObject, StoreUnavailable

VERSION = 2
MANIFEST_KEY = "manifest.json"


class ReplacedFile(NamedTuple):
    """A file whose events are in settled files now; readers that had listed it before may still open it.

    Attributes
    ----------
    file : str, its key
    since : int, seconds since 1970
    """

    file: str
    since: int


class SharedManifest(NamedTuple):
    """The state that readers start from.

    Attributes
    ----------
    number : int, counts the states
    settled : tuple of SettledFile
    replaced : tuple of ReplacedFile, not removed yet
    """

    number: int = 0
    settled: tuple[SettledFile, ...] = ()
    replaced: tuple[ReplacedFile, ...] = ()

    def to_json(self) -> bytes:
        """Write it as it lies in the store."""
        content = {
            "version": VERSION,
            "number": self.number,
            "settled": [entry._asdict() for entry in self.settled],
            "replaced": [entry._asdict() for entry in self.replaced],
        }
        return json.dumps(content, indent=1).encode() + b"\n"


def read_shared_manifest(store: ObjectStore) -> tuple[SharedManifest, str | None]:
    """Read the manifest, and the tag with which alone it can be replaced; ``None`` where there is none yet.

    Raises
    ------
    ReceiverError
        If it is of another version or no manifest at all: guessing would hide events.
    """
    found = store.get(MANIFEST_KEY)
    if found is None:
        return SharedManifest(), None
    try:
        content = json.loads(found[0])
        if content["version"] != VERSION:
            raise ReceiverError(
                f"{store.url}/{MANIFEST_KEY}: version {content['version']} is not {VERSION}."
                " Use the release that wrote it."
            )
        settled = tuple(SettledFile(**entry) for entry in content["settled"])
        replaced = tuple(ReplacedFile(**entry) for entry in content["replaced"])
        return SharedManifest(int(content["number"]), settled, replaced), found[1]
    except (ValueError, KeyError, TypeError) as error:
        raise ReceiverError(
            f"{store.url}/{MANIFEST_KEY}: not a manifest ({error!r}). Restore it from a backup."
        ) from None


def recent_objects(store: ObjectStore, manifest: SharedManifest) -> list[StoredObject]:
    """List the recent files whose events are not in settled files."""
    replaced = {entry.file for entry in manifest.replaced}
    return [found for found in store.list("recent/") if found.key not in replaced]


def publish_shared(store: ObjectStore, name: str, path: Path) -> None:
    """Give a complete file its name in the store, and read it back.

    Where the name is taken, this segment was published before whatever interrupted its receiver: then what lies
    there has to be whole.

    Raises
    ------
    StoreUnavailable
        If the store does not have the file now: the segment stays in the journal.
    """
    key, content = f"recent/{name}.parquet", path.read_bytes()
    is_new = store.create(key, content)
    found = store.get(key)
    if found is None or (is_new and hashlib.sha256(found[0]).digest() != hashlib.sha256(content).digest()):
        raise StoreUnavailable(f"{store.url}/{key}: what was written was not read back.")
    if not is_new:
        try:
            with pq.ParquetFile(pa.BufferReader(found[0]), page_checksum_verification=True) as file:
                file.read(use_threads=False)
        except (OSError, ValueError) as error:
            raise StoreUnavailable(
                f"{store.url}/{key}: cannot be read ({type(error).__name__}). Remove it: it will be published again."
            ) from None
