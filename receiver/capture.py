"""Where verified deliveries go: the workers that journal them, and the publisher behind them."""

import asyncio
import contextlib
import logging
import secrets
from datetime import UTC, datetime
from typing import Protocol

from receiver.errors import EXIT_STORAGE, ReceiverError
from receiver.metrics import Figures
from receiver.settings import ReceiverSettings
from receiver.store.folder import DataFolder
from receiver.store.open_segment import seal_dead_journals
from receiver.store.publisher_process import SILENT_SECONDS, Beat, PublisherProcess

BEAT_SECONDS = 10.0
RETRY_SECONDS = 2.0
DISK_LOW_BYTES = 256 * 1024 * 1024

logger = logging.getLogger("receiver")


class Workers(Protocol):
    """Who answers deliveries and journals them: one in this process, or several processes.

    Attributes
    ----------
    accepting_since : datetime or None, since when any has accepted deliveries without a break (UTC)
    has_failed : bool, whether this process has to end because of them
    figures : Figures
    """

    @property
    def accepting_since(self) -> datetime | None: ...  # noqa: D102  # said above

    @property
    def has_failed(self) -> bool: ...  # noqa: D102  # said above

    @property
    def figures(self) -> Figures: ...  # noqa: D102  # said above

    async def open(self) -> None:
        """Open the journals: the folder is this receiver's."""

    async def replace(self, settings: ReceiverSettings) -> bool:
        """Answer by other settings from now on; whether that is so."""

    async def close(self) -> None:
        """Answer what is on its way and seal the journals."""


class Capture:
    """One run of capture on one data folder.

    A disk that is full or refuses to write does not end it: nothing is accepted, and it is tried again.
    """

    def __init__(
        self, folder: DataFolder, workers: Workers, publisher: PublisherProcess, stop: asyncio.Event
    ) -> None:
        self._folder = folder
        self._workers = workers
        self._publisher = publisher
        self._stop = stop
        self._is_open = False
        self._token = secrets.token_hex(4)

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
            await self._publisher.start()
            # The publisher holds the folder's lock, so nobody else starts here at the same time.
            recovered = seal_dead_journals(self._folder.journal)
            await self._workers.open()
        except OSError as error:
            logger.critical("the disk refuses: %s. Deliveries are answered with 503 until it works.", error)
            return
        self._is_open = True
        if recovered:
            logger.warning("recovered %d open segments that a receiver left when it was killed", recovered)

    async def keep_up(self) -> None:
        """Open what could not be opened, and write heartbeats, until capture is to stop."""
        while not self._stop.is_set():
            if not self._is_open:
                await self._pause(RETRY_SECONDS)
                await self._open_again()
                continue
            beat = self._beat()
            if beat is not None:
                self._publisher.beat(beat)
            await self._pause(BEAT_SECONDS if beat else RETRY_SECONDS)

    async def replace(self, settings: ReceiverSettings) -> bool:
        """Go on with other settings, without refusing a request; whether all do."""
        self._publisher.replace(settings.reading, settings.events_url)
        return await self._workers.replace(settings)

    async def close(self) -> int:
        """Answer what is on its way, and let every acknowledged event be published.

        Returns
        -------
        int
            0, or ``EXIT_STORAGE`` when the journal or the publisher has failed.
        """
        last_beat = self._beat()
        await self._workers.close()
        exit_code = await self._publisher.drain(last_beat)
        if exit_code != 0:
            logger.critical("not everything is published: the rest is in journal/ for the next start")
        return EXIT_STORAGE if exit_code != 0 or self._workers.has_failed or not self._is_open else 0

    def readiness(self) -> tuple[bool, str]:
        """Whether deliveries can be acknowledged now, and a sentence about it."""
        figures = self._workers.figures
        if not figures.accepting:
            return False, "the journal is not open"
        if figures.behind == figures.accepting:
            return False, "the disk is behind"
        if self._folder.free_bytes() < DISK_LOW_BYTES:
            return False, "the disk is nearly full"
        # Without a publisher deliveries are safe in the journal: refusing them would help nobody.
        if not self._publisher.is_running:
            return True, "ready; but the publisher has ended and is being started again"
        if self._publisher.silent_seconds > SILENT_SECONDS:
            return True, "ready; but the publisher is silent"
        return True, "ready"

    def _beat(self) -> Beat | None:
        since = self._workers.accepting_since
        if since is None:
            return None
        return Beat(f"{since:%Y%m%dT%H%M%S}-{self._token}", since, datetime.now(UTC))

    async def _open_again(self) -> None:
        try:
            await self.open()
        except ReceiverError as error:
            logger.critical("%s", error)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
