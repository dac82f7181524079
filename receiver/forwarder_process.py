"""The receiver's end of the forwarder, which is a process of its own: a bot that is slow or away delays no answer."""

import asyncio
import contextlib
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Mapping

from receiver.settings import without_secrets
from receiver.store.folder import DataFolder
from receiver.target import Target

LONGEST_PAUSE_SECONDS = 30
LEAVE_SECONDS = 3.0
LATE_SECONDS = 300.0

logger = logging.getLogger("receiver")


class ForwarderProcess:
    """Keeps one forwarder running, and reads what it did.

    Attributes
    ----------
    totals : Counter of str, since the start: deliveries ``forwarded`` and ``given_up``, ``missing_segments``, and
        attempts that found the bot ``unavailable`` or were ``refused``
    aside : int, deliveries that the bot refused again and again, to be tried from time to time
    failures : int, how often a forwarder has ended that was not told to
    """

    def __init__(self, folder: DataFolder, url: str, environ: Mapping[str, str]) -> None:
        """Prepare a forwarder to a URL.

        Parameters
        ----------
        environ : mapping of str to str, what the process gets of the environment, but for secrets

        Raises
        ------
        InvalidSetting
            If nothing can be posted to the URL.
        """
        self.totals: Counter[str] = Counter(
            forwarded=0, given_up=0, missing_segments=0, refused=0, unavailable=0
        )
        self.aside = 0
        self.failures = 0
        if not Target(url).is_encrypted:
            logger.warning("--forward: http: what people write is relayed unencrypted")
        self._folder = folder
        # Not as an argument: the list of processes is for everybody to read, and a token may be in the URL.
        self._environ = without_secrets(environ) | {"CTM_FORWARD_URL": url}
        self._oldest: int | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest delivery that the bot should have by now; 0 when it has all of them."""
        return 0.0 if self._oldest is None else max(0.0, time.time() - self._oldest / 1_000_000)

    def start(self) -> None:
        """Relay what is received from now on, and what was left; a loop must be running."""
        self._keeping = asyncio.create_task(self._keep(time.time_ns() // 1000))

    async def stop(self) -> None:
        """End the process, and with it at most one delivery that the bot then gets again."""
        self._stopping.set()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        if self._keeping is not None:
            await asyncio.wait({self._keeping}, timeout=LEAVE_SECONDS)
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
            await self._keeping

    async def _keep(self, begun_at: int) -> None:
        while not self._stopping.is_set():
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "receiver.forwarding", str(self._folder.root), str(begun_at),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=self._environ,
            )  # fmt: skip
            await self._read(self._process)
            await self._process.wait()
            if not self._stopping.is_set():
                self.failures += 1
                logger.critical("the forwarder has failed: what it has not relayed is in journal/ and done/")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), min(self.failures, LONGEST_PAUSE_SECONDS))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            said = json.loads(line)
            self.totals.update(said["counts"])
            self.aside, self._oldest = said["aside"], said["oldest"]
