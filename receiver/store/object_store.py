"""An object store that speaks S3: the few requests that publication needs, each of them atomic."""

import contextlib
import io
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from receiver.errors import ReceiverError

CONNECT_SECONDS = 3
RETRIES = 2


class StoreUnavailable(ReceiverError):
    """The object store did not answer, or refused; what was to be written there waits."""


class StoredObject(NamedTuple):
    """What a listing says of one object; its key is relative to the store's URL."""

    key: str
    size: int
    modified_at: datetime


class ObjectStore:
    """The objects below one URL.

    Credentials, region and endpoint come from the usual ``AWS_…`` variables of this process.
    """

    def __init__(self, url: str, timeout_seconds: int = 20) -> None:
        """Prepare requests; none is made yet.

        Parameters
        ----------
        url : str, ``s3://bucket/prefix``
        timeout_seconds : int, how long one request may take
        """
        # Only who has events in an object store has it installed, and it takes a while to import.
        from obstore.store import S3Store

        self.url = url
        parts = urlsplit(url)
        self._store: S3Store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options={
                "timeout": f"{timeout_seconds}s",
                "connect_timeout": f"{CONNECT_SECONDS}s",
                "allow_http": True,  # whether it may be was decided with the settings
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=timeout_seconds)},
        )

    def create(self, key: str, content: bytes) -> bool:
        """Write an object that is not there yet; False, and nothing is changed, where there is one already.

        Raises
        ------
        StoreUnavailable
            As for every request.
        """
        return self._put(key, content, "create")

    def replace(self, key: str, content: bytes, etag: str | None) -> bool:
        """Write an object over the one that ``get`` gave with this tag (``None``: over nothing), or not at all."""
        return self._put(key, content, "create" if etag is None else {"e_tag": etag})

    def write(self, key: str, content: bytes) -> None:
        """Write an object, whatever was there."""
        self._put(key, content, "overwrite")

    def get(self, key: str) -> tuple[bytes, str] | None:
        """Read an object and its tag; ``None`` where there is none."""
        import obstore

        with self._asked(f"read {key}"):
            try:
                found = obstore.get(self._store, key)
                return bytes(found.bytes()), str(found.meta["e_tag"])
            except FileNotFoundError:
                return None

    def open(self, key: str) -> io.BufferedReader:
        """Open an object as a file of which only the parts that are read are fetched."""
        import obstore

        with self._asked(f"open {key}"):
            return io.BufferedReader(_RemoteFile(obstore.open_reader(self._store, key)))

    def list(self, prefix: str) -> list[StoredObject]:
        """List what is below a prefix, in the order of the keys."""
        import obstore

        with self._asked(f"list {prefix}"):
            return sorted(
                StoredObject(found["path"], found["size"], found["last_modified"])
                for page in obstore.list(self._store, prefix)
                for found in page
            )

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        import obstore

        for key in keys:
            with self._asked(f"remove {key}"), contextlib.suppress(FileNotFoundError):
                obstore.delete(self._store, key)

    def _put(self, key: str, content: bytes, mode: Any) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._asked(f"write {key}"):
            try:
                # In one request: only then does the whole object appear at once, or not.
                obstore.put(self._store, key, content, mode=mode, use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    @contextlib.contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"{self.url}: cannot {what}: {_reason(error)}.") from None


class _RemoteFile(io.RawIOBase):
    """What obstore opens, as a file of Python's, for pyarrow."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readinto(self, buffer: Any) -> int:
        content = bytes(self._reader.read(len(buffer)))
        buffer[: len(content)] = content
        return len(content)


def _reason(error: Exception) -> str:
    """Give the first line without what the library says for its programmers, and without the server's own text."""
    first = str(error).splitlines()[0].partition("<")[0]
    return f"{type(error).__name__}: {first.strip().rstrip(':.')[:300]}"
