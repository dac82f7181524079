"""The receiver's end of several workers, each a process with a socket and a journal of its own."""

import asyncio
import contextlib
import logging
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from receiver.metrics import Figures
from receiver.settings import ReceiverSettings, without_secrets
from receiver.store.folder import DataFolder
from receiver.store.open_segment import seal_dead_journals
from receiver.working import Assignment

SILENT_SECONDS = 30.0
READY_SECONDS = 30.0
SHORTEST_LIFE_SECONDS = 1.0

logger = logging.getLogger("receiver")


class _WorkerProcess:
    """One process, and what it said last."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.figures = Figures()
        self.is_to_end = False
        self.started_at = time.monotonic()
        self.has_spoken = asyncio.Event()
        self._process = process

    def tell(self, line: bytes) -> None:
        """Give it an assignment or a word."""
        stdin = self._process.stdin
        if stdin is not None and not stdin.is_closing():  # else it is ending
            stdin.write(line)

    def end(self, word: bytes) -> None:
        """Have it end: ``leave`` or ``close``."""
        self.is_to_end = True
        self.tell(word + b"\n")

    async def listen(self) -> bool:
        """Wait for what it says next; False when it will say nothing more."""
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), SILENT_SECONDS)
        except TimeoutError:
            logger.critical("a worker hangs and is ended")
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            return False
        if line:
            self.figures = Figures.from_json(line)
        self.has_spoken.set()
        return bool(line)

    async def exit_code(self) -> int:
        """Wait until it has ended."""
        return await self._process.wait()


class WorkerProcesses:
    """Keeps one worker running at each of several sockets that share a port.

    The sockets stay open here: what waits at the socket of a worker that has died, or is being replaced, is
    answered by the next.

    Attributes
    ----------
    accepting_since : datetime or None, since when at least one worker has accepted deliveries (UTC)
    has_failed : bool, whether a worker that was to end could not seal its journal
    """

    def __init__(
        self,
        folder: DataFolder,
        settings: ReceiverSettings,
        listeners: Sequence[socket.socket],
        environ: Mapping[str, str],
    ) -> None:
        self.accepting_since: datetime | None = None
        self.has_failed = False
        self._folder = folder
        self._settings = settings
        self._listeners = listeners
        self._environ = without_secrets(environ)
        self._is_open = False
        self._closing = asyncio.Event()
        self._at: dict[socket.socket, _WorkerProcess] = {}
        self._running: set[_WorkerProcess] = set()
        self._watching: set[asyncio.Task[None]] = set()
        self._ended = Figures()

    @property
    def figures(self) -> Figures:
        """What all of them together have done, and can do now."""
        total = Figures()
        total.add(self._ended)
        for worker in self._running:
            total.add(worker.figures)
        return total

    async def open(self) -> None:
        """Have journals opened: the folder is the receiver's."""
        self._is_open = True
        for worker in self._running:
            worker.tell(b"open\n")

    async def listen(self) -> None:
        """Start all workers, and wait until each of them answers."""
        started = [await self._start(listener, self._settings) for listener in self._listeners]
        self._at.update(zip(self._listeners, started, strict=True))
        for worker in started:
            await worker.has_spoken.wait()

    async def replace(self, settings: ReceiverSettings) -> bool:
        """Replace one worker after the other by one with these settings; no client notices.

        Returns
        -------
        bool
            False when a new one did not become ready: the old ones that are left go on.
        """
        for listener in self._listeners:
            new = await self._start_ready(listener, settings)
            if new is None:
                return False
            old, self._at[listener], self._settings = self._at[listener], new, settings
            old.end(b"leave")
            while old in self._running:
                await asyncio.wait(self._watching, return_when=asyncio.FIRST_COMPLETED)
        return True

    async def close(self) -> None:
        """Have every worker answer what is on its way and seal its journal."""
        self._closing.set()
        for worker in self._running:
            worker.end(b"close")
        while self._watching:
            await asyncio.wait(self._watching)

    async def _start(self, listener: socket.socket, settings: ReceiverSettings) -> _WorkerProcess:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "receiver.working",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[listener.fileno()],
            env=self._environ,
        )  # fmt: skip
        worker = _WorkerProcess(process)
        worker.tell(Assignment(self._folder.root, settings, listener.fileno(), self._is_open).to_line())
        if self._closing.is_set():
            worker.end(b"close")
        self._running.add(worker)
        watch = asyncio.create_task(self._watch(worker, listener))
        self._watching.add(watch)
        watch.add_done_callback(self._watching.discard)
        return worker

    async def _watch(self, worker: _WorkerProcess, listener: socket.socket) -> None:
        """Hear a worker until it has ended, and put another in its place if nobody ended it."""
        while await worker.listen():
            self._note_whether_any_accepts()
            if self._is_open and not worker.is_to_end and not worker.figures.accepting:
                worker.tell(b"open\n")  # the disk had refused
        exit_code = await worker.exit_code()
        worker.has_spoken.set()
        self._running.discard(worker)
        self._ended.add(worker.figures.ended())
        self._note_whether_any_accepts()
        if worker.is_to_end:
            self.has_failed = self.has_failed or exit_code != 0
        else:
            self._ended.failures += 1
            logger.critical("a worker has ended with %d: its place is taken by another", exit_code)
        try:
            await asyncio.to_thread(seal_dead_journals, self._folder.journal)
        except OSError as error:
            logger.error("journal: %s. The next start seals what a worker has left.", error)
        pause = max(0.0, worker.started_at + SHORTEST_LIFE_SECONDS - time.monotonic())
        while self._at.get(listener) is worker and not await self._closes_within(pause):
            pause = SHORTEST_LIFE_SECONDS
            with contextlib.suppress(OSError):  # no memory, no process: it may work in a second
                self._at[listener] = await self._start(listener, self._settings)

    async def _start_ready(
        self, listener: socket.socket, settings: ReceiverSettings
    ) -> _WorkerProcess | None:
        try:
            worker = await self._start(listener, settings)
        except OSError as error:
            logger.error("no process is to be had: %s", error)
            return None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(worker.has_spoken.wait(), READY_SECONDS)
        if worker in self._running and worker.figures.accepting and not self._closing.is_set():
            return worker
        worker.end(b"close")
        return None

    async def _closes_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
        return self._closing.is_set()

    def _note_whether_any_accepts(self) -> None:
        accepting = any(worker.figures.accepting for worker in self._running)
        if not accepting:
            self.accepting_since = None
        elif self.accepting_since is None:
            self.accepting_since = datetime.now(UTC)
