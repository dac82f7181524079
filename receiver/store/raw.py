"""Sealed segments that are written anew without some of their deliveries: for erasure and for messages taken back."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from receiver.store.folder import DataFolder, replace_file
from receiver.store.segment import Delivery, encode_segment, read_segment


class Sealed(NamedTuple):
    """A sealed segment and what is in it; nothing where its time was over before it was read."""

    path: Path
    name: str
    sealed_at: float
    deliveries: Sequence[Delivery]
    damages: Sequence[bytes]


def read_sealed(folder: DataFolder, path: Path) -> Sealed:
    """Read a segment of ``journal/`` or ``done/``."""
    name = segment_name(folder, path)
    try:
        content, sealed_at = path.read_bytes(), path.stat().st_mtime
    except FileNotFoundError:
        return Sealed(path, name, 0.0, (), ())
    deliveries, damages = read_segment(content, name)
    return Sealed(path, name, sealed_at, deliveries, [content[start:end] for start, end, _ in damages])


def leave_only(folder: DataFolder, segment: Sealed, kept: Sequence[Delivery]) -> None:
    """Give a segment some of its deliveries only, under their numbers; bytes that are no frame go as well.

    It stays there even without any: that it is missing would look like a loss. Hold ``folder.publishing_lock``.
    """
    replace_file(segment.path, encode_segment(kept, segment.name), folder.staging)
    os.utime(segment.path, (segment.sealed_at, segment.sealed_at))


def segment_name(folder: DataFolder, path: Path) -> str:
    """Return the name that the frames of a segment were written under."""
    return path.stem if path.parent == folder.done else f"{path.parent.name}-{path.stem}"


def sealed_segments(folder: DataFolder) -> list[Path]:
    """List every sealed segment, published or not, in the order in which segments go through the folder."""
    return [*sorted(folder.journal.glob("*/*.wal")), *sorted(folder.done.glob("*.wal"))]
