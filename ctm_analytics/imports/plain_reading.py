"""The fast way through a CSV file in which every row is one line; any other is left to ``csv``, row by row."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from ctm_analytics.imports.csv_reading import CsvFile
from ctm_analytics.imports.text_rows import TextRows

_BLOCK_BYTES = 1 << 22
_HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class NotPlain(Exception):
    """The two readers might differ on this file, or one of its rows is to be named."""


def read_plain(file: CsvFile, wanted: Sequence[int]) -> Iterator[TextRows]:
    """Read the wanted columns as text, a block at a time, with Arrow's reader.

    Parameters
    ----------
    file : CsvFile
    wanted : sequence of int, positions in the header

    Yields
    ------
    TextRows
        Together what ``read_rows`` would give.

    Raises
    ------
    NotPlain
        Sooner or later, for another encoding than UTF-8, a quote inside a cell that is not doubled, a blank line, a
        cell with a line break, or a row of another length. What was read until then is to be forgotten.
    """
    lines = _plain_lines(file)
    line = file.header_line + 1
    try:
        with file.source.open("reading") as content, csv.open_csv(content, *_options(file)) as reader:
            for batch in reader:
                encoded = [column.dictionary_encode() for column in batch.columns]
                encoded, beyond = encoded[: len(file.header)], encoded[len(file.header) :]
                if _has_blank_row(encoded) or not all(map(_is_blank, beyond)):
                    raise NotPlain
                yield TextRows(
                    {position: pa.chunked_array([encoded[position]]) for position in wanted},
                    pa.chunked_array([np.arange(line, line + len(batch), dtype=np.int64)]),
                    pa.chunked_array([_row_hashes(encoded)]),
                )
                line += len(batch)
    except pa.ArrowInvalid:
        raise NotPlain from None
    if line == file.header_line + 1 or line != lines + 1:
        raise NotPlain


def _plain_lines(file: CsvFile) -> int:
    """Count the lines of a file; refuse it if it is not UTF-8, or has a sign that the two readers read unlike.

    Those are: a quote that opens no cell, closes none and is not doubled; an odd one in a line; a carriage return
    that ends no line.
    """
    if file.encoding not in ("utf-8", "utf-8-sig"):
        raise NotPlain
    beside = np.zeros(256, dtype=bool)
    beside[list(b'\r\n"' + file.delimiter.encode())] = True
    lines, quotes, judged, end = 0, 0, 0, b""
    with file.source.open("counting lines") as content:
        for block in iter(lambda: content.read(_BLOCK_BYTES), b""):
            text = end + block
            signs = np.frombuffer(text, dtype=np.uint8)
            judged += int(not end and block.startswith(b'"'))
            inside = np.flatnonzero(signs[1:-1] == ord('"')) + 1
            is_closing = (judged + np.arange(len(inside))) % 2
            line_ends, at = (np.flatnonzero(signs[len(end) :] == ord(sign)) for sign in '\n"')
            if (
                not beside[signs[inside - 1 + 2 * is_closing]].all()
                or ((quotes + np.searchsorted(at, line_ends)) % 2).any()
                or (b"\r" in text and text.count(b"\r", 0, -1) != text.count(b"\r\n"))
            ):
                raise NotPlain
            lines, quotes, judged = lines + len(line_ends), quotes + len(at), judged + len(inside)
            end = text[-2:]
    if quotes % 2 or end.endswith(b"\r"):
        raise NotPlain
    return lines if end.endswith(b"\n") else lines + 1


def _options(file: CsvFile) -> tuple[csv.ReadOptions, csv.ParseOptions, csv.ConvertOptions]:
    names = [str(position) for position in range(file.row_length)]
    return (
        csv.ReadOptions(column_names=names, skip_rows=file.header_line, block_size=_BLOCK_BYTES),
        csv.ParseOptions(delimiter=file.delimiter),
        csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )


def _is_blank(column: pa.DictionaryArray) -> bool:
    return not any(text.strip() for text in column.dictionary.to_pylist())


def _has_blank_row(columns: Sequence[pa.DictionaryArray]) -> bool:
    is_blank = np.ones(len(columns[0]), dtype=bool)
    for column in columns:
        blank_texts = np.array([not text.strip() for text in column.dictionary.to_pylist()], dtype=bool)
        if not blank_texts.any():
            return False
        is_blank &= blank_texts[column.indices.to_numpy()]
    return bool(is_blank.any())


def _row_hashes(columns: Sequence[pa.DictionaryArray]) -> pa.Array:
    """Mix the hashes of a row's cells, each distinct text hashed once."""
    mixed: npt.NDArray[np.uint64] = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        of_text = np.fromiter(map(hash, column.dictionary.to_pylist()), np.int64, len(column.dictionary))
        mixed = (mixed ^ of_text.view(np.uint64)[column.indices.to_numpy()]) * _HASH_FACTOR
    return pa.array(mixed.view(np.int64))
