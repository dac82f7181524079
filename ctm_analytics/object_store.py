"""An object store that speaks S3, as the analysis asks it; and the folder of this machine that stands for a URL."""

import contextlib
import hashlib
import os
import re
import secrets
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ctm_analytics.errors import InvalidArgument, InvalidFile

if TYPE_CHECKING:
    from obstore.store import S3Store

_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._=~-]+)*/?")
# What lies directly in a folder of copies, and nowhere in a data folder that somebody gave such a name.
_COPY = re.compile(
    r"(?:^|/)cache/[0-9a-f]{16}/(?:unsettled-[0-9a-f]{16}|settled/day=[0-9-]{10}/[^/]+|heartbeats/[^/]+\.[0-9a-f]{8}"
    r"|(?:sales|spend|contacts|rates)/[^/]+)\.parquet$"
)
_PLACES = ("events_url", "imports_url")
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


def put_file(path: Path, write: Callable[[Path], object], *, changed_at_ns: int = 0) -> None:
    """Give a file its name once it is complete: others may fetch the same at the same time.

    Parameters
    ----------
    changed_at_ns : int, its time of change, nanoseconds since 1970: equal for equal copies, wherever they are made
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        write(temporary)
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.utime(temporary, ns=(time.time_ns(), changed_at_ns))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def copies_folder(data: Path, url: str) -> Path:
    """Name the folder of a data folder that holds copies of what lies below a URL, and nothing else."""
    return data / "cache" / _digest(url)


def is_copy(path: Path) -> bool:
    """Whether a file lies in such a folder: it never changes, and is the same on every machine."""
    return _COPY.search(path.as_posix()) is not None


def working_folder(url: str) -> Path:
    """Give the data folder of this machine that stands for a URL: its settings say where everything lies.

    It is in ``$XDG_CACHE_HOME/ctm`` (``~/.cache/ctm``). Settings come from ``ctm.toml`` below the URL, if there is one.

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

    for place in _PLACES:
        name = f"CTM_{place.upper()}"
        if os.environ.get(name, url).strip().rstrip("/") not in ("", url):
            raise InvalidArgument(f"{name}: {os.environ[name]!r} is not {url}, the data folder. Unset it.")
    settings = b""
    with asked(url), contextlib.suppress(FileNotFoundError):
        settings = bytes(obstore.get(store, "ctm.toml").bytes())
    text = _settings_below(url, settings)
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ctm" / _digest(url)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what is in it is what people wrote
        put_file(folder / "ctm.toml", lambda temporary: temporary.write_text(text, encoding="utf-8"))
    except (OSError, RuntimeError) as error:  # there may be no home at all
        raise InvalidFile(
            f"{url}: there is no room for its copies here ({error}). Set XDG_CACHE_HOME to a folder of yours."
        ) from None
    return folder


def _settings_below(url: str, content: bytes) -> str:
    """Add to the settings of a URL where everything lies: below it."""
    try:
        text = content.decode("utf-8-sig")
        said = tomllib.loads(text)
    except ValueError as error:
        raise InvalidFile(f"{url}/ctm.toml: not valid TOML: {error}.") from None
    for place in _PLACES:
        if str(said.get(place, url)).rstrip("/") != url:
            raise InvalidFile(f"{url}/ctm.toml: {place} is {said[place]!r}. Remove it: there it is {url}.")
        text = re.sub(rf"(?m)^[ \t]*{place}[ \t]*=.*$", "", text)
    return "".join(f'{place} = "{url}"\n' for place in _PLACES) + text


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]
