"""What other machines have worked out, in an object store. It only saves work: where it fails, each does its own."""

import contextlib
import functools
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ctm_analytics.object_store import listing, open_store, put_file

if TYPE_CHECKING:
    from obstore import GetResult
    from obstore.store import S3Store

# Nobody is told when a file is read: so long after it was written it goes, or once so many newer ones are there.
MAX_AGE = timedelta(days=8)
SURPLUS_AGE = timedelta(days=1)
MOST_OF_A_KIND = 3
_NAME = re.compile(r"[a-z_]+(-[0-9a-z_]+)+\.(parquet|json)")


class SharedDerived:
    """The folder ``derived/`` below a URL.

    Parameters
    ----------
    url : str, ``s3://bucket/prefix``
    path : Path, the folder of this machine that files are copied to and from
    """

    def __init__(self, url: str, path: Path) -> None:
        self._url = url
        self._path = path
        self._is_refused = False  # to write, or to answer

    def fetch(self, prefix: str) -> None:
        """Fetch the files whose names begin so, as they were when this was first asked."""
        import obstore

        with self._tried():
            for name in self._names:
                if name.startswith(prefix) and not (self._path / name).exists():
                    self._path.mkdir(mode=0o700, exist_ok=True)  # what is in it is about people
                    with contextlib.suppress(FileNotFoundError):  # it was superseded
                        found = obstore.get(self._store, f"derived/{name}")
                        put_file(
                            self._path / name, functools.partial(_write, found), changed_at_ns=time.time_ns()
                        )

    def put(self, path: Path) -> None:
        """Give a file to the others."""
        import obstore

        if self._is_refused:
            return
        with self._tried():
            obstore.put(self._store, f"derived/{path.name}", path)

    def tidy(self) -> None:
        """Remove what is old, or superseded since a day."""
        import obstore

        if self._is_refused:
            return
        now, newer = datetime.now(UTC), Counter[str]()
        with self._tried():
            found = sorted(
                listing(self._store, "derived/"), key=lambda entry: entry["last_modified"], reverse=True
            )
            for entry in found:
                kind = str(entry["path"]).rpartition("/")[2].partition("-")[0]
                newer[kind] += 1
                most = SURPLUS_AGE if newer[kind] > MOST_OF_A_KIND else MAX_AGE
                if entry["last_modified"] < now - most:
                    with contextlib.suppress(FileNotFoundError):
                        obstore.delete(self._store, str(entry["path"]))

    @functools.cached_property
    def _store(self) -> "S3Store":
        return open_store(self._url, "imports_url")

    @functools.cached_property
    def _names(self) -> list[str]:
        names = (str(entry["path"]).removeprefix("derived/") for entry in listing(self._store, "derived/"))
        return [name for name in names if _NAME.fullmatch(name)]

    @contextlib.contextmanager
    def _tried(self) -> Iterator[None]:
        """Ask no further once a request has failed: reading and writing may be refused one without the other."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError):
            self._is_refused = True


def _write(found: "GetResult", target: Path) -> None:
    with target.open("wb") as file:
        for chunk in found.stream():
            file.write(chunk)
