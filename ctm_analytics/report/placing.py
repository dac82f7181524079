"""Puts a finished folder in the place of the last one, in one step: a reader finds the old report or the new one."""

import ctypes
import errno
import os
import shutil
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
# No such call here (an older kernel or another system), or the file system does not know it.
_NOT_KNOWN = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def put_in_place(made: Path, folder: Path) -> None:
    """Give a finished folder its name; what had that name before is removed.

    Parameters
    ----------
    made, folder : Path, in one folder; ``made`` is whole, and on disk when this returns
    """
    for path in (*made.rglob("*"), made):
        _sync(path)
    if folder.exists():
        _exchange(made, folder)
        shutil.rmtree(made)
    else:
        made.rename(folder)
    _sync(folder.parent)


def point_to(link: Path, target: Path) -> None:
    """Let a symbolic link beside a folder name it, in one step."""
    new = link.with_name(f".{link.name}.tmp")
    new.unlink(missing_ok=True)
    new.symlink_to(target.name)
    new.replace(link)


def write_whole(file: Path, text: str) -> None:
    """Write a file that readers see as it was or as it becomes."""
    new = file.with_name(f".{file.name}.tmp")
    try:
        new.write_text(text, encoding="utf-8", newline="\n")
        _sync(new)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _exchange(made: Path, folder: Path) -> None:
    """Let two folders change names. A folder that is not empty cannot be renamed over."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return _exchange_in_three(made, folder)
    names = (os.fsencode(made), os.fsencode(folder))
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return None
    error = ctypes.get_errno()
    if error in _NOT_KNOWN:
        return _exchange_in_three(made, folder)
    raise OSError(error, os.strerror(error), str(folder))


def _exchange_in_three(made: Path, folder: Path) -> None:
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    folder.rename(old)
    made.rename(folder)
    old.rename(made)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
