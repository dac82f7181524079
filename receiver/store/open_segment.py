"""The open segments of a journal: made with their space and name on disk, and sealed by a rename, also of the dead."""

import ctypes
import errno
import os
from dataclasses import dataclass
from pathlib import Path

from receiver.store.folder import sync_folder, try_lock, write_all
from receiver.store.segment import FILE_MAGIC

_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE: what is set aside is no content


@dataclass
class OpenSegment:
    """So many frames and bytes lie in it, and so many bytes are set aside for it."""

    name: str
    path: Path
    descriptor: int
    reserved: int
    frames: int = 0
    size: int = len(FILE_MAGIC)


def create_segment(folder: Path, number: int, size_bytes: int) -> OpenSegment:
    """Create a segment, its space and its name on disk: the next delivery may be the first in it.

    Parameters
    ----------
    folder : Path, of the journal's run, after which the segment is named
    number : int, counts up from 0 within the run
    size_bytes : int, space to set aside, where the file system can

    Raises
    ------
    OSError
        If the disk has no room or refuses a step; nothing is left of the segment then.
    """
    path = folder / f"{number:016}.open"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        reserved = _set_aside(descriptor, size_bytes)
        write_all(descriptor, FILE_MAGIC)
        os.fsync(descriptor)
        sync_folder(folder)
    except OSError:
        os.close(descriptor)
        path.unlink()
        raise
    return OpenSegment(f"{folder.name}-{number:016}", path, descriptor, reserved)


def finish_segment(segment: OpenSegment) -> None:
    """Give a segment its final name, and what was set aside for it back to the disk."""
    os.ftruncate(segment.descriptor, segment.size)
    os.close(segment.descriptor)
    if segment.frames:
        segment.path.rename(segment.path.with_suffix(".wal"))
    else:
        segment.path.unlink()
    sync_folder(segment.path.parent)


def seal_dead_journals(root: Path) -> int:
    """Seal what receivers that are no longer alive have left open.

    Damage is not judged here: reading a segment finds every whole frame whatever happened to the others.

    Returns
    -------
    int
        How many segments were sealed.
    """
    sealed = 0
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        lock = try_lock(folder / "LOCK")
        if lock is None:
            continue
        for segment in sorted(folder.glob("*.open")):
            size = segment.stat().st_size
            if size <= len(FILE_MAGIC):
                segment.unlink()
            else:
                os.truncate(segment, size)  # gives back what was set aside behind its end
                segment.rename(segment.with_suffix(".wal"))
                sealed += 1
        sync_folder(folder)
        os.close(lock)
    return sealed


def remove_empty_journals(root: Path) -> None:
    """Remove the folders of receivers that are no longer alive and whose segments are all published."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        lock = try_lock(folder / "LOCK")
        if lock is None:
            continue
        if [path.name for path in folder.iterdir()] == ["LOCK"]:
            (folder / "LOCK").unlink()
            folder.rmdir()
        os.close(lock)


def _set_aside(descriptor: int, size: int) -> int:
    """Set disk space aside for a file without making it longer; how many bytes, 0 where that is not known.

    Raises
    ------
    OSError
        If the disk has no room.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "fallocate64"):
        return 0
    offsets = ctypes.c_int64(0), ctypes.c_int64(size)
    if libc.fallocate64(descriptor, _KEEP_SIZE, *offsets) == 0:
        return size
    number = ctypes.get_errno()
    if number in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EFBIG):
        return 0
    raise OSError(number, os.strerror(number))
