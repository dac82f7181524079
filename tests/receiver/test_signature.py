import base64
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest

from receiver.errors import SignatureRefused
from receiver.signature import is_meta_s_certificate, verify

# Public vectors: Facebook's own header of messenger4j's WebhookTest (MIT), the rest computed; see their origin.
VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "signature_vectors.json").read_text(encoding="utf-8")
)["webhook_signatures"]
BODY = b'{"object":"page","entry":[]}'
SECRET = b"testappsecret"


def body_of(vector: dict[str, Any]) -> bytes:
    return vector["body_utf8"].encode() if "body_utf8" in vector else base64.b64decode(vector["body_base64"])


def header_of(body: bytes, secret: bytes = SECRET) -> bytes:
    return b"sha256=" + hmac.new(secret, body, "sha256").hexdigest().encode()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_recorded_signature_is_accepted(vector: dict[str, Any]) -> None:
    verify(body_of(vector), [vector["X-Hub-Signature-256"].encode()], [vector["app_secret"].encode()])


def test_the_same_content_written_as_other_json_is_refused() -> None:
    as_sent, reserialised = (
        next(vector for vector in VECTORS if vector["name"] == name)
        for name in ("escaped-unicode-as-sent", "same-content-reserialised")
    )
    with pytest.raises(SignatureRefused, match="wrong"):
        verify(body_of(reserialised), [as_sent["X-Hub-Signature-256"].encode()], [SECRET])


def test_any_configured_secret_may_have_signed() -> None:
    for secret in (b"old", b"new"):
        verify(BODY, [header_of(BODY, secret)], [b"old", b"new"])


def test_a_secret_that_was_removed_is_refused() -> None:
    with pytest.raises(SignatureRefused, match="wrong"):
        verify(BODY, [header_of(BODY, b"old")], [b"new"])


def test_no_secret_accepts_nothing() -> None:
    with pytest.raises(SignatureRefused, match="wrong"):
        verify(BODY, [header_of(BODY, b"")], [])


def test_a_body_changed_by_one_byte_is_refused() -> None:
    with pytest.raises(SignatureRefused, match="wrong"):
        verify(BODY + b"\n", [header_of(BODY)], [SECRET])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "absent"),
        ([header_of(BODY), header_of(BODY)], "repeated"),
        ([header_of(BODY), b"sha256=" + b"0" * 64], "repeated"),
        ([b"sha256=" + b"0" * 64, header_of(BODY)], "repeated"),
        ([b""], "malformed"),
        ([b"sha256="], "malformed"),
        ([b"sha256=zz"], "malformed"),
        ([b"sha1=3daa41999293ff66c3eb313e04bcf77861bb0276"], "malformed"),
        ([b"SHA256=" + header_of(BODY)[7:]], "malformed"),
        ([b"sha256=" + header_of(BODY)[7:].upper()], "malformed"),
        ([header_of(BODY) + b" "], "malformed"),
        ([header_of(BODY) + b"\n"], "malformed"),
        ([header_of(BODY)[:-1]], "malformed"),
        ([header_of(BODY) + b"0"], "malformed"),
        ([b"sha256=" + "é".encode() * 32], "malformed"),
    ],
)
def test_only_one_header_of_the_exact_form_is_accepted(values: list[bytes], reason: str) -> None:
    with pytest.raises(SignatureRefused) as refused:
        verify(BODY, values, [SECRET])
    assert refused.value.reason == reason


def test_every_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    compare = hmac.compare_digest

    def record(ours: bytes, theirs: bytes) -> bool:
        compared.append(ours)
        return compare(ours, theirs)

    monkeypatch.setattr(hmac, "compare_digest", record)
    secrets = [SECRET, b"second", b"third"]
    verify(BODY, [header_of(BODY)], secrets)
    assert compared == [hmac.digest(secret, BODY, "sha256") for secret in secrets]


INSTAGRAM = b"instagram"
ABOUT_OTHERS = [
    b'{"object":"page"}',
    b'{"object":"whatsapp_business_account"}',
    b'{"object":"instagram","object":"page"}',
    b'{"obj\\u0065ct":"pa\\u0067e"}',
    b'{"object":"page","x":NaN}',
    b'\xef\xbb\xbf{"object":"page"}',
    '{"object":"page"}'.encode("utf-16"),
    b'{"object":"page","x":' + b"[" * 995 + b"]" * 995 + b"}",
    b"[" * 100_000,
]
ABOUT_INSTAGRAM = [b'{"object":"instagram"}', b"{}", b"not json", b"[]", b"\xff", b'{"object":["page"]}']


@pytest.mark.parametrize("body", ABOUT_OTHERS)
def test_instagram_s_secret_signs_for_no_page_and_no_whatsapp_number(body: bytes) -> None:
    with pytest.raises(SignatureRefused, match="foreign"):
        verify(body, [header_of(body, INSTAGRAM)], [SECRET], [INSTAGRAM])
    verify(body, [header_of(body)], [SECRET], [INSTAGRAM])


@pytest.mark.parametrize("body", ABOUT_INSTAGRAM)
def test_what_either_secret_has_signed_about_instagram_is_accepted(body: bytes) -> None:
    verify(body, [header_of(body, INSTAGRAM)], [SECRET], [b"old", INSTAGRAM])
    verify(body, [header_of(body)], [SECRET], [INSTAGRAM])
    with pytest.raises(SignatureRefused, match="wrong"):
        verify(body, [header_of(body, b"another")], [SECRET], [INSTAGRAM])


META = b"CN=client.webhooks.fbclientcerts.com"


@pytest.mark.parametrize(
    "subject",
    [
        META,
        META + b",O=Meta Platforms\\, Inc.,C=US",
        b"C=US, O=Meta, " + META,
        b"cn=client.webhooks.fbclientcerts.com",
    ],
)
def test_meta_s_client_certificate_is_known_by_its_common_name(subject: bytes) -> None:
    assert is_meta_s_certificate([subject])


@pytest.mark.parametrize(
    "subjects",
    [[], [b""], [META, META], [META + b".evil.example"], [b"CN=evil", META], [b"CN=evil," + META], [META + b",CN=evil"],
     [b"O=x\\," + META], [b"OU=" + META], [b"CN=x." + META[3:]], [b"client.webhooks.fbclientcerts.com"]],
)  # fmt: skip
def test_any_other_client_certificate_is_not_meta_s(subjects: list[bytes]) -> None:
    assert not is_meta_s_certificate(subjects)


def test_a_body_that_was_unescaped_on_its_way_is_refused_and_told_from_a_forged_one() -> None:
    (escaped,) = (vector for vector in VECTORS if vector["name"] == "escaped-unicode-as-sent")
    sent = body_of(escaped)
    assert rb"\u00e4" in sent
    assert rb"\ud83d" in sent
    # What a proxy that decodes letters, and nothing else, makes of it.
    letters = rb"(?:\\u[0-9a-f]{4})+"
    changed = re.sub(letters, lambda found: json.loads(b'"' + found[0] + b'"').encode(), sent)
    assert not changed.isascii()
    header, secret = escaped["X-Hub-Signature-256"].encode(), escaped["app_secret"].encode()
    for secrets in (([b"old", secret], []), ([b"old"], [secret])):
        with pytest.raises(SignatureRefused, match="unescaped"):
            verify(changed, [header], *secrets)
    room = b" " * 4096
    with pytest.raises(SignatureRefused, match="wrong"):  # too long to be worth it
        verify(changed + room, [header_of(sent + room, secret)], [secret])
    for other in (changed + b" ", b"\xff" + changed):
        with pytest.raises(SignatureRefused, match="wrong"):
            verify(other, [header], [secret])
