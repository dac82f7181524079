"""The HTTP shell: the only file that knows Starlette."""

import hmac
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from receiver import signature
from receiver.errors import SignatureRefused, StorageBusy, StorageFailed
from receiver.metrics import Tally
from receiver.settings import ReceiverSettings
from receiver.store.journal import Journal

# What all unfinished large requests together may hold in memory, forged ones included.
MAX_RECEIVING_BYTES = 64 * 1024 * 1024
# A body up to this size is received all the same: a few forged large ones must not shut out Meta's.
SMALL_BODY_BYTES = 128 * 1024
_CHALLENGE = re.compile(r"[0-9]{1,64}")
_HANDSHAKE = ("hub.mode", "hub.challenge", "hub.verify_token")


class Refusal(Exception):
    """A request that is answered with an error status."""

    def __init__(self, status: int, result: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.result, self.headers = status, result, headers or {}


class ClientGone(Exception):
    """The connection ended, or its deadline passed, before the whole body had come."""


class Webhook:
    """``/webhook``: Meta's handshake and its deliveries, as a plain ASGI application.

    A delivery is answered with 200 once it is on disk, and otherwise with a status that makes Meta try again.
    """

    def __init__(self, settings: ReceiverSettings, journal: Journal, tally: Tally) -> None:
        self._settings = settings
        self._journal = journal
        self._tally = tally
        self._receiving_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "POST":
            await self._deliver(scope, receive, send)
        elif scope["method"] == "GET":
            await self._handshake(scope["query_string"])(scope, receive, send)
        else:
            await Response(status_code=405, headers={"allow": "GET, POST"})(scope, receive, send)

    def _handshake(self, query: bytes) -> Response:
        try:
            values = parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=20)
            mode, challenge, token = (_only(values[name]) for name in _HANDSHAKE)
        except (ValueError, KeyError):
            return Response(status_code=400)
        if not hmac.compare_digest(token.encode(), self._settings.verify_token.encode()):
            return Response(status_code=403)
        if mode != "subscribe" or not _CHALLENGE.fullmatch(challenge):
            return Response(status_code=400)
        return PlainTextResponse(challenge, headers={"x-content-type-options": "nosniff"})

    async def _deliver(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._store(scope, receive)
        except Refusal as refusal:
            self._tally.deliveries[refusal.result] += 1
            # What is left of a refused body is not worth reading.
            headers = {"connection": "close", **refusal.headers}
            await Response(status_code=refusal.status, headers=headers)(scope, receive, send)
        except ClientGone:
            self._tally.deliveries["cut_off"] += 1
        else:
            self._tally.deliveries["stored"] += 1
            self._tally.last_stored_at = time.time()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})

    async def _store(self, scope: Scope, receive: Receive) -> None:
        """Verify a delivery and wait until it is on disk.

        Raises
        ------
        Refusal, ClientGone
            If it is not, whatever the reason.
        """
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._check_headers(headers)
        signatures = [value for name, value in headers if name == signature.HEADER]
        try:
            digest = signature.claimed_digest(signatures)
            body = await self._body(receive)
            signature.verify(body, signatures, self._settings.app_secrets)
            await self._journal.append(body, digest)
        except SignatureRefused as error:
            self._tally.refusals[error.reason] += 1
            raise Refusal(401, "refused") from None
        except (StorageBusy, StorageFailed):
            raise _unavailable() from None

    def _check_headers(self, headers: list[tuple[bytes, bytes]]) -> None:
        fields = dict(headers)
        if fields.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Refusal(415, "refused")
        length = fields.get(b"content-length")
        if length is None:
            if b"transfer-encoding" not in fields:
                raise Refusal(411, "refused")
        elif int(length) > self._settings.max_body_bytes:
            raise Refusal(413, "too_large")
        if self._journal.failure is not None or not self._journal.has_room(0):
            raise _unavailable()

    async def _body(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                chunk: bytes = message.get("body", b"")
                chunks.append(chunk)
                size += len(chunk)
                self._receiving_bytes += len(chunk)
                if size > self._settings.max_body_bytes:
                    raise Refusal(413, "too_large")
                if self._receiving_bytes > MAX_RECEIVING_BYTES and size > SMALL_BODY_BYTES:
                    raise _unavailable()
                if not message.get("more_body", False):
                    return b"".join(chunks)
        finally:
            self._receiving_bytes -= size


def public_app(settings: ReceiverSettings, journal: Journal, tally: Tally) -> Starlette:
    """Build what Meta may reach: ``/webhook`` and ``/healthz``."""
    return _without_redirects(
        Starlette(routes=[Route("/webhook", Webhook(settings, journal, tally)), Route("/healthz", _healthz)])
    )


def private_app(readiness: Callable[[], tuple[bool, str]], metrics: Callable[[], str]) -> Starlette:
    """Build what only this machine may reach: ``/healthz``, ``/readyz`` and ``/metrics``.

    Parameters
    ----------
    readiness : callable, says whether deliveries can be acknowledged now, with a sentence about it
    metrics : callable, gives the metrics as Prometheus text
    """

    async def readyz(_: Request) -> Response:
        is_ready, sentence = readiness()
        return PlainTextResponse(sentence, status_code=200 if is_ready else 503)

    async def metrics_text(_: Request) -> Response:
        return PlainTextResponse(metrics(), media_type="text/plain; version=0.0.4")

    routes = [Route("/healthz", _healthz), Route("/readyz", readyz), Route("/metrics", metrics_text)]
    return _without_redirects(Starlette(routes=routes))


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok")


def _without_redirects(app: Starlette) -> Starlette:
    # A redirect would be built from the Host header, which anybody can choose.
    app.router.redirect_slashes = False
    return app


def _unavailable() -> Refusal:
    return Refusal(503, "unavailable", {"retry-after": "1"})


def _only(values: list[str]) -> str:
    (value,) = values
    return value
