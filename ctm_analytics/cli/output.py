"""Rows on their way out: as a table for people, or as CSV, JSON or Parquet for programs."""

import csv
import io
import json
import math
import sys
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctm_analytics.display import as_text, screen_columns
from ctm_analytics.errors import InvalidArgument
from ctm_analytics.questions import known
from ctm_analytics.results import Result

FORMATS = ("table", "csv", "json", "parquet")


def show(
    result: Result,
    row_format: str,
    output: Path | None,
    *,
    most_rows: int | None = None,
) -> None:
    """Print a result, or write it to a file.

    Parameters
    ----------
    result : Result
    row_format : ``table``, ``csv``, ``json`` (a list of records) or ``parquet``
    output : Path or None, where to; ``None`` is standard output
    most_rows : int or None, how many rows a table shows; the other formats have them all

    Raises
    ------
    InvalidArgument
        For a format that does not exist, or a file that cannot be written.
    """
    known("--format", row_format, FORMATS)
    if row_format == "table":
        rows = min(len(result), most_rows or len(result))
        _write(output, as_text(result.shown(rows=rows), screen_columns()).encode())
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
