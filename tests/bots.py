"""The team's bot: a real HTTP server that remembers what it was sent and answers what a test says."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Bot:
    """Answers every POST with ``answer(body)``: a status, or None to close the connection without a word."""

    def __init__(self, port: int = 0, certificate: Path | None = None) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[bytes], int | None] = lambda _: 200
        self.location = ""
        self._connections: list[socket.socket] = []
        bot = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                bot.received.append(Received(self.path, headers, body))
                status = bot.answer(body)
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                if bot.location:
                    self.send_header("location", bot.location)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self) -> tuple[socket.socket, Any]:
                connection, address = super().get_request()
                bot._connections.append(connection)
                return connection, address

            def handle_error(self, *_: object) -> None:
                pass  # a client that distrusts the certificate ends the connection

        self._server = Server(("127.0.0.1", port), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://localhost:{self.port}/hook?team=1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def connections(self) -> int:
        """How many were made to it."""
        return len(self._connections)

    @property
    def bodies(self) -> list[bytes]:
        return [received.body for received in self.received]

    def stop(self) -> None:
        """Refuse connections from now on, and end those that are open."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@pytest.fixture
def start_bot() -> Iterator[Callable[..., Bot]]:
    with contextlib.ExitStack() as bots:

        def start_one(port: int = 0, certificate: Path | None = None) -> Bot:
            bot = Bot(port, certificate)
            bots.callback(bot.stop)
            return bot

        yield start_one


@pytest.fixture
def bot(start_bot: Callable[..., Bot]) -> Bot:
    return start_bot()
