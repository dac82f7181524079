"""Where verified deliveries go: the journal that takes them, and the publisher behind it."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from receiver.errors import EXIT_STORAGE, ReceiverError
from receiver.settings import ReadingSettings
from receiver.store.folder import DataFolder
from receiver.store.journal import MAX_WAITING, Journal, seal_dead_journals
from receiver.store.publisher_process import SILENT_SECONDS, Beat, PublisherProcess

BEAT_SECONDS = 10.0
RETRY_SECONDS = 2.0
DISK_LOW_BYTES = 256 * 1024 * 1024

logger = logging.getLogger("receiver")


class Capture:
    """One run of capture on one data folder.

    A disk that is full or refuses to write does not end it: nothing is accepted, and it is tried again.

    Attributes
    ----------
    journal : Journal
    publisher : PublisherProcess
    """

    def __init__(
        self, folder: DataFolder, reading: ReadingSettings, environ: Mapping[str, str], stop: asyncio.Event
    ) -> None:
        self.journal = Journal(folder, stop.set)
        self.publisher = PublisherProcess(folder, reading, environ)
        self._folder = folder
        self._stop = stop
        self._opened_at: datetime | None = None
        self._receiver_id = ""

    async def open(self) -> None:
        """Take the folder over and accept deliveries, if the disk lets us.

        Raises
        ------
        FolderInUse
            If another receiver has the folder.
        """
        try:
            self._folder.create()
            self._folder.probe()
            await self.publisher.start()
            # The publisher holds the folder's lock, so nobody else starts here at the same time.
            recovered = seal_dead_journals(self._folder.journal)
            opened_at = datetime.now(UTC)
            self._receiver_id = f"{opened_at:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
            self.journal.open(self._receiver_id)
        except OSError as error:
            logger.critical("the disk refuses: %s. Deliveries are answered with 503 until it works.", error)
            return
        self._opened_at = opened_at
        if recovered:
            logger.warning("recovered %d open segments that a receiver left when it was killed", recovered)

    async def keep_up(self) -> None:
        """Open what could not be opened, and write heartbeats, until capture is to stop."""
        while not self._stop.is_set():
            if self._opened_at is None:
                await self._pause(RETRY_SECONDS)
                await self._open_again()
            else:
                self.publisher.beat(self._beat(self._opened_at))
                await self._pause(BEAT_SECONDS)

    async def close(self) -> int:
        """Let every acknowledged event be published.

        Returns
        -------
        int
            0, or ``EXIT_STORAGE`` when the journal or the publisher has failed.
        """
        await self.journal.close()
        exit_code = await self.publisher.drain(self._beat(self._opened_at) if self._opened_at else None)
        if exit_code != 0:
            logger.critical("not everything is published: the rest is in journal/ for the next start")
        return EXIT_STORAGE if exit_code != 0 or self.journal.failure is not None else 0

    def readiness(self) -> tuple[bool, str]:
        """Whether deliveries can be acknowledged now, and a sentence about it."""
        if self.journal.failure is not None:
            return False, "the journal is not open"
        if self.journal.waiting > MAX_WAITING * 0.8:
            return False, "the disk is behind"
        if self._folder.free_bytes() < DISK_LOW_BYTES:
            return False, "the disk is nearly full"
        # Without a publisher deliveries are safe in the journal: refusing them would help nobody.
        if not self.publisher.is_running:
            return True, "ready; but the publisher has ended and is being started again"
        if self.publisher.silent_seconds > SILENT_SECONDS:
            return True, "ready; but the publisher is silent"
        return True, "ready"

    def _beat(self, opened_at: datetime) -> Beat:
        return Beat(self._receiver_id, opened_at, datetime.now(UTC))

    async def _open_again(self) -> None:
        try:
            await self.open()
        except ReceiverError as error:
            logger.critical("%s", error)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
