"""Bytes of a CSV file in, rows of text out, with the true line number of each."""

import codecs
import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports.faults import Fault, plural, shown
from ctm_analytics.imports.source import Source

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BLOCK_BYTES = 1 << 20
_JUDGED_ROWS = 100
_REASON = "reason"


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose encoding, delimiter and header are known.

    Attributes
    ----------
    source : Source
    encoding : str, a Python codec
    delimiter : str, one character
    header : tuple of str, as written, blanks around each removed
    written_width : int, cells of the header as written, those without a name at its end included
    header_line : int, 1-based line on which the header ends
    """

    source: Source
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    written_width: int
    header_line: int

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.source.name

    def describe(self) -> str:
        """Say how the file was read: ``utf-8, comma``."""
        packed = ", gzip" if self.source.is_compressed else ""
        return f"{self.encoding.removesuffix('-sig')}, {_DELIMITERS[self.delimiter]}{packed}"

    @cached_property
    def row_length(self) -> int:
        """How many cells every row has to have: as many as the header as written.

        Some exports end each row with a delimiter, but not the header. More cells, which are empty, are believed only
        where the first rows agree: a single row with one more has a comma too many, and its cells are shifted. In a
        file of rejects that may be every row.
        """
        width = len(self.header)
        with _text(self.source, self.encoding) as text:
            lengths = [
                len(row)
                for _, row in itertools.islice(self._parsed(text), _JUDGED_ROWS)
                if not isinstance(row, csv.Error) and len(row) >= width and not _is_filled(row[width:])
            ]
        do_agree = len(lengths) > 1 and len(set(lengths)) == 1
        return lengths[0] if do_agree and self.header[0] != _REASON else self.written_width

    def rows(self, faults: list[Fault]) -> Iterator[tuple[int, list[str] | None]]:
        """Give each row with the line on which it begins; name those of another shape, and give ``None`` for them."""
        width, length = len(self.header), self.row_length
        with _text(self.source, self.encoding) as text:
            for line, row in self._parsed(text):
                if isinstance(row, csv.Error):
                    faults.append(Fault(line, "", "", _broken(str(row))))
                    yield line, None
                elif len(row) == length and not _is_filled(row[width:]):
                    yield line, row[:width]
                else:
                    faults.append(Fault(line, "", "", _shape(row, self)))
                    yield line, None

    def rejects(self, reasons: Mapping[int, str]) -> Iterator[str]:
        """Give a CSV file with the rows that begin on these lines, letter by letter, the reason before each.

        Mended, it can be imported as it is: nothing reads the column ``reason``.
        """
        nameless = [""] * (self.row_length - len(self.header))
        yield self._written([_REASON, *self.header, *nameless]) + "\n"
        taken: list[tuple[int, str]] = []
        with _text(self.source, self.encoding) as text:
            for line, _ in self._parsed(_recorded(text, taken)):
                if line in reasons:
                    original = "".join(text for number, text in taken if number >= line).rstrip("\r\n")
                    yield f"{self._written([reasons[line]])}{self.delimiter}{original}\n"
                taken.clear()

    def _parsed(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str] | csv.Error]]:
        """Give each filled row below the header with the line on which it begins; cells may hold line breaks."""
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, error
                continue
            if reader.line_num > self.header_line and _is_filled(row):
                yield line, row

    def _written(self, cells: Sequence[str]) -> str:
        line = io.StringIO()
        csv.writer(line, delimiter=self.delimiter, lineterminator="").writerow(cells)
        return line.getvalue()


def open_csv(source: Source) -> CsvFile:
    """Find encoding, delimiter and header.

    Raises
    ------
    InvalidFile
        If the bytes are no text, or there is no header.
    """
    encoding = _encoding(source)
    with _text(source, encoding) as text:
        reader = csv.reader(text, delimiter=_delimiter(source, encoding), strict=True)
        try:
            row = next((row for row in reader if _is_filled(row)), None)
        except csv.Error as error:
            raise InvalidFile(
                f"{source.name}: the header (line {reader.line_num}) cannot be read: {error}."
            ) from None
    if row is None:
        raise InvalidFile(f"{source.name}: the file is empty.")
    header = tuple(cell.strip() for cell in row)
    while not header[-1]:
        header = header[:-1]
    return CsvFile(source, encoding, reader.dialect.delimiter, header, len(row), reader.line_num)


def _encoding(source: Source) -> str:
    with source.open("checking") as content:
        beginning = content.read(4)
    marked = next((codec for mark, codec in _BYTE_ORDER_MARKS.items() if beginning.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            if not _holds_null(source, encoding):
                return encoding
        except UnicodeDecodeError:
            continue
        break
    raise InvalidFile(
        f"{source.name}: this is not a text file in UTF-8, UTF-16 or Windows-1252. Export it as CSV."
    )


def _holds_null(source: Source, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with source.open("checking") as content:
        for block in iter(lambda: content.read(_BLOCK_BYTES), b""):
            if "\0" in decoder.decode(block):
                return True
    return "\0" in decoder.decode(b"", final=True)


def _text(source: Source, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(source.open("reading"), encoding=encoding, newline="")


def _delimiter(source: Source, encoding: str) -> str:
    """Take the delimiter that cuts the header into most fields; Meta's headers contain commas, in quotes."""
    with _text(source, encoding) as text:
        first = next((line for line in text if line.strip()), "")
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter))))


def _recorded(lines: Iterable[str], taken: list[tuple[int, str]]) -> Iterator[str]:
    """Pass lines on and remember them: a parsed row no longer says how it was written."""
    for number, line in enumerate(lines, start=1):
        taken.append((number, line))
        yield line


def _is_filled(row: Sequence[str]) -> bool:
    return any(map(str.strip, row))


def _broken(error: str) -> str:
    if "unexpected end of data" in error or "field larger than" in error:
        return "a quote is opened here and never closed"
    return 'a quote that is never closed, or stands inside a quoted cell and is not doubled ("")'


def _shape(row: list[str], file: CsvFile) -> str:
    length = file.row_length
    if len(row) == length:
        others = f"header has {len(file.header)}"
    else:
        others = f"{'header has' if length == file.written_width else 'other rows have'} {length}"
    said = f"{plural(len(row), 'field')}, {others}"
    if len(row) < length:
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
