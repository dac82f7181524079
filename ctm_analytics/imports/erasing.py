"""A person is taken out of the imports: their rows of contacts go, their sales stay without whose they were.

A sale is a fact of the books, and belongs to the totals of its ad, day and currency. What points from it to the
person goes: contact, customer, e-mail, phone, ref. In place of the customer stands a number drawn at random, so
that a second sale of the same person does not become that of a new customer.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctm_analytics.identity import phone_spellings
from ctm_analytics.imports.ledger import remove_leftovers, rewrite

Identity = tuple[str, str]  # a field of the imports, and its value

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

    def named_in(self, rows: pa.Table) -> pa.Array:
        """Say of each row of sales or contacts whether it names the contact itself."""
        named = pc.is_in(_column(rows, "contact_id"), value_set=_texts(self.ids))
        for name, value in (("platform", self.platform), ("account_id", self.account_id)):
            if value is not None:
                named = pc.and_(named, pc.fill_null(pc.equal(_column(rows, name), value), True))
        return named


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
    return frozenset(filter(is_known, _values(data, "contact_id")))


def find_identities(data: Path, contact: ErasedContact, is_known: Callable[[str, str], bool]) -> Identities:
    """Find the customer ids, e-mail addresses and phone numbers that the imports tie to a contact.

    Parameters
    ----------
    data : Path, the data folder
    contact : ErasedContact
    is_known : callable, whether a (field, value) was, or was to be, erased with this contact before
    """
    theirs = {("phone", phone) for id_ in contact.ids for phone in phone_spellings(id_)}
    theirs |= {
        (name, value) for name in _IDENTITIES for value in _values(data, name) if is_known(name, value)
    }
    for rows in _tables(data):
        theirs |= {identity for _, identity in _identities(rows.filter(contact.named_in(rows)))}
    for name, value in list(theirs):
        if name == "phone":
            theirs |= {("phone", phone) for phone in phone_spellings(value.removeprefix("+"))}
    others: dict[Identity, set[str]] = defaultdict(set)
    for rows in _tables(data):
        is_others = pc.and_(pc.invert(contact.named_in(rows)), pc.is_valid(_column(rows, "contact_id")))
        for contact_id, identity in _identities(rows.filter(pc.and_(is_others, _with_any(rows, theirs)))):
            if identity in theirs:
                others[identity].add(contact_id)
    shared = frozenset(others)
    return Identities(frozenset(theirs) - shared, shared, frozenset[str]().union(*others.values()))


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

    def without_person(rows: pa.Table) -> pa.Table:
        is_theirs = _is_theirs(rows, contact, identities)
        if "sale_id" in rows.column_names:
            return _without_keys(rows, is_theirs, token)
        return rows.filter(pc.invert(is_theirs))

    # Contacts last: they tell whose sales are meant, should this be interrupted.
    for kind in _KINDS:
        if not is_dry_run:
            remove_leftovers(data / "imports" / kind)
        for path in _files(data, kind):
            count = sum(_count(_is_theirs(rows, contact, identities)) for rows in _read(path))
            found[kind] += count
            if count and not is_dry_run:
                rewrite(path, partial(_changed, path, without_person), pq.read_schema(path))
    return found


def imports_left(data: Path, contact: ErasedContact, identities: frozenset[Identity]) -> list[str]:
    """List the files of sales and contacts in which the person is named still, below the data folder."""
    return [
        str(path.relative_to(data))
        for kind in _KINDS
        for path in _files(data, kind)
        if any(_count(_is_theirs(rows, contact, identities)) for rows in _read(path))
    ]


def _is_theirs(rows: pa.Table, contact: ErasedContact, identities: Iterable[Identity]) -> pa.Array:
    return pc.or_(contact.named_in(rows), _with_any(rows, identities))


def _with_any(rows: pa.Table, identities: Iterable[Identity]) -> pa.Array:
    """Say of each row whether it has one of these values."""
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in identities:
        values[name].append(value)
    found = pc.is_in(_column(rows, "contact_id"), value_set=_texts(()))
    for name in _IDENTITIES:
        found = pc.or_(found, pc.is_in(_column(rows, name), value_set=_texts(values[name])))
    return found


def _without_keys(sales: pa.Table, is_theirs: pa.Array, token: str) -> pa.Table:
    """Take out of sales whose they were; the rest of each row stays."""
    for name in ("contact_id", "email", "phone", "ref", "customer_id"):
        instead = pa.scalar(token if name == "customer_id" else None, pa.string())
        position = sales.column_names.index(name)
        sales = sales.set_column(
            position, sales.field(position), pc.if_else(is_theirs, instead, _column(sales, name))
        )
    return sales


def _identities(rows: pa.Table) -> Iterator[tuple[str, Identity]]:
    """Yield the contact and each key of a customer of every row."""
    for row in rows.select(["contact_id", *_IDENTITIES]).to_pylist():
        for name in _IDENTITIES:
            if row[name]:
                yield row["contact_id"], (name, row[name])


def _values(data: Path, name: str) -> Iterator[str]:
    """Yield what stands in a column, once for each few thousand rows."""
    for rows in _tables(data):
        yield from filter(None, _column(rows, name).unique().to_pylist())


def _tables(data: Path) -> Iterator[pa.Table]:
    for kind in _KINDS:
        for path in _files(data, kind):
            yield from _read(path)


def _changed(path: Path, change: Callable[[pa.Table], pa.Table]) -> Iterator[pa.Table]:
    return map(change, _read(path))


def _read(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


def _files(data: Path, kind: str) -> list[Path]:
    return sorted((data / "imports" / kind).glob("*.parquet"))


def _column(rows: pa.Table, name: str) -> pa.Array:
    return rows.column(name).combine_chunks()


def _texts(values: Iterable[str]) -> pa.Array:
    return pa.array(sorted(values), pa.string())


def _count(mask: pa.Array) -> int:
    return pc.sum(mask).as_py() or 0
