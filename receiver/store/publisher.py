"""From journal to Parquet: each sealed segment becomes one file of events, each event once."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from receiver.deliveries import Event, ReadingOptions, read_delivery
from receiver.store.folder import DataFolder, locked, sync_folder, try_lock
from receiver.store.late import settled_ids
from receiver.store.manifest import current_manifest, live_files, output_generation, prepare_events
from receiver.store.object_store import ObjectStore, StoreUnavailable
from receiver.store.open_segment import remove_empty_journals, seal_dead_journals
from receiver.store.parquet import event_batch, event_schema, write_events
from receiver.store.raw import leave_only, read_sealed
from receiver.store.rhythm import Rhythm
from receiver.store.seen import SeenIndex
from receiver.store.segment import Delivery, read_segment
from receiver.store.shared_events import publish_shared
from receiver.store.tombstones import Tombstones
from receiver.store.unsending import TakenBack

DONE_SECONDS = 72 * 3600
BATCH_EVENTS = 5_000
TURN_SECONDS = 0.01
_DAY_SECONDS = 24 * 3600

logger = logging.getLogger("receiver")


@dataclass
class Publication:
    """What became of one segment, or of several.

    Attributes
    ----------
    events, duplicates : int, events that are published now, and those that had come before
    damaged, unreadable : int, pieces of a segment and bodies that are in ``quarantine/``
    erased : int, events left out for who was erased
    shared_keys : int, events whose ``contact_key`` is known as another contact's
    """

    events: int = 0
    duplicates: int = 0
    damaged: int = 0
    unreadable: int = 0
    erased: int = 0
    shared_keys: int = 0

    def add(self, other: "Publication") -> None:
        """Count what became of another segment, too."""
        self.events += other.events
        self.duplicates += other.duplicates
        self.damaged += other.damaged
        self.unreadable += other.unreadable
        self.erased += other.erased
        self.shared_keys += other.shared_keys


def publish_journal(
    folder: DataFolder, options: ReadingOptions, store: ObjectStore | None = None
) -> Publication:
    """Publish everything that is sealed, and what receivers that are no longer alive have left open.

    A receiver may run on the folder: then what it has open stays its own.
    """
    folder.create()
    _without_receiver(folder, seal_dead_journals)
    total = Publication()
    publisher = Publisher(folder, options, store)
    try:
        while segments := publisher.sealed_segments():
            for segment in segments:
                publication = publisher.publish(segment)
                if publication is None:
                    time.sleep(TURN_SECONDS)
                else:
                    total.add(publication)
    finally:
        publisher.close()
    _without_receiver(folder, remove_empty_journals)
    return total


def has_receiver(folder: DataFolder) -> bool:
    """Whether a receiver runs on the folder."""
    lock = try_lock(folder.lock)
    if lock is not None:
        os.close(lock)
    return lock is None


def _without_receiver(folder: DataFolder, act: Callable[[Path], object]) -> None:
    """Do something with the journals, unless a receiver is there, which may be about to open its own."""
    lock = try_lock(folder.lock)
    if lock is not None:
        try:
            act(folder.journal)
        finally:
            os.close(lock)


class Publisher:
    """Publishes the sealed segments of one data folder; there is one at a time, who holds ``folder.lock``.

    A segment's file has a name that follows from the segment's. It is there, whole and synced, or it is not:
    whatever interrupts the work, doing it again ends in the same events.
    """

    def __init__(self, folder: DataFolder, options: ReadingOptions, store: ObjectStore | None = None) -> None:
        """Make the folder ready.

        Parameters
        ----------
        store : ObjectStore or None, where files get their names instead of in the folder's ``events/``
        """
        self._folder = folder
        self._store = store
        self._options = options
        self._schema = event_schema(store_text=options.store_text)
        # Names the segment that is being published, so that one that ends the process holds up no other.
        self._in_hand = folder.index / "in-hand"
        self._suspect = self._in_hand.read_text(encoding="utf-8") if self._in_hand.exists() else None
        self._tombstones = Tombstones(folder)
        self._taken_back = TakenBack(folder)
        self.rhythm = Rhythm(folder.index / "rhythm.json", time.time_ns() // 1000)
        with locked(folder.publishing_lock):
            prepare_events(folder)
            self._seen = SeenIndex(folder.index / "seen.sqlite")
        self.tidy()

    def tidy(self) -> None:
        """Make the index agree with what is published now, and remove segments older than ``DONE_SECONDS``."""
        with locked(self._folder.publishing_lock):
            self._catch_up()
        oldest = time.time() - DONE_SECONDS
        for segment in self._folder.done.glob("*.wal"):
            if segment.stat().st_mtime < oldest:
                segment.unlink(missing_ok=True)

    def _catch_up(self) -> None:
        manifest = current_manifest(self._folder)
        self._seen.catch_up(manifest, live_files(self._folder, manifest))

    def sealed_segments(self) -> list[Path]:
        """Segments that wait to be published, oldest first; last the one that the last publisher died of."""
        waiting = self._folder.journal.glob("*/*.wal")
        return sorted(waiting, key=lambda segment: (str(segment) == self._suspect, segment))

    def publish(self, segment: Path) -> Publication | None:
        """Publish one sealed segment and move it to ``done/``; ``None`` while others change the folder.

        Raises
        ------
        StoreUnavailable
            If the object store does not take the file now: the segment stays where it is.
        """
        lock = try_lock(self._folder.publishing_lock)
        if lock is None:
            return None
        try:
            return self._publish(segment) if segment.exists() else Publication()
        finally:
            os.close(lock)

    def close(self) -> None:
        """Close the index."""
        self._seen.close()

    def _publish(self, segment: Path) -> Publication:
        self._in_hand.write_text(str(segment), encoding="utf-8")
        name = f"{segment.parent.name}-{segment.stem}"
        publication = Publication()
        # Whoever erases writes the tombstone first: a segment sealed after that meets it here.
        self._tombstones.refresh()
        self._taken_back.refresh()
        is_published = any(self._folder.events.glob(f"recent/*/{name}.parquet"))
        if not is_published:
            if self._seen.knows_recent(f"{name}.parquet"):
                self._catch_up()  # its file is gone: its events are not known any more
            deliveries = self._whole_deliveries(segment, name, publication)
            self._write(name, deliveries, publication)
            if publication.shared_keys:
                logger.critical(
                    "publisher: %s: one contact_key stands for two people: `ctm verify` names it.", name
                )
        if publication.erased or (is_published and not self._tombstones.is_empty):
            self._leave_out_erased(segment)
        os.utime(segment)
        segment.rename(self._folder.done / f"{name}.wal")
        self._in_hand.unlink()
        return publication

    def _whole_deliveries(self, segment: Path, name: str, publication: Publication) -> list[Delivery]:
        content = segment.read_bytes()
        deliveries, damages = read_segment(content, name)
        for damage in damages:
            kind = "torn" if damage.is_tail else "damaged"
            self._quarantine(f"{name}-{damage.start}.{kind}", content[damage.start : damage.end])
        publication.damaged = len(damages)
        return deliveries

    def _write(self, name: str, deliveries: Sequence[Delivery], publication: Publication) -> None:
        temporary = self._folder.staging / f"{name}.parquet.tmp"
        batches = self._batches(name, deliveries, publication)
        publication.events = write_events(temporary, self._schema, batches)
        self._taken_back.note(name)
        if self._store is None:
            self._name(name, temporary)
        else:
            self._share(self._store, name, temporary)
        self._seen.commit()

    def _name(self, name: str, temporary: Path) -> None:
        path = output_generation(self._folder) / f"{name}.parquet"
        temporary.rename(path)
        sync_folder(path.parent)
        self._seen.add_file(str(path.relative_to(self._folder.events)))

    def _share(self, store: ObjectStore, name: str, temporary: Path) -> None:
        try:
            publish_shared(store, name, temporary)
        except StoreUnavailable:
            self._seen.roll_back()
            raise
        finally:
            temporary.unlink()

    def _batches(
        self, name: str, deliveries: Sequence[Delivery], publication: Publication
    ) -> Iterator[pa.RecordBatch]:
        """Yield the events that are new, in batches that bound the memory."""
        group: list[tuple[Delivery, list[Event]]] = []
        size = 0
        for delivery in deliveries:
            events = self._new_events(name, delivery, publication)
            group.append((delivery, events))
            size += len(events)
            if size >= BATCH_EVENTS:
                self._leave_out_late_repeats(group, publication)
                yield from self._batch(name, group, publication)
                group, size = [], 0
        self._leave_out_late_repeats(group, publication)
        yield from self._batch(name, group, publication)

    def _new_events(self, name: str, delivery: Delivery, publication: Publication) -> list[Event]:
        try:
            events = read_delivery(delivery.body, received_at=delivery.received_at, options=self._options)
            stay = [self._taken_back.filtered(event) for event in events if not self._tombstones.cover(event)]
        except Exception as error:
            # A body that nobody foresaw must not stop the bodies behind it: it is kept and counted.
            self._set_aside(name, delivery, error, publication)
            return []
        new = [event for event in stay if self._seen.add(event.event_id)]
        if any(delivery.signature):  # what was backfilled tells nothing about today
            for event in new:
                if event.platform and event.account_id and event.event_type != "test":
                    self.rhythm.note(event.platform, event.account_id, delivery.received_at)
        publication.shared_keys += sum(map(self._seen.has_foreign_key, new))
        publication.erased += len(events) - len(stay)
        publication.duplicates += len(stay) - len(new)
        return new

    def _leave_out_erased(self, path: Path) -> None:
        """Take the deliveries that bring back somebody who was erased out of a segment that is published."""
        segment = read_sealed(self._folder, path)
        kept = [delivery for delivery in segment.deliveries if not self._brings_back(delivery)]
        if len(kept) < len(segment.deliveries):
            leave_only(self._folder, segment, kept)

    def _brings_back(self, delivery: Delivery) -> bool:
        try:
            events = read_delivery(delivery.body, received_at=delivery.received_at)
        except Exception:  # nobody foresaw it: it was set aside when it was published
            return False
        return any(map(self._tombstones.cover, events))

    def _leave_out_late_repeats(
        self, group: Sequence[tuple[Delivery, list[Event]]], publication: Publication
    ) -> None:
        """Leave out what was published so long ago that the index has forgotten it."""
        since = datetime.fromisoformat(self._seen.since_day).replace(tzinfo=UTC).timestamp() * 1_000_000
        late = [event for _, events in group for event in events if _earliest(event) < since]
        if not late:
            return
        # What happened on a day was received on that day or later; one more for clocks that disagree.
        first = min(map(_earliest, late)) // 1_000_000 - _DAY_SECONDS
        first_day = datetime.fromtimestamp(max(0, first), UTC).date().isoformat()
        forgotten = self._seen.unknown_files(current_manifest(self._folder))
        known = settled_ids(
            (self._folder.events / entry.file for entry in forgotten if entry.day >= first_day), late
        )
        for _, events in group:
            before = len(events)
            events[:] = [event for event in events if event.event_id not in known]
            publication.duplicates += before - len(events)

    def _batch(
        self, name: str, group: Sequence[tuple[Delivery, list[Event]]], publication: Publication
    ) -> Iterator[pa.RecordBatch]:
        events = [event for _, events in group for event in events]
        if not events:
            return
        try:
            yield event_batch(events, self._schema)
        except (ValueError, TypeError, OverflowError) as error:
            if len(group) > 1:
                for part in group:
                    yield from self._batch(name, [part], publication)
            else:
                self._seen.discard(event.event_id for event in events)
                self._set_aside(name, group[0][0], error, publication)

    def _set_aside(self, name: str, delivery: Delivery, error: Exception, publication: Publication) -> None:
        # The error's text may quote the body, so only its type is logged.
        logger.error("publisher: delivery %s-%d: %s", name, delivery.sequence, type(error).__name__)
        self._quarantine(f"{name}-{delivery.sequence}.body", delivery.body)
        publication.unreadable += 1

    def _quarantine(self, name: str, content: bytes) -> None:
        logger.error("publisher: %d bytes are in quarantine/%s", len(content), name)
        path = self._folder.quarantine / name
        path.write_bytes(content)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        sync_folder(self._folder.quarantine)


def _earliest(event: Event) -> int:
    return min(event.occurred_at, event.received_at)
