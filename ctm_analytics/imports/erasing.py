"""A person is taken out of the imports: their rows of contacts go, their sales stay without whose they were.

A sale is a fact of the books, and belongs to the totals of its ad, day and currency. What points from it to the
person goes: contact, customer, e-mail, phone, ref. In place of the customer stands a number drawn at random, so
that a second sale of the same person does not become that of a new customer.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ctm_analytics.identity import phone_spellings
from ctm_analytics.imports.ledger import rewrite

Identity = tuple[str, str]  # a field of the imports, and its value
Row = dict[str, Any]

_IDENTITIES = ("customer_id", "email", "phone")
_KINDS = ("sales", "contacts")


class ErasedContact(NamedTuple):
    """Who is to be erased.

    Attributes
    ----------
    ids : frozenset of str, every id under which conversations know the person
    platform, account_id : str or None, where; ``None`` is everywhere
    """

    ids: frozenset[str]
    platform: str | None = None
    account_id: str | None = None

    def is_named_by(self, row: Row) -> bool:
        """Whether a row of sales or contacts names the contact itself."""
        return (
            row["contact_id"] in self.ids
            and self.platform in (None, row["platform"] or self.platform)
            and self.account_id in (None, row["account_id"] or self.account_id)
        )


class Identities(NamedTuple):
    """By what else the imports know the person.

    Attributes
    ----------
    own : frozenset of (field, value), that mean this person and nobody else
    shared : frozenset of (field, value), that another contact has too: as when sales are matched, they prove nothing
    others : frozenset of str, the ids of these other contacts
    """

    own: frozenset[Identity]
    shared: frozenset[Identity]
    others: frozenset[str]


def find_contacts(data: Path, is_known: Callable[[str], bool]) -> frozenset[str]:
    """Find the contacts in sales and contacts of which somebody says that they are known."""
    contacts = {row["contact_id"] for kind in _KINDS for row in _rows(data, kind)} - {None}
    return frozenset(filter(is_known, contacts))


def find_identities(data: Path, contact: ErasedContact, is_known: Callable[[str, str], bool]) -> Identities:
    """Find the customer ids, e-mail addresses and phone numbers that the imports tie to a contact.

    Parameters
    ----------
    data : Path, the data folder
    contact : ErasedContact
    is_known : callable, whether a (field, value) was, or was to be, erased with this contact before
    """
    theirs = {("phone", phone) for id_ in contact.ids for phone in phone_spellings(id_)}
    others: dict[Identity, set[str]] = defaultdict(set)
    for kind in _KINDS:
        for row in _rows(data, kind):
            identities = {(name, row[name]) for name in _IDENTITIES if row[name]}
            if contact.is_named_by(row):
                theirs |= identities
                theirs |= {
                    ("phone", phone) for phone in phone_spellings((row["phone"] or "").removeprefix("+"))
                }
            elif row["contact_id"]:
                for identity in identities:
                    others[identity].add(row["contact_id"])
            theirs |= {identity for identity in identities if is_known(*identity)}
    shared = frozenset(identity for identity in theirs if identity in others)
    sharing = frozenset[str]().union(*(others[identity] for identity in shared))
    return Identities(frozenset(theirs) - shared, shared, sharing)


def erase_contact(
    data: Path, contact: ErasedContact, identities: frozenset[Identity], *, is_dry_run: bool = False
) -> Counter[str]:
    """Take a person out of sales and contacts, a file at a time, each the old one or the new one.

    Parameters
    ----------
    data : Path, the data folder
    contact : ErasedContact
    identities : frozenset of (field, value), those that mean this person alone
    is_dry_run : bool, only count

    Returns
    -------
    Counter of str
        ``sales`` that lost their keys, ``contacts`` rows that are gone.
    """
    found = Counter(sales=0, contacts=0)
    token = f"erased-{secrets.token_hex(8)}"
    # Contacts last: they tell whose sales are meant, should this be interrupted.
    for kind in _KINDS:
        for path in _files(data, kind):
            table = pq.read_table(path)
            kept: list[Row] = []
            count = 0
            for row in table.to_pylist():
                is_theirs = _is_theirs(row, contact, identities)
                count += is_theirs
                if is_theirs and kind == "sales":
                    kept.append(
                        row | dict.fromkeys(("contact_id", "email", "phone", "ref")) | {"customer_id": token}
                    )
                elif not is_theirs:
                    kept.append(row)
            found[kind] += count
            if count and not is_dry_run:
                rewrite(path, pa.Table.from_pylist(kept, schema=table.schema))
    return found


def imports_left(data: Path, contact: ErasedContact, identities: frozenset[Identity]) -> list[str]:
    """List the files of sales and contacts in which the person is named still, below the data folder."""
    return [
        str(path.relative_to(data))
        for kind in _KINDS
        for path in _files(data, kind)
        if any(_is_theirs(row, contact, identities) for row in pq.read_table(path).to_pylist())
    ]


def _is_theirs(row: Row, contact: ErasedContact, identities: frozenset[Identity]) -> bool:
    return contact.is_named_by(row) or any((name, row[name]) in identities for name in _IDENTITIES)


def _rows(data: Path, kind: str) -> Iterator[Row]:
    for path in _files(data, kind):
        yield from pq.read_table(path).to_pylist()


def _files(data: Path, kind: str) -> list[Path]:
    return sorted((data / "imports" / kind).glob("*.parquet"))
