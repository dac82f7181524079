"""Deadlines and a head limit for HTTP connections, which uvicorn and httptools do not have."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_SECONDS = 5.0
REQUEST_SECONDS = 10.0
MAX_HEAD_BYTES = 16 * 1024
MAX_PIPELINED = 16


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol for a server that faces the internet.

    A request's head must come within ``HEAD_SECONDS`` and ``MAX_HEAD_BYTES``, the whole request within
    ``REQUEST_SECONDS``; a connection that says nothing is closed after ``HEAD_SECONDS``, and one too many at once.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._begun_at: float | None = None  # of the request that is coming in
        self._begun = 0  # requests so far
        self._in_head = False
        self._body_came = False
        self._parsed_head_bytes = 0
        self._unparsed_bytes = 0  # of the head, and later of what frames the body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Allow a new connection its time to begin a request."""
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            # uvicorn would answer its requests with 503, but keep its descriptor until then.
            transport.abort()
        else:
            self._arm(self.loop.time() + HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, then see what is still owed and until when."""
        # Whether all of this is of one head is only known where no other request ends in it.
        was_in_head, was_idle, begun = self._in_head, self._begun_at is None, self._begun
        self._body_came = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._begun_at is None:
            self._await_next_request()
        elif self._in_head:
            is_one_head = self._begun == (begun + 1 if was_idle else begun if was_in_head else None)
            self._go_on(len(data) if is_one_head else 0, self._begun_at + HEAD_SECONDS)
        else:
            # Sizes of chunks and trailers are neither head nor body: the parser would take them without end.
            self._go_on(0 if self._body_came else len(data), self._begun_at + REQUEST_SECONDS)

    def on_message_begin(self) -> None:
        """Start the clock and the count."""
        self._begun_at, self._in_head = self.loop.time(), True
        self._begun += 1
        if len(self.pipeline) >= MAX_PIPELINED:
            # uvicorn would keep reading, and keep each request in memory until the earlier are answered.
            raise ValueError("too many requests wait")  # as in _count_head
        self._parsed_head_bytes = self._unparsed_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the path."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header; a trailer, behind a chunked body, is counted too but never becomes one."""
        self._count_head(len(name) + len(value) + len(": \r\n"))
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Go from the head's deadline to the request's."""
        self._in_head = False
        self._unparsed_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Note that the body goes on."""
        self._body_came = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Owe nothing more."""
        self._begun_at = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's signature
        """Refuse what the parser gave up on: no HTTP, or too long a head."""
        self._refuse(431 if self._parsed_head_bytes > MAX_HEAD_BYTES else 400)

    def _count_head(self, size: int) -> None:
        self._parsed_head_bytes += size
        if self._parsed_head_bytes > MAX_HEAD_BYTES:
            raise ValueError("head too long")  # the parser passes it on to send_400_response

    def _go_on(self, unparsed_bytes: int, deadline: float) -> None:
        self._unparsed_bytes += unparsed_bytes
        if self._unparsed_bytes > MAX_HEAD_BYTES:
            self._refuse(431)
        else:
            self._arm(deadline)

    def _await_next_request(self) -> None:
        is_idle = self.cycle is None or self.cycle.response_complete
        if not is_idle:
            self._disarm()
        elif self._deadline is None and self.timeout_keep_alive_task is None:
            # An empty line ended uvicorn's idle timer but began no request: nothing else would end this.
            self._arm(self.loop.time() + HEAD_SECONDS)

    def _arm(self, when: float) -> None:
        if self._deadline is None or self._deadline.when() != when:
            self._disarm()
            self._deadline = self.loop.call_at(when, self._expire)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self._begun_at is None:
            self.transport.abort()
        else:
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        earlier_is_open = self._in_head and self.cycle is not None and not self.cycle.response_complete
        is_answered = not self._in_head and self.cycle is not None and self.cycle.response_started
        if earlier_is_open or is_answered:
            # Whatever were written now would be taken for the answer to another request.
            self.transport.abort()
            return
        self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
