"""Where a person is named: in bytes, in JSON, in a delivery, in rows of events; however it is encoded there."""

import base64
import binascii
import mmap
import re
from collections.abc import Iterable
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from receiver.deliveries.json_text import mapping, parse_json, text, to_json

# WhatsApp's message ids (wamid.…) are base64 of these bytes, the number's length, the phone number, one more byte.
_WAMID_HEAD, _WAMID_NEXT = b"\x1c\x18", b"\x15"
ERASED = "erased"
# In JSON, a line break before an id ends in a letter: as in \n5541988887777 or \u000b5541988887777.
_CONTROL = r"\\[bfnrt]|\\u00[01][0-9a-fA-F]"
_JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*', re.DOTALL)


# RE2 refuses a pattern that needs more than 8 MiB: that of 20,000 long ids.
MOST_LETTERS = 50_000


class _Some:
    """Some of the ids, as few as patterns of bearable size hold.

    Attributes
    ----------
    found_by : str, in the common subset of Python's patterns and of RE2, which Arrow uses: no look-behind
    """

    def __init__(self, ids: list[str]) -> None:
        encoded = [_in_message_id(id_) for id_ in ids if id_.isascii() and id_.isdecimal()]
        # Nearly nothing names a person: looking for the letters alone is ten times as fast.
        self._letters = [letters.encode() for letters in [*ids, *encoded]]
        self._plain = "|".join(map(re.escape, ids))
        self._encoded = [re.escape(letters) for letters in encoded]
        before = rf"(?:^|[^0-9A-Za-z]|{_CONTROL})"
        self.found_by = "|".join([rf"{before}(?:{self._plain})(?:[^0-9A-Za-z]|$)", *self._encoded])

    def may_be_in(self, content: bytes | mmap.mmap) -> bool:
        """Whether the letters of an id stand anywhere in bytes."""
        return any(content.find(letters) >= 0 for letters in self._letters)

    def in_bytes(self, content: bytes | mmap.mmap) -> bool:
        """Whether bytes name the person, as they are."""
        return self.may_be_in(content) and self._bytes.search(content) is not None

    def erased_from(self, written: str) -> str:
        """Return a text in which none of these ids is named."""
        return self._replaced_by.sub(ERASED, written) if self.may_be_in(written.encode()) else written

    @cached_property
    def _bytes(self) -> re.Pattern[bytes]:
        return re.compile(self.found_by.encode())

    @cached_property
    def _replaced_by(self) -> re.Pattern[str]:
        before = r"(?:(?<![0-9A-Za-z])|(?<=\\[bfnrt])|(?<=\\u00[01][0-9a-fA-F]))"
        return re.compile("|".join([rf"{before}(?:{self._plain})(?![0-9A-Za-z])", *self._encoded]))


class Mentions:
    """Finds ids, each only where no letter or digit stands beside it: 12 is not in 4123.

    Parameters
    ----------
    ids : iterable of str, at least one
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._parts: list[_Some] = [_Some(part) for part in _parted(sorted(ids))]

    def in_bytes(self, content: bytes | mmap.mmap) -> bool:
        """Whether bytes name the person, as they are."""
        return any(part.in_bytes(content) for part in self._parts)

    def in_body(self, body: bytes) -> bool:
        r"""Whether a delivery's body, or any JSON, names the person, also behind escapes (``\u0031``) or in UTF-16."""
        if self.in_bytes(body):
            return True
        if b"\\" not in body and b"\0" not in body:
            return False
        try:
            return self.in_bytes(to_json(parse_json(body)).encode())
        except (ValueError, RecursionError):
            return False

    def in_rows(self, rows: pa.Table) -> pa.Array:
        """Say of each row whether any of its texts names the person; a body kept as base64 is looked into."""
        found = pa.array([False] * len(rows), pa.bool_())
        for column in rows.columns:
            if pa.types.is_string(column.type):
                for part in self._parts_perhaps_in(column):
                    named = pc.match_substring_regex(column.combine_chunks(), part.found_by)
                    found = pc.or_(found, pc.fill_null(named, False))
        if "payload" not in rows.column_names:
            return found
        wrapped = pc.fill_null(
            pc.starts_with(rows.column("payload").combine_chunks(), '{"body_base64":'), False
        )
        for place in pc.indices_nonzero(wrapped).to_pylist():
            if self.in_body(_unwrapped(rows.column("payload")[place].as_py())):
                found = pc.or_(found, pc.equal(pa.array(range(len(rows))), place))
        return found

    def _parts_perhaps_in(self, column: pa.ChunkedArray) -> list[_Some]:
        """List those of whose ids the letters stand anywhere in a column, perhaps across two of its rows."""
        buffers = (chunk.buffers()[2] for chunk in column.chunks)
        contents = [buffer.to_pybytes() for buffer in buffers if buffer is not None]
        return [part for part in self._parts if any(map(part.may_be_in, contents))]

    def erased_from(self, written: str | None) -> str | None:
        """Return a text in which the person is no longer named."""
        return None if written is None else self._erased_text(written)

    def erased_from_json(self, written: str) -> str:
        """Return JSON in which the person is no longer named; a number that holds an id becomes a text."""
        return _JSON_TOKEN.sub(self._erased_token, written)

    def _erased_token(self, found: re.Match[str]) -> str:
        token = found[0]
        erased = self._erased_text(token)
        return erased if token.startswith('"') or erased == token else f'"{ERASED}"'

    def _erased_text(self, written: str) -> str:
        for part in self._parts:
            written = part.erased_from(written)
        return written


def _parted(ids: Iterable[str]) -> list[list[str]]:
    """Part ids into lists of a bearable number of letters."""
    parts: list[list[str]] = []
    left = 0
    for id_ in ids:
        if len(id_) > left or not parts:
            parts.append([])
            left = MOST_LETTERS
        parts[-1].append(id_)
        left -= len(id_)
    return parts


def _in_message_id(number: str) -> str:
    known = _WAMID_HEAD + bytes([len(number) % 256]) + number.encode() + _WAMID_NEXT
    return base64.b64encode(known).decode()[: len(known) * 8 // 6]


def _unwrapped(payload: str) -> bytes:
    try:
        return base64.b64decode(text(mapping(parse_json(payload.encode())).get("body_base64")) or "")
    except (ValueError, binascii.Error):
        return payload.encode()
