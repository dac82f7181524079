"""The journal: a delivery is on disk before it is answered, many deliveries for one sync."""

import asyncio
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from receiver.errors import StorageBusy, StorageFailed
from receiver.store.folder import RESERVE_BYTES, DataFolder, sync_folder, try_lock, write_all
from receiver.store.segment import FILE_MAGIC, Delivery, encode_frame

SEAL_SECONDS = 2.0
SEAL_BYTES = 16 * 1024 * 1024
LOOK_SECONDS = 0.5
MAX_WAITING = 2_000
MAX_WAITING_BYTES = 64 * 1024 * 1024

logger = logging.getLogger("receiver")


class _Waiting(NamedTuple):
    received_at: int
    signature: bytes
    body: bytes
    durable: asyncio.Future[None]


class Journal:
    """The open journal of one run of a receiver.

    The event loop appends; one thread takes everything that waits, writes it with one call, syncs once and
    lets all of it be answered. While it syncs, the next group gathers: no timer delays an answer.

    Before ``open``, and after an error of a write or a sync, nothing is accepted. A sync is never tried
    again: the kernel may report success for pages that it has already given up.

    Attributes
    ----------
    failure : Exception or None, why the journal accepts nothing
    waiting, waiting_bytes : int, deliveries (and their bytes) that are not on disk yet
    commits, committed, commit_seconds : totals over this run: groups, deliveries, seconds spent writing
    """

    def __init__(self, folder: DataFolder, on_failure: Callable[[], None]) -> None:
        """Prepare a journal that is not open yet; a loop must be running.

        Parameters
        ----------
        folder : DataFolder, the journal lies in its ``journal`` folder
        on_failure : callable, called once on the loop when the journal has stopped for good
        """
        self.failure: Exception | None = StorageFailed("The journal is not open.")
        self.waiting_bytes = 0
        self.commits, self.committed, self.commit_seconds = 0, 0, 0.0
        self._data = folder
        self._loop = asyncio.get_running_loop()
        self._on_failure = on_failure
        self._look_at, self._has_space = 0.0, True
        self._closing = False
        self._waiting: set[asyncio.Future[None]] = set()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def open(self, receiver_id: str) -> None:
        """Create the run's folder and its first segment, and accept deliveries from then on.

        Parameters
        ----------
        receiver_id : str, never used before: segments are named after it, and a name is published once

        Raises
        ------
        OSError
            If the disk refuses; it may be tried again, with another id.
        """
        self._receiver_id, self._number = receiver_id, 0
        self._folder = self._data.journal / receiver_id
        self._folder.mkdir(mode=0o700)
        lock = try_lock(self._folder / "LOCK")
        try:
            self._open_segment()
            sync_folder(self._folder)
            sync_folder(self._data.journal)
        except OSError:
            if lock is not None:
                os.close(lock)
            raise
        self._lock = lock
        self.failure = None
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many deliveries are not on disk yet."""
        return len(self._waiting)

    def has_room(self, body_bytes: int) -> bool:
        """Whether a body of this many bytes may wait for the disk now, and the disk has room for it."""
        return (
            self.waiting < MAX_WAITING
            and self.waiting_bytes + body_bytes <= MAX_WAITING_BYTES
            and self._disk_has_space()
        )

    def append(self, body: bytes, signature: bytes) -> asyncio.Future[None]:
        """Hand a verified delivery to the disk.

        Returns
        -------
        Future
            Done when the delivery is on disk; fails with StorageFailed when it may not be.

        Raises
        ------
        StorageBusy
            If too much waits already, or the disk is full.
        StorageFailed
            If the journal is not open.
        """
        if self.failure is not None or self._closing:
            raise StorageFailed("The journal is not open.")
        if not self.has_room(len(body)):
            raise StorageBusy("Too many deliveries wait for the disk, or it is full.")
        durable = self._loop.create_future()
        self._waiting.add(durable)
        self.waiting_bytes += len(body)
        self._queue.put(_Waiting(time.time_ns() // 1000, signature, body, durable))
        return durable

    def _disk_has_space(self) -> bool:
        # Asking costs as much as half a delivery, and in a second no disk fills by what is set aside.
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._has_space = self._data.free_bytes() >= RESERVE_BYTES
        return self._has_space

    async def close(self) -> None:
        """Commit what waits, seal the segment and let go of the folder."""
        self._closing = True
        if not self._thread.ident:
            return
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # Below: the journal's own thread.

    def _run(self) -> None:
        try:
            while self._commit_group():
                pass
            self._seal(reopen=False)
        except Exception as error:
            # Whatever it was, nobody may be left waiting for an answer that never comes.
            logger.critical("journal: %s. Not one more delivery is accepted.", error, exc_info=error)
            self._loop.call_soon_threadsafe(self._fail, error)

    def _commit_group(self) -> bool:
        """Commit all that waits and seal when it is time; False when the journal is to be closed."""
        group, goes_on = self._take_group()
        if group:
            started = time.monotonic()
            frames = [
                encode_frame(
                    Delivery(sequence, item.received_at, item.signature, item.body), self._segment_name
                )
                for sequence, item in enumerate(group, start=self._frames)
            ]
            content = b"".join(frames)
            write_all(self._descriptor, content)
            os.fdatasync(self._descriptor)
            ended = time.monotonic()
            if not self._frames:
                self._seal_due = ended + SEAL_SECONDS
            self._frames += len(group)
            self._bytes += len(content)
            self._loop.call_soon_threadsafe(self._acknowledge, group, ended - started)
        if self._frames and goes_on and (self._bytes >= SEAL_BYTES or time.monotonic() >= self._seal_due):
            self._seal(reopen=True)
        return goes_on

    def _take_group(self) -> tuple[list[_Waiting], bool]:
        group: list[_Waiting] = []
        timeout = max(0.0, self._seal_due - time.monotonic()) if self._frames else None
        try:
            while (item := self._queue.get(timeout=timeout)) is not None:
                group.append(item)
                timeout = 0.0
        except queue.Empty:
            return group, True
        return group, False

    def _open_segment(self) -> None:
        self._segment_name = f"{self._receiver_id}-{self._number:016}"
        self._path = self._folder / f"{self._number:016}.open"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            write_all(descriptor, FILE_MAGIC)
            os.fsync(descriptor)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        self._frames, self._bytes, self._seal_due = 0, 0, 0.0

    def _seal(self, *, reopen: bool) -> None:
        """Give the segment its final name, and open the next one if there is to be one."""
        path, descriptor, is_empty = self._path, self._descriptor, not self._frames
        if reopen:
            self._number += 1
            self._open_segment()
        os.close(descriptor)
        if is_empty:
            path.unlink()
        else:
            path.rename(path.with_suffix(".wal"))
        # The name of the next segment must be on disk before anything in it is acknowledged.
        sync_folder(self._folder)

    # Below: called on the loop.

    def _acknowledge(self, group: list[_Waiting], seconds: float) -> None:
        self.commits += 1
        self.committed += len(group)
        self.commit_seconds += seconds
        for item in group:
            self._waiting.discard(item.durable)
            self.waiting_bytes -= len(item.body)
            if not item.durable.done():
                item.durable.set_result(None)

    def _fail(self, error: Exception) -> None:
        self.failure = error
        for durable in self._waiting:
            if not durable.done():
                durable.set_exception(StorageFailed("The disk refused the delivery."))
        self._waiting.clear()
        self._on_failure()


def seal_dead_journals(root: Path) -> int:
    """Seal what receivers that are no longer alive have left open.

    Damage is not judged here: reading a segment finds every whole frame whatever happened to the others.

    Returns
    -------
    int
        How many segments were sealed.
    """
    sealed = 0
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        lock = try_lock(folder / "LOCK")
        if lock is None:
            continue
        for segment in sorted(folder.glob("*.open")):
            if segment.stat().st_size <= len(FILE_MAGIC):
                segment.unlink()
            else:
                segment.rename(segment.with_suffix(".wal"))
                sealed += 1
        sync_folder(folder)
        os.close(lock)
    return sealed


def remove_empty_journals(root: Path) -> None:
    """Remove the folders of receivers that are no longer alive and whose segments are all published."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        lock = try_lock(folder / "LOCK")
        if lock is None:
            continue
        if [path.name for path in folder.iterdir()] == ["LOCK"]:
            (folder / "LOCK").unlink()
            folder.rmdir()
        os.close(lock)
