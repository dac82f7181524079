"""Meta's signature: the raw bytes and the headers go in, nothing or an error comes out."""

import hashlib
import hmac
import re
from collections.abc import Sequence

from receiver.errors import SignatureRefused

HEADER = b"x-hub-signature-256"
_FORM = re.compile(rb"sha256=([0-9a-f]{64})")


def claimed_digest(header_values: Sequence[bytes]) -> bytes:
    """Read the digest that a delivery claims, without looking at its body.

    Parameters
    ----------
    header_values : sequence of bytes, the value of every ``X-Hub-Signature-256`` header line

    Returns
    -------
    bytes
        The 32 bytes of the claimed SHA-256.

    Raises
    ------
    SignatureRefused
        Unless there is exactly one header, of the form ``sha256=`` and 64 lower-case hex digits.
    """
    if not header_values:
        raise SignatureRefused("absent")
    if len(header_values) > 1:
        raise SignatureRefused("repeated")
    match = _FORM.fullmatch(header_values[0])
    if match is None:
        raise SignatureRefused("malformed")
    return bytes.fromhex(match[1].decode("ascii"))


def verify(body: bytes, header_values: Sequence[bytes], secrets: Sequence[bytes]) -> None:
    """Refuse a body that no configured app secret has signed.

    Parameters
    ----------
    body : bytes, exactly as received: parsing and writing JSON again would change the signature
    header_values : sequence of bytes, the value of every ``X-Hub-Signature-256`` header line
    secrets : sequence of bytes, the app secrets that are valid now

    Raises
    ------
    SignatureRefused
        If the header is not of its form or the digest is not that of any secret.

    Examples
    --------
    >>> verify(b"{}", [b"sha256=" + hmac.new(b"secret", b"{}", "sha256").hexdigest().encode()], [b"secret"])
    """
    claimed = claimed_digest(header_values)
    matched = False
    for secret in secrets:
        # Every secret is tried, so that the time taken does not tell which one matched.
        matched |= hmac.compare_digest(hmac.digest(secret, body, hashlib.sha256), claimed)
    if not matched:
        raise SignatureRefused("wrong")
