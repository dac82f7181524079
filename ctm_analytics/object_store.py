"""An object store that speaks S3, as the analysis asks it; and the folder of this machine that stands for a URL."""

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ctm_analytics.errors import InvalidArgument, InvalidFile

if TYPE_CHECKING:
    from obstore.store import S3Store

_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._=~-]+)*/?")
# A data folder of somebody's own, in a folder of such a name, has events/, heartbeats/ and imports/ there instead.
_COPY = re.compile(r"/cache/[0-9a-f]{16}/(?!events/|heartbeats/[^.]*\.parquet|imports/)")
# The names that the client reads.
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


def open_store(url: str, setting: str) -> "S3Store":
    """Prepare requests for what lies below a URL; none is made yet.

    Credentials, region and endpoint are the process's own ``AWS_…`` variables, where its client looks for them.

    Parameters
    ----------
    url : str, ``s3://bucket/prefix``
    setting : str, the name under which the user gave it

    Raises
    ------
    InvalidArgument
        If the URL is none, the client is not installed, or the endpoint would carry data in the clear.
    """
    if not _URL.fullmatch(url):
        raise InvalidArgument(
            f"{setting}: {url!r} is not s3://BUCKET/PREFIX. Use e.g. 's3://acme-events/ctm'."
        )
    try:
        from obstore.store import S3Store
    except ImportError:
        raise InvalidArgument(
            f"{setting}: {url} needs a package that is not installed: pip install 'ctm-analytics[object-store]'."
        ) from None
    for name in _ENDPOINTS:
        endpoint = urlsplit(os.environ.get(name, ""))
        host = endpoint.hostname or ""
        is_here = host in ("localhost", "::1") or host.startswith("127.")
        is_allowed = os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true")
        if endpoint.scheme == "http" and not (is_here or is_allowed):
            raise InvalidArgument(
                f"{name}: {endpoint.geturl()!r} would carry events in the clear. Use https,"
                " or set AWS_ALLOW_HTTP=true where the network is yours."
            )
    parts = urlsplit(url)
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        client_options={"timeout": "300s", "connect_timeout": "5s", "allow_http": True},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
    )


@contextlib.contextmanager
def asked(url: str, what: str = "read") -> Iterator[None]:
    """Say in one sentence that a store refuses or does not answer.

    Raises
    ------
    InvalidFile
        Then.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        reason = str(error).splitlines()[0].partition("<")[0].strip()
        raise InvalidFile(
            f"{url}: cannot be {what} ({type(error).__name__}: {reason})."
            " Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL."
        ) from None


def listing(store: "S3Store", folder: str) -> Iterator[Mapping[str, Any]]:
    """Yield ``path``, ``size``, ``last_modified`` and ``e_tag`` of every object below a folder."""
    import obstore

    for page in obstore.list(store, folder):
        yield from page


def put_file(path: Path, write: Callable[[Path], object]) -> None:
    """Give a file its name once it is complete: others may fetch the same at the same time."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    write(temporary)
    temporary.replace(path)


def copies_folder(data: Path, url: str) -> Path:
    """Name the folder of a data folder that holds copies of what lies below a URL, and nothing else."""
    return data / "cache" / _digest(url)


def is_copy(path: Path) -> bool:
    """Whether a file lies in such a folder: it never changes, and is the same on every machine."""
    return _COPY.search(path.as_posix()) is not None


def working_folder(url: str) -> Path:
    """Give the data folder of this machine that stands for a URL: its settings say where everything lies.

    It is in ``$XDG_CACHE_HOME/ctm`` (``~/.cache/ctm``), and may be removed at any time. Settings come from
    ``ctm.toml`` below the URL, where there is one.

    Parameters
    ----------
    url : str, ``s3://bucket/prefix``

    Raises
    ------
    InvalidArgument, InvalidFile
        As for :func:`open_store` and :func:`asked`.
    """
    url = url.rstrip("/")
    store = open_store(url, "data")
    import obstore

    settings = b""
    with asked(url), contextlib.suppress(FileNotFoundError):
        settings = bytes(obstore.get(store, "ctm.toml").bytes())
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ctm" / _digest(url)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what is in it is what people wrote
    places = f'events_url = "{url}"\nimports_url = "{url}"\n'.encode()
    put_file(folder / "ctm.toml", lambda temporary: temporary.write_bytes(places + settings))
    return folder


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]
