"""Meta's signature: the raw bytes and the headers go in, nothing or an error comes out."""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence

from receiver.errors import SignatureRefused

CLIENT_NAME = "client.webhooks.fbclientcerts.com"
HEADER = b"x-hub-signature-256"
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
# A forged body must not cost more than it is worth to know.
MOST_ESCAPED_BYTES = 4096
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


def verify(
    body: bytes,
    header_values: Sequence[bytes],
    secrets: Sequence[bytes],
    instagram_secrets: Sequence[bytes] = (),
) -> None:
    """Refuse a body that no configured app secret has signed.

    Whoever has only Instagram's secret cannot speak for a Page or a WhatsApp number.

    Parameters
    ----------
    body : bytes, exactly as received: parsing and writing JSON again would change the signature
    header_values : sequence of bytes, the value of every ``X-Hub-Signature-256`` header line
    secrets : sequence of bytes, the app secrets that are valid now
    instagram_secrets : sequence of bytes, those of the app with Instagram's own login: valid for anything but
        deliveries about a Page or a WhatsApp Business account

    Raises
    ------
    SignatureRefused
        If the header is not of its form, the digest is not that of any secret, or the secret is Instagram's only.

    Examples
    --------
    >>> verify(b"{}", [b"sha256=" + hmac.new(b"secret", b"{}", "sha256").hexdigest().encode()], [b"secret"])
    """
    claimed = claimed_digest(header_values)
    # Every secret is tried, so that the time taken does not tell which one matched.
    by_app, by_instagram = (
        sum(hmac.compare_digest(hmac.digest(secret, body, hashlib.sha256), claimed) for secret in valid)
        for valid in (secrets, instagram_secrets)
    )
    if not (by_app or by_instagram):
        raise SignatureRefused(_reason(body, claimed, [*secrets, *instagram_secrets]))
    if not by_app and _is_about_another(body):
        raise SignatureRefused("foreign")


def _reason(body: bytes, claimed: bytes, secrets: Sequence[bytes]) -> str:
    """Tell a body that was signed as Meta escapes it, and unescaped on its way here, from one that nobody signed.

    It is refused all the same: the count tells the operator that something in front changes bodies.
    """
    if body.isascii() or len(body) > MOST_ESCAPED_BYTES:
        return "wrong"
    text = body.decode(errors="replace")
    escaped = _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text).encode()
    signed = sum(hmac.compare_digest(hmac.digest(secret, escaped, "sha256"), claimed) for secret in secrets)
    return "unescaped" if signed else "wrong"


def _is_about_another(body: bytes) -> bool:
    """Whether a body is, or could be read as, one about a Page or a WhatsApp Business account."""
    try:
        delivery = json.loads(body)
    except ValueError:
        return False
    except RecursionError:  # another parser may get to its end
        return True
    return isinstance(delivery, dict) and delivery.get("object") in ("page", "whatsapp_business_account")


def is_meta_s_certificate(subjects: Sequence[bytes]) -> bool:
    """Whether a proxy says that the client's certificate is Meta's.

    Parameters
    ----------
    subjects : sequence of bytes, the values of the header in which the proxy puts the subject of the certificate
        that it has verified, such as ``CN=client.webhooks.fbclientcerts.com,O=Meta``

    Returns
    -------
    bool
        True for exactly one value with exactly one common name, which is Meta's. A comma that is part of a name is
        escaped, so that nobody's organisation can pass for a common name.
    """
    if len(subjects) != 1:
        return False
    parts = _UNESCAPED_COMMA.split(subjects[0].decode("latin-1"))
    names = [part.strip()[3:] for part in parts if part.strip().upper().startswith("CN=")]
    return names == [CLIENT_NAME]
