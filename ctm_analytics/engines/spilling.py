"""Folders for what exceeds the memory: private, and gone with the process, however it ends."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path

_PREFIX = "ctm-spill-"
# A folder of spilled rows is locked within this time of its making.
_LOCKED_SECONDS = 60


def spill_folder(owner: object) -> str:
    """Make a folder that nobody else can read, removed with its owner; empty where none can be made.

    Without one, what exceeds the memory is an error.
    """
    with contextlib.suppress(OSError):
        remove_left_spills()
        folder = tempfile.mkdtemp(prefix=_PREFIX)
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        weakref.finalize(owner, _let_go, folder, lock)
        return folder
    return ""


def remove_left_spills() -> None:
    """Remove what processes that were killed have spilled: it is about people, and theirs no more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another's, or in use
            if folder.stat().st_mtime < time.time() - _LOCKED_SECONDS:
                lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(lock)


def _let_go(folder: str, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
