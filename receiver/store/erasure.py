"""A person is removed from everything that capture has written; each file is the old one or the new one.

The order makes an interruption harmless. The tombstone stands before this begins, so that nothing of the past
is published any more. Then what is published is written anew, and last the raw bytes that it was made from.
Whatever interrupts, the same erasure done again finds what is left.
"""

import shutil
import time
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from receiver.deliveries import ReadingOptions, read_delivery
from receiver.deliveries.people import person_ids
from receiver.errors import ErasureIncomplete, ReceiverError
from receiver.store.backfill import remove_unfinished_backfills
from receiver.store.compaction import remove_replaced
from receiver.store.folder import DataFolder, locked, sync_folder
from receiver.store.manifest import SettledFile, current_manifest, live_files, recent_files
from receiver.store.mentions import Mentions
from receiver.store.parquet import read_checked
from receiver.store.publisher import publish_journal
from receiver.store.raw import leave_only, read_sealed, sealed_segments
from receiver.store.rewriting import rewrite_recent, rewrite_settled
from receiver.store.tombstones import Kin, Person, instant
from receiver.store.traces import Traces
from receiver.store.unsending import forget_notes

PUBLISHED_SECONDS = 60.0
# Columns that hold ids, of which none is a person's.
_OTHER_IDS = {
    "account_id": "an account",
    "ad_id": "an ad",
    "post_id": "a post",
    "app_id": "an app",
    "message_id": "a message",
}
Names = tuple[
    str | None, str | None, frozenset[str]
]  # of one event: its platform, its account, its person's ids
_POLL_SECONDS = 0.1


def find_ids(folder: DataFolder, person: Person, kin: Kin) -> frozenset[str]:
    """Find every id that events and deliveries use for the same person.

    Parameters
    ----------
    folder : DataFolder
    person : Person, with at least one id
    kin : Kin, what earlier erasures of this person were about

    Raises
    ------
    ReceiverError
        If one of the person's ids is something else's: an account's, an ad's, a message's.
    """
    _refuse_other_ids(folder, person.ids)
    ids, looked_for = person.ids | _kept_kin(folder, kin), frozenset[str]()
    while ids != looked_for:
        looked_for = ids
        for platform, account_id, names in _named_together(folder, Mentions(looked_for)):
            if person.may_be_at(platform, account_id) and not names.isdisjoint(looked_for):
                ids |= names
    return ids


def known_contacts(folder: DataFolder, ids: Collection[str]) -> set[str]:
    """Say which of these ids are contacts of published events."""
    wanted, known = pa.array(sorted(ids), pa.string()), set[str]()
    for path in live_files(folder, current_manifest(folder)).values() if ids else ():
        for rows in read_checked(path, ["contact_id"]):
            contacts = rows.column("contact_id")
            known.update(contacts.filter(pc.is_in(contacts, value_set=wanted)).to_pylist())
    return known


def latest_receipt(folder: DataFolder) -> datetime:
    """Say when the last of what lies here was received: later than now, where the receiver's clock was ahead."""
    latest = 0
    for path in live_files(folder, current_manifest(folder)).values():
        for rows in read_checked(path, ["received_at"]):
            newest = pc.max(rows.column("received_at").cast(pa.int64())).as_py()
            latest = max(latest, newest or latest)
    for path in [*folder.journal.glob("*/*.open"), *sealed_segments(folder)]:
        latest = max([latest, *(delivery.received_at for delivery in read_sealed(folder, path).deliveries)])
    return instant(latest)


def erase(folder: DataFolder, person: Person, until: datetime, *, is_dry_run: bool = False) -> Counter[str]:
    """Remove what was known of a person up to an instant from events, raw deliveries and quarantine.

    Everything that was acknowledged by then is to be published already: ``publish_everything``.

    Parameters
    ----------
    folder : DataFolder
    person : Person, with all ids
    until : datetime with a zone
    is_dry_run : bool, only count

    Returns
    -------
    Counter of str
        ``events`` removed, ``others`` (events of others in which the person was named), ``deliveries``
        (raw bodies) and ``quarantined`` (files) removed.

    Raises
    ------
    ReceiverError, OSError
        If something cannot be read or written; doing it again goes on where this ended.
    """
    work = _Work(folder, Traces(person, until), is_dry_run)
    with locked(folder.compacting_lock):
        for entry in current_manifest(folder).settled:
            work.settled(entry)
        for number in current_manifest(folder).live:
            for path in recent_files(folder, number):
                work.recent(path)
        with locked(folder.publishing_lock):
            if not is_dry_run:
                _remove_leftovers(folder)
            for path in sorted(folder.done.glob("*.wal")):
                work.segment(path)
            for path in sorted(folder.quarantine.iterdir()):
                work.quarantined(path)
            if not is_dry_run:
                forget_notes(folder, work.traces.mentions)
    return work.found


def publish_everything(folder: DataFolder, options: ReadingOptions) -> None:
    """See to it that what is acknowledged by now is published, by the running receiver or else by us.

    Raises
    ------
    ErasureIncomplete
        If the receiver that runs does not come to it.
    """
    # Whatever a receiver that runs has open is sealed and published by it within seconds.
    opened = [path for path in folder.journal.glob("*/*.open") if read_sealed(folder, path).deliveries]
    publish_journal(folder, options)
    give_up = time.monotonic() + PUBLISHED_SECONDS
    while opened := [path for path in opened if path.exists() or path.with_suffix(".wal").exists()]:
        if time.monotonic() > give_up:
            raise ErasureIncomplete(
                f"{opened[0]}: the receiver that runs on this folder has not published it within"
                f" {PUBLISHED_SECONDS:.0f} seconds. See what it says, then run the same command again."
            )
        time.sleep(_POLL_SECONDS)


def _remove_leftovers(folder: DataFolder) -> None:
    """Remove what nobody needs any more: hold both locks, so that nobody is writing any of it."""
    remove_replaced(folder, 0)  # what only readers of the last hour still list
    # What an interrupted publication, compaction, erasure or backfill has left.
    shutil.rmtree(folder.staging / "compaction", ignore_errors=True)
    for unfinished in [*folder.staging.glob("*.parquet.tmp"), *folder.staging.glob("*.rewritten.tmp")]:
        unfinished.unlink()
    remove_unfinished_backfills(folder)


class _Work:
    """One pass over everything, which counts what it finds and, unless it only counts, removes it."""

    def __init__(self, folder: DataFolder, traces: Traces, is_dry_run: bool) -> None:
        self.found: Counter[str] = Counter(events=0, others=0, deliveries=0, quarantined=0)
        self._folder, self.traces, self._is_dry_run = folder, traces, is_dry_run

    def settled(self, entry: SettledFile) -> None:
        """Let a file without the person take the place of one that the manifest lists."""
        if self._names_person(self._folder.events / entry.file) and not self._is_dry_run:
            rewrite_settled(self._folder, entry, self._without_person)

    def recent(self, path: Path) -> None:
        """Give a file whose name says what was published a content without the person."""
        if self._names_person(path) and not self._is_dry_run:
            rewrite_recent(self._folder, path, self._without_person)

    def segment(self, path: Path) -> None:
        """Leave the deliveries that name the person out of a segment, and bytes that are no frame with them.

        Such bytes were copied to the quarantine when the segment was published.
        """
        segment = read_sealed(self._folder, path)
        kept = [delivery for delivery in segment.deliveries if not self.traces.in_delivery(delivery)]
        is_in_damage = any(map(self.traces.mentions.in_bytes, segment.damages))
        self.found["deliveries"] += len(segment.deliveries) - len(kept)
        if (is_in_damage or len(kept) < len(segment.deliveries)) and not self._is_dry_run:
            leave_only(self._folder, segment, kept)

    def quarantined(self, path: Path) -> None:
        """Remove a file of bytes that nobody could read, if they name the person."""
        if self.traces.mentions.in_body(path.read_bytes()):
            self.found["quarantined"] += 1
            if not self._is_dry_run:
                path.unlink()
                sync_folder(path.parent)

    def _names_person(self, path: Path) -> bool:
        found = 0
        for rows in read_checked(path):
            own, others = (pc.sum(mask).as_py() or 0 for mask in self.traces.in_rows(rows))
            self.found.update(events=own, others=others)
            found += own + others
        return found > 0

    def _without_person(self, rows: pa.Table) -> pa.Table:
        own, others = self.traces.in_rows(rows)
        return _without_mentions(rows, others, self.traces.mentions).filter(pc.invert(own))


def _without_mentions(rows: pa.Table, named: pa.Array, mentions: Mentions) -> pa.Table:
    """Take the person's ids out of what others' events say."""
    if not pc.any(named).as_py():
        return rows
    for position, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            column = rows.column(position).combine_chunks()
            erased = mentions.erased_from_json if field.name == "payload" else mentions.erased_from
            replaced = [erased(text) for text in column.filter(named).to_pylist()]
            column = pc.replace_with_mask(column, named, pa.array(replaced, pa.string()))
            rows = rows.set_column(position, field, column)
    return rows


def _refuse_other_ids(folder: DataFolder, ids: frozenset[str]) -> None:
    """Refuse an id that would take half of the events with it."""
    wanted = pa.array(sorted(ids), pa.string())
    for path in live_files(folder, current_manifest(folder)).values():
        for rows in read_checked(path, list(_OTHER_IDS)):
            for column, meaning in _OTHER_IDS.items():
                if pc.any(pc.is_in(rows.column(column), value_set=wanted)).as_py():
                    raise ReceiverError(f"--contact: this id is that of {meaning}, not of a contact.")


def _kept_kin(folder: DataFolder, kin: Kin) -> frozenset[str]:
    """Find what an interrupted erasure has left under other ids of the person."""
    if not kin.contacts:
        return frozenset()
    contacts: set[str] = set()
    for path in live_files(folder, current_manifest(folder)).values():
        for rows in read_checked(path, ["contact_id"]):
            contacts.update(filter(None, rows.column("contact_id").unique().to_pylist()))
    for _, _, names in _named_in_deliveries(folder, None):
        contacts.update(names)
    return frozenset(filter(kin.has_contact, contacts))


def _named_together(folder: DataFolder, mentions: Mentions) -> Iterator[Names]:
    """Yield the ids that one event uses for its person, of every event that may name one of these ids."""
    columns = ["platform", "account_id", "contact_id", "payload"]
    for path in live_files(folder, current_manifest(folder)).values():
        for rows in read_checked(path, columns):
            for row in rows.filter(mentions.in_rows(rows)).to_pylist():
                names = person_ids(row["platform"], row["contact_id"], row["payload"])
                yield row["platform"], row["account_id"], names
    yield from _named_in_deliveries(folder, mentions)


def _named_in_deliveries(folder: DataFolder, mentions: Mentions | None) -> Iterator[Names]:
    for path in sealed_segments(folder):
        for delivery in read_sealed(folder, path).deliveries:
            if mentions is None or mentions.in_body(delivery.body):
                for event in read_delivery(delivery.body, received_at=delivery.received_at):
                    names = person_ids(event.platform, event.contact_id, event.payload)
                    yield event.platform, event.account_id, names
