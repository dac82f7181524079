"""Bytes of a CSV file in, columns of text out, with the true line number of every row."""

import codecs
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports.faults import Fault, shown

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or a zip archive. Save or unpack it as CSV first.",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook. Save it as CSV first.",
    b"\x1f\x8b": "compressed with gzip. Unpack it first.",
    b"PAR1": "a Parquet file. Write it as CSV first.",
    b"%PDF": "a PDF document. Export the table as CSV.",
}
# Rows are turned into Arrow columns in blocks, so that a large file never exists as Python objects at once.
_BLOCK_ROWS = 50_000


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose encoding, delimiter and header are known.

    Attributes
    ----------
    name : str, the file's name without its folder
    content : bytes, as they are on disk
    encoding : str, a Python codec
    delimiter : str, one character
    header : tuple of str, as written, blanks around each removed
    header_line : int, 1-based line on which the header ends
    """

    name: str
    content: bytes
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_line: int

    def describe(self) -> str:
        """Say how the file was read: ``utf-8, comma``."""
        return f"{self.encoding.removesuffix('-sig')}, {_DELIMITERS[self.delimiter]}"


@dataclass(frozen=True)
class TextRows:
    """The rows that have as many fields as the header.

    Attributes
    ----------
    columns : dict of int to pa.ChunkedArray of string, by position in the header
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


def read_content(path: Path) -> bytes:
    """Read a file that ought to be a CSV.

    Raises
    ------
    InvalidFile
        If there is no such file, it is a folder, may not be read, is empty, or is visibly something else.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InvalidFile(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise InvalidFile(f"{path}: this is a folder. Name the CSV files in it.") from None
    except OSError as error:
        raise InvalidFile(f"{path}: cannot be read: {error.strerror}.") from None
    if not content.strip():
        raise InvalidFile(f"{path.name}: the file is empty.")
    for magic, sentence in _OTHER_FORMATS.items():
        if content.startswith(magic):
            raise InvalidFile(f"{path.name}: this is {sentence}")
    return content


def open_csv(name: str, content: bytes) -> CsvFile:
    """Find encoding, delimiter and header.

    Raises
    ------
    InvalidFile
        If the bytes are no text, or there is no header.
    """
    encoding = _encoding(name, content)
    reader = csv.reader(_text(content, encoding), delimiter=_delimiter(content, encoding), strict=True)
    try:
        row = next((row for row in reader if _is_filled(row)), None)
    except csv.Error as error:
        raise InvalidFile(f"{name}: the header (line {reader.line_num}) cannot be read: {error}.") from None
    if row is None:
        raise InvalidFile(f"{name}: the file is empty.")
    header = tuple(cell.strip() for cell in row)
    while not header[-1]:
        header = header[:-1]
    return CsvFile(name, content, encoding, reader.dialect.delimiter, header, reader.line_num)


def _encoding(name: str, content: bytes) -> str:
    marked = next((codec for mark, codec in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            text = codecs.decode(content, encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return encoding
    raise InvalidFile(f"{name}: this is not a text file in UTF-8, UTF-16 or Windows-1252. Export it as CSV.")


def _text(content: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")


def _delimiter(content: bytes, encoding: str) -> str:
    """Take the delimiter that cuts the header into most fields; Meta's headers contain commas, in quotes."""
    first = next((line for line in _text(content, encoding) if line.strip()), "")
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter))))


def read_rows(file: CsvFile, wanted: Sequence[int]) -> TextRows:
    """Read the wanted columns as text.

    Parameters
    ----------
    file : CsvFile
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
    width = len(file.header)
    for block, block_lines in _blocks(file, faults):
        texts = list(zip(*block, strict=True)) if block else [()] * width
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


def _blocks(file: CsvFile, faults: list[Fault]) -> Iterator[tuple[list[list[str]], list[int]]]:
    width = len(file.header)
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, row in _numbered_rows(file, faults):
        if len(row) > width and not _is_filled(row[width:]):
            row = row[:width]  # a delimiter at the end of the line says nothing
        if len(row) != width:
            faults.append(Fault(line, "", "", _shape(row, width, file)))
            continue
        rows.append(row)
        lines.append(line)
        if len(rows) == _BLOCK_ROWS:
            yield rows, lines
            rows, lines = [], []
    yield rows, lines


def _numbered_rows(file: CsvFile, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """Give each filled row with the line on which it begins; quoted cells may hold line breaks."""
    reader = csv.reader(_text(file.content, file.encoding), delimiter=file.delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.append(Fault(line, "", "", _broken(str(error))))
            continue
        if reader.line_num > file.header_line and _is_filled(row):
            yield line, row


def _is_filled(row: Sequence[str]) -> bool:
    return any(map(str.strip, row))


def _broken(error: str) -> str:
    if "unexpected end of data" in error or "field larger than" in error:
        return "a quote is opened here and never closed"
    return 'a quote that is never closed, or stands inside a quoted cell and is not doubled ("")'


def _shape(row: list[str], width: int, file: CsvFile) -> str:
    said = f"{len(row)} fields, header has {width}"
    if len(row) < width:
        return f"{said}: is the row cut off?"
    for left, right in itertools.pairwise(row):
        if left and (right.startswith(" ") or (left.strip("$-").isdecimal() and _is_group(right))):
            return (
                f"{said}: unquoted {_DELIMITERS[file.delimiter]} in {shown(left + file.delimiter + right)}?"
            )
    return f"{said}: an unquoted {_DELIMITERS[file.delimiter]}?"


def _is_group(text: str) -> bool:
    whole, _, decimals = text.partition(".")
    return len(whole) == 3 and whole.isdecimal() and (not decimals or decimals.isdecimal())
