"""JSON lines in, rows of text out: one object per line, as programs save what the Marketing API answers."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports.faults import Fault
from ctm_analytics.imports.source import Source


@dataclass(frozen=True)
class JsonLinesFile:
    """A file of JSON lines whose keys are known.

    Lists of what people did become a column for each action: the number at ``link_click`` in ``actions`` is the
    column ``actions.link_click``. Numbers stay as they are written.

    Attributes
    ----------
    source : Source
    header : tuple of str, all keys of all lines, in the order in which they first occur
    """

    source: Source
    header: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.source.name

    def describe(self) -> str:
        """Say how the file was read."""
        return "JSON lines, gzip" if self.source.is_compressed else "JSON lines"

    def rows(self, faults: list[Fault]) -> Iterator[tuple[int, list[str] | None]]:
        """Give the cells of each line in the order of the header; ``None`` for a line that is named as no object."""
        for line, text in _lines(self.source):
            try:
                cells = _cells(text)
            except ValueError as error:
                faults.append(Fault(line, "", "", f"not a JSON object: {error}"))
                yield line, None
            else:
                yield line, [cells.get(name, "") for name in self.header]

    def rejects(self, reasons: Mapping[int, str]) -> Iterator[str]:
        """Give these lines as they are, but for a first key ``reason``, which no import reads."""
        for line, text in _lines(self.source):
            if line in reasons:
                reason = json.dumps(reasons[line], ensure_ascii=False)
                yield f'{{"reason": {reason}, {text.strip().removeprefix("{")}\n'


def is_json(source: Source) -> bool:
    """Say whether a file begins as JSON does."""
    with source.open("checking") as content:
        return content.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def open_json_lines(source: Source) -> JsonLinesFile:
    """Find the keys of all lines.

    Raises
    ------
    InvalidFile
        If the bytes are not UTF-8, or the first line is no object.
    """
    header: dict[str, None] = {}
    try:
        for line, text in _lines(source):
            try:
                cells = _cells(text)
            except ValueError as error:
                if header:
                    continue
                raise InvalidFile(
                    f"{source.name}: line {line} is not a JSON object: {error}."
                    " Write one object per line, e.g. with jq -c '.data[]'."
                ) from None
            header |= dict.fromkeys(cells)
    except UnicodeDecodeError:
        raise InvalidFile(f"{source.name}: this is not JSON in UTF-8.") from None
    return JsonLinesFile(source, tuple(header))


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    with io.TextIOWrapper(source.open("reading"), encoding="utf-8-sig") as text:
        yield from ((line, written) for line, written in enumerate(text, start=1) if written.strip())


def _cells(text: str) -> dict[str, str]:
    """Flatten one line; raises ValueError, in words for a person, for what is no object."""
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it is a list or a single value")
    if isinstance(found.get("data"), list):
        raise ValueError("it is a page of objects")
    return dict(pair for name, value in found.items() for pair in _flat(name, value))


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list) and all(isinstance(item, dict) and "action_type" in item for item in value):
        for item in value:
            yield f"{name}.{item['action_type']}", str(item.get("value") or "")
    else:
        yield name, "" if value is None else json.dumps(value, ensure_ascii=False)
