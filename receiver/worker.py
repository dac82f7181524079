"""One worker: a public server, and the journal behind it."""

import asyncio
import contextlib
import gc
import secrets
import socket
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.types import ASGIApp, Receive, Scope, Send

from receiver.app import public_app
from receiver.metrics import Figures, Tally
from receiver.server import connections_with_descriptors, http_server
from receiver.settings import ReceiverSettings
from receiver.store.folder import DataFolder
from receiver.store.journal import MAX_WAITING, Journal

STARTUP_POLL_SECONDS = 0.01
# Requests that wait for the disk are many objects and no garbage: at Python's 700 each group of them would be searched.
GARBAGE_OBJECTS = 20_000


class Worker:
    """Answers deliveries that come to one socket; until its journal is open, and when it has failed, with 503.

    Attributes
    ----------
    accepting_since : datetime or None, when the journal was opened (UTC)
    """

    def __init__(
        self,
        folder: DataFolder,
        settings: ReceiverSettings,
        listener: socket.socket,
        on_failure: Callable[[], None],
    ) -> None:
        """Prepare a worker that neither listens nor accepts yet; a loop must be running.

        Parameters
        ----------
        on_failure : callable, called once on the loop when the journal has stopped for good
        """
        self.accepting_since: datetime | None = None
        self._folder = folder
        self._journal = Journal(folder, on_failure)
        self._tally = Tally()
        self._app = self._built(settings)
        self._listener = listener
        self._server = http_server(self._answer, connections_with_descriptors())
        self._serving: asyncio.Task[None] | None = None

    @property
    def has_failed(self) -> bool:
        """Whether the journal has stopped for good."""
        return self.accepting_since is not None and self._journal.failure is not None

    @property
    def figures(self) -> Figures:
        """What it has done, and what it can do now."""
        journal = self._journal
        is_open = journal.failure is None
        return Figures(
            tally=self._tally,
            commits=journal.commits,
            committed=journal.committed,
            commit_seconds=journal.commit_seconds,
            commits_by_seconds=journal.commits_by_seconds,
            commits_by_size=journal.commits_by_size,
            waiting=journal.waiting,
            waiting_bytes=journal.waiting_bytes,
            accepting=int(is_open),
            behind=int(is_open and journal.waiting > MAX_WAITING * 0.8),
        )

    async def open(self) -> None:
        """Open the journal, and accept deliveries from then on.

        Raises
        ------
        OSError
            If the disk refuses; it may be tried again.
        """
        while self.accepting_since is None:
            now = datetime.now(UTC)
            # Somebody may look into the new folder at this very moment, for a dead worker's: then another.
            with contextlib.suppress(BlockingIOError):
                self._journal.open(f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}")
                self.accepting_since = now

    async def listen(self) -> None:
        """Answer from now on."""
        gc.set_threshold(GARBAGE_OBJECTS)
        self._serving = asyncio.create_task(self._server.serve([self._listener]))
        while not (self._server.started or self._serving.done()):
            await asyncio.sleep(STARTUP_POLL_SECONDS)

    async def replace(self, settings: ReceiverSettings) -> bool:
        """Answer every later request by these settings, always; no connection notices."""
        self._app = self._built(settings)
        return True

    async def leave(self) -> None:
        """End as ``close`` does, but cut off no client: another worker listens to the same socket."""
        await self._server.leave()
        await self.close()

    async def close(self) -> None:
        """Answer what is on its way, commit what waits, and seal the journal."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        await self._journal.close()

    def _built(self, settings: ReceiverSettings) -> ASGIApp:
        return public_app(settings, self._journal, self._tally, self._folder)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
