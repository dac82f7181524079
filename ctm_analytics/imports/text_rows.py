"""Rows of text in, columns of text out, in blocks: a large file never exists as Python objects at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.imports.faults import Fault

_BLOCK_ROWS = 50_000


class TextFile(Protocol):
    """A file whose header is known."""

    @property
    def name(self) -> str:
        """The file's name, for messages."""

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns, as written, blanks around each removed."""

    def describe(self) -> str:
        """Say how the file is read, for the summary."""

    def rows(self, faults: list[Fault]) -> Iterator[tuple[int, list[str] | None]]:
        """Give each row with the line on which it begins; name those of another shape, and give ``None`` for them."""

    def rejects(self, reasons: Mapping[int, str]) -> Iterator[str]:
        """Give the lines of a file of bad rows: each as it is written, with the reason before it."""


@dataclass(frozen=True)
class TextRows:
    """Rows that have as many fields as the header.

    Attributes
    ----------
    columns : dict of int to pa.ChunkedArray of string, or of a dictionary of strings, by position in the header
    lines : pa.ChunkedArray of int64, 1-based line on which the row begins (line 1 is the file's first)
    row_hashes : pa.ChunkedArray of int64, equal for rows equal in every field, also in those not read
    """

    columns: dict[int, pa.ChunkedArray]
    lines: pa.ChunkedArray
    row_hashes: pa.ChunkedArray

    def cells(self, positions: Sequence[int]) -> tuple[pa.Array, pa.Array]:
        """Give the texts of a column, or of the first filled of several, blanks around each removed.

        Returns
        -------
        pa.Array of string, each distinct text once
        pa.Array of int32, for each row the place of its text; null where it is blank
        """
        found = [_distinct(self.columns[position]) for position in positions]
        if len(found) == 1:
            return found[0]
        filled = pc.coalesce(*(texts.take(places) for texts, places in found)).dictionary_encode()
        return filled.dictionary, filled.indices


def joined(blocks: Sequence[TextRows]) -> TextRows:
    """Put blocks of one file together, in their order."""
    if len(blocks) == 1:
        return blocks[0]
    columns = {
        position: pa.chunked_array(chunk for block in blocks for chunk in block.columns[position].chunks)
        for position in blocks[0].columns
    }
    return TextRows(
        {
            position: column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column
            for position, column in columns.items()
        },
        pa.chunked_array(chunk for block in blocks for chunk in block.lines.chunks),
        pa.chunked_array(chunk for block in blocks for chunk in block.row_hashes.chunks),
    )


def read_rows(file: TextFile, wanted: Sequence[int], faults: list[Fault]) -> Iterator[TextRows]:
    """Read the wanted columns as text, some ten thousand rows at a time.

    Parameters
    ----------
    file : TextFile
    wanted : sequence of int, positions in the header
    faults : list of Fault, takes the rows of another shape

    Yields
    ------
    TextRows
        Every row of the file is either in one of them or named in ``faults``.
    """
    for block, lines in _blocks(file.rows(faults)):
        texts = list(zip(*block, strict=True)) or [()] * len(file.header)
        yield TextRows(
            {position: pa.chunked_array([pa.array(texts[position], pa.string())]) for position in wanted},
            pa.chunked_array([pa.array(lines, pa.int64())]),
            pa.chunked_array([pa.array([hash(tuple(row)) for row in block], pa.int64())]),
        )


def _distinct(column: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    encoded = (column if pa.types.is_dictionary(column.type) else column.dictionary_encode()).combine_chunks()
    stripped = pc.utf8_trim_whitespace(encoded.dictionary)
    if stripped.equals(encoded.dictionary) and not pc.any(pc.equal(stripped, "")).as_py():
        return encoded.dictionary, encoded.indices
    distinct = pc.if_else(pc.equal(stripped, ""), None, stripped).dictionary_encode()
    return distinct.dictionary, distinct.indices.take(encoded.indices)


def _blocks(
    numbered_rows: Iterator[tuple[int, list[str] | None]],
) -> Iterator[tuple[list[list[str]], list[int]]]:
    rows: list[list[str]] = []
    lines: list[int] = []
    for number, (line, row) in enumerate(numbered_rows, start=1):
        if row is not None:
            rows.append(row)
            lines.append(line)
        # Bad rows count too: who takes the blocks gives up a file that has too many.
        if number % _BLOCK_ROWS == 0:
            yield rows, lines
            rows, lines = [], []
    if rows:
        yield rows, lines
