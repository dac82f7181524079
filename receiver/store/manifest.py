"""events/manifest.json: which files are live. Replaced by rename, so a reader sees one state or the next."""

import json
from pathlib import Path
from typing import NamedTuple

from receiver.errors import ReceiverError
from receiver.store.folder import DataFolder, replace_file, sync_folder
from receiver.store.parquet import event_schema, write_events

VERSION = 1
SCHEMA_FILE = "0-schema.parquet"


class SettledFile(NamedTuple):
    """A compacted file; its path is relative to ``events/``."""

    file: str
    rows: int
    sha256: str
    generation: int


class Manifest(NamedTuple):
    """The state that readers see: the settled files, and the generation being written with the next one."""

    settled: tuple[SettledFile, ...] = ()
    live: tuple[int, int] = (1, 2)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises
    ------
    ReceiverError
        If it is of another version or no manifest at all: guessing would hide or double events.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != VERSION:
            raise ReceiverError(
                f"{path}: version {content['version']} is not {VERSION}. Use the release that wrote it."
            )
        first, second = content["live"]
        return Manifest(
            tuple(SettledFile(**entry) for entry in content["settled"]), (int(first), int(second))
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ReceiverError(f"{path}: not a manifest ({error!r}). Restore it from a backup.") from None


def write_manifest(folder: DataFolder, manifest: Manifest) -> None:
    """Replace the manifest durably."""
    content = {
        "version": VERSION,
        "settled": [entry._asdict() for entry in manifest.settled],
        "live": list(manifest.live),
    }
    replace_file(
        folder.events / "manifest.json", json.dumps(content, indent=1).encode() + b"\n", folder.staging
    )


def prepare_events(folder: DataFolder) -> Manifest:
    """Make the live generations readable, and the manifest that names them if there is none yet.

    An empty file with all columns lies in each generation, so that a reader's glob always matches.
    """
    path = folder.events / "manifest.json"
    manifest = read_manifest(path) if path.exists() else Manifest()
    for number in manifest.live:
        generation = folder.generation(number)
        if not (generation / SCHEMA_FILE).exists():
            generation.mkdir(mode=0o700, exist_ok=True)
            temporary = folder.staging / f"{number}-{SCHEMA_FILE}.tmp"
            write_events(temporary, event_schema(store_text=False), [])
            temporary.rename(generation / SCHEMA_FILE)
            sync_folder(generation)
            sync_folder(generation.parent)
    if not path.exists():
        write_manifest(folder, manifest)
    return manifest
