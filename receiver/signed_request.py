"""Meta's ``signed_request``: the form of a data-deletion callback goes in, who asks comes out, or an error."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

from receiver.deliveries.json_text import mapping, parse_json, text
from receiver.errors import RequestMalformed, SignatureRefused

MAX_FORM_BYTES = 16 * 1024
_MAX_FIELDS = 20
_FORM = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_USER_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)


class SignedRequest(NamedTuple):
    """A request whose signature is right.

    Attributes
    ----------
    user_id : str, scoped to the app: it is not the id that the person has in a conversation
    payload : bytes, the signed part as received; the same request has the same payload
    """

    user_id: str
    payload: bytes


def read_signed_request(form: bytes, secrets: Sequence[bytes]) -> SignedRequest:
    """Verify the form that Meta posts when somebody asks for the deletion of their data.

    Parameters
    ----------
    form : bytes, ``application/x-www-form-urlencoded``, with one field ``signed_request``:
        ``base64url(HMAC-SHA256(secret, payload)).payload``, where ``payload = base64url(JSON)``, no padding
    secrets : sequence of bytes, the app secrets that are valid now

    Raises
    ------
    SignatureRefused
        If no secret has signed it; nothing of the payload has been looked at then.
    RequestMalformed
        If it is not of this form, or names no user.
    """
    signature, payload = _parts(form)
    matched = False
    for secret in secrets:
        # Every secret is tried, so that the time taken does not tell which one matched.
        matched |= hmac.compare_digest(hmac.digest(secret, payload, hashlib.sha256), signature)
    if not matched:
        raise SignatureRefused("wrong")
    try:
        said = mapping(parse_json(_decoded(payload)))
    except (ValueError, RecursionError):
        raise RequestMalformed("signed_request: its payload is not JSON.") from None
    if str(said.get("algorithm")).upper() != "HMAC-SHA256":
        raise RequestMalformed("signed_request: its algorithm is not HMAC-SHA256.")
    user_id = text(said.get("user_id"))
    if user_id is None or not _USER_ID.fullmatch(user_id):
        raise RequestMalformed("signed_request: it names no user.")
    return SignedRequest(user_id, payload)


def _parts(form: bytes) -> tuple[bytes, bytes]:
    """Take the form apart: the signature's 32 bytes, and the payload that they sign."""
    try:
        fields = parse_qs(form.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        (value,) = fields["signed_request"]
        match = _FORM.fullmatch(value)
        signature = _decoded(match[1].encode()) if match else b""
    except (ValueError, KeyError):
        signature, match = b"", None
    if match is None or len(signature) != hashlib.sha256().digest_size:
        raise RequestMalformed("signed_request: there is not exactly one of the form SIGNATURE.PAYLOAD.")
    return signature, match[2].encode()


def _decoded(part: bytes) -> bytes:
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
