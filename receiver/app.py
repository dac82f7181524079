"""The HTTP shell: the only file that knows Starlette."""

import asyncio
import hmac
import html
import logging
import re
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from receiver import signature
from receiver.errors import ReceiverError, RequestMalformed, SignatureRefused, StorageBusy, StorageFailed
from receiver.metrics import Tally
from receiver.settings import ReceiverSettings
from receiver.signed_request import MAX_FORM_BYTES, read_signed_request
from receiver.store.deletion_requests import DeletionRequest, find_request, store_request
from receiver.store.folder import DataFolder
from receiver.store.journal import Journal

# What all unfinished large requests together may hold in memory, forged ones included.
MAX_RECEIVING_BYTES = 64 * 1024 * 1024
# A body up to this size is received all the same: a few forged large ones must not shut out Meta's.
SMALL_BODY_BYTES = 128 * 1024
_CHALLENGE = re.compile(r"[0-9]{1,64}")
_HANDSHAKE = ("hub.mode", "hub.challenge", "hub.verify_token")
_STATUS_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

logger = logging.getLogger("receiver")


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
            self._tally.count(refusal.result)
            # What is left of a refused body is not worth reading.
            headers = {"connection": "close", **refusal.headers}
            await Response(status_code=refusal.status, headers=headers)(scope, receive, send)
        except ClientGone:
            self._tally.count("cut_off")
        else:
            self._tally.count("stored")
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
            signature.verify(
                body, signatures, self._settings.app_secrets, self._settings.instagram_app_secrets
            )
            await self._journal.append(body, digest)
        except SignatureRefused as error:
            self._tally.refusals[error.reason] += 1
            raise Refusal(401, "refused") from None
        except (StorageBusy, StorageFailed):
            raise _unavailable() from None

    def _check_headers(self, headers: list[tuple[bytes, bytes]]) -> None:
        named = self._settings.client_certificate_header.encode()
        if named and not signature.is_meta_s_certificate([value for name, value in headers if name == named]):
            raise Refusal(403, "refused")
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


class Deletions:
    """``/data-deletion``: Meta's callback for people who want their data deleted, and a page that says how it stands.

    A request is answered once it is on disk. Carrying it out is ``ctm erase``'s.
    """

    def __init__(self, settings: ReceiverSettings, folder: DataFolder) -> None:
        self._settings = settings
        self._folder = folder

    async def receive(self, request: Request) -> Response:
        """Keep one request, and tell Meta where its state can be seen."""
        try:
            secrets = self._settings.app_secrets + self._settings.instagram_app_secrets
            asked = read_signed_request(await _form(request), secrets)
            if not self._settings.public_url:
                raise ReceiverError("public_url is not set: the person could not be told where to look.")
            code = await asyncio.to_thread(store_request, self._folder, asked.user_id, asked.payload)
        except SignatureRefused:
            return Response(status_code=401)
        except RequestMalformed:
            return Response(status_code=400)
        except (Refusal, ClientDisconnect) as error:
            return Response(status_code=getattr(error, "status", 400), headers={"connection": "close"})
        except (OSError, ReceiverError) as error:
            logger.critical("a data-deletion request was answered with 503: %s", _reason(error))
            return Response(status_code=503, headers={"retry-after": "60"})
        return JSONResponse(
            {"url": f"{self._settings.public_url}/data-deletion/{code}", "confirmation_code": code}
        )

    async def show(self, request: Request) -> Response:
        """Say how a request stands; nothing about the person."""
        try:
            found = await asyncio.to_thread(find_request, self._folder, request.path_params["code"])
        except (OSError, ReceiverError) as error:
            logger.error("the state of a data-deletion request cannot be read: %s", _reason(error))
            return Response(status_code=503)
        if found is None:
            return PlainTextResponse("There is no such request.", status_code=404, headers=_STATUS_HEADERS)
        return HTMLResponse(_status_page(found), headers=_STATUS_HEADERS)


def public_app(settings: ReceiverSettings, journal: Journal, tally: Tally, folder: DataFolder) -> Starlette:
    """Build what Meta may reach: ``/webhook``, ``/data-deletion`` and ``/healthz``."""
    deletions = Deletions(settings, folder)
    routes = [
        Route("/webhook", Webhook(settings, journal, tally)),
        Route("/data-deletion", deletions.receive, methods=["POST"]),
        Route("/data-deletion/{code}", deletions.show),
        Route("/healthz", _healthz),
    ]
    return _without_redirects(Starlette(routes=routes))


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


async def _form(request: Request) -> bytes:
    """Read a small body; whoever sends a longer one is not Meta."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise Refusal(413, "too_large")
    return body


def _reason(error: OSError | ReceiverError) -> str | None:
    # The path that the disk refused has the request's code in it, which is the person's.
    return error.strerror if isinstance(error, OSError) else str(error)


def _status_page(request: DeletionRequest) -> str:
    outcome = "It has not been carried out yet."
    if request.closed_at is not None:
        on = f"{request.closed_at:%Y-%m-%d}"
        outcome = (
            f"It was carried out on {on}: what was kept about you is erased."
            if request.was_known
            else f"It was closed on {on}: nothing is kept under the id by which Meta named you."
        )
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Data deletion request</title>\n'
        f"<h1>Data deletion request</h1>\n<p>Confirmation code: {html.escape(request.code)}</p>\n"
        f"<p>Your request was received on {request.received_at:%Y-%m-%d} (UTC). {outcome}</p>\n</html>\n"
    )


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
