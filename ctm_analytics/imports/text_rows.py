"""Rows of text in, columns of text out, in blocks: a large file never exists as Python objects at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

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

    def rows(self, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
        """Give each row as long as the header with the line on which it begins, and name the others."""

    def rejects(self, reasons: Mapping[int, str]) -> Iterator[str]:
        """Give the lines of a file of bad rows: each as it is written, with the reason before it."""


@dataclass(frozen=True)
class TextRows:
    """The rows that have as many fields as the header.

    Attributes
    ----------
    columns : dict of int to pa.ChunkedArray of string, or of a dictionary of strings, by position in the header
    lines : pa.ChunkedArray of int64, 1-based line on which the row begins (line 1 is the file's first)
    row_hashes : pa.ChunkedArray of int64, equal for rows equal in every field, also in those not read
    rows_read : int, rows below the header, bad ones included, blank ones not
    faults : list of Fault, rows of another shape
    """

    columns: dict[int, pa.ChunkedArray]
    lines: pa.ChunkedArray
    row_hashes: pa.ChunkedArray
    rows_read: int
    faults: list[Fault]


def read_rows(file: TextFile, wanted: Sequence[int]) -> TextRows:
    """Read the wanted columns as text.

    Parameters
    ----------
    file : TextFile
    wanted : sequence of int, positions in the header

    Returns
    -------
    TextRows
        Every row of the file is either in ``columns`` or named in ``faults``.
    """
    faults: list[Fault] = []
    columns: dict[int, list[pa.Array]] = {position: [] for position in wanted}
    lines: list[pa.Array] = []
    hashes: list[pa.Array] = []
    for block, block_lines in _blocks(file.rows(faults)):
        texts = list(zip(*block, strict=True))
        for position in wanted:
            columns[position].append(pa.array(texts[position], pa.string()))
        lines.append(pa.array(block_lines, pa.int64()))
        hashes.append(pa.array([hash(tuple(row)) for row in block], pa.int64()))
    line_column = pa.chunked_array(lines, pa.int64())
    return TextRows(
        {position: pa.chunked_array(arrays, pa.string()) for position, arrays in columns.items()},
        line_column,
        pa.chunked_array(hashes, pa.int64()),
        len(line_column) + len(faults),
        faults,
    )


def _blocks(numbered_rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[list[list[str]], list[int]]]:
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, row in numbered_rows:
        rows.append(row)
        lines.append(line)
        if len(rows) == _BLOCK_ROWS:
            yield rows, lines
            rows, lines = [], []
    if rows:
        yield rows, lines
