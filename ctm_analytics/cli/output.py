"""Rows on their way out: as a table for people, or as CSV, JSON or Parquet for programs."""

import csv
import io
import json
import math
import shutil
import sys
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.questions import known
from ctm_analytics.results import Result

FORMATS = ("table", "csv", "json", "parquet")


def show(result: Result, row_format: str, output: Path | None, *, columns: tuple[str, ...] = ()) -> None:
    """Print a result, or write it to a file.

    Parameters
    ----------
    result : Result
    row_format : ``table``, ``csv``, ``json`` (a list of records) or ``parquet``
    output : Path or None, where to; ``None`` is standard output
    columns : tuple of str, those that a table shows; the other formats have them all

    Raises
    ------
    InvalidArgument
        For a format that does not exist, or a file that cannot be written.
    """
    known("--format", row_format, FORMATS)
    if row_format == "table":
        is_screen = output is None and sys.stdout.isatty()
        _write(output, _text_table(result, columns, is_cut=is_screen).encode())
        print(result.about, file=sys.stderr)
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


def _text_table(result: Result, columns: tuple[str, ...], *, is_cut: bool) -> str:
    display = result.shown(columns, rows=len(result))
    cells = [[label for label, _ in display.headings], *display.rows]
    widest = max(20, (shutil.get_terminal_size().columns - 2 * len(cells[0])) // 2) if is_cut else None
    cells = [[_cut(cell, widest) for cell in row] for row in cells]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, (_, is_number) in zip(row, widths, display.headings, strict=True)
        ).rstrip()
        for row in cells
    ]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines) + "\n"


def _cut(cell: str, widest: int | None) -> str:
    # A line break or an escape sequence in an ad's name must not move the terminal's cursor.
    printable = "".join(character if character.isprintable() else " " for character in cell)
    return printable if widest is None or len(printable) <= widest else printable[: widest - 1] + "…"


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
