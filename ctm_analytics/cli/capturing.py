"""Capture: run the receiver, and look at what a delivery would be stored as."""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from ctm_analytics.cli.options import DEFAULT_DATA, Data
from ctm_analytics.errors import InvalidArgument, InvalidFile

app = typer.Typer()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@app.command(epilog="Example: CTM_APP_SECRET=… CTM_VERIFY_TOKEN=… ctm receive --host 0.0.0.0 --port 8000")
def receive(
    *,
    data: Data = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = 8000,
    private_port: Annotated[
        int | None,
        typer.Option(help="Port of /readyz and /metrics, on this machine only (default: the next)."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that answer.", envvar="CTM_WORKERS")] = 1,
) -> None:
    """Receive Meta's webhooks: every delivery is on disk before it is answered."""
    from receiver.__main__ import main

    arguments = ["--data", str(data), "--host", host, "--port", str(port), "--workers", str(workers)]
    if private_port is not None:
        arguments += ["--private-port", str(private_port)]
    raise typer.Exit(main(arguments))


@app.command(epilog="Example: ctm inspect delivery.json | head -1")
def inspect(
    files: Annotated[
        list[Path], typer.Argument(help="Delivery bodies, or JSON lines of bodies; - reads standard input.")
    ],
    *,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print the event rows that a delivery would be stored as; store nothing."""
    from receiver.deliveries import COLUMNS, ReadingOptions, read_delivery
    from receiver.errors import ReceiverError
    from receiver.settings import load_reading_settings

    try:
        options = ReadingOptions(**vars(load_reading_settings(data, os.environ)))
    except ReceiverError as error:
        raise InvalidArgument(str(error)) from None
    received_at = time.time_ns() // 1000
    for file in files:
        for body in _bodies(file):
            for event in read_delivery(body, received_at=received_at, options=options):
                row = {
                    name: _instant(value) if kind == "timestamp" else value
                    for (name, kind), value in zip(COLUMNS, event, strict=True)
                    if name != "text" or options.store_text
                }
                print(json.dumps(row))


@app.command(epilog="Example: ctm verify --data data")
def verify(*, data: Data = DEFAULT_DATA) -> None:
    """Check every captured file, checksum and count, and say what is lost, if anything."""
    from receiver.errors import ReceiverError
    from receiver.store.folder import DataFolder
    from receiver.store.verification import verify as verified

    if not data.is_dir():
        raise InvalidArgument(f"{data.absolute()}: no such folder. Name the data folder.")
    try:
        found = verified(DataFolder(data))
    except ReceiverError as error:
        raise InvalidFile(str(error)) from None
    counts = f"{found.lost:,} lost, {found.repeated:,} stored twice"
    print(f"{found.events:,} events in {found.files:,} files: {counts}.")
    print(
        f"{found.deliveries:,} deliveries in {found.segments:,} segments, {found.waiting:,} not yet published."
    )
    for fault in found.faults:
        print(fault)
    if not found.is_sound:
        raise typer.Exit(1)


def _bodies(file: Path) -> Iterator[bytes]:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidFile(f"{file}: {error.strerror}. Name a file that holds a delivery's body.") from None
    lines = [line for line in content.splitlines() if line.strip()]
    if len(lines) > 1 and all(_is_json(line) for line in lines):
        yield from lines
    else:
        yield content


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _instant(microseconds: Any) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")
