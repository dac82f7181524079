"""The HTTP server and the sockets that it listens on."""

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections.abc import Iterator

import uvicorn

from receiver.errors import ReceiverError
from receiver.guard import GuardedProtocol

MAX_CONNECTIONS = 2_000
MAX_PRIVATE_CONNECTIONS = 32
BACKLOG = 512
# Descriptors that connections never get: a whole backlog can be accepted before one is refused.
RESERVED_DESCRIPTORS = BACKLOG + MAX_PRIVATE_CONNECTIONS + 64
KEEP_ALIVE_SECONDS = 5
LEAVE_SECONDS = 2 * KEEP_ALIVE_SECONDS
DRAIN_SECONDS = 6  # what is not answered by then is sent again by Meta
_CLOSE = (b"connection", b"close")


class Server(uvicorn.Server):
    """uvicorn's server, where signals belong to the service, which runs two of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def leave(self) -> None:
        """End without cutting off any client: another server accepts from the same socket by now.

        Each connection is closed with the answer to its next request, or by its idle deadline. To close an
        idle one at once could meet a request that is on its way.
        """
        for listener in self.servers:
            listener.close()
        self.config.encoded_headers.append(_CLOSE)  # within a second they are in every answer
        give_up = time.monotonic() + LEAVE_SECONDS
        while self.server_state.connections and not self.should_exit and time.monotonic() < give_up:
            await asyncio.sleep(0.1)
        self.should_exit = True


def http_server(app: object, max_connections: int) -> Server:
    """Build a server that is ready to be run on a socket."""
    return Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]  # uvicorn's own ASGI types are not Starlette's
            http=GuardedProtocol,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=max_connections,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


def listen(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Listen on one port with one socket, or with several among which the kernel shares connections out.

    Only these sockets share the port: a program that was started by mistake cannot take a part of it.

    Raises
    ------
    ReceiverError
        If the address is not to be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        first = socket.create_server((host, port), family=family, backlog=BACKLOG)
        if count > 1:
            # After it was bound: else others that want to share would be let in, not refused.
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        port = first.getsockname()[1]
        others = [
            socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=True)
            for _ in range(count - 1)
        ]
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "not a port"
        raise ReceiverError(
            f"cannot listen on {host}, port {port}: {reason}. Choose another --port."
        ) from None
    return [first, *others]


def connections_with_descriptors() -> int:
    """Raise the limit of open files as far as allowed; how many connections that leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + RESERVED_DESCRIPTORS
    limit = max(soft, wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return min(MAX_CONNECTIONS, max(1, limit - RESERVED_DESCRIPTORS))
