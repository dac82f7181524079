"""One receiver, from its first lock to its last published segment."""

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import uvicorn

from receiver.app import private_app, public_app
from receiver.deliveries import ReadingOptions
from receiver.errors import EXIT_STORAGE, ReceiverError
from receiver.guard import GuardedProtocol
from receiver.metrics import Tally, exposition
from receiver.settings import ReceiverSettings
from receiver.store.folder import DataFolder
from receiver.store.heartbeat import BEAT_SECONDS, write_heartbeat
from receiver.store.journal import MAX_WAITING, Journal, seal_dead_journals
from receiver.store.publisher_process import PublisherProcess

MAX_CONNECTIONS = 2_000
DRAIN_SECONDS = 12  # longer than a request may take
DISK_RESERVE_BYTES = 256 * 1024 * 1024

logger = logging.getLogger("receiver")


@dataclass(frozen=True)
class Addresses:
    """Where to listen; port 0 means a free one.

    Attributes
    ----------
    host : str, address that Meta, or the proxy in front, reaches
    port : int
    private_port : int, on the loopback address only
    """

    host: str
    port: int
    private_port: int


class Server(uvicorn.Server):
    """uvicorn's server, where signals belong to the service, which runs two of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(
    settings: ReceiverSettings, folder: DataFolder, addresses: Addresses, environ: Mapping[str, str]
) -> int:
    """Receive until SIGTERM or SIGINT, then let every acknowledged event be published.

    Returns
    -------
    int
        0 after a signal; ``EXIT_STORAGE`` when the journal or the publisher has failed.

    Raises
    ------
    ReceiverError
        If the receiver cannot start.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    public, private = _listen(addresses.host, addresses.port), _listen("127.0.0.1", addresses.private_port)
    folder.create()
    options = ReadingOptions(settings.store_text, settings.bot_app_ids, settings.human_app_ids)
    publisher = await PublisherProcess.start(folder, options, environ)
    # The publisher holds the folder's lock, so nobody else starts here at the same time.
    recovered = seal_dead_journals(folder.journal)
    if recovered:
        logger.warning("recovered %d open segments that a receiver left when it was killed", recovered)
    started_at = datetime.now(UTC)
    receiver_id = f"{started_at:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    journal = Journal(folder.journal, receiver_id, stop.set)
    tally = Tally()

    def unready() -> str | None:
        return _unready(journal, folder)

    def metrics() -> str:
        return exposition(tally, journal, publisher.totals, folder)

    servers = [_server(public_app(settings, journal, tally)), _server(private_app(unready, metrics))]
    serving = [
        asyncio.create_task(server.serve([listener]))
        for server, listener in zip(servers, (public, private), strict=True)
    ]
    heartbeat = asyncio.create_task(_beat(folder, receiver_id, started_at, stop))
    ended = asyncio.create_task(publisher.exited())
    ended.add_done_callback(lambda _: stop.set())
    host, port = public.getsockname()[:2]
    print(f"private: http://127.0.0.1:{private.getsockname()[1]}/readyz and /metrics", file=sys.stderr)
    host = f"[{host}]" if ":" in host else host
    print(f"listening on http://{host}:{port}/webhook (data: {folder.root})", file=sys.stderr, flush=True)

    await stop.wait()
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving)
    await journal.close()
    await heartbeat
    publisher_failed = await publisher.drain() != 0
    if publisher_failed:
        logger.critical(
            "the publisher has failed: what was acknowledged is in journal/ and waits for the next start"
        )
    return EXIT_STORAGE if publisher_failed or journal.failure is not None else 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "not a port"
        raise ReceiverError(
            f"cannot listen on {host}, port {port}: {reason}. Choose another --port."
        ) from None


def _server(app: object) -> Server:
    return Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]  # uvicorn's own ASGI types are not Starlette's
            http=GuardedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


async def _beat(folder: DataFolder, receiver_id: str, started_at: datetime, stop: asyncio.Event) -> None:
    """Write heartbeats until the receiver stops, and a last one then."""
    is_last = False
    while not is_last:
        is_last = stop.is_set()
        try:
            await asyncio.to_thread(write_heartbeat, folder, receiver_id, started_at, datetime.now(UTC))
        except OSError as error:
            # A missing beat shows as a gap in capture, which is the careful side to err on.
            logger.error("heartbeat: %s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), BEAT_SECONDS)


def _unready(journal: Journal, folder: DataFolder) -> str | None:
    if journal.failure is not None:
        return "the journal has stopped"
    if journal.waiting > MAX_WAITING * 0.8:
        return "the disk is behind"
    if shutil.disk_usage(folder.root).free < DISK_RESERVE_BYTES:
        return "the disk is nearly full"
    return None
