"""The receiver's end of the publisher, which is a process of its own: parsing never delays an answer.

Nothing that the publisher needs for its work is imported here: the process that answers stays small.
"""

import asyncio
import contextlib
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from receiver.errors import FolderInUse
from receiver.settings import ReadingSettings, without_secrets
from receiver.store.folder import DataFolder

LONGEST_PAUSE_SECONDS = 30
SILENT_SECONDS = 60.0
# One allocator for all, and few pools in it: freed memory is used again, also by another thread.
MEMORY = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2"}

logger = logging.getLogger("receiver")


class Beat(NamedTuple):
    """One run of the receiver was up from one instant (UTC) to another."""

    receiver_id: str
    started_at: datetime
    beat_at: datetime


class PublisherProcess:
    """Keeps one publisher running, gives it heartbeats to write, and reads what it did.

    A publisher that ends is started again: nothing is lost without it, and capture does not wait for it.

    Attributes
    ----------
    totals : Counter of str, events, duplicates, damaged and unreadable since the start
    gauges : dict of str to float, what it said with its last sign of life: accounts, silent_accounts,
        longest_silence_seconds
    failures : int, how often a publisher has ended that was not told to
    """

    def __init__(
        self, folder: DataFolder, reading: ReadingSettings, environ: Mapping[str, str], events_url: str = ""
    ) -> None:
        self.totals: Counter[str] = Counter()
        self.gauges: dict[str, float] = {}
        self.failures = 0
        self._folder = folder
        self._settings = self._told(reading, events_url)
        # Whoever reads bodies needs no secret of Meta's, but may have to write to an object store.
        self._environ = without_secrets(environ) | {
            name: text for name, text in environ.items() if name.startswith("AWS_")
        }
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[int] | None = None
        self._draining = asyncio.Event()
        self._replacing = False
        self._asked_at: float | None = None
        self._heard_at = 0.0

    async def start(self) -> None:
        """Start the process, unless that is done, and wait until it alone publishes from the folder.

        Raises
        ------
        FolderInUse
            If another publisher does.
        """
        if self._keeping is not None:
            return
        process = await self._spawn()
        if await _first_line(process) != b"ready\n":
            await process.wait()
            raise FolderInUse(f"{self._folder.root}: the publisher did not start; the line above says why.")
        self._keeping = asyncio.create_task(self._keep(process))

    @property
    def is_running(self) -> bool:
        """Whether there is a process at this moment."""
        return self._process is not None and self._process.returncode is None

    @property
    def silent_seconds(self) -> float:
        """How long the publisher has owed an answer to a heartbeat; 0 when it owes none."""
        return 0.0 if self._asked_at is None else time.monotonic() - self._asked_at

    def beat(self, beat: Beat) -> None:
        """Have a heartbeat written, and learn by the answer whether the publisher still works."""
        # One at a time: they would pile up in front of a publisher that hangs.
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            self._tell(beat=beat)

    async def drain(self, beat: Beat | None) -> int:
        """Have everything published that is sealed, and end the process; its exit code.

        A publisher that says nothing for ``SILENT_SECONDS`` is killed: what it leaves is in the journal.

        Parameters
        ----------
        beat : Beat or None, the last heartbeat, if this run has stored anything
        """
        self._draining.set()
        if self._keeping is None:
            return 0
        self._tell(beat=beat, end="drain")
        self._heard_at = time.monotonic()
        while not self._keeping.done():
            await asyncio.wait({self._keeping}, timeout=1)
            if self._process is not None and time.monotonic() - self._heard_at > SILENT_SECONDS:
                logger.critical("the publisher hangs and is ended")
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
        return self._keeping.result()

    def replace(self, reading: ReadingSettings, events_url: str = "") -> None:
        """Have another process go on, with these settings, once the segment in hand is published."""
        self._settings = self._told(reading, events_url)
        self._replacing = True
        self._tell(beat=None, end="leave")

    def _told(self, reading: ReadingSettings, events_url: str) -> str:
        settings = {"data": str(self._folder.root), "events_url": events_url, **asdict(reading)}
        return json.dumps(settings, default=sorted)

    def _tell(self, *, beat: Beat | None, end: str = "") -> None:
        stdin = None if self._process is None else self._process.stdin
        if stdin is not None and not stdin.is_closing():  # else it is ending: its exit code will say how
            fields = None if beat is None else beat._asdict()
            message = json.dumps({"beat": fields, "end": end}, default=datetime.isoformat)
            stdin.write(message.encode() + b"\n")

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._asked_at = None
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "receiver.store.publishing", self._settings,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=MEMORY | dict(self._environ),
        )  # fmt: skip
        return self._process

    async def _keep(self, process: asyncio.subprocess.Process) -> int:
        """Read what the process says, and start it again when it ends too early; the last exit code."""
        while True:
            await self._read(process)
            exit_code = await process.wait()
            if self._draining.is_set() and not self._replacing:
                return exit_code
            if not self._replacing:
                self.failures += 1
                logger.critical("the publisher has failed: what was acknowledged waits in journal/")
                # Each time a second longer: what cannot work now is not worth a processor.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._draining.wait(), min(self.failures, LONGEST_PAUSE_SECONDS))
                    return exit_code
            self._replacing = False
            process = await self._spawn()
            await _first_line(process)
            if self._draining.is_set() or self._replacing:  # it was said while nobody listened
                self._tell(beat=None, end="drain" if self._draining.is_set() else "leave")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self._asked_at, self._heard_at = None, time.monotonic()
            said = json.loads(line)
            self.gauges.update(said.pop("gauges", {}))
            self.totals.update(said)


async def _first_line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()
