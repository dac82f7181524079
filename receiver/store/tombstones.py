"""Tombstones: who was erased, so that what Meta or a backfill brings again of their past stays out.

A tombstone holds keyed hashes and an instant, no id. The key is made once for a data folder and lies in it:
whoever has both can ask whether a known id was erased, but cannot read one out.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from receiver.deliveries import Event
from receiver.deliveries.people import person_ids
from receiver.errors import ReceiverError
from receiver.store.folder import DataFolder, create_file

PEPPER_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Person(NamedTuple):
    """Somebody who is to be erased.

    Attributes
    ----------
    ids : frozenset of str, every id that is known to be theirs
    platform, account_id : str or None, where; ``None`` is everywhere
    """

    ids: frozenset[str]
    platform: str | None = None
    account_id: str | None = None

    def may_be_at(self, platform: str | None, account_id: str | None) -> bool:
        """Whether what stands under a platform and an account is within the erasure."""
        return self.platform in (None, platform) and self.account_id in (None, account_id)


def read_pepper(folder: DataFolder) -> bytes:
    """Read the folder's own secret, and make it the first time.

    Raises
    ------
    OSError
        If the disk refuses.
    ReceiverError
        If the file is not as it was written: another secret would let everything that was erased back in.
    """
    path = folder.erasures / "pepper"
    if not path.exists():
        create_file(path, secrets.token_bytes(PEPPER_BYTES), folder.staging)
    pepper = path.read_bytes()
    if len(pepper) != PEPPER_BYTES:
        raise ReceiverError(f"{path}: not {PEPPER_BYTES} bytes. Restore it from a backup.")
    return pepper


def microseconds(instant: datetime) -> int:
    """Count microseconds since 1970 UTC, as events and frames do."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(microseconds: int) -> datetime:
    """Give the instant (UTC) of a count of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def hashed(pepper: bytes, *fields: str | None) -> str:
    """Return the keyed hash (32 hex digits) under which fields stand in a tombstone."""
    return hashlib.blake2b(json.dumps(fields).encode(), key=pepper, digest_size=16).hexdigest()


class Tombstones:
    """The tombstones of a data folder.

    Attributes
    ----------
    is_empty : bool, nobody was ever erased here
    """

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._names: set[str] = set()
        self._erased_at: dict[str, int] = {}
        self._latest = -1
        self._pepper = b""
        self.refresh()

    @property
    def is_empty(self) -> bool:
        """Whether nobody was ever erased here."""
        return not self._erased_at

    def refresh(self) -> None:
        """Read the tombstones that were added since.

        Raises
        ------
        ReceiverError
            If one cannot be read.
        """
        for path in sorted((self._folder.erasures / "tombstones").glob("*.json")):
            if path.name not in self._names:
                record = _read(path)
                for key in record.contacts:
                    self._erased_at[key] = max(record.erased_at, self._erased_at.get(key, -1))
                self._latest = max(self._latest, record.erased_at)
                self._names.add(path.name)
                self._pepper = read_pepper(self._folder)

    def cover(self, event: Event) -> bool:
        """Whether an event happened before its person was erased; what they do afterwards is a new beginning."""
        # Nearly every event is later than the last erasure, and costs no hash.
        return event.occurred_at <= self._latest and any(
            event.occurred_at <= self._erased_at.get(hashed(self._pepper, platform, account_id, id_), -1)
            for id_ in person_ids(event.platform, event.contact_id, event.payload)
            for platform in (event.platform, None)
            for account_id in (event.account_id, None)
        )


def add_tombstone(
    folder: DataFolder, person: Person, identities: Iterable[tuple[str, str]], erased_at: datetime
) -> None:
    """Note durably that a person is erased as of an instant.

    Parameters
    ----------
    folder : DataFolder
    person : Person
    identities : iterable of (str, str), field and value of the imports that mean this person alone
        (``("email", "ana@example.com")``)
    erased_at : datetime with a zone
    """
    pepper = read_pepper(folder)
    record = {
        "erased_at": microseconds(erased_at),
        "contacts": sorted(hashed(pepper, person.platform, person.account_id, id_) for id_ in person.ids),
        "identities": sorted(hashed(pepper, field, value) for field, value in identities),
    }
    name = f"{erased_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.json"
    create_file(folder.erasures / "tombstones" / name, json.dumps(record).encode(), folder.staging)


class Kin(NamedTuple):
    """What earlier tombstones of the same person hold: an erasure that was interrupted is found again by it.

    Attributes
    ----------
    contacts, identities : frozenset of str, keyed hashes
    """

    pepper: bytes
    person: Person
    contacts: frozenset[str]
    identities: frozenset[str]

    def has_contact(self, id_: str) -> bool:
        """Whether an id was erased together with one of the person's."""
        return bool(self.contacts) and (
            hashed(self.pepper, self.person.platform, self.person.account_id, id_) in self.contacts
        )

    def has_identity(self, field: str, value: str) -> bool:
        """Whether a value of the imports was erased together with one of the person's ids."""
        return bool(self.identities) and hashed(self.pepper, field, value) in self.identities


def find_kin(folder: DataFolder, person: Person) -> Kin:
    """Look for what was, or was to be, erased together with any of a person's ids."""
    pepper = read_pepper(folder)
    keys = {hashed(pepper, person.platform, person.account_id, id_) for id_ in person.ids}
    contacts: set[str] = set()
    identities: set[str] = set()
    for path in (folder.erasures / "tombstones").glob("*.json"):
        record = _read(path)
        if not keys.isdisjoint(record.contacts):
            contacts.update(record.contacts)
            identities.update(record.identities)
    return Kin(pepper, person, frozenset(contacts), frozenset(identities))


class _Tombstone(NamedTuple):
    erased_at: int
    contacts: list[str]
    identities: list[str]


def _read(path: Path) -> _Tombstone:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return _Tombstone(int(record["erased_at"]), list(record["contacts"]), list(record["identities"]))
    except (ValueError, KeyError, TypeError):
        # What it keeps out would come back.
        raise ReceiverError(f"{path}: not a tombstone. Restore it from a backup.") from None
