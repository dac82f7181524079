"""Delivers a report by mail: numbers first as text and as HTML, the report attached, its news in the subject."""

import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from importlib import resources
from typing import Any

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.report.message import Message
from ctm_analytics.report.sending import DeliveryFailed, setting
from ctm_analytics.settings import did_you_mean

PATIENCE_SECONDS = 30
PORTS = {"starttls": 587, "tls": 465, "off": 25}
# Mail servers refuse larger messages; base64 adds a third.
MOST_ATTACHED_BYTES = 15_000_000
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class MailServer:
    """The server that takes mail.

    Attributes
    ----------
    host : str
    port : int
    tls : ``starttls``, ``tls`` (from the first byte), or ``off``
    user, password : str; empty: none is sent
    sender : str, an address
    """

    host: str
    port: int
    tls: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


def mail_sender(addresses: str, environ: Mapping[str, str]) -> Callable[[Message], None]:
    """Read who gets the mail, and which server takes it.

    Raises
    ------
    InvalidArgument
        For what is no address, or a setting that is missing or wrong.
    """
    receivers = [_address("--deliver mail", part.strip()) for part in addresses.split(",")]
    server = read_server(environ)
    return lambda message: send(compose(message, server.sender, receivers), server)


def read_server(environ: Mapping[str, str]) -> MailServer:
    """Read the mail server from ``CTM_SMTP_HOST``, ``_PORT``, ``_TLS``, ``_USER``, ``_PASSWORD`` and ``CTM_MAIL_FROM``.

    Raises
    ------
    InvalidArgument
    """
    names = ("HOST", "PORT", "TLS", "USER", "PASSWORD")
    host, port, tls, user, password = (setting(f"CTM_SMTP_{name}", environ) for name in names)
    if not host:
        raise InvalidArgument(
            "CTM_SMTP_HOST is not set: name the server that takes your mail, e.g. smtp.example.com."
        )
    tls = tls or "starttls"
    if tls not in PORTS:
        hint = did_you_mean(tls, PORTS)
        raise InvalidArgument(f"CTM_SMTP_TLS: {tls!r} is none of starttls, tls and off.{hint}")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise InvalidArgument(f"CTM_SMTP_PORT: {port!r} is not a port. Use e.g. {PORTS[tls]}.")
    if user and not password:
        raise InvalidArgument("CTM_SMTP_USER is set and CTM_SMTP_PASSWORD is not: set both, or neither.")
    if user and tls == "off" and host not in _HERE:
        raise InvalidArgument(
            "CTM_SMTP_TLS is off: the password would travel unencrypted. Use starttls or tls."
        )
    if not f"{user}{password}".isascii():
        raise InvalidArgument("CTM_SMTP_USER and CTM_SMTP_PASSWORD: only ASCII can be sent. Choose others.")
    sender = _address("CTM_MAIL_FROM", setting("CTM_MAIL_FROM", environ))
    return MailServer(host, int(port or PORTS[tls]), tls, sender, user, password)


def compose(message: Message, sender: str, receivers: list[str]) -> EmailMessage:
    """Write a mail: plain text, the same as HTML of less than 100 kB, and the report attached."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = " ".join(message.subject.split())
    mail["From"] = sender
    mail["To"] = ", ".join(receivers)
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])  # not the name of this machine
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(message))
    mail.add_alternative(html_of(message), subtype="html")
    left = MOST_ATTACHED_BYTES
    for path in message.files:
        content = path.read_bytes()
        left -= len(content)
        if left >= 0:
            name = f"{path.parent.parent.name}_{path.parent.name}{path.suffix}"
            words: dict[str, Any] = {"maintype": "application", "subtype": "pdf"}
            if path.suffix == ".html":
                words = {"maintype": "text", "subtype": "html", "params": {"charset": "utf-8"}}
            mail.add_attachment(content, filename=name, **words)
    return mail


def send(mail: EmailMessage, server: MailServer) -> None:
    """Hand a mail to the server.

    Raises
    ------
    DeliveryFailed
        Saying what the server said, and what to look at.
    """
    where = f"{server.host}:{server.port}"
    try:
        with _connected(server) as connection:
            refused = connection.send_message(mail)
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryFailed(
            f"{where} takes neither user nor password ({_said(error.smtp_code, error.smtp_error)})."
            " Look at CTM_SMTP_USER and CTM_SMTP_PASSWORD."
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except smtplib.SMTPSenderRefused as error:
        said = _said(error.smtp_code, error.smtp_error)
        raise DeliveryFailed(f"{where} refuses the sender ({said}). Look at CTM_MAIL_FROM.") from None
    except smtplib.SMTPResponseException as error:
        said = _said(error.smtp_code, error.smtp_error)
        raise DeliveryFailed(
            f"{where} refused the mail ({said}). Deliver it again, or ask its postmaster."
        ) from None
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryFailed(
            f"{where}: {str(error).rstrip('.')}. Look at CTM_SMTP_TLS and CTM_SMTP_USER."
        ) from None
    except ssl.SSLError as error:
        raise DeliveryFailed(
            f"{where}: no safe connection ({error.reason or error}). Look at CTM_SMTP_TLS and the server's certificate."
        ) from None
    except (smtplib.SMTPException, OSError, UnicodeError) as error:  # the last: a host as `a..b`
        what = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DeliveryFailed(
            f"{where} cannot be reached: {what}. Look at CTM_SMTP_HOST and CTM_SMTP_PORT."
        ) from None
    if refused:
        said = "; ".join(f"{address}: {_said(*answer)}" for address, answer in sorted(refused.items()))
        raise DeliveryFailed(f"{where} refuses {said}. Look at the address.")


def html_of(message: Message) -> str:
    """Write a mail's HTML: tables and inline styles only, as mail programs want it; everything escaped."""
    from jinja2 import Environment, StrictUndefined

    template = resources.files("ctm_analytics.report").joinpath("mail.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(message=message, is_link=_is_link(message.address))


def _text(message: Message) -> str:
    """Write the same as text, for programs and people that read no HTML."""
    parts = [f"{message.title}, {message.period}", *message.lines]
    parts.append("\n".join(message.headlines))
    tiles = [(tile["label"], tile["value"], tile["change"], tile["interval"]) for tile in message.tiles]
    width = max((len(label) for label, *_ in tiles), default=0)
    parts.append(
        "\n".join(
            f"{label:<{width}}  {value}{f'  {change}' if change else ''}{f'  ({interval})' if interval else ''}"
            for label, value, change, interval in tiles
        )
    )
    if ads := message.ads:
        rows = ["  ".join(f"{label}: {cell}" for label, cell in zip(ads["columns"][1:], row[1:], strict=True))
                for row in ads["rows"]]  # fmt: skip
        named = [f"{row[0]}\n    {cells}" for row, cells in zip(ads["rows"], rows, strict=True)]
        parts.append("\n".join(named))
    if message.address:
        parts.append(f"The report: {message.address}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _connected(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    connection: smtplib.SMTP
    if server.tls == "tls":
        connection = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE_SECONDS, context=context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=PATIENCE_SECONDS)
    try:
        if server.tls == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:  # an interruption, too: it goes on to the caller
        connection.close()
        raise
    return connection


def _address(what: str, text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise InvalidArgument(f"{what}: {text!r} is not a mail address. Write e.g. ads@example.com.")
    return text


def _said(code: int, answer: bytes | str) -> str:
    words = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return f"{code} {''.join(sign if sign.isprintable() else ' ' for sign in words)[:200]}".strip()


def _is_link(address: str) -> bool:
    return address.startswith(("https://", "http://"))
