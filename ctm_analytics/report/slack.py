"""Delivers a report to a Slack channel by an incoming webhook: text and numbers, no file."""

import json
import re
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.report.message import Message
from ctm_analytics.report.sending import DeliveryFailed, setting

PATIENCE_SECONDS = 15
_NAME = re.compile(r"[A-Za-z0-9_]*")
# What Slack takes at most, with room for the marks around a text.
_TEXT, _HEADER, _FIELDS = 2900, 150, 10
_HERE = ("localhost", "127.0.0.1", "::1")


class _NoRedirect(HTTPRedirectHandler):
    """Follow no redirect: a webhook has none, and its address is a secret."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse."""


def slack_sender(name: str, environ: Mapping[str, str]) -> Callable[[Message], None]:
    """Find the webhook of a channel: ``CTM_SLACK_URL``, or ``CTM_SLACK_URL_<NAME>`` for ``slack:name``.

    Raises
    ------
    InvalidArgument
        Without a webhook, or for one that would be reached unencrypted. Its address is never shown.
    """
    if not _NAME.fullmatch(name):
        raise InvalidArgument(
            "--deliver: slack: takes a name, not a URL: the webhook's URL is a secret, which everybody on this"
            " machine could read there. Put it into CTM_SLACK_URL (or a file into CTM_SLACK_URL_FILE)."
        )
    variable = f"CTM_SLACK_URL_{name.upper()}" if name else "CTM_SLACK_URL"
    url = setting(variable, environ)
    if not url:
        raise InvalidArgument(
            f"{variable} is not set: create an incoming webhook in Slack and put its URL there"
            f" (or name a file in {variable}_FILE)."
        )
    parts = urlsplit(url)
    if not url.isascii() or (
        parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _HERE)
    ):
        raise InvalidArgument(f"{variable} is no https:// address. Copy the webhook's URL from Slack again.")
    return lambda message: post(url, message)


def post(url: str, message: Message) -> None:
    """Post a message.

    Raises
    ------
    DeliveryFailed
        If Slack does not take it; without its address.
    """
    body = json.dumps(payload(message)).encode()
    request = Request(url, body, {"Content-Type": "application/json; charset=utf-8"})
    try:
        with build_opener(_NoRedirect).open(request, timeout=PATIENCE_SECONDS):
            return
    except HTTPError as error:
        words = _answer(error)
        raise DeliveryFailed(
            f"Slack answered {error.code}{f' ({words})' if words else ''}. Look at the webhook in Slack's settings."
        ) from None
    except TimeoutError:
        raise DeliveryFailed(f"Slack did not answer within {PATIENCE_SECONDS} s. Deliver it again.") from None
    except (URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise DeliveryFailed(
                f"Slack did not answer within {PATIENCE_SECONDS} s. Deliver it again."
            ) from None
        what = getattr(reason, "strerror", None) or type(reason).__name__
        raise DeliveryFailed(
            f"Slack cannot be reached: {what}. Look at the network, and deliver it again."
        ) from None


def _answer(error: HTTPError) -> str:
    """Read what Slack says of a refusal, such as ``invalid_token``."""
    try:
        with error:
            said = error.read(200).decode(errors="replace")
    except (HTTPException, OSError):
        return ""
    return "".join(sign for sign in said if sign.isprintable()).strip()


def payload(message: Message) -> dict[str, Any]:
    """Write a message in Slack's blocks; whatever a name holds is text, and nobody is mentioned."""
    above = "\n".join(f":warning: {_text(line)}" for line in message.lines)
    below = "\n".join(_text(sentence) for sentence in message.headlines)
    fields = [
        {
            "type": "mrkdwn",
            "text": f"*{_text(tile['label'])}*\n{_text(' '.join((tile['value'], tile['change'])))}",
        }
        for tile in message.tiles[:_FIELDS]
    ]
    where = f"{message.period} · {message.address}" if message.address else message.period
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject[:_HEADER]}},
        *(
            {"type": "section", "text": {"type": "mrkdwn", "text": text[:_TEXT]}}
            for text in (above, below)
            if text
        ),
        *([{"type": "section", "fields": fields}] if fields else []),
        {"type": "context", "elements": [{"type": "mrkdwn", "text": _text(where)[:_TEXT]}]},
    ]
    return {"text": _text(message.subject), "blocks": blocks}


def _text(words: str) -> str:
    """Escape Slack's three signs: without them there is neither a link nor a mention."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").strip()
