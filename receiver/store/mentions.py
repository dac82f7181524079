"""Where a person is named: in bytes, in JSON, in a delivery, in rows of events; however it is encoded there."""

import base64
import binascii
import mmap
import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from receiver.deliveries.json_text import mapping, parse_json, text, to_json

# WhatsApp's message ids (wamid.…) are base64 of these bytes, the number's length, the phone number, one more byte.
_WAMID_HEAD, _WAMID_NEXT = b"\x1c\x18", b"\x15"
ERASED = "erased"
# In JSON, a line break before an id ends in a letter: as in \n5541988887777 or \u000b5541988887777.
_CONTROL = r"\\[bfnrt]|\\u00[01][0-9a-fA-F]"
_JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*', re.DOTALL)


class Mentions:
    """Finds ids, each only where no letter or digit stands beside it: 12 is not in 4123.

    Parameters
    ----------
    ids : iterable of str, at least one
    """

    def __init__(self, ids: Iterable[str]) -> None:
        ids = list(ids)
        plain = "|".join(re.escape(id_) for id_ in sorted(ids))
        encoded = [_in_message_id(id_) for id_ in sorted(ids) if id_.isascii() and id_.isdecimal()]
        # Nearly nothing names a person: looking for the letters alone is ten times as fast.
        self._letters = [letters.encode() for letters in [*ids, *encoded]]
        # In the common subset of Python's patterns and of RE2, which Arrow uses: no look-behind.
        self._found_by = "|".join(
            [rf"(?:^|[^0-9A-Za-z]|{_CONTROL})(?:{plain})(?:[^0-9A-Za-z]|$)", *map(re.escape, encoded)]
        )
        self._bytes = re.compile(self._found_by.encode())
        self._replaced_by = re.compile(
            "|".join(
                [
                    rf"(?:(?<![0-9A-Za-z])|(?<=\\[bfnrt])|(?<=\\u00[01][0-9a-fA-F]))(?:{plain})(?![0-9A-Za-z])",
                    *map(re.escape, encoded),
                ]
            )
        )

    def in_bytes(self, content: bytes | mmap.mmap) -> bool:
        """Whether bytes name the person, as they are."""
        is_likely = any(content.find(letters) >= 0 for letters in self._letters)
        return is_likely and self._bytes.search(content) is not None

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
            if pa.types.is_string(column.type) and self._may_be_in(column):
                named = pc.match_substring_regex(column.combine_chunks(), self._found_by)
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

    def _may_be_in(self, column: pa.ChunkedArray) -> bool:
        """Whether the letters of an id stand anywhere in a column, perhaps across two of its rows."""
        texts = (chunk.buffers()[2] for chunk in column.chunks)
        contents = (text.to_pybytes() for text in texts if text is not None)
        return any(letters in content for content in contents for letters in self._letters)

    def erased_from(self, written: str | None) -> str | None:
        """Return a text in which the person is no longer named."""
        return None if written is None else self._replaced_by.sub(ERASED, written)

    def erased_from_json(self, written: str) -> str:
        """Return JSON in which the person is no longer named; a number that holds an id becomes a text."""
        return _JSON_TOKEN.sub(self._erased_token, written)

    def _erased_token(self, found: re.Match[str]) -> str:
        token = found[0]
        erased = self._replaced_by.sub(ERASED, token)
        return erased if token.startswith('"') or erased == token else f'"{ERASED}"'


def _in_message_id(number: str) -> str:
    known = _WAMID_HEAD + bytes([len(number) % 256]) + number.encode() + _WAMID_NEXT
    return base64.b64encode(known).decode()[: len(known) * 8 // 6]


def _unwrapped(payload: str) -> bytes:
    try:
        return base64.b64decode(text(mapping(parse_json(payload.encode())).get("body_base64")) or "")
    except (ValueError, binascii.Error):
        return payload.encode()
