"""Finds the files of a data folder: what the manifest calls live, and what was imported."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ctm_analytics.errors import InvalidFile
from ctm_analytics.object_store import copies_folder, is_copy
from ctm_analytics.schemas import EVENTS, HEARTBEATS, IMPORTS, REMOVAL_EFFECTS
from ctm_analytics.shared_events import fetch_shared_events
from ctm_analytics.shared_imports import mirror_imports

SCHEMAS = {
    "raw_events": EVENTS,
    "raw_heartbeats": HEARTBEATS,
    "raw_removal_effects": REMOVAL_EFFECTS,
} | {f"raw_{kind}": schema for kind, schema in IMPORTS.items()}


@dataclass(frozen=True)
class Sources:
    """The Parquet files that an answer is made from.

    Attributes
    ----------
    files : dict of str to tuple of Path; relation (``raw_events``, ``raw_sales``, …) to its files, sorted
    urls : dict of Path to str; of what was copied from an object store its URL there, or nothing where many became one
    """

    files: dict[str, tuple[Path, ...]]
    urls: dict[Path, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is neither an event nor an import."""
        return not any(files for relation, files in self.files.items() if relation != "raw_heartbeats")

    def fingerprint(self) -> str:
        """SHA-256 over the names and sizes of all files: files never change once they have a name."""
        digest = hashlib.sha256()
        for relation, files in sorted(self.files.items()):
            for file in files:
                digest.update(f"{relation}/{file.name}/{_status(file).st_size}\n".encode())
        return digest.hexdigest()

    def identity(self, relation: str) -> str:
        """SHA-256 over what tells the files of a relation from others: also one that was replaced under its name.

        Raises
        ------
        InvalidFile
            If a file is gone since it was listed.
        """
        digest = hashlib.sha256()
        for file in self.files[relation]:
            digest.update(f"{identity_of(file)}\n".encode())
        return digest.hexdigest()


def name_of(path: Path) -> str:
    """Name a file within its relation, whose files have no two such names."""
    return f"{path.parent.name}/{path.name}"


def identity_of(path: Path) -> str:
    """Tell a file from any other, also from one that replaces it under its name.

    Raises
    ------
    InvalidFile
        If it is gone.
    """
    status = _status(path)
    if is_copy(path):  # others may have worked something out from the same file
        return f"{name_of(path)} {status.st_size} {status.st_mtime_ns}"
    return f"{name_of(path)} {status.st_size} {status.st_mtime_ns} {status.st_ino}"


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError:
        raise InvalidFile(
            f"{path}: no longer there, since events were compacted or erased after it was listed."
            " Open the workbench again."
        ) from None


def find_sources(data: Path, events_url: str = "", imports_url: str = "") -> Sources:
    """List the live files of a data folder, and copies of those of the object stores that its settings name.

    Parameters
    ----------
    data : Path
    events_url, imports_url : str, ``s3://bucket/prefix``, or empty where all events or imports are in the folder

    Raises
    ------
    InvalidArgument, InvalidFile
        If ``events/manifest.json`` cannot be understood, or the store cannot be read.
    """
    files: dict[str, tuple[Path, ...]] = dict.fromkeys(SCHEMAS, ())
    files["raw_events"] = _event_files(data)
    files["raw_heartbeats"] = _parquet_files(data / "heartbeats")
    if events_url:
        shared = fetch_shared_events(events_url, copies_folder(data, events_url))
        # What this folder's own receiver says of itself lies here as well, and is newer.
        own = {path.stem for path in files["raw_heartbeats"]}
        others = (path for path in shared.heartbeats if path.stem.partition(".")[0] not in own)
        files["raw_events"] += shared.events
        files["raw_heartbeats"] += tuple(others)
    imports = mirror_imports(imports_url, data) if imports_url else data / "imports"
    for kind in IMPORTS:
        files[f"raw_{kind}"] = _parquet_files(imports / kind)
    places = {copies_folder(data, url): url.rstrip("/") for url in (events_url, f"{imports_url}/imports")}
    copies = (path for paths in files.values() for path in paths if is_copy(path))
    return Sources(files, {path: _url_of(path, places) for path in copies})


def _url_of(copy: Path, places: Mapping[Path, str]) -> str:
    folder = next(folder for folder in copy.parents if folder in places)
    key = copy.relative_to(folder).as_posix()
    return "" if key.startswith(("unsettled-", "heartbeats/")) else f"{places[folder]}/{key}"


def holds_data(data: Path) -> bool:
    """Whether a folder itself holds an event or an import."""
    return data.is_dir() and not find_sources(data).is_empty


def _event_files(data: Path) -> tuple[Path, ...]:
    events = data / "events"
    manifest_path = events / "manifest.json"
    if not manifest_path.is_file():
        return ()
    content = manifest_path.read_text(encoding="utf-8")
    while True:
        files = _listed_files(manifest_path, content)
        # What was listed while the manifest was replaced may be gone already, and its events elsewhere.
        before, content = content, manifest_path.read_text(encoding="utf-8")
        if content == before:
            return files


def _listed_files(manifest_path: Path, content: str) -> tuple[Path, ...]:
    events = manifest_path.parent
    try:
        manifest = json.loads(content)
        settled = [events / entry["file"] for entry in manifest["settled"]]
        first, second = (events / "recent" / f"g={generation:06d}" for generation in manifest["live"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidFile(
            f"{manifest_path}: not a manifest that this version understands ({error!r})."
            " Start the receiver once: it restores the manifest."
        ) from None
    # The later generation first: whatever of it is found, all that was published before is found, too.
    later = _parquet_files(second)
    # A damaged file is in both for the moment in which it goes from one to the other.
    names = {path.name for path in later}
    earlier = (path for path in _parquet_files(first) if path.name not in names)
    return (*sorted(settled), *earlier, *later)


def _parquet_files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.parquet")))
