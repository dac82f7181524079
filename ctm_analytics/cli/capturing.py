"""Capture: run the receiver, and look at what a delivery would be stored as."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctm_analytics.cli.options import DEFAULT_DATA, LocalData
from ctm_analytics.errors import InvalidArgument, InvalidFile

if TYPE_CHECKING:
    from receiver.store.folder import DataFolder
    from receiver.store.object_store import ObjectStore

app = typer.Typer()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@app.command(epilog="Example: CTM_APP_SECRET=… CTM_VERIFY_TOKEN=… ctm receive --host 0.0.0.0 --port 8000")
def receive(
    *,
    data: LocalData = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = 8000,
    private_port: Annotated[
        int | None,
        typer.Option(help="Port of /readyz and /metrics, on this machine only (default: the next)."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that answer.", envvar="CTM_WORKERS")] = 1,
    forward: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Relay every stored delivery, as Meta signed it, to the team's bot (or CTM_FORWARD_URL).",
        ),
    ] = None,
) -> None:
    """Receive Meta's webhooks: every delivery is on disk before it is answered."""
    from receiver.__main__ import main

    arguments = ["--data", str(data), "--host", host, "--port", str(port), "--workers", str(workers)]
    if private_port is not None:
        arguments += ["--private-port", str(private_port)]
    if forward is not None:
        arguments += ["--forward", forward]
    raise typer.Exit(main(arguments))


@app.command(epilog="Example: ctm inspect delivery.json | head -1")
def inspect(
    files: Annotated[
        list[Path], typer.Argument(help="Delivery bodies, or JSON lines of bodies; - reads standard input.")
    ],
    *,
    data: LocalData = DEFAULT_DATA,
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


@app.command(epilog="Example: ctm backfill captured.jsonl.gz --data data")
def backfill(
    files: Annotated[
        list[Path],
        typer.Argument(
            help='JSON lines, also gzipped: bodies, or {"received_at": …, "body": …}; - reads standard input.'
        ),
    ],
    *,
    data: LocalData = DEFAULT_DATA,
) -> None:
    """Store deliveries that were captured elsewhere; each event once, however often it comes."""
    from receiver.store.backfill import read_captured, store_captured
    from receiver.store.publisher import has_receiver

    folder, now = _data_folder(data, must_exist=False), datetime.now(UTC)
    with _receiver_errors():
        folder.create()
        count = store_captured(folder, (item for file in files for item in read_captured(file, now)))
        if has_receiver(folder):
            _say(f"{count:,} deliveries are in the journal: the receiver that runs here publishes them now.")
        else:
            _say(f"{count:,} deliveries read. {_published(folder)}")


@app.command(epilog="Example: ctm publish --data data")
def publish(*, data: LocalData = DEFAULT_DATA) -> None:
    """Turn what the journal holds into Parquet now; a receiver does so by itself, every two seconds."""
    with _receiver_errors():
        _say(_published(_data_folder(data)))


@app.command(epilog="Example: ctm compact --data data")
def compact(
    *,
    data: LocalData = DEFAULT_DATA,
    grace: Annotated[
        float,
        typer.Option(help="How long replaced files stay for workbenches that are open.", metavar="SECONDS"),
    ] = 3600.0,
) -> None:
    """Merge small files into few, sorted ones, and forget what is too old; a receiver does so by itself, every hour."""
    from receiver.settings import load_retention_days
    from receiver.store.compaction import closed_generations
    from receiver.store.compaction import compact as compacted
    from receiver.store.forgetting import forget
    from receiver.store.shared_compaction import compact_shared

    folder = _data_folder(data)
    with _receiver_errors():
        folder.create()
        was_waiting = closed_generations(folder)
        retention_days = load_retention_days(data, os.environ)
        done = compacted(folder, grace_seconds=grace)
        if (store := _object_store(folder)) is not None:
            done.add(compact_shared(store, folder, retention_days=retention_days, grace_seconds=grace))
        forgotten = forget(folder, retention_days, datetime.now(UTC))
        if done.files:
            copies = f", {done.copies:,} repeated left out" if done.copies else ""
            became = f"{_counted(done.files, 'file')} became {done.settled:,}"
            _say(f"{became}, with {_counted(done.events, 'event')}{copies}.")
        else:
            _say("Nothing to compact.")
        if forgotten["outdated_days"]:
            _say(f"{forgotten['outdated_events']:,} events are older than {retention_days} days, and gone.")
        if forgotten["taken_back_texts"]:
            _say(f"{forgotten['taken_back_texts']:,} messages were taken back: their text is gone.")
        if done.unreadable:
            left = f"{_counted(done.unreadable, 'file')} could not be read and stayed."
            _say(f"{left} `ctm verify` says which; docs/operations.md says what to do.")
        if was_waiting and closed_generations(folder):
            _say(
                "Files of the last compaction still wait for workbenches that are open, and the next ones for"
                " them: --grace 0 removes them now."
            )


@app.command(epilog="Example: ctm verify --data data")
def verify(*, data: LocalData = DEFAULT_DATA) -> None:
    """Check every captured file, checksum and count, and say what is lost, if anything."""
    from receiver.store.verification import verify as verified

    with _receiver_errors():
        folder = _data_folder(data)
        found = verified(folder, _object_store(folder))
    counts = f"{found.lost:,} lost, {found.repeated:,} stored twice"
    print(f"{found.events:,} events in {found.files:,} files: {counts}.")
    print(
        f"{found.deliveries:,} deliveries in {found.segments:,} segments, {found.waiting:,} not yet published."
    )
    for fault in found.faults:
        print(fault)
    if not found.is_sound:
        raise typer.Exit(1)


def _data_folder(data: Path, *, must_exist: bool = True) -> "DataFolder":
    from receiver.store.folder import DataFolder

    if must_exist and not data.is_dir():
        raise InvalidArgument(f"{data.absolute()}: no such folder. Name the data folder.")
    os.umask(0o077)  # what is stored is what people wrote
    return DataFolder(data)


def _published(folder: "DataFolder") -> str:
    from receiver.deliveries import ReadingOptions
    from receiver.settings import load_reading_settings
    from receiver.store.publisher import publish_journal

    options = ReadingOptions(**vars(load_reading_settings(folder.root, os.environ)))
    done = publish_journal(folder, options, _object_store(folder))
    known = f", {done.duplicates:,} were known" if done.duplicates else ""
    aside = done.damaged + done.unreadable
    return f"{done.events:,} events published{known}." + (
        f" {aside:,} pieces could not be read: they are in {folder.quarantine}." if aside else ""
    )


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def _object_store(folder: "DataFolder") -> "ObjectStore | None":
    """Give the object store that the folder's events are published to, if there is one."""
    from receiver.settings import load_events_url
    from receiver.store.object_store import ObjectStore

    url = load_events_url(folder.root, os.environ)
    return ObjectStore(url, timeout_seconds=300) if url else None


@contextlib.contextmanager
def _receiver_errors() -> Iterator[None]:
    """Turn what the receiver's packages raise for operators into what the command line prints."""
    from receiver.errors import InvalidSetting, ReceiverError

    try:
        yield
    except InvalidSetting as error:
        raise InvalidArgument(str(error)) from None
    except ReceiverError as error:
        raise InvalidFile(str(error)) from None
    except OSError as error:
        raise InvalidFile(f"{error.filename or 'The disk'}: {error.strerror}.") from None


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
