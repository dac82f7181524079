"""The journal: a delivery is on disk before it is answered, many deliveries for one sync."""

import asyncio
import contextlib
import errno
import logging
import os
import queue
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from receiver.errors import StorageBusy, StorageFailed
from receiver.store.folder import RESERVE_BYTES, DataFolder, sync_folder, try_lock, write_all
from receiver.store.open_segment import create_segment, finish_segment
from receiver.store.segment import FRAME_OVERHEAD_BYTES, Delivery, encode_frame

SEAL_SECONDS = 2.0
SEAL_BYTES = 16 * 1024 * 1024
LOOK_SECONDS = 0.5
MAX_WAITING = 2_000
SECONDS_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
SIZE_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
MAX_WAITING_BYTES = 64 * 1024 * 1024
# Set aside for each segment: a group may still be added just before it is full.
SEGMENT_BYTES = SEAL_BYTES + 1024 * 1024
_DAY_SECONDS = 24 * 3600

logger = logging.getLogger("receiver")


class _Waiting(NamedTuple):
    received_at: int
    signature: bytes
    body: bytes
    durable: asyncio.Future[None]


class Journal:
    """The open journal of one run of a receiver.

    The event loop appends, and hands over once in each of its turns; one thread takes everything that waits, writes
    it with one call, syncs once and lets all of it be answered. While it syncs, the next group gathers: no timer
    delays an answer.
    A second thread gives full segments their final name, and has the next one ready before it is needed, with
    space on the disk: neither delays an answer, and a disk that others fill does not end the journal.

    Before ``open``, and after an error of a write or a sync, nothing is accepted. A sync is never tried
    again: the kernel may report success for pages that it has already given up.

    Attributes
    ----------
    failure : BaseException or None, why the journal accepts nothing
    waiting, waiting_bytes : int, deliveries (and their bytes) that are not on disk yet
    commits, committed, commit_seconds : totals over this run: groups, deliveries, seconds spent writing
    commits_by_seconds, commits_by_size : Counter, groups by the smallest of ``SECONDS_BOUNDS`` or ``SIZE_BOUNDS``
        that they do not exceed
    """

    def __init__(self, folder: DataFolder, on_failure: Callable[[], None]) -> None:
        """Prepare a journal that is not open yet; a loop must be running.

        Parameters
        ----------
        folder : DataFolder, the journal lies in its ``journal`` folder
        on_failure : callable, called once on the loop when the journal has stopped for good
        """
        self.failure: BaseException | None = StorageFailed("The journal is not open.")
        self.waiting_bytes = 0
        self.commits, self.committed, self.commit_seconds = 0, 0, 0.0
        self.commits_by_seconds: Counter[str] = Counter()
        self.commits_by_size: Counter[str] = Counter()
        self._data = folder
        self._loop = asyncio.get_running_loop()
        self._on_failure = on_failure
        self._look_at, self._has_space = 0.0, True
        self._closing = False
        self._waiting: set[asyncio.Future[None]] = set()
        self._gathered: list[_Waiting] = []
        self._queue: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._helper = ThreadPoolExecutor(1, "segments")

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
        self._number = 0
        self._folder = self._data.journal / receiver_id
        self._folder.mkdir(mode=0o700)
        lock = try_lock(self._folder / "LOCK")
        if lock is None:
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK), str(self._folder))
        try:
            self._segment = create_segment(self._folder, 0, SEGMENT_BYTES)
            sync_folder(self._data.journal)
        except OSError:
            os.close(lock)
            raise
        self._lock: int | None = lock
        self._next = self._helper.submit(create_segment, self._folder, 1, SEGMENT_BYTES)
        self._seal_due = 0.0
        self.failure = None
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many deliveries are not on disk yet."""
        return len(self._waiting)

    def has_room(self, body_bytes: int) -> bool:
        """Whether a body of this many bytes may wait for the disk now, and the disk has room for it."""
        waiting_bytes = self.waiting_bytes + body_bytes
        if self.waiting >= MAX_WAITING or waiting_bytes > MAX_WAITING_BYTES:
            return False
        if self._disk_has_space():
            return True
        # What was set aside for the segment is there, however full the disk is.
        size = self._segment.size + waiting_bytes + (self.waiting + 1) * FRAME_OVERHEAD_BYTES
        return size <= self._segment.reserved

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
        if not self._gathered:
            # All that came in this turn of the loop goes together: the first would else be synced alone.
            self._loop.call_soon(self._hand_over)
        self._gathered.append(_Waiting(time.time_ns() // 1000, signature, body, durable))
        return durable

    def _hand_over(self) -> None:
        self._queue.put(self._gathered)
        self._gathered = []

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
        self._hand_over()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._helper.shutdown()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # Below: the journal's own thread.

    def _run(self) -> None:
        try:
            while self._commit_group():
                pass
            self._helper.submit(finish_segment, self._segment).result()
            with contextlib.suppress(OSError):  # it was not needed, whether or not it could be created
                finish_segment(self._next.result())
        except Exception as error:
            # Whatever it was, nobody may be left waiting for an answer that never comes.
            self._stop(error)

    def _stop(self, error: BaseException) -> None:
        logger.critical("journal: %s. Not one more delivery is accepted.", error, exc_info=error)
        self._loop.call_soon_threadsafe(self._fail, error)

    def _commit_group(self) -> bool:
        """Commit all that waits and seal when it is time; False when the journal is to be closed."""
        group, goes_on = self._take_group()
        segment = self._segment
        if group:
            started = time.monotonic()
            frames = [
                encode_frame(Delivery(sequence, item.received_at, item.signature, item.body), segment.name)
                for sequence, item in enumerate(group, start=segment.frames)
            ]
            content = b"".join(frames)
            self._write(content)
            os.fdatasync(segment.descriptor)
            ended = time.monotonic()
            if not segment.frames:
                to_midnight = _DAY_SECONDS - time.time() % _DAY_SECONDS
                self._seal_due = ended + min(SEAL_SECONDS, to_midnight)
            segment.frames += len(group)
            segment.size += len(content)
            self._loop.call_soon_threadsafe(self._acknowledge, group, ended - started)
        if segment.frames and goes_on and (segment.size >= SEAL_BYTES or time.monotonic() >= self._seal_due):
            self._seal()
        return goes_on

    def _write(self, content: bytes) -> None:
        try:
            write_all(self._segment.descriptor, content)
        except OSError:
            # A part of a frame is no delivery: without it the segment ends as if nothing had been tried.
            with contextlib.suppress(OSError):
                os.ftruncate(self._segment.descriptor, self._segment.size)
            raise

    def _take_group(self) -> tuple[list[_Waiting], bool]:
        group: list[_Waiting] = []
        timeout = max(0.0, self._seal_due - time.monotonic()) if self._segment.frames else None
        try:
            while (gathered := self._queue.get(timeout=timeout)) is not None:
                group += gathered
                timeout = 0.0
        except queue.Empty:
            return group, True
        return group, False

    def _seal(self) -> None:
        """Go on in the next segment, if it is there; the other thread gives this one its final name."""
        try:
            following = self._next.result()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            # This one goes on as long as there is room for it.
            self._seal_due = time.monotonic() + SEAL_SECONDS
        else:
            finishing = self._helper.submit(finish_segment, self._segment)
            finishing.add_done_callback(self._look_at_failure)
            self._segment = following
            self._number += 1
        self._next = self._helper.submit(create_segment, self._folder, self._number + 1, SEGMENT_BYTES)

    # Below: the helper's thread.

    def _look_at_failure(self, finishing: "Future[None]") -> None:
        if (error := finishing.exception()) is not None:
            self._stop(error)

    # Below: called on the loop.

    def _acknowledge(self, group: list[_Waiting], seconds: float) -> None:
        self.commits += 1
        self.committed += len(group)
        self.commit_seconds += seconds
        self.commits_by_seconds[_bound(seconds, SECONDS_BOUNDS)] += 1
        self.commits_by_size[_bound(len(group), SIZE_BOUNDS)] += 1
        for item in group:
            self._waiting.discard(item.durable)
            self.waiting_bytes -= len(item.body)
            if not item.durable.done():
                item.durable.set_result(None)

    def _fail(self, error: BaseException) -> None:
        self.failure = error
        for durable in self._waiting:
            if not durable.done():
                durable.set_exception(StorageFailed("The disk refused the delivery."))
        self._waiting.clear()
        self._on_failure()


def _bound(value: float, bounds: Sequence[float]) -> str:
    place = bisect_left(bounds, value)
    return str(bounds[place]) if place < len(bounds) else "+Inf"
