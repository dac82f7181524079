"""Sealed segments of deliveries, and publishing them without a process of its own."""

import json
import os
from pathlib import Path

import pytest

from receiver.deliveries import ReadingOptions
from receiver.store.folder import DataFolder
from receiver.store.publisher import Publication, Publisher
from receiver.store.publishing import remove_unfinished
from receiver.store.segment import FILE_MAGIC, Delivery, encode_frame

RECEIVED_AT = 1_783_075_201_000_000


@pytest.fixture
def folder(data: Path) -> DataFolder:
    os.umask(0o077)
    folder = DataFolder(data)
    folder.create()
    return folder


def add_segment(folder: DataFolder, number: int, *bodies: bytes, receiver: str = "run-1") -> Path:
    """Seal a segment of deliveries, as a journal does."""
    path = folder.journal / receiver / f"{number:016}.wal"
    path.parent.mkdir(exist_ok=True)
    frames = [
        encode_frame(Delivery(sequence, RECEIVED_AT + sequence, b"s" * 32, body), f"{receiver}-{number:016}")
        for sequence, body in enumerate(bodies)
    ]
    path.write_bytes(FILE_MAGIC + b"".join(frames))
    return path


def publish_all(folder: DataFolder, *, store_text: bool = False) -> list[Publication]:
    remove_unfinished(folder)
    publisher = Publisher(folder, ReadingOptions(store_text=store_text))
    try:
        published = [publisher.publish(segment) for segment in publisher.sealed_segments()]
        return [publication for publication in published if publication is not None]
    finally:
        publisher.close()


def delivery(*names: str, time: int = 1783075200842) -> bytes:
    """A delivery of several messages, in one entry each."""
    item = {"sender": {"id": "7"}, "recipient": {"id": "1"}, "timestamp": 1783075200000}
    entries = [
        {"id": "1", "time": time, "messaging": [{**item, "message": {"mid": name, "text": "hello"}}]}
        for name in names
    ]
    return json.dumps({"object": "page", "entry": entries}).encode()
