"""The team's bot: a URL that takes what Meta sent, byte for byte, as if Meta had sent it there."""

import contextlib
import http.client
import socket
import ssl
import threading
from urllib.parse import urlsplit

from receiver.errors import InvalidSetting
from receiver.signature import HEADER

ANSWER_SECONDS = 10.0
LONGEST_ANSWER_BYTES = 64 * 1024
# The bot, or what stands in front of it, cannot answer now: the same request may be accepted later.
_UNAVAILABLE = {408, 425, 429, 502, 503, 504}


class Target:
    """Where deliveries are relayed to, over one connection that is kept.

    Certificates of ``https`` are verified, with the machine's authorities or those of ``SSL_CERT_FILE``;
    redirects are not followed: what people wrote goes where the operator said, and nowhere else.
    """

    def __init__(self, url: str) -> None:
        """Prepare to send to a URL.

        Raises
        ------
        InvalidSetting
            If it is no URL that can be posted to.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        is_plain = url.isascii() and url.isprintable() and " " not in url
        if (
            not is_plain
            or not host
            or parts.scheme not in ("http", "https")
            or parts.fragment
            or "@" in parts.netloc
        ):
            # The path may hold a token, so the value is not repeated.
            raise InvalidSetting(
                "--forward: not a URL to post to. Write https://HOST/PATH, without user name and #fragment."
            )
        self.is_encrypted = parts.scheme == "https"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if self.is_encrypted:
            context = ssl.create_default_context()
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=ANSWER_SECONDS, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)

    def send(self, body: bytes, signature: bytes) -> str:
        """Post one delivery.

        Parameters
        ----------
        body : bytes, as Meta sent it
        signature : bytes, the 32 bytes of Meta's HMAC

        Returns
        -------
        str
            ``forwarded`` (2xx), ``unavailable`` (no answer, or one that says "later"), ``refused`` (any other).
        """
        was_open = self._connection.sock is not None
        status = self._post(body, signature)
        if status is None and was_open:
            status = self._post(body, signature)  # the other side had closed what was kept
        if status is None or status in _UNAVAILABLE:
            return "unavailable"
        return "forwarded" if 200 <= status < 300 else "refused"

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, body: bytes, signature: bytes) -> int | None:
        headers = {
            "content-type": "application/json",
            HEADER.decode(): f"sha256={signature.hex()}",
            "user-agent": "ctm-receiver",
        }
        # The timeout of a socket begins anew with every byte: a bot that drips would never come to its end.
        cut_off = threading.Timer(ANSWER_SECONDS, self._cut_off)
        cut_off.daemon = True
        cut_off.start()
        try:
            self._connection.request("POST", self._path, body, headers)
            answer = self._connection.getresponse()
            with contextlib.suppress(OSError, http.client.HTTPException):  # its status is all that counts
                if len(answer.read(LONGEST_ANSWER_BYTES)) < LONGEST_ANSWER_BYTES:
                    return answer.status
            self.close()
            return answer.status
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        finally:
            cut_off.cancel()

    def _cut_off(self) -> None:
        connected = self._connection.sock
        if connected is not None:
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
