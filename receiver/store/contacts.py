"""Whom a ``contact_key`` stands for: two people under one key are told apart by a second hash of their ids.

Among a hundred million people two share a key once in four thousand times. It is looked for all the same, since
whoever reads would take the two for one person.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from receiver.deliveries import Event, contact_digest

CONTACT_COLUMNS = ["contact_key", "platform", "account_id", "contact_id"]
CACHED_CONTACTS = 50_000

Contact = tuple[str | None, str | None, str]  # platform, account id, contact id


class ContactKeys:
    """The contacts of the events in an index: a table there, and a cache before it.

    Parameters
    ----------
    connection : sqlite3.Connection of the index, whose transactions these are too
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cache: dict[int, Contact] = {}
        connection.execute(
            "CREATE TABLE IF NOT EXISTS contacts (contact_key INTEGER PRIMARY KEY, digest INTEGER, period INTEGER)"
        )
        connection.execute("SELECT contact_key, digest, period FROM contacts LIMIT 0")

    def collides(self, event: Event, period: int) -> bool:
        """Whether the key of an event's contact is known as another contact's; else it is this one's from now on."""
        if event.contact_key is None or event.contact_id is None:
            return False
        contact = event.platform, event.account_id, event.contact_id
        known = self._cache.get(event.contact_key)
        if known is not None:
            return known != contact
        if not self.note(event.contact_key, contact, period):
            return True
        if len(self._cache) >= CACHED_CONTACTS:
            self._cache.clear()
        self._cache[event.contact_key] = contact
        return False

    def note(self, key: int, contact: Contact, period: int) -> bool:
        """Note whom a key stands for, unless it is another's: then False."""
        digest = contact_digest(*contact)
        self._connection.execute(
            "INSERT INTO contacts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET period = excluded.period",
            (key, digest, period),
        )
        query = "SELECT digest FROM contacts WHERE contact_key = ?"
        return bool(self._connection.execute(query, (key,)).fetchone() == (digest,))

    def forget(self, before_period: int) -> None:
        """Forget who has not been heard of since a period."""
        self._cache.clear()
        self._connection.execute("DELETE FROM contacts WHERE period < ?", (before_period,))


class ContactDigests:
    """Very many contacts, as sixteen bytes for each time that one is added."""

    def __init__(self) -> None:
        self._keys, self._digests = array("q"), array("q")

    def update(self, rows: pa.Table) -> None:
        """Add the contacts of some rows."""
        for key, contact in contacts_of(rows):
            self._keys.append(key)
            self._digests.append(contact_digest(*contact))

    def shared(self) -> list[int]:
        """List the keys that stand for more than one contact, in order."""
        columns = (
            pa.Array.from_buffers(pa.int64(), len(self._keys), [None, pa.py_buffer(values)])
            for values in (self._keys, self._digests)
        )
        return _repeated(pa.table(list(columns), names=["contact_key", "digest"]))


def contacts_of(rows: pa.Table) -> Iterator[tuple[int, Contact]]:
    """Yield each contact of some rows once, with its key."""
    keys, *contacts = (column.to_pylist() for column in distinct_contacts(rows).columns)
    return zip(keys, zip(*contacts, strict=True), strict=True)


def distinct_contacts(rows: pa.Table) -> pa.Table:
    """Give a table with one row for each contact of some rows."""
    contacts = rows.select(CONTACT_COLUMNS)
    contacts = contacts.filter(pc.is_valid(contacts.column("contact_key")))
    return contacts.group_by(CONTACT_COLUMNS, use_threads=False).aggregate([]).select(CONTACT_COLUMNS)


def shared_keys(contacts: Iterable[pa.Table]) -> list[int]:
    """List the keys that stand for more than one of some contacts, in order.

    Parameters
    ----------
    contacts : iterable of Table, from ``distinct_contacts``
    """
    tables = list(contacts)
    return _repeated(pa.concat_tables(tables)) if tables else []


def _repeated(contacts: pa.Table) -> list[int]:
    distinct = contacts.group_by(contacts.column_names, use_threads=False).aggregate([])
    counts = pc.value_counts(distinct.column("contact_key"))
    return sorted(counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist())
