"""Rows on their way out: as a table for people, or as CSV, JSON or Parquet for programs."""

import csv
import io
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Callable
from datetime import date, datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctm_analytics.display import Display
from ctm_analytics.errors import InvalidArgument
from ctm_analytics.questions import known
from ctm_analytics.results import Result

FORMATS = ("table", "csv", "json", "parquet")
NARROWEST = 16


def show(
    result: Result,
    row_format: str,
    output: Path | None,
    *,
    columns: tuple[str, ...] = (),
    most_rows: int | None = None,
) -> None:
    """Print a result, or write it to a file.

    Parameters
    ----------
    result : Result
    row_format : ``table``, ``csv``, ``json`` (a list of records) or ``parquet``
    output : Path or None, where to; ``None`` is standard output
    columns : tuple of str, those that a table shows; the other formats have them all
    most_rows : int or None, how many rows a table shows; the other formats have them all

    Raises
    ------
    InvalidArgument
        For a format that does not exist, or a file that cannot be written.
    """
    known("--format", row_format, FORMATS)
    if row_format == "table":
        is_screen = output is None and sys.stdout.isatty()
        rows = min(len(result), most_rows or len(result))
        _write(output, _text_table(result.shown(columns, rows), is_cut=is_screen).encode())
        more = (
            f"{len(result) - rows:,} more rows: narrow with --since, or take --format csv. "
            if rows < len(result)
            else ""
        )
        print(f"{more}{result.about}", file=sys.stderr)
        return
    writers: dict[str, Callable[[pa.Table], bytes]] = {"csv": _csv, "json": _json, "parquet": _parquet}
    _write(output, writers[row_format](result.table))


def _write(output: Path | None, content: bytes) -> None:
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    # Whole or not at all: a reader never sees half a file.
    unfinished = output.with_name(f".{output.name}.tmp")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(output)
    except OSError as error:
        if unfinished.is_file():
            unfinished.unlink()
        raise InvalidArgument(
            f"--output: {str(output)!r} cannot be written: {error.strerror}."
            " Name a file in a folder that exists and that you may write to."
        ) from None


def _text_table(display: Display, *, is_cut: bool) -> str:
    cells = [[label for label, _ in display.headings], *display.rows]
    cells = [[_printable(cell) for cell in row] for row in cells]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    if is_cut:
        is_number = [is_number for _, is_number in display.headings]
        widths = _fitting(widths, is_number, shutil.get_terminal_size().columns)
    lines = [line for row in cells for line in _lines(row, widths, display.headings)]
    after_heading = len(_lines(cells[0], widths, display.headings))
    lines.insert(after_heading, "  ".join("─" * width for width in widths))
    return "\n".join(lines) + "\n"


def _fitting(widths: list[int], is_number: list[bool], screen: int) -> list[int]:
    """Take from the widest text column until the row fits; numbers are never broken."""
    widths = list(widths)
    while sum(widths) + 2 * (len(widths) - 1) > screen:
        widest = max(
            (place for place, number in enumerate(is_number) if not number),
            key=widths.__getitem__,
            default=None,
        )
        if widest is None or widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _lines(row: list[str], widths: list[int], headings: list[tuple[str, bool]]) -> list[str]:
    parts = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    return [
        "  ".join(
            part.rjust(width) if is_number else part.ljust(width)
            for part, width, (_, is_number) in zip(line, widths, headings, strict=True)
        ).rstrip()
        for line in zip_longest(*parts, fillvalue="")
    ]


def _printable(cell: str) -> str:
    # A line break or an escape sequence in an ad's name must not move the terminal's cursor.
    return "".join(character if character.isprintable() else " " for character in cell)


def _csv(table: pa.Table) -> bytes:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in table.to_pylist():
        writer.writerow([_cell(value) for value in row.values()])
    return lines.getvalue().encode()


def _json(table: pa.Table) -> bytes:
    records = [{name: _plain(value) for name, value in row.items()} for row in table.to_pylist()]
    return (json.dumps(records, ensure_ascii=False, indent=1) + "\n").encode()


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    plain = _plain(value)
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, bool | list | dict) else plain


def _plain(value: Any) -> Any:
    """Say a value in JSON's types; JSON has no infinity, and a decimal keeps its digits only as text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case date() | datetime() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(name): _plain(item) for name, item in value.items()}
        case _:
            return str(value)
