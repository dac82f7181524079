"""A real mail server on this machine's loopback, which keeps what it gets, and refuses what a test wants refused."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class MailSink:  # its methods are called by the names that aiosmtpd knows
    """Takes mail; ``refuse`` holds addresses and the answer that they get.

    Attributes
    ----------
    mails : list of EmailMessage, as they came over the wire
    envelopes : list of (sender, receivers)
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.refuse: dict[str, str] = {}
        self.data_answer = "250 taken"
        self.port = 0

    # The library finds both by their names.
    async def handle_RCPT(  # noqa: N802 (the library's name)
        self, _: Any, __: Any, envelope: Any, address: str, ___: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (the library's name)
        self, _: Any, __: Any, envelope: Any
    ) -> str:
        if self.data_answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=default))
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return self.data_answer


@contextmanager
def mail_sink(*, tls: ssl.SSLContext | None = None, password: str = "") -> Iterator[MailSink]:
    """Listen on a free port of the loopback; with ``tls`` it wants STARTTLS, and then a password if one is named."""
    sink = MailSink()

    def check(_: Any, __: Any, ___: Any, ____: Any, data: Any) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and data.password.decode() == password
        return AuthResult(success=is_right, handled=False)

    words: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None, "hostname": "sink"}
    if password:
        words |= {"authenticator": check, "auth_required": True}
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(lambda: SMTP(sink, loop=loop, **words), "127.0.0.1", 0)
    )
    sink.port = server.sockets[0].getsockname()[1]
    serving = threading.Thread(target=loop.run_forever)
    serving.start()
    try:
        yield sink
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        serving.join()
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
