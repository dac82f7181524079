"""Files in ``derived/``: found by a key, checked before they are read, and removed when nobody needs them.

A key names a content, so two processes that write the same one need no lock: whichever file is found is right.
"""

import contextlib
import os
import secrets
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ctm_analytics.derived.sharing import SharedDerived

# Files that are needed no more stay so long for programs that are reading them.
GRACE_SECONDS = 3600
MAX_AGE_SECONDS = 8 * 86400
MOST_OF_A_KIND = 3
_CHUNK_BYTES = 1 << 20


class DerivedFolder:
    """The folder ``derived/`` of a data folder.

    Parameters
    ----------
    path : Path, made with the first file that is put into it
    url : str, ``s3://bucket/prefix`` of an object store where others find the same files, or empty
    """

    def __init__(self, path: Path, url: str = "") -> None:
        self.path = path
        self._shared = SharedDerived(url, path) if url else None
        self._is_refused = False
        # What was read from end to end once need not be again, as long as nobody writes to it.
        self._checked: dict[Path, tuple[int, ...]] = {}

    def find(self, key: str) -> Path | None:
        """Find the file of a key, whole and unchanged since it was put there.

        Returns
        -------
        Path or None
            None also where every file of that key is damaged: they are removed.
        """
        found = self._find(key)
        if found is None and self._shared:
            self._shared.fetch(f"{key}-")
            found = self._find(key)
        return found

    def _find(self, key: str) -> Path | None:
        for path in self.path.glob(f"{key}-*.*"):
            with contextlib.suppress(OSError):
                if self._is_whole(path):
                    _touch(path)
                    self._checked[path] = _identity(path)
                    return path
                path.unlink()
        return None

    def whole(self, prefix: str, suffix: str) -> list[Path]:
        """List the files whose keys begin so and that are whole."""
        if self._shared:
            self._shared.fetch(prefix)
        return [path for path in self.path.glob(f"{prefix}*{suffix}") if self._is_whole(path)]

    def _is_whole(self, path: Path) -> bool:
        """Whether a file has the checksum that its name says; False where it is gone."""
        try:
            is_checked = self._checked.get(path) == _identity(path)
            if not is_checked and path.stem.rpartition("-")[2] == _checksum(path):
                self._checked[path] = _identity(path)
                is_checked = True
        except OSError:
            return False
        return is_checked

    def put(self, key: str, suffix: str, write: Callable[[Path], object]) -> Path | None:
        """Give a file its name once it is complete.

        Parameters
        ----------
        key : str, names the content
        suffix : str, such as ``.parquet``
        write : callable, writes the content to the path that it is given

        Returns
        -------
        Path or None
            None where the folder cannot be written to, or the disk is full.
        """
        if self._is_refused:
            return None
        unfinished = self.path / f"{secrets.token_hex(8)}.tmp"
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)  # what is in it is about people
            write(unfinished)
            path = self.path / f"{key}-{_checksum(unfinished)}{suffix}"
            self._checked[path] = _identity(unfinished)
            unfinished.replace(path)
            if self._shared:
                self._shared.put(path)
            return path
        except OSError:
            self._is_refused = True
            return None
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink()

    def tidy(self, needed: Iterable[Path]) -> None:
        """Remove what was not read for an hour and is superseded, unfinished, or was not read for a week.

        Parameters
        ----------
        needed : paths that are being read now
        """
        if self._shared:
            self._shared.tidy()
        now = time.time()
        kept, newer = set(needed), Counter[str]()
        for path, read_at in sorted(_files(self.path), key=lambda file: -file[1]):
            relation = path.name.partition("-")[0]
            newer[relation] += 1
            is_surplus = path.suffix == ".tmp" or newer[relation] > MOST_OF_A_KIND
            last = now - (GRACE_SECONDS if is_surplus else MAX_AGE_SECONDS)
            if read_at < last and path not in kept:
                with contextlib.suppress(OSError):
                    path.unlink()


def _files(folder: Path) -> Iterator[tuple[Path, float]]:
    for path in folder.glob("*.*"):
        with contextlib.suppress(OSError):  # another process has removed it
            yield path, path.stat().st_mtime


def _identity(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _touch(path: Path) -> None:
    with contextlib.suppress(OSError):  # of a read-only disk nothing is ever removed
        os.utime(path)


def _checksum(path: Path) -> str:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
    return f"{checksum:08x}"
