"""Imports that lie in an object store: mirrored here before they are read; added and removed there.

Below the URL lie ``imports/<kind>/<import_id>.parquet`` with ``<import_id>.json``, as in a data folder. The Parquet
file is the import: its record is written before it, and removed after it. Neither ever changes.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ctm_analytics.object_store import asked, copies_folder, listing, open_store, put_file

DOWNLOADS = 16
# What a killed process left unfinished stays so long.
GRACE_SECONDS = 3600
_KEY = re.compile(r"imports/([a-z]+)/([0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}(?:-[0-9]+)?)\.(parquet|json)")


def mirror_imports(url: str, data: Path) -> Path:
    """Make the copies in a data folder the same imports that lie below a URL.

    Parameters
    ----------
    url : str, ``s3://bucket/prefix``
    data : Path, the data folder

    Returns
    -------
    Path
        The folder of the copies, with a folder per kind.

    Raises
    ------
    InvalidArgument, InvalidFile
        If the store cannot be used, refuses, or does not answer.
    """
    import obstore

    store, folder = open_store(url, "imports_url"), copies_folder(data, f"{url}/imports")
    with asked(url):
        keys = {str(found["path"]) for found in listing(store, "imports/")}
    there = dict(_complete(keys, folder))

    def fetch(path: Path) -> None:
        if not path.exists():
            with contextlib.suppress(FileNotFoundError):  # somebody has just undone it
                content = bytes(obstore.get(store, there[path]).bytes())
                put_file(path, lambda temporary: temporary.write_bytes(content))

    for place in (folder.parent, folder):  # what is in them is about people
        place.mkdir(mode=0o700, exist_ok=True)
    for place in {path.parent for path in there}:
        place.mkdir(exist_ok=True)
    with asked(url), ThreadPoolExecutor(DOWNLOADS) as threads:
        for suffix in (".json", ".parquet"):  # an import that is seen has its record
            list(threads.map(fetch, (path for path in there if path.suffix == suffix)))
    for path in sorted(folder.glob("*/*"), reverse=True):  # the Parquet file before its record
        if path not in there:
            _remove(path)
    return folder


def add_import(url: str, kind: str, import_id: str, record: bytes, content: bytes) -> bool:
    """Store an import; False, and it is left as it is, where there is one of this name.

    Raises
    ------
    InvalidArgument, InvalidFile
        As for :func:`mirror_imports`; then nothing is imported, or, where only the answer was lost, all of it.
    """
    import obstore
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    store, key = open_store(url, "imports_url"), f"imports/{kind}/{import_id}"
    with asked(url, "written"):
        obstore.put(store, f"{key}.json", record, use_multipart=False)
        try:
            obstore.put(store, f"{key}.parquet", content, mode="create", use_multipart=False)
        except (AlreadyExistsError, PreconditionError):
            return False
    return True


def remove_import(url: str, kind: str, import_id: str) -> None:
    """Remove an import: without its Parquet file it is gone, whatever happens next.

    Raises
    ------
    InvalidArgument, InvalidFile
        As for :func:`mirror_imports`.
    """
    import obstore

    store = open_store(url, "imports_url")
    with asked(url, "written"):
        for suffix in ("parquet", "json"):
            with contextlib.suppress(FileNotFoundError):
                obstore.delete(store, f"imports/{kind}/{import_id}.{suffix}")


def _complete(keys: set[str], folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of imports of which both are there, with their keys."""
    for key in sorted(keys):
        found = _KEY.fullmatch(key)
        if found and all(f"imports/{found[1]}/{found[2]}.{suffix}" in keys for suffix in ("parquet", "json")):
            yield folder / found[1] / f"{found[2]}.{found[3]}", key


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # another process has removed it
        if path.suffix != ".tmp" or path.stat().st_mtime < time.time() - GRACE_SECONDS:
            path.unlink()
