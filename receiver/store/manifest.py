"""events/manifest.json: which files are live. Replaced by rename, so a reader sees one state or the next."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from receiver.errors import ReceiverError
from receiver.store.folder import DataFolder, replace_file, sync_folder
from receiver.store.parquet import event_schema, write_events

VERSION = 1
SCHEMA_FILE = "0-schema.parquet"
# In a generation that is complete: what is published next belongs to the one behind it.
CLOSED_FILE = "CLOSED"
_GENERATION = re.compile(r"(?<![0-9a-z])g=?([0-9]{6,})")


class SettledFile(NamedTuple):
    """A compacted file; its path is relative to ``events/``.

    Attributes
    ----------
    file : str, ``settled/day=YYYY-MM-DD/…``, by the day of receipt (UTC)
    rows : int
    sha256 : str, of the whole file
    generation : int, the last generation whose events are in it
    """

    file: str
    rows: int
    sha256: str
    generation: int

    @property
    def day(self) -> str:
        """The day of receipt of every event in it, as ``YYYY-MM-DD``."""
        return Path(self.file).parent.name.removeprefix("day=")


class Manifest(NamedTuple):
    """The state that readers see: the settled files, and the generation being written with the next one."""

    settled: tuple[SettledFile, ...] = ()
    live: tuple[int, int] = (1, 2)

    def has_replaced(self, name: str) -> bool:
        """Whether a file that is no longer live has become part of one that is.

        Parameters
        ----------
        name : str, path relative to ``events/`` of a file that was live once
        """
        generation = max(map(int, _GENERATION.findall(name)), default=self.live[0])
        if name.startswith("recent/"):
            return generation < self.live[0]
        folder = f"{Path(name).parent}/"
        return any(entry.file.startswith(folder) and entry.generation >= generation for entry in self.settled)


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
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
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


def current_manifest(folder: DataFolder) -> Manifest:
    """Read the manifest of a folder; that of a new folder where there is none yet."""
    path = folder.events / "manifest.json"
    return read_manifest(path) if path.exists() else Manifest()


def prepare_events(folder: DataFolder) -> Manifest:
    """Make the live generations readable, and the manifest that names them if there is none yet."""
    manifest = current_manifest(folder)
    for number in manifest.live:
        prepare_generation(folder, number)
    if not (folder.events / "manifest.json").exists():
        write_manifest(folder, manifest)
    return manifest


def prepare_generation(folder: DataFolder, number: int) -> None:
    """Make a generation readable before its first event.

    An empty file with all columns lies in it, so that a reader's glob always matches.
    """
    generation = folder.generation(number)
    if not (generation / SCHEMA_FILE).exists():
        generation.mkdir(mode=0o700, exist_ok=True)
        temporary = folder.staging / f"{number}-{SCHEMA_FILE}.tmp"
        write_events(temporary, event_schema(store_text=False), [])
        temporary.rename(generation / SCHEMA_FILE)
        sync_folder(generation)
        sync_folder(generation.parent)


def recent_files(folder: DataFolder, number: int) -> list[Path]:
    """List the files of one generation that hold events, in the order of their names."""
    found = folder.generation(number).glob("*.parquet")
    return sorted(path for path in found if path.name != SCHEMA_FILE)


def live_files(folder: DataFolder, manifest: Manifest) -> dict[str, Path]:
    """Map every live file's path relative to ``events/`` to the file."""
    settled = [folder.events / entry.file for entry in manifest.settled]
    recent = [path for number in manifest.live for path in recent_files(folder, number)]
    return {str(path.relative_to(folder.events)): path for path in settled + recent}


def output_generation(folder: DataFolder) -> Path:
    """Say where what is published now belongs: the first live generation that is not closed.

    Whoever asks holds ``folder.publishing_lock``: a generation is closed under that lock only.
    """
    first, second = map(folder.generation, current_manifest(folder).live)
    return second if (first / CLOSED_FILE).exists() else first
