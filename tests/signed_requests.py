"""Data-deletion requests as Meta's callback posts them."""

import base64
import hmac
import json
from urllib.parse import urlencode

from receiving import APP_SECRET

SAID = {"algorithm": "HMAC-SHA256", "expires": 1291840400, "issued_at": 1291836800, "user_id": "218471"}


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def signed(said: object, secret: bytes = APP_SECRET.encode()) -> str:
    payload = encoded(said if isinstance(said, bytes) else json.dumps(said).encode())
    return f"{encoded(hmac.digest(secret, payload.encode(), 'sha256'))}.{payload}"


def form(value: str) -> bytes:
    return urlencode({"signed_request": value}).encode()
