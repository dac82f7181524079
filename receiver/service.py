"""One receiver, from its first lock to its last published segment."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import uvicorn

from receiver.app import private_app, public_app
from receiver.capture import Capture
from receiver.errors import ReceiverError
from receiver.guard import GuardedProtocol
from receiver.metrics import Tally, exposition
from receiver.settings import ReadingSettings, ReceiverSettings
from receiver.store.folder import DataFolder

MAX_CONNECTIONS = 2_000
MAX_PRIVATE_CONNECTIONS = 32
BACKLOG = 512
# Descriptors that connections never get: a whole backlog can be accepted before one is refused.
RESERVED_DESCRIPTORS = BACKLOG + MAX_PRIVATE_CONNECTIONS + 64
DRAIN_SECONDS = 12  # longer than a request may take


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
    """Receive until SIGTERM, SIGINT or SIGHUP, then let every acknowledged event be published.

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
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    public, private = _listen(addresses.host, addresses.port), _listen("127.0.0.1", addresses.private_port)
    reading = ReadingSettings(settings.store_text, settings.bot_app_ids, settings.human_app_ids)
    capture = Capture(folder, reading, environ, stop)
    await capture.open()
    tally = Tally()

    def metrics() -> str:
        return exposition(tally, capture.journal, capture.publisher, folder)

    servers = [
        _server(public_app(settings, capture.journal, tally, folder), _connections_with_descriptors()),
        _server(private_app(capture.readiness, metrics), MAX_PRIVATE_CONNECTIONS),
    ]
    serving = [
        asyncio.create_task(server.serve([listener]))
        for server, listener in zip(servers, (public, private), strict=True)
    ]
    host, port = public.getsockname()[:2]
    print(f"private: http://127.0.0.1:{private.getsockname()[1]}/readyz and /metrics", file=sys.stderr)
    host = f"[{host}]" if ":" in host else host
    print(f"listening on http://{host}:{port}/webhook (data: {folder.root})", file=sys.stderr, flush=True)

    await capture.keep_up()
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving)
    return await capture.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "not a port"
        raise ReceiverError(
            f"cannot listen on {host}, port {port}: {reason}. Choose another --port."
        ) from None


def _connections_with_descriptors() -> int:
    """Raise the limit of open files as far as allowed; how many connections that leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + RESERVED_DESCRIPTORS
    limit = max(soft, wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return min(MAX_CONNECTIONS, max(1, limit - RESERVED_DESCRIPTORS))


def _server(app: object, max_connections: int) -> Server:
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
            limit_concurrency=max_connections,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
