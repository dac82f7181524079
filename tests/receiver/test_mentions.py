"""An id is found however it is written, and never inside another one."""

import base64
import json
import random

import pyarrow as pa
import pytest
from people import ANNA, ANNA_USER_ID, BEN, wamid

from receiver.store.mentions import Mentions

MENTIONS = Mentions([ANNA, ANNA_USER_ID])
ESCAPED = "".join(f"\\u{ord(sign):04x}" for sign in ANNA)


@pytest.mark.parametrize(
    "content",
    [
        ANNA,
        f'{{"from":"{ANNA}"}}',
        f"+{ANNA}",
        f"call {ANNA}!",
        f"a_{ANNA}_b",
        ANNA_USER_ID,
        f'{{"id":"{wamid(ANNA, 7)}"}}',
    ],
)
def test_an_id_is_found(content: str) -> None:
    assert MENTIONS.in_bytes(content.encode())
    assert MENTIONS.in_body(content.encode())
    assert MENTIONS.in_rows(pa.table({"anything": [None, content, "x"]})).to_pylist() == [False, True, False]
    erased = MENTIONS.erased_from(content)
    assert erased is not None
    assert not MENTIONS.in_bytes(erased.encode())


@pytest.mark.parametrize(
    "content",
    ["", ANNA[:-1], f"9{ANNA}", f"{ANNA}0", f"a{ANNA}", ANNA_USER_ID.replace(".", "x"),
     wamid(BEN, 7), wamid(ANNA[:-1] + "8", 7)],
)  # fmt: skip
def test_what_only_looks_like_it_is_not(content: str) -> None:
    assert not MENTIONS.in_bytes(content.encode())
    assert MENTIONS.in_rows(pa.table({"anything": [content]})).to_pylist() == [False]
    assert MENTIONS.erased_from(content) == content


def test_an_id_behind_escapes_is_found_in_json() -> None:
    body = f'{{"from":"{ESCAPED}"}}'.encode()
    assert json.loads(body) == {"from": ANNA}
    assert not MENTIONS.in_bytes(body)
    assert MENTIONS.in_body(body)
    assert not MENTIONS.in_body(b'{"from":"\\u0031"')


@pytest.mark.parametrize("before", [b"", b" ", b"  "])
def test_an_id_in_a_body_that_is_kept_as_base64_is_found(before: bytes) -> None:
    def kept(body: bytes) -> str:
        return json.dumps({"body_base64": base64.b64encode(body).decode()}, separators=(",", ":"))

    payloads = [
        kept(before + ANNA.encode() + b" wrote"),
        kept(before + BEN.encode()),
        '{"body_base64":"!"}',
        None,
    ]
    assert MENTIONS.in_rows(pa.table({"payload": payloads})).to_pylist() == [True, False, False, False]


def test_both_of_two_ids_side_by_side_are_erased() -> None:
    assert MENTIONS.erased_from(f"{ANNA} {ANNA},{ANNA_USER_ID}") == "erased erased,erased"
    assert MENTIONS.erased_from(None) is None


def test_signs_that_mean_something_in_patterns_mean_themselves() -> None:
    mentions = Mentions(["a.b*c(d"])
    assert mentions.in_bytes(b'"a.b*c(d"')
    assert not mentions.in_bytes(b'"axb*c(d"')


@pytest.mark.parametrize("before", ["\n", "\r", "\t", "\b", "\f", "\v", "\0", "\x1f"])
def test_an_id_on_a_new_line_is_found_and_erased(before: str) -> None:
    payload = json.dumps({"body": f"my number:{before}{ANNA}"})
    assert MENTIONS.in_body(payload.encode())
    assert MENTIONS.in_rows(pa.table({"payload": [payload]})).to_pylist() == [True]
    assert json.loads(MENTIONS.erased_from_json(payload)) == {"body": f"my number:{before}erased"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_an_id_in_any_encoding_that_is_read_is_found(encoding: str) -> None:
    assert MENTIONS.in_body(json.dumps({"from": ANNA}).encode(encoding))
    assert not MENTIONS.in_body(json.dumps({"from": BEN}).encode(encoding))


@pytest.mark.parametrize(
    ("number", "erased"),
    [(ANNA, '"erased"'), (f"-{ANNA}", '"erased"'), (f"12.{ANNA}", '"erased"'), ("12.5", "12.5")],
)
def test_json_stays_json_where_a_number_holds_an_id(number: str, erased: str) -> None:
    payload = f'{{"{ANNA}":[{number},"\\"{ANNA}\\\\",{number}]}}'
    assert MENTIONS.erased_from_json(payload) == f'{{"erased":[{erased},"\\"erased\\\\",{erased}]}}'


def test_so_many_ids_that_no_one_pattern_holds_them_are_found_each(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    ids = [f"BR.{chance.getrandbits(200)}" for _ in range(20_000)]
    texts = [ids[0], f"of {ids[-1]}, too", ids[77] + "1", "nobody"]
    assert Mentions(ids).in_rows(pa.table({"text": texts})).to_pylist() == [True, True, False, False]
    monkeypatch.setattr("receiver.store.mentions.MOST_LETTERS", 100)
    several = Mentions(ids[:50])
    assert several.in_bytes(ids[0].encode())
    assert several.in_body(f"of {ids[49]}".encode())
    assert not several.in_bytes(ids[50].encode())
    assert (
        several.erased_from(f"{ids[0]} and {ids[49]}, not {ids[50]}") == f"erased and erased, not {ids[50]}"
    )
