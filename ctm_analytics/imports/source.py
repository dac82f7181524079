"""The bytes of a file to import, however they come: as a file, compressed with gzip, or over standard input."""

import gzip
import hashlib
import io
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ctm_analytics.errors import InvalidFile

# A step of the work, how much of it is done, and of how much: bytes, or parts.
Progress = Callable[[str, int, int], None]


def unheard(_step: str, _done: int, _total: int) -> None:
    """Progress that nobody follows."""


_GZIP = b"\x1f\x8b"
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or a zip archive. Save or unpack it as CSV first.",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook. Save it as CSV first.",
    _GZIP: "compressed with gzip twice. Unpack it first.",
    b"PAR1": "a Parquet file. Write it as CSV first.",
    b"%PDF": "a PDF document. Export the table as CSV.",
}
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Source:
    """A file that can be read again and again; never held in memory as a whole.

    Attributes
    ----------
    name : str, for messages; the file's name without its folder
    path : Path, where its bytes are
    is_compressed : bool, with gzip
    sha256 : str, hex digest of the content, unpacked
    size : int, bytes of the content, unpacked
    on_progress : callable, hears which step has come how far: its name, bytes of content read, and of how many
    """

    name: str
    path: Path
    is_compressed: bool
    sha256: str
    size: int
    on_progress: Progress = unheard

    def open(self, step: str) -> BinaryIO:
        """Open the content from its beginning, unpacked, for a step of the work."""
        raw = cast("io.RawIOBase", _opened(self.path, is_compressed=self.is_compressed))
        return _Followed(raw, lambda done: self.on_progress(step, done, self.size))


class _Followed(io.BufferedReader):
    """A stream that says how far it has come."""

    def __init__(self, raw: io.RawIOBase, on_read: Callable[[int], None]) -> None:
        super().__init__(raw)
        self._on_read = on_read
        self._done = 0

    def read(self, size: int | None = -1, /) -> bytes:
        return self._counted(super().read(size))

    def read1(self, size: int = -1, /) -> bytes:
        return self._counted(super().read1(size))

    def _counted(self, content: bytes) -> bytes:
        self._done += len(content)
        self._on_read(self._done)
        return content


@contextmanager
def open_source(file: Path | BinaryIO, on_progress: Progress = unheard) -> Iterator[Source]:
    """Make the bytes to import readable again and again, for as long as the context lasts.

    Parameters
    ----------
    file : Path, or a stream such as ``sys.stdin.buffer``, which is copied to a temporary file
    on_progress : callable, hears how far each step has come

    Raises
    ------
    InvalidFile
        If there is no such file, it is a folder, may not be read, is empty, or is visibly something else.
    """
    if isinstance(file, Path):
        yield _examined(file.name, file, on_progress)
        return
    with tempfile.NamedTemporaryFile(prefix="ctm-import-") as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        yield _examined("standard input", Path(copy.name), on_progress)


def _examined(name: str, path: Path, on_progress: Progress) -> Source:
    digest, size, is_blank = hashlib.sha256(), 0, True
    try:
        with path.open("rb") as raw:
            is_compressed = raw.read(len(_GZIP)) == _GZIP
            packed_size = os.fstat(raw.fileno()).st_size
        with _opened(path, is_compressed=is_compressed) as content:
            for block in iter(lambda: content.read(_BLOCK_BYTES), b""):
                if not size:
                    _refuse_other_formats(name, block)
                digest.update(block)
                size += len(block)
                is_blank = is_blank and not block.strip()
                if not is_compressed:
                    on_progress("checking", size, packed_size)
    except FileNotFoundError:
        raise InvalidFile(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise InvalidFile(f"{path}: this is a folder. Name the CSV files in it.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InvalidFile(f"{name}: the gzip archive is damaged or cut off. Pack it again.") from None
    except OSError as error:
        raise InvalidFile(f"{path}: cannot be read: {error.strerror}.") from None
    if is_blank:
        raise InvalidFile(f"{name}: the file is empty.")
    return Source(name, path, is_compressed, digest.hexdigest(), size, on_progress)


def _refuse_other_formats(name: str, beginning: bytes) -> None:
    for magic, sentence in _OTHER_FORMATS.items():
        if beginning.startswith(magic):
            raise InvalidFile(f"{name}: this is {sentence}")


def _opened(path: Path, *, is_compressed: bool) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if is_compressed else path.open("rb")
