"""What tells one kind of import from another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from ctm_analytics.imports import contacts, rates, sales, spend
from ctm_analytics.imports.faults import Findings
from ctm_analytics.imports.layout import Layout


class Arrangement(Protocol):
    """Brings typed rows to the grain of their kind, part after part."""

    def part(self, rows: pa.Table) -> pa.Table:
        """Arrange the rows of a part; all rows of one key are in it."""

    def finish(self) -> None:
        """Say what only all parts together show."""


@dataclass(frozen=True)
class Kind:
    """One kind of import.

    Attributes
    ----------
    name : str, the folder below ``imports/``
    types : mapping of str to str, field to the name of its cast
    arrangement : callable, makes an Arrangement from layout and findings
    grain : tuple of str, the fields of which the latest import counts
    key : str or None, the field whose rows have to be arranged together; None where all rows have
    day_field, amount_field : str or None, what the summary's period and amount are made of
    """

    name: str
    types: Mapping[str, str]
    arrangement: Callable[[Layout, Findings], Arrangement]
    grain: tuple[str, ...]
    key: str | None
    day_field: str | None = None
    amount_field: str | None = None


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "sales", sales.TYPES, sales.SalesArrangement, ("sale_id",), "sale_id", "sold_at", "gross_amount"
        ),
        Kind("spend", spend.TYPES, spend.SpendArrangement, ("day", "ad_id"), "ad_id", "day", "spend"),
        Kind("contacts", contacts.TYPES, contacts.ContactsArrangement, ("contact_id",), "contact_id"),
        Kind("rates", rates.TYPES, rates.RatesArrangement, ("day", "currency"), None, "day"),
    )
}
