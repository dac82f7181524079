"""The data folder on disk: where things lie, and how a file becomes durable."""

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Below this nothing more is accepted: what was accepted still has to become Parquet.
RESERVE_BYTES = 64 * 1024 * 1024
PROBE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class DataFolder:
    """The folders that the receiver writes, all below one root on one local file system."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held by the publisher of the one receiver of this folder, as long as it lives."""
        return self.root / "LOCK"

    @property
    def publishing_lock(self) -> Path:
        """Held for each publication: whoever has it alone changes ``recent/``, ``done/`` and the index."""
        return self.root / "LOCK.publishing"

    @property
    def compacting_lock(self) -> Path:
        """Held for each compaction or erasure, and taken before ``publishing_lock`` by who needs both."""
        return self.root / "LOCK.compacting"

    @property
    def journal(self) -> Path:
        """What was acknowledged and is not yet published, one folder per run of a receiver."""
        return self.root / "journal"

    @property
    def done(self) -> Path:
        """Published segments, kept for a while."""
        return self.root / "done"

    @property
    def staging(self) -> Path:
        """Files that are not complete yet; no reader looks here."""
        return self.root / "staging"

    @property
    def quarantine(self) -> Path:
        """Bytes that could not be read back as what was written, or could not become events."""
        return self.root / "quarantine"

    @property
    def events(self) -> Path:
        """What readers read."""
        return self.root / "events"

    @property
    def heartbeats(self) -> Path:
        """When receivers were up."""
        return self.root / "heartbeats"

    @property
    def erasures(self) -> Path:
        """Who was erased, as keyed hashes, and who asked for it."""
        return self.root / "erasures"

    @property
    def forward(self) -> Path:
        """How far deliveries have been relayed to the team's bot."""
        return self.root / "forward"

    @property
    def derived(self) -> Path:
        """What readers have worked out: may be deleted at any time, and is when events are forgotten."""
        return self.root / "derived"

    @property
    def index(self) -> Path:
        """Derived from ``events/``: may be deleted at any time."""
        return self.root / "index"

    def generation(self, number: int) -> Path:
        """Where the recent files of one generation lie."""
        return self.events / "recent" / f"g={number:06}"

    def create(self) -> None:
        """Make every folder, readable by nobody else, and make their names durable."""
        for folder in (
            self.root, self.journal, self.done, self.staging, self.quarantine,
            self.events, self.events / "recent", self.heartbeats, self.index, self.forward,
            self.erasures, self.erasures / "tombstones", self.erasures / "requests",
            self.erasures / "unsent",
        ):  # fmt: skip
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(self.events)
        sync_folder(self.erasures)
        sync_folder(self.root)

    def probe(self) -> None:
        """Write, sync and remove a file.

        Raises
        ------
        OSError
            If the disk is full or refuses a step: then nothing may be promised to anybody.
        """
        if self.free_bytes() < RESERVE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.root))
        path = self.staging / f"probe.{os.getpid()}.tmp"
        try:
            path.write_bytes(bytes(PROBE_BYTES))
            sync_file(path)
            sync_folder(self.staging)
        finally:
            path.unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Space left on the disk; 0 where the disk cannot be asked."""
        try:
            return shutil.disk_usage(self.root).free
        except OSError:
            return 0


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: until then a power cut may undo a creation or a rename."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the bytes of a written file durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte: one call may write fewer, for example when the disk is nearly full."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def replace_file(path: Path, content: bytes, staging: Path) -> None:
    """Give a path new content so that a reader, or a power cut, sees the old or the new, never a mixture."""
    temporary = staging / f"{path.name}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.rename(path)
    sync_folder(path.parent)


def create_file(path: Path, content: bytes, staging: Path) -> bool:
    """Create a file durably, whole or not at all; False, and nothing is changed, where there is one already."""
    temporary = staging / f"{path.name}.{secrets.token_hex(8)}.tmp"
    try:
        temporary.write_bytes(content)
        sync_file(temporary)
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def sha256_of(path: Path) -> str:
    """Give the SHA-256 of a file's content, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def try_lock(path: Path) -> int | None:
    """Take the lock that a file stands for.

    Returns
    -------
    int or None
        A descriptor that holds the lock until it is closed or the process ends; ``None`` if another holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock that a file stands for, and hold it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
