"""Imports that lie in an object store: mirrored here before they are read; added and removed there.

Below the URL lie ``imports/<kind>/<import_id>.parquet`` with ``<import_id>.json``, as in a data folder. The Parquet
file is the import: its record is written before it, and removed after it. The program changes neither.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ctm_analytics.errors import InvalidArgument
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
    if own := sorted(data.glob("imports/*/*.parquet")):
        raise InvalidArgument(
            f"imports_url: {own[0].parent} holds imports that would count beside those of {url}. Copy imports/ there"
            " and remove it here, or leave imports_url out."
        )
    with asked(url):
        found = {str(entry["path"]): entry for entry in listing(store, "imports/")}
    there = {path: found[key] for path, key in _mirrored(set(found), folder)}

    def fetch(path: Path) -> None:
        changed_at_ns = int(there[path]["last_modified"].timestamp()) * 10**9
        if _is_of(path, there[path]["size"], changed_at_ns):
            return
        try:
            content = bytes(obstore.get(store, there[path]["path"]).bytes())
        except FileNotFoundError:  # somebody has just undone it
            return
        put_file(path, lambda temporary: temporary.write_bytes(content), changed_at_ns=changed_at_ns)

    data.mkdir(parents=True, exist_ok=True)
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
    """Store an import; False, and it is left as it is, where there is another one of this name.

    Raises
    ------
    InvalidArgument, InvalidFile
        As for :func:`mirror_imports`; then nothing is imported, or, where only the answer was lost, all of it.
    """
    import obstore
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    store, key = open_store(url, "imports_url"), f"imports/{kind}/{import_id}"
    with asked(url, "written"):
        for name, body in ((f"{key}.json", record), (f"{key}.parquet", content)):
            try:
                obstore.put(store, name, body, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                if bytes(obstore.get(store, name).bytes()) != body:
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


def _mirrored(keys: set[str], folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of imports, with their keys; a killed import's record too, so that its name is taken."""
    for key in sorted(keys):
        found = _KEY.fullmatch(key)
        if found and f"imports/{found[1]}/{found[2]}.json" in keys:
            yield folder / found[1] / f"{found[2]}.{found[3]}", key


def _is_of(path: Path, size: int, changed_at_ns: int) -> bool:
    """Whether a copy is there and of what the store holds now: somebody may have replaced that by hand."""
    with contextlib.suppress(FileNotFoundError):
        status = path.stat()
        return (status.st_size, status.st_mtime_ns) == (size, changed_at_ns)
    return False


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # another process has removed it
        if path.suffix != ".tmp" or path.stat().st_mtime < time.time() - GRACE_SECONDS:
            path.unlink()
