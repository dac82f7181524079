"""Properties of all that reads bytes from outside or from a disk, and of a real receiver on a real socket."""

import contextlib
import json
import re

import pytest
from faults import properties
from faults.properties import NAME, PROPERTIES
from faults.size import sized
from hypothesis import example, given, settings
from hypothesis import strategies as st
from receiving import Receiver, message, receiver, sign

from receiver.store.segment import FILE_MAGIC, FRAME_MAGIC, Delivery, encode_frame

__all__ = ["receiver"]

FRAME = encode_frame(Delivery(3, 1_783_075_200_000_000, bytes(32), b'{"a":1}'), NAME)
# Bytes that mean something to one reader or another, in any order between any others.
WORDS = [
    FILE_MAGIC, FRAME_MAGIC, FRAME, FRAME[:20], FRAME[20:], bytes(64), b"\xff" * 8, b"sha256=", b"0" * 64,
    b'{"object":"page","entry":[{"id":"1","time":1,"messaging":[', b"]}]}", b'{"version":1,"settled":[', b'],"live":[',
    properties.RIGHT,
    b"1e999", b"NaN", b"]}", b"[" * 2000, b'"\\ud800"', b"9" * 40, b",", b":", b'{"message":{"mid":"m"}}',
]  # fmt: skip
contents = st.lists(st.sampled_from(WORDS) | st.binary(max_size=60), max_size=8).map(b"".join)


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_property_holds_for_any_bytes(name: str) -> None:
    settings(max_examples=sized(300, 20_000))(given(contents)(PROPERTIES[name]))()


jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
entries = st.fixed_dictionaries({"file": jsons, "rows": jsons, "sha256": jsons, "generation": jsons})


@given(st.lists(entries | jsons, max_size=2) | jsons, st.lists(st.integers() | jsons, max_size=3) | jsons)
@example([], [float("inf"), 2])
def test_a_manifest_of_any_values_is_understood_or_refused(settled: object, live: object) -> None:
    content = json.dumps({"version": 1, "settled": settled, "live": live}).encode()
    properties.a_manifest_is_understood_or_refused(content)


BODY = message("m_1")
SIGNATURE = b"x-hub-signature-256: " + sign(BODY)["x-hub-signature-256"].encode()
PIECES = [
    *(b"POST ", b"GET ", b"PUT ", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\x00"),
    *(b"/webhook", b"/healthz", b"/webhook?hub.mode=subscribe", b"&hub.challenge=1&hub.verify_token=%ff", b"&hub.mode"),
    *(b"http://x/webhook", b"//", b"%2f", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/9.9\r\n"),
    *(b"content-length: %b\r\n" % length for length in (b"5", b"9" * 20, b"-1", b"+5", b"0", b"", b"5, 5")),
    *(b"content-length: %d\r\n" % len(BODY), b"content-length : 5\r\n"),
    *(b"transfer-encoding: %b\r\n" % coding for coding in (b"chunked", b"gzip, chunked", b"identity", b"")),
    *(b"connection: %b\r\n" % option for option in (b"close", b"keep-alive", b"upgrade", b"\xff")),
    *(b"host: x\r\n", b"host:\r\n", b"expect: 100-continue\r\n", b"upgrade: h2c\r\n"),
    *(b"content-encoding: gzip\r\n", b"content-encoding: \xff\r\n"),
    *(SIGNATURE + b"\r\n", SIGNATURE.upper() + b"\r\n", SIGNATURE[:-64] + b"0" * 64 + b"\r\n"),
    *(b": \r\n", b"a\x00b: c\r\n", b" folded\r\n", b"x: " + b"y" * 9000 + b"\r\n", b"\r\n", b"\n"),
    *(b"5\r\nhello\r\n", b"0\r\n\r\n", b"fffffffff\r\n", b"5;x=y\r\n", b"0\r\nx: y\r\n\r\n", BODY, BODY[:50]),
]  # fmt: skip
REQUEST = b"POST /webhook HTTP/1.1\r\nhost: x\r\n" + SIGNATURE + b"\r\n"
HANDSHAKE = b"GET /webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x"
requests = st.builds(
    lambda start, pieces, end: start + b"".join(pieces) + end,
    st.sampled_from([b"", REQUEST, HANDSHAKE, b"POST /healthz HTTP/1.1\r\n"]),
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=30), max_size=8),
    st.sampled_from([b"", b"\r\n", b" HTTP/1.1\r\n\r\n", b"\r\n" + BODY]),
)


@settings(max_examples=sized(400, 10_000))
@given(requests)
def test_no_bytes_on_a_connection_are_answered_with_a_server_error_or_with_nothing_for_long(
    receiver: Receiver, sent: bytes
) -> None:
    answer = b""
    with receiver.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(sent)
        connection.shutdown(1)  # nothing more will come, so waiting for the rest would be for ever
        while chunk := connection.recv(65536):  # fails when patience runs out
            answer += chunk
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]
    assert all(status < 500 for status in statuses)
    assert answer.startswith(b"HTTP/1.1 ") or not answer


def test_after_all_of_these_it_still_works_and_nothing_was_logged(receiver: Receiver) -> None:
    assert receiver.post(BODY).status_code == 200
    assert "Traceback" not in receiver.log
