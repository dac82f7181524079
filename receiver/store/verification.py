"""Is everything there, and as it was written? Reads every published file and every kept segment to the end."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from receiver.deliveries import read_delivery
from receiver.store.contacts import ContactDigests
from receiver.store.event_ids import EventIds
from receiver.store.folder import DataFolder, sha256_of
from receiver.store.manifest import current_manifest, live_files
from receiver.store.object_store import ObjectStore
from receiver.store.parquet import read_checked
from receiver.store.segment import read_segment
from receiver.store.shared_events import read_shared_manifest, recent_objects


@dataclass
class Verification:
    """What a data folder holds, and what is wrong with it.

    Attributes
    ----------
    files, events : int, published files, and the events in those that could be read
    repeated : int, events that are in more than one row
    segments, deliveries : int, segments of ``journal/`` and ``done/``, and the whole deliveries in them
    waiting : int, of these segments, those not yet published
    lost : int, events of published segments that no file holds
    faults : list of str, one sentence for each file that is missing or not as it was written, and for each
        ``contact_key`` that stands for two contacts
    """

    files: int = 0
    events: int = 0
    repeated: int = 0
    segments: int = 0
    deliveries: int = 0
    waiting: int = 0
    lost: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether everything is there once, and as it was written."""
        return not (self.faults or self.lost or self.repeated)


def verify(folder: DataFolder, store: ObjectStore | None = None) -> Verification:
    """Check a data folder, and the object store that it publishes to, without changing them.

    A receiver may run meanwhile.

    Every page of every Parquet file is read against its checksum (queries do not do that), settled files
    also against the manifest, and every segment against the events that became of it. Needs eight bytes of
    memory for each event, and for each event of a kept segment, and sixteen for each contact of a row group.

    Raises
    ------
    ReceiverError
        If the manifest cannot be understood.
    """
    found = Verification()
    # Segments first: what is published while the files are read was listed as waiting.
    waiting = sorted(folder.journal.glob("*/*.wal"))
    published = sorted(folder.done.glob("*.wal"))
    stored, expected, contacts = EventIds(), EventIds(), ContactDigests()
    _check_events(folder, stored, contacts, found)
    once = stored if store is None else _check_store(store, stored, contacts, found)
    for path in published:
        _check_segment(folder, path, path.stem, expected, found)
    for path in waiting:
        found.waiting += 1
        _check_segment(folder, path, f"{path.parent.name}-{path.stem}", None, found)
    found.repeated = sum(1 for _ in once.repeated())
    found.faults += (
        f"contact_key {key}: stands for more than one contact, so their conversations are mixed in answers."
        for key in contacts.shared()
    )
    found.lost = expected.missing_from(stored)
    return found


def _check_events(
    folder: DataFolder, stored: EventIds, contacts: ContactDigests, found: Verification
) -> None:
    manifest = current_manifest(folder)
    settled = {entry.file: entry for entry in manifest.settled}
    for name, path in live_files(folder, manifest).items():
        found.files += 1
        try:
            rows = _check_file(path, stored, contacts)
        except FileNotFoundError:
            # Unless it was compacted, and removed, since it was listed.
            if name in live_files(folder, current_manifest(folder)):
                found.faults.append(f"events/{name}: missing, though the manifest names it.")
            continue
        except (OSError, ValueError, TypeError, KeyError) as error:
            # The library's text may quote what it read.
            found.faults.append(f"events/{name}: cannot be read ({type(error).__name__}).")
            continue
        found.events += rows
        if (entry := settled.get(name)) is not None:
            if rows != entry.rows:
                found.faults.append(f"events/{name}: {rows} rows, but the manifest says {entry.rows}.")
            if sha256_of(path) != entry.sha256:
                found.faults.append(f"events/{name}: its SHA-256 is not the manifest's.")


def _check_store(
    store: ObjectStore, stored: EventIds, contacts: ContactDigests, found: Verification
) -> EventIds:
    """Check the live files of a store; the ids of which each may be there only once, those of settled files."""
    once = EventIds()
    manifest, _ = read_shared_manifest(store)
    settled = {entry.file: entry for entry in manifest.settled}
    for key in (*settled, *(recent.key for recent in recent_objects(store, manifest))):
        found.files += 1
        got = store.get(key)
        if got is None:
            # Unless it was compacted, and removed, since it was listed.
            if key in {entry.file for entry in read_shared_manifest(store)[0].settled}:
                found.faults.append(f"{store.url}/{key}: missing, though the manifest names it.")
            continue
        try:
            rows = _check_file(pa.BufferReader(got[0]), stored, contacts)
        except (OSError, ValueError, TypeError, KeyError) as error:
            found.faults.append(f"{store.url}/{key}: cannot be read ({type(error).__name__}).")
            continue
        found.events += rows
        if (entry := settled.get(key)) is not None:
            _check_file(pa.BufferReader(got[0]), once, contacts)
            if hashlib.sha256(got[0]).hexdigest() != entry.sha256:
                found.faults.append(f"{store.url}/{key}: its SHA-256 is not the manifest's.")
    return once


def _check_file(path: Path | pa.NativeFile, stored: EventIds, contacts: ContactDigests) -> int:
    """Read a file to its end; how many events it holds."""
    rows = 0
    for table in read_checked(path):
        contacts.update(table)
        stored.update(table.column("event_id").to_pylist())
        rows += table.num_rows
    return rows


def _check_segment(
    folder: DataFolder, path: Path, name: str, expected: EventIds | None, found: Verification
) -> None:
    """Check a segment's frames and, where it is published, say which events are ``expected`` in the files."""
    try:
        deliveries, damages = read_segment(path.read_bytes(), name)
    except FileNotFoundError:
        return  # published, or removed by age, since it was listed
    found.segments += 1
    found.deliveries += len(deliveries)
    kept = {file.name for file in folder.quarantine.glob(f"{name}-*")}
    for damage in damages:
        kind = "torn" if damage.is_tail else "damaged"
        if expected is None or f"{name}-{damage.start}.{kind}" not in kept:
            size = damage.end - damage.start
            found.faults.append(
                f"{path.relative_to(folder.root)}: {size} bytes from {damage.start} are no frame."
            )
    for delivery in deliveries:
        if expected is not None and f"{name}-{delivery.sequence}.body" not in kept:
            events = read_delivery(delivery.body, received_at=delivery.received_at)
            expected.update(event.event_id for event in events)
