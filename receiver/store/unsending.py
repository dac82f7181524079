"""What people take back: the text of a message that was unsent goes, wherever it is stored.

The publisher notes each deletion it meets in a file of its own, before the deletion itself is published. A few
minutes later all notes are carried out together, since that reads every file that holds text.
"""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from receiver.deliveries import Event, ReadingOptions, read_delivery
from receiver.deliveries.json_text import parse_json, to_json
from receiver.deliveries.redaction import without_content
from receiver.errors import ReceiverError
from receiver.store.compaction import remove_replaced
from receiver.store.folder import DataFolder, create_file, locked, replace_file, sync_folder
from receiver.store.manifest import current_manifest, recent_files
from receiver.store.mentions import Mentions
from receiver.store.parquet import read_checked
from receiver.store.raw import leave_only, read_sealed
from receiver.store.rewriting import rewrite_recent, rewrite_settled

WAIT_SECONDS = 600.0
# So long Meta may bring a message for the first time whose deletion has come already.
KEPT_DAYS = 8
_KEPT = "kept.json"
_WITH_TEXT = ReadingOptions(store_text=True)  # reads deeper: what is not redacted is not walked through
_COLUMNS = ("platform", "account_id", "message_id", "event_type", "text", "payload")


class Message(NamedTuple):
    """A message as its deletion names it."""

    platform: str | None
    account_id: str | None
    message_id: str


class TakenBack:
    """The messages of the last days that were taken back."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._notes: dict[tuple[str, int, int], set[Message]] = {}
        self._messages: set[Message] = set()
        self._met: set[Message] = set()

    def refresh(self) -> None:
        """Read what was noted since, by whomever, and forget what is remembered no more.

        Raises
        ------
        ReceiverError
            If a note cannot be read.
        """
        known, self._notes = self._notes, {}
        # What is carried out stands in kept.json before its note goes: read last, that misses nothing.
        for path in sorted(_notes(self._folder), key=lambda path: path.name == _KEPT):
            with contextlib.suppress(FileNotFoundError):  # carried out meanwhile
                status = path.stat()
                version = (path.name, status.st_mtime_ns, status.st_ino)
                self._notes[version] = known[version] if version in known else _read(path)
        if self._notes.keys() != known.keys():
            self._messages = set().union(*self._notes.values())

    def filtered(self, event: Event) -> Event:
        """Give an event without its text if it was taken back already; a deletion is remembered for ``note``."""
        if event.message_id is None:
            return event
        message = Message(event.platform, event.account_id, event.message_id)
        if event.event_type == "deletion":
            self._met.add(message)
        elif message in self._messages:
            return event._replace(text=None, payload=_without_content(event.payload))
        return event

    def note(self, name: str) -> None:
        """Note durably what the segment of this name takes back, to be carried out."""
        if self._met:
            content = json.dumps(sorted(self._met, key=str)).encode()
            create_file(_place(self._folder) / f"{name}.json", content, self._folder.staging)
        self._met.clear()


def is_due(folder: DataFolder) -> bool:
    """Whether something was taken back some minutes ago, and is stored yet."""
    latest = time.time() - WAIT_SECONDS
    return any(path.name != _KEPT and path.stat().st_mtime <= latest for path in _notes(folder))


def forget_taken_back(folder: DataFolder) -> Counter[str]:
    """Remove the text of every message that was taken back, from events and from raw deliveries.

    The event stays, without text and without content in its payload. A raw delivery that names it goes whole.

    Returns
    -------
    Counter of str
        ``texts``, ``deliveries`` and ``quarantined`` that are gone.

    Raises
    ------
    ReceiverError, OSError
        If something cannot be read or written; doing it again goes on where this ended.
    """
    found = Counter(texts=0, deliveries=0, quarantined=0)
    with locked(folder.compacting_lock):
        notes = [path for path in _notes(folder) if path.name != _KEPT]
        messages = set[Message]().union(*map(_read, notes))
        if messages:
            _forget_texts(folder, messages, found)
            with locked(folder.publishing_lock):
                _forget_deliveries(folder, messages, found)
        _keep(folder, messages, datetime.now(UTC).date())
        for path in notes:
            path.unlink()
    return found


def forget_notes(folder: DataFolder, mentions: Mentions) -> None:
    """Take messages whose ids name a person out of the notes; hold ``folder.publishing_lock``."""
    for path in _notes(folder):
        entries = json.loads(path.read_text(encoding="utf-8"))
        kept = [entry for entry in entries if not mentions.in_bytes(entry[2].encode())]
        if len(kept) < len(entries):
            replace_file(path, json.dumps(kept).encode(), folder.staging)


def _forget_texts(folder: DataFolder, messages: Collection[Message], found: Counter[str]) -> None:
    def without_texts(rows: pa.Table) -> pa.Table:
        return _without_texts(rows, messages)

    for entry in current_manifest(folder).settled:
        if count := _texts_in(folder.events / entry.file, messages):
            found["texts"] += count
            rewrite_settled(folder, entry, without_texts)
    for number in current_manifest(folder).live:
        for path in recent_files(folder, number):
            if count := _texts_in(path, messages):
                found["texts"] += count
                rewrite_recent(folder, path, without_texts)
    if found["texts"]:
        remove_replaced(folder, 0)


def _texts_in(path: Path, messages: Collection[Message]) -> int:
    if "text" not in pq.read_schema(path).names:
        return 0  # nothing that anybody wrote was stored
    return sum(_texts_of(rows, messages).count(True) for rows in read_checked(path, _COLUMNS))


def _texts_of(rows: pa.Table, messages: Collection[Message]) -> list[bool]:
    """Say of each row whether it holds what somebody wrote in one of the messages."""
    ids = pa.array(sorted({message.message_id for message in messages}), pa.string())
    found = [False] * len(rows)
    for place in pc.indices_nonzero(pc.is_in(rows.column("message_id"), value_set=ids)).to_pylist():
        row = {name: rows.column(name)[place].as_py() for name in _COLUMNS}
        found[place] = (
            Message(*(row[name] for name in Message._fields)) in messages
            and row["event_type"] != "deletion"
            and (row["text"] is not None or _without_content(row["payload"]) != row["payload"])
        )
    return found


def _without_texts(rows: pa.Table, messages: Collection[Message]) -> pa.Table:
    is_theirs = pa.array(_texts_of(rows, messages), pa.bool_())
    payloads = rows.column("payload").combine_chunks()
    bare = [_without_content(payload) for payload in payloads.filter(is_theirs).to_pylist()]
    payloads = pc.replace_with_mask(payloads, is_theirs, pa.array(bare, pa.string()))
    texts = pc.if_else(is_theirs, pa.scalar(None, pa.string()), rows.column("text").combine_chunks())
    names = rows.column_names
    rows = rows.set_column(names.index("text"), rows.field("text"), texts)
    return rows.set_column(names.index("payload"), rows.field("payload"), payloads)


def _without_content(payload: str) -> str:
    try:
        return to_json(without_content(parse_json(payload.encode())))
    except RecursionError:  # hundreds of levels deep: nothing that Meta sends, and it has to go all the same
        return "{}"


def _forget_deliveries(folder: DataFolder, messages: Collection[Message], found: Counter[str]) -> None:
    def brings_one(body: bytes, received_at: int) -> bool:
        return any(
            Message(event.platform, event.account_id, event.message_id or "") in messages
            for event in read_delivery(body, received_at=received_at, options=_WITH_TEXT)
        )

    for path in sorted(folder.done.glob("*.wal")):
        segment = read_sealed(folder, path)
        kept = [one for one in segment.deliveries if not brings_one(one.body, one.received_at)]
        found["deliveries"] += len(segment.deliveries) - len(kept)
        if len(kept) < len(segment.deliveries):
            leave_only(folder, segment, kept)
    mentions = Mentions(message.message_id for message in messages)
    for path in sorted(folder.quarantine.iterdir()):
        if mentions.in_body(path.read_bytes()):
            found["quarantined"] += 1
            path.unlink()
            sync_folder(path.parent)


def _place(folder: DataFolder) -> Path:
    return folder.erasures / "unsent"


def _notes(folder: DataFolder) -> list[Path]:
    return sorted(_place(folder).glob("*.json"))


def _keep(folder: DataFolder, messages: Iterable[Message], today: date) -> None:
    """Remember for some days what was taken back, should the message itself come late."""
    path = _place(folder) / _KEPT
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    oldest = (today - timedelta(days=KEPT_DAYS)).isoformat()
    recent = [entry for entry in known if entry[3] >= oldest]
    added = [[*message, today.isoformat()] for message in sorted(messages, key=str)]
    if added or len(recent) < len(known):
        replace_file(path, json.dumps(recent + added).encode(), folder.staging)


def _read(path: Path) -> set[Message]:
    try:
        return {Message(*entry[:3]) for entry in json.loads(path.read_text(encoding="utf-8"))}
    except FileNotFoundError:  # carried out meanwhile
        return set()
    except (ValueError, TypeError):
        raise ReceiverError(f"{path}: not a note of messages taken back. Restore it from a backup.") from None
