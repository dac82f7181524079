"""Is everything there, and as it was written? Reads every published file and every kept segment to the end."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from receiver.deliveries import read_delivery
from receiver.store.folder import DataFolder
from receiver.store.manifest import SCHEMA_FILE, SettledFile, read_manifest
from receiver.store.parquet import read_checked_event_ids
from receiver.store.segment import read_segment


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
    faults : list of str, one sentence for each file that is missing or not as it was written
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


def verify(folder: DataFolder) -> Verification:
    """Check a data folder without changing it; a receiver may run meanwhile.

    Every page of every Parquet file is read against its checksum (queries do not do that), settled files
    also against the manifest, and every segment against the events that became of it. Needs some 100 bytes
    of memory for each event.

    Raises
    ------
    ReceiverError
        If the manifest cannot be understood.
    """
    found = Verification()
    # Segments first: what is published while the files are read was listed as waiting.
    waiting = sorted(folder.journal.glob("*/*.wal"))
    published = sorted(folder.done.glob("*.wal"))
    manifest = folder.events / "manifest.json"
    settled = read_manifest(manifest).settled if manifest.exists() else ()
    known: set[bytes] = set()
    for entry in settled:
        _check_settled(folder, entry, known, found)
    for path in sorted(folder.events.glob("recent/*/*.parquet")):
        if path.name != SCHEMA_FILE:
            _check_file(folder, path, known, found)
    for path in published:
        _check_segment(folder, path, path.stem, known, found)
    for path in waiting:
        found.waiting += 1
        _check_segment(folder, path, f"{path.parent.name}-{path.stem}", None, found)
    return found


def _check_settled(folder: DataFolder, entry: SettledFile, known: set[bytes], found: Verification) -> None:
    path = folder.events / entry.file
    if not path.exists():
        found.files += 1
        found.faults.append(f"events/{entry.file}: missing, though the manifest names it.")
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != entry.sha256:
        found.faults.append(f"events/{entry.file}: its SHA-256 is not the manifest's.")
    rows = _check_file(folder, path, known, found)
    if rows not in (None, entry.rows):
        found.faults.append(f"events/{entry.file}: {rows} rows, but the manifest says {entry.rows}.")


def _check_file(folder: DataFolder, path: Path, known: set[bytes], found: Verification) -> int | None:
    found.files += 1
    try:
        ids = [bytes.fromhex(event_id) for event_id in read_checked_event_ids(path)]
    except (OSError, ValueError, TypeError) as error:
        # The library's text may quote what it read.
        found.faults.append(f"{path.relative_to(folder.root)}: cannot be read ({type(error).__name__}).")
        return None
    found.events += len(ids)
    before = len(known)
    known.update(ids)
    found.repeated += len(ids) - (len(known) - before)
    return len(ids)


def _check_segment(
    folder: DataFolder, path: Path, name: str, known: set[bytes] | None, found: Verification
) -> None:
    """Check a segment's frames and, where it is published, that ``known`` has its events."""
    try:
        deliveries, damages = read_segment(path.read_bytes(), name)
    except FileNotFoundError:
        return  # published, or removed by age, since it was listed
    found.segments += 1
    found.deliveries += len(deliveries)
    kept = {file.name for file in folder.quarantine.glob(f"{name}-*")}
    for damage in damages:
        kind = "torn" if damage.is_tail else "damaged"
        if known is None or f"{name}-{damage.start}.{kind}" not in kept:
            size = damage.end - damage.start
            found.faults.append(
                f"{path.relative_to(folder.root)}: {size} bytes from {damage.start} are no frame."
            )
    for delivery in deliveries:
        if known is not None and f"{name}-{delivery.sequence}.body" not in kept:
            events = read_delivery(delivery.body, received_at=delivery.received_at)
            found.lost += sum(bytes.fromhex(event.event_id) not in known for event in events)
