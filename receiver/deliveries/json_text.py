"""JSON in and out: orjson for what Meta sends, the standard parser for what orjson refuses or would round."""

import base64
import json
import math
import re
from typing import Any

import orjson

# orjson turns an integer beyond 64 bits into a float: an id would lose its last digits. A run of digits is
# looked for first, because that costs a tenth of the pattern and nearly every body has none so long.
_BEYOND_64_BITS = re.compile(rb"[:\[,]\s*(?:\d{20}|-\d{19})")
_ALL_DIGITS_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG_RUN = b"0" * 19
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(body: bytes) -> Any:
    """Parse a body without losing a digit.

    Lone surrogates become U+FFFD (no Parquet file can hold them); NaN, Infinity and 1e999, which JSON cannot
    write, become text.

    Raises
    ------
    ValueError
        If the body is not JSON.
    RecursionError
        If it is nested some hundreds of levels deep.
    """
    if not _has_huge_integer(body):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass  # the standard parser is more tolerant, and its error is the one to report
    value = json.loads(body, parse_float=_finite_float, parse_constant=str)
    text = json.dumps(value, ensure_ascii=False)
    if _LONE_SURROGATE.search(text):
        value = json.loads(_LONE_SURROGATE.sub("\ufffd", text))
    return value


def _has_huge_integer(body: bytes) -> bool:
    return _LONG_RUN in body.translate(_ALL_DIGITS_ZERO) and _BEYOND_64_BITS.search(body) is not None


def _finite_float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def to_json(value: object) -> str:
    """Write a value as compact JSON text, keys in the order given."""
    return _dump(value, 0)


def canonical_json(value: object) -> str:
    """Write a value as compact JSON text with sorted keys: equal values give equal text."""
    return _dump(value, orjson.OPT_SORT_KEYS)


def _dump(value: object, option: int) -> str:
    try:
        return orjson.dumps(value, option=option).decode()
    except orjson.JSONEncodeError:  # an integer beyond 64 bits, or deeper than 254 levels
        sort_keys = option == orjson.OPT_SORT_KEYS
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)


def wrap_bytes(body: bytes) -> str:
    """Write bytes that are not JSON as JSON text, so that nothing is lost."""
    return to_json({"body_base64": base64.b64encode(body).decode()})


def mapping(value: object) -> dict[str, Any]:
    """Return the value if it is a JSON object, else an empty one: a wrong shape reads like an absent one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return a JSON array as it is and a lone object as an array of one; anything else is empty."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


def text(value: object) -> str | None:
    """Return an id or a name as text, exactly as written; None if it is empty or neither text nor integer."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None
