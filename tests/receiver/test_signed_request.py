"""Who asks for deletion is believed only if Meta has signed it, and whatever else comes is refused, not crashed on."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receiving import APP_SECRET
from signed_requests import SAID, encoded, form, signed

from receiver.errors import RequestMalformed, SignatureRefused
from receiver.signed_request import read_signed_request

SECRET = APP_SECRET.encode()


def test_metas_documented_example_is_understood() -> None:
    # The example of Meta's page on signed requests: its secret is "secret", and its user is 218471.
    value = (
        "vlXgu64BQGFSQrY0ZcJBZASMvYvTHu9GQ0YM9rjPSso.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsIjAiOiJwYXlsb2FkIn0"
    )
    with pytest.raises(RequestMalformed, match="names no user"):  # it is rightly signed, and has no user
        read_signed_request(form(value), [b"secret"])
    with pytest.raises(SignatureRefused):
        read_signed_request(form(value), [b"another"])


def test_the_user_of_a_signed_request_is_read() -> None:
    asked = read_signed_request(form(signed(SAID)), [SECRET])
    assert (asked.user_id, asked.payload) == ("218471", signed(SAID).partition(".")[2].encode())


def test_any_of_several_secrets_may_have_signed() -> None:
    for secret in (b"old", b"new", b"instagram"):
        asked = read_signed_request(form(signed(SAID, secret)), [b"old", b"new", b"instagram"])
        assert asked.user_id == "218471"


def test_a_numeric_id_beyond_53_bits_keeps_every_digit() -> None:
    asked = read_signed_request(form(signed({**SAID, "user_id": 122102958776000123456})), [SECRET])
    assert asked.user_id == "122102958776000123456"


def test_without_a_secret_nothing_is_right() -> None:
    with pytest.raises(SignatureRefused):
        read_signed_request(form(signed(SAID, b"")), [])


@pytest.mark.parametrize(
    "body",
    [
        form(signed(SAID, b"another-secret")),
        form(signed({**SAID, "user_id": "1"}).partition(".")[0] + "." + signed(SAID).partition(".")[2]),
        form(signed(SAID).partition(".")[0] + "." + encoded(b"no JSON at all")),
        form(encoded(bytes(32)) + "." + encoded(b"[" * 3000)),
    ],
)
def test_what_no_secret_has_signed_is_refused_whatever_it_says(body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        read_signed_request(body, [SECRET])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"signed_request",
        b"signed_request=",
        b"other=" + signed(SAID).encode(),
        form(signed(SAID)) + b"&" + form(signed(SAID)),
        form(signed(SAID) + "."),
        form(signed(SAID).replace(".", "..")),
        form("." + signed(SAID).partition(".")[2]),
        form(signed(SAID).partition(".")[0]),
        form("A" + signed(SAID)),
        form(signed(SAID) + "="),
        form(signed(SAID).replace(".", "=.")),
        form(signed(SAID).replace(".", " .")),
        form(signed(SAID)) + b"\xff",
        form(encoded(bytes(31)) + "." + encoded(b"{}")),
        b"a=1&" * 30 + form(signed(SAID)),
        quote(signed(SAID)).encode(),
    ],
)
def test_what_is_not_exactly_one_signed_request_is_malformed(body: bytes) -> None:
    with pytest.raises(RequestMalformed):
        read_signed_request(body, [SECRET])


@pytest.mark.parametrize(
    "said",
    [
        b"no JSON",
        b"\xff\xfe",
        b"[" * 3000,
        [],
        {},
        {**SAID, "algorithm": "HMAC-SHA1"},
        {**SAID, "algorithm": None},
        {key: value for key, value in SAID.items() if key != "user_id"},
        {**SAID, "user_id": ""},
        {**SAID, "user_id": {"id": "1"}},
        {**SAID, "user_id": True},
        {**SAID, "user_id": "1" * 129},
        {**SAID, "user_id": "<script>"},
        {**SAID, "user_id": "1\n2"},
    ],
)
def test_a_signed_payload_of_another_content_is_malformed(said: object) -> None:
    with pytest.raises(RequestMalformed):
        read_signed_request(form(signed(said)), [SECRET])


@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: form(text))))
def test_no_body_does_anything_but_be_refused(body: bytes) -> None:
    with pytest.raises((RequestMalformed, SignatureRefused)):
        read_signed_request(body, [SECRET])
