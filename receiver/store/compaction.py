"""Compaction: closed generations and small files of one day become few settled files, under living readers.

Each step is durable before the next, and the manifest's rename is the only one that readers see:

1. the generation is marked closed: what is published from then on goes into the next one, which every reader
   of the manifest lists already;
2. its events are written into settled files, synced, read back, named, and their folders synced;
3. the generation after the next is made readable;
4. the manifest is replaced: readers see the settled files instead of the generation;
5. a file that cannot be read has gone into the next generation with the step before: readers meet it as ever;
6. after a while, in which readers that started before may go on, the generation is removed in one step.

Only then may the next one be closed, so that no reader can miss rows: it is right, or a file that it lists is
gone, which ends its query with an error. Interrupted anywhere, the same work done again ends in the same events.
"""

import contextlib
import hashlib
import logging
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from receiver.errors import ReceiverError
from receiver.store.folder import RESERVE_BYTES, DataFolder, locked, sync_folder
from receiver.store.manifest import (
    CLOSED_FILE,
    Manifest,
    SettledFile,
    current_manifest,
    prepare_events,
    prepare_generation,
    recent_files,
    write_manifest,
)
from receiver.store.merging import FILE_ROWS, Merged, MergedFile, UnreadableFile, merge_files
from receiver.store.seen import rename_files

COMPACT_SECONDS = 3600.0
COMPACT_FILES = 2_000
GRACE_SECONDS = 3600.0
# So many files make every reader slow to start: then those that are open get less time.
HURRIED_GRACE_SECONDS = 600.0
FEW_FILES = 8

logger = logging.getLogger("receiver")


@dataclass
class Compaction:
    """What a compaction did.

    Attributes
    ----------
    files, settled : int, so many files became so many
    unreadable : int, files that were left as they are
    events : int, rows of the new files
    copies : int, further copies of an event that were left out
    shared_keys : int, values of ``contact_key`` that stand for more than one contact
    """

    files: int = 0
    settled: int = 0
    events: int = 0
    copies: int = 0
    shared_keys: int = 0
    unreadable: int = 0

    def count(self, files: int, merged: Merged) -> None:
        """Count so many files that were merged."""
        self.files += files
        self.settled += len(merged.files)
        self.events += sum(file.rows for file in merged.files)
        self.copies += merged.copies
        self.shared_keys += merged.shared_keys
        if merged.shared_keys:
            logger.critical("compaction: one contact_key stands for two people: `ctm verify` names it.")

    def add(self, other: "Compaction") -> None:
        """Count what another compaction did, too."""
        self.files += other.files
        self.settled += other.settled
        self.events += other.events
        self.copies += other.copies
        self.shared_keys += other.shared_keys
        self.unreadable += other.unreadable


def compact(
    folder: DataFolder,
    *,
    grace_seconds: float = GRACE_SECONDS,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Compaction:
    """Settle what is recent, merge small files of one day, and remove what was replaced long enough ago.

    Receivers and readers go on meanwhile; another compaction or an erasure is waited for.

    Parameters
    ----------
    grace_seconds : float, how long replaced files stay for readers that have listed them
    is_stopped : callable, asked again and again whether to give up

    Raises
    ------
    ReceiverError
        If the disk has no room for the work.
    Interrupted
        If ``is_stopped`` said so.
    """
    with locked(folder.compacting_lock):
        with locked(folder.publishing_lock):
            prepare_events(folder)
        remove_replaced(folder, grace_seconds)
        done = Compaction()
        if not closed_generations(folder):
            _settle_generation(folder, done, is_stopped)
        for entries in mergeable(current_manifest(folder).settled):
            _merge(folder, entries, done, is_stopped)
        return done


def is_due(folder: DataFolder) -> bool:
    """Whether the generation being written is old or large enough to be settled, and may be."""
    generation = folder.generation(current_manifest(folder).live[0])
    if (generation / CLOSED_FILE).exists():
        return True  # an interrupted compaction
    files = recent_files(folder, current_manifest(folder).live[0])
    if closed := closed_generations(folder):
        grace = HURRIED_GRACE_SECONDS if len(files) >= COMPACT_FILES else GRACE_SECONDS
        return _age(closed[0] / CLOSED_FILE) >= grace
    return len(files) >= COMPACT_FILES or any(_age(path) >= COMPACT_SECONDS for path in files[:1])


def grace_now(folder: DataFolder) -> float:
    """How many seconds replaced files stay, as things are."""
    many = len(recent_files(folder, current_manifest(folder).live[0])) >= COMPACT_FILES
    return HURRIED_GRACE_SECONDS if many else GRACE_SECONDS


def closed_generations(folder: DataFolder) -> list[Path]:
    """List the generations that were settled and still lie there for readers that have listed their files."""
    first = current_manifest(folder).live[0]
    found = sorted((folder.events / "recent").glob("g=*"))
    return [path for path in found if int(path.name.removeprefix("g=")) < first]


def remove_replaced(folder: DataFolder, grace_seconds: float) -> None:
    """Remove files that readers have had ``grace_seconds`` to let go of; hold ``folder.compacting_lock``.

    These are generations that were settled, and settled files that the manifest does not list: merged ones,
    and what an interrupted compaction left.
    """
    for generation in closed_generations(folder):
        if _age(generation / CLOSED_FILE) >= grace_seconds:
            # In one step: a reader that looks for its files finds all of them or none.
            generation.rename(folder.staging / f"removed-{generation.name}")
            sync_folder(generation.parent)
    for removed in folder.staging.glob("removed-*"):
        shutil.rmtree(removed)
    listed = {entry.file for entry in current_manifest(folder).settled}
    for path in sorted(folder.events.glob("settled/*/*.parquet")):
        if str(path.relative_to(folder.events)) not in listed and _age(path) >= grace_seconds:
            path.unlink()
            with contextlib.suppress(OSError):  # other files are there
                path.parent.rmdir()


def replace_settled(folder: DataFolder, old: Sequence[SettledFile], new: Sequence[SettledFile]) -> None:
    """Let settled files take the place of others, or of nothing, in one step for every reader.

    The old files stay on disk until ``remove_replaced``. Hold ``folder.compacting_lock``.

    Parameters
    ----------
    old : sequence of SettledFile, entries of the manifest
    new : sequence of SettledFile, whose files are complete and durable under their names
    """
    manifest = current_manifest(folder)
    for entry in old:
        _start_grace(folder.events / entry.file)
    settled = [entry for entry in manifest.settled if entry not in old]
    names = [entry.file for entry in old]
    with locked(folder.publishing_lock):
        _commit(folder, Manifest((*settled, *new), manifest.live), names, new)


def _settle_generation(folder: DataFolder, done: Compaction, is_stopped: Callable[[], bool]) -> None:
    manifest = current_manifest(folder)
    number, following = manifest.live
    generation = folder.generation(number)
    if not recent_files(folder, number):
        return
    with locked(folder.publishing_lock):
        (generation / CLOSED_FILE).touch(mode=0o600)
        sync_folder(generation)
    inputs, merged = _merged(folder, recent_files(folder, number), done, is_stopped)
    done.count(len(inputs), merged)
    new = _name(folder, merged.files, f"g{number:06}", number)
    prepare_generation(folder, following + 1)
    _start_grace(generation / CLOSED_FILE)
    names = [str(path.relative_to(folder.events)) for path in inputs]
    with locked(folder.publishing_lock):
        # What is here still could not be read.
        kept = [path for path in recent_files(folder, number) if path not in inputs]
        for path in kept:
            _show_in(folder.generation(following), path)
        _commit(folder, Manifest((*manifest.settled, *new), (following, following + 1)), names, new)
        for path in kept:
            _moved(folder, path, folder.generation(following) / path.name)


def mergeable(settled: Iterable[SettledFile]) -> list[list[SettledFile]]:
    """Days that have too many small files: more than a few while a day is the last, else more than one."""
    by_day: dict[str, list[SettledFile]] = defaultdict(list)
    for entry in sorted(settled):
        if entry.rows < FILE_ROWS // 2:
            by_day[entry.day].append(entry)
    last = max((entry.day for entry in settled), default="")
    return [small for day, small in sorted(by_day.items()) if len(small) > (FEW_FILES if day == last else 1)]


def _merge(
    folder: DataFolder, old: Sequence[SettledFile], done: Compaction, is_stopped: Callable[[], bool]
) -> None:
    inputs, merged = _merged(folder, [folder.events / entry.file for entry in old], done, is_stopped)
    old = [entry for entry in old if folder.events / entry.file in inputs]
    if len(old) < 2:
        return
    done.count(len(old), merged)
    generations = [entry.generation for entry in old]
    # What it was made from is in the name: a name never stands for two contents.
    origin = hashlib.sha256("".join(entry.sha256 for entry in old).encode()).hexdigest()[:8]
    stem = f"g{min(generations):06}-g{max(generations):06}-{origin}"
    replace_settled(folder, old, _name(folder, merged.files, stem, max(generations)))


def _merged(
    folder: DataFolder, inputs: Sequence[Path], done: Compaction, is_stopped: Callable[[], bool]
) -> tuple[list[Path], Merged]:
    """Merge those files that can be read; which these are, and what they became."""
    size = sum(path.stat().st_size for path in inputs if path.exists())
    if folder.free_bytes() < 3 * size + 4 * RESERVE_BYTES:
        raise ReceiverError(
            f"{folder.root}: too little free space to compact {size} bytes: three times as much."
        )
    readable = list(inputs)
    while True:
        try:
            return readable, merge_files(readable, folder.staging / "compaction", is_stopped)
        except UnreadableFile as error:
            logger.error("compaction: %s", error)
            readable.remove(error.path)
            done.unreadable += 1


def _show_in(generation: Path, path: Path) -> None:
    """Let a file be in another generation, too; where it is in two, readers take that of the later."""
    with contextlib.suppress(FileExistsError):  # an interrupted compaction has done so
        (generation / path.name).hardlink_to(path)
    sync_folder(generation)


def _moved(folder: DataFolder, old: Path, new: Path) -> None:
    """Remove a file that is in the next generation now, so that it can be replaced there."""
    old.unlink()
    old_name, new_name = (str(path.relative_to(folder.events)) for path in (old, new))
    rename_files(folder.index / "seen.sqlite", [old_name], [new_name])


def _name(folder: DataFolder, merged: Iterable[MergedFile], stem: str, generation: int) -> list[SettledFile]:
    """Give merged files the names by which readers will know them, durably."""
    named: list[SettledFile] = []
    for file in merged:
        day = folder.events / "settled" / f"day={file.day}"
        day.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = sum(entry.day == file.day for entry in named)
        path = file.path.rename(day / f"{stem}-{part}.parquet")
        named.append(SettledFile(str(path.relative_to(folder.events)), file.rows, file.sha256, generation))
    for day in {(folder.events / entry.file).parent for entry in named}:
        sync_folder(day)
        sync_folder(day.parent)
        sync_folder(folder.events)
    return named


def _commit(folder: DataFolder, manifest: Manifest, old: Sequence[str], new: Iterable[SettledFile]) -> None:
    write_manifest(folder, manifest._replace(settled=tuple(sorted(manifest.settled))))
    rename_files(folder.index / "seen.sqlite", old, [entry.file for entry in new])


def _start_grace(path: Path) -> None:
    os.utime(path)


def _age(path: Path) -> float:
    """Seconds since a file was last written to; endless where it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
