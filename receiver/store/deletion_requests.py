"""Requests for the deletion of data, as Meta's callback brings them: each a file, until and after it is done.

The id in a request is scoped to the app, not to a conversation. It is kept only while the request is open.
"""

import hmac
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from receiver.errors import ReceiverError
from receiver.store.folder import DataFolder, create_file, replace_file
from receiver.store.tombstones import read_pepper

_CODE = re.compile(r"[0-9a-f]{32}")


class DeletionRequest(NamedTuple):
    """One person's request.

    Attributes
    ----------
    code : str, 32 hex digits that nobody can guess; the person looks its state up by it
    user_id : str or None, as Meta names the person to the app; ``None`` once the request is closed
    received_at : datetime, UTC
    closed_at : datetime or None, UTC
    was_known : bool or None, whether there was anything to erase; ``None`` while the request is open
    """

    code: str
    user_id: str | None
    received_at: datetime
    closed_at: datetime | None = None
    was_known: bool | None = None


def store_request(folder: DataFolder, user_id: str, payload: bytes) -> str:
    """Keep a request durably; its confirmation code.

    The code is a keyed hash of the signed payload: the same request, sent again, is the same request.

    Raises
    ------
    OSError
        If the disk refuses: then nothing is promised.
    """
    code = hmac.digest(read_pepper(folder), b"request\0" + payload, "sha256").hex()[:32]
    request = DeletionRequest(code, user_id, _now())
    create_file(_path(folder, code), _written(request), folder.staging)
    return code


def find_request(folder: DataFolder, code: str) -> DeletionRequest | None:
    """Look a request up; ``None`` if there is none of this code, whatever the code holds."""
    path = _path(folder, code)
    return _read(path) if _CODE.fullmatch(code) and path.exists() else None


def open_requests(folder: DataFolder) -> list[DeletionRequest]:
    """List the requests that are not closed, oldest first."""
    requests = [_read(path) for path in (folder.erasures / "requests").glob("*.json")]
    return sorted(
        (request for request in requests if request.closed_at is None),
        key=lambda request: (request.received_at, request.code),
    )


def close_request(folder: DataFolder, request: DeletionRequest, *, was_known: bool) -> None:
    """Note that a request is carried out, and forget whose it was."""
    closed = request._replace(user_id=None, closed_at=_now(), was_known=was_known)
    replace_file(_path(folder, request.code), _written(closed), folder.staging)


def _path(folder: DataFolder, code: str) -> Path:
    return folder.erasures / "requests" / f"{code}.json"


def _written(request: DeletionRequest) -> bytes:
    return json.dumps(request._asdict(), default=datetime.isoformat).encode()


def _read(path: Path) -> DeletionRequest:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        for name in ("received_at", "closed_at"):
            record[name] = record[name] and datetime.fromisoformat(record[name])
        return DeletionRequest(**record)
    except (ValueError, KeyError, TypeError):
        raise ReceiverError(
            f"{path.parent}: a file in it is no deletion request. Restore the folder from a backup."
        ) from None


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
