"""Deliveries captured elsewhere: read from JSON lines, and handed to the publisher as a journal of their own."""

import gzip
import io
import json
import os
import secrets
import shutil
import sys
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from receiver.errors import ReceiverError
from receiver.store.folder import DataFolder, sync_folder, try_lock, write_all
from receiver.store.journal import SEAL_BYTES
from receiver.store.segment import FILE_MAGIC, Delivery, encode_frame

# Behind the receivers' own journals, whose names begin with a year: what comes now is published first.
PREFIX = "backfill-"
_NO_SIGNATURE = bytes(32)
# Of the largest body that Meta sends there would be twenty in it: a file that packs one line small is no capture.
MAX_LINE_BYTES = 64 * 1024 * 1024


class CapturedDelivery(NamedTuple):
    """A delivery that something else has received; ``received_at`` in microseconds since 1970 UTC."""

    received_at: int
    body: bytes


def read_captured(file: Path, now: datetime) -> Iterator[CapturedDelivery]:
    """Read the deliveries of a file line by line.

    Parameters
    ----------
    file : Path, JSON lines, perhaps packed by gzip; ``-`` is standard input. A line is the body of a delivery,
        or ``{"received_at": "2026-11-16T08:00:00Z", "body": …}`` where the body is an object or text
    now : datetime, aware; the time of receipt of bodies that come without one, and the latest allowed

    Raises
    ------
    ReceiverError
        Naming file and line, for what is neither.
    """
    try:
        raw: Any = sys.stdin.buffer if str(file) == "-" else file.open("rb", buffering=0)
        with io.BufferedReader(raw) as content, _unpacked(content) as lines:
            for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE_BYTES + 1), b""), start=1):
                if len(line) > MAX_LINE_BYTES:
                    raise ReceiverError(
                        f"{file}: line {number} is longer than {MAX_LINE_BYTES >> 20} MiB. Put each delivery on a line."
                    )
                if line.strip():
                    yield _delivery(line, now, f"{file}: line {number}")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "not a whole gzip file"
        raise ReceiverError(
            f"{file}: {reason}. Name a file of JSON lines, or - for standard input."
        ) from None


def store_captured(folder: DataFolder, deliveries: Iterable[CapturedDelivery]) -> int:
    """Put deliveries into the journal, sealed, all of them in one step or none; how many they are.

    A receiver that runs on the folder is not disturbed: its publisher finds them, or the next one does.
    """
    name = f"{PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    place = folder.staging / name
    place.mkdir(mode=0o700)
    lock = try_lock(place / "LOCK")
    try:
        count = _write_segments(place, name, deliveries)
        if count:
            sync_folder(place)
            place.rename(folder.journal / name)
            sync_folder(folder.journal)
            sync_folder(folder.staging)
        return count
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def remove_unfinished_backfills(folder: DataFolder) -> None:
    """Remove what a backfill that was killed has left in ``staging/``."""
    for place in folder.staging.glob(f"{PREFIX}*"):
        lock = try_lock(place / "LOCK")
        if lock is not None:
            shutil.rmtree(place)
            os.close(lock)


def _write_segments(place: Path, name: str, deliveries: Iterable[CapturedDelivery]) -> int:
    count, number = 0, 0
    frames: list[bytes] = []
    size = 0
    for delivery in deliveries:
        frame = Delivery(len(frames), delivery.received_at, _NO_SIGNATURE, delivery.body)
        frames.append(encode_frame(frame, f"{name}-{number:016}"))
        size += len(frames[-1])
        count += 1
        if size >= SEAL_BYTES:
            _write_segment(place / f"{number:016}.wal", frames)
            frames, size, number = [], 0, number + 1
    if frames:
        _write_segment(place / f"{number:016}.wal", frames)
    return count


def _write_segment(path: Path, frames: Iterable[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        write_all(descriptor, FILE_MAGIC + b"".join(frames))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unpacked(content: io.BufferedReader) -> BinaryIO:
    is_gzip = content.peek(2)[:2] == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(content) if is_gzip else content)


def _delivery(line: bytes, now: datetime, place: str) -> CapturedDelivery:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise ReceiverError(
            f"{place}: not JSON. Each line is a delivery's body, or an object with received_at and body."
        ) from None
    if not isinstance(record, dict):
        raise ReceiverError(f"{place}: a {type(record).__name__}, but a delivery is an object.")
    if "body" not in record or "entry" in record:
        return CapturedDelivery(_microseconds(now), line.strip())
    body = record["body"]
    if not isinstance(body, str | dict):
        raise ReceiverError(
            f"{place}: body is of type {type(body).__name__}. Write an object, or text that holds one."
        )
    content = body if isinstance(body, str) else json.dumps(body)
    return CapturedDelivery(
        _received_at(record.get("received_at"), now, place), content.encode("utf-8", "surrogatepass")
    )


def _received_at(text: object, now: datetime, place: str) -> int:
    if text is None:
        return _microseconds(now)
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        raise ReceiverError(
            f"{place}: received_at {text!r} is no instant. Write it like 2026-11-16T08:00:00Z."
        ) from None
    if instant.tzinfo is None:
        raise ReceiverError(f"{place}: received_at {text!r} has no zone. Add Z, or an offset such as +01:00.")
    if not datetime(1971, 1, 1, tzinfo=UTC) <= instant <= now:
        raise ReceiverError(
            f"{place}: received_at {text!r} is not in the past. Nothing can be known earlier."
        )
    return _microseconds(instant)


def _microseconds(instant: datetime) -> int:
    since = instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
