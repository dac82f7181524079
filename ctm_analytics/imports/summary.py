"""What an import did, for a person to read and for the file beside it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ctm_analytics.currencies import written
from ctm_analytics.imports.faults import listed, plural


@dataclass(frozen=True)
class ImportSummary:
    """What an import read, kept and left out.

    Attributes
    ----------
    kind : str, ``sales``, ``spend``, ``contacts`` or ``rates``
    file : str, the file's name without its folder
    import_id : str, the name of what is stored
    preset, why : str, which preset was used, and what spoke for it
    format : str, encoding and delimiter
    rows_read : int, rows below the header, blank lines not counted
    rows_imported : int, rows stored; ``rows_read`` is this and all of ``left_out``
    left_out : tuple of (int, str), how many rows were not stored as rows of their own, and why
    first_day, last_day : date or None, in the reporting time zone
    days : int, days with at least one row
    amounts : mapping of currency to Decimal, spend or gross sales
    unused_columns : tuple of str, columns of the file that no field takes
    notes : tuple of str, what else the user should know
    is_dry_run : bool, nothing was written
    already_imported_at : datetime or None, UTC; the same bytes are stored since then, and nothing was written
    counted_again : int, keys (a sale, a day and ad …) of which a later import had said something else, and which count
        again since the same bytes were imported once more
    is_undone : bool, this import has just been removed
    bad_rows : str, the rows that do not fit and were left out, one a line; not stored, for it shows their values
    """

    kind: str
    file: str
    import_id: str
    preset: str
    why: str
    format: str
    rows_read: int
    rows_imported: int
    left_out: tuple[tuple[int, str], ...]
    first_day: date | None
    last_day: date | None
    days: int
    amounts: Mapping[str, Decimal]
    unused_columns: tuple[str, ...]
    notes: tuple[str, ...]
    is_dry_run: bool = False
    already_imported_at: datetime | None = None
    counted_again: int = 0
    is_undone: bool = False
    bad_rows: str = ""

    @property
    def currency(self) -> str | None:
        """The only currency of the file; ``None`` when it has none or several."""
        return next(iter(self.amounts)) if len(self.amounts) == 1 else None

    @property
    def total_amount(self) -> Decimal | None:
        """Spend or gross sales in ``currency``; ``None`` when there is no single currency."""
        return self.amounts[self.currency] if self.currency else None

    def __str__(self) -> str:
        """Lay the summary out for a terminal."""
        entries = [
            ("preset", f"{self.preset}: {self.why}"),
            ("format", self.format),
            ("rows", f"{self.rows_read:,} read, {self.rows_imported:,} imported"),
            *(("", f"{count:,} {reason}") for count, reason in self.left_out),
            *([("period", self._period())] if self.first_day else []),
            *([("amount", self._amounts())] if self.amounts else []),
            *([("not used", listed(self.unused_columns))] if self.unused_columns else []),
            *(("note", note) for note in self.notes),
            ("import", self._outcome()),
        ]
        lines = [f"  {label:<8}  {text}" for label, text in entries]
        return "\n".join([f"{self.file} → {self.kind}", *lines, *([self.bad_rows] if self.bad_rows else [])])

    def _period(self) -> str:
        if self.first_day is None or self.last_day is None or self.first_day == self.last_day:
            return f"{self.first_day}"
        span = (self.last_day - self.first_day).days + 1
        covered = plural(span, "day") if self.days == span else f"{self.days:,} of {span:,} days"
        return f"{self.first_day} to {self.last_day} ({covered})"

    def _amounts(self) -> str:
        return ", ".join(
            f"{written(amount, currency)} {currency}" for currency, amount in self.amounts.items()
        )

    def _outcome(self) -> str:
        if self.is_undone:
            return f"{self.import_id} is undone: these rows are gone"
        if self.already_imported_at:
            at = f"{self.already_imported_at:%Y-%m-%d %H:%M} UTC"
            return f"already imported on {at} as {self.import_id}: nothing written"
        if self.counted_again:
            replaced = f"later imports have replaced {plural(self.counted_again, 'row')} of this file"
            if self.is_dry_run:
                return f"dry run: nothing written; {replaced}, which would count again"
            return (
                f"{self.import_id}: {replaced}, which {'counts' if self.counted_again == 1 else 'count'} again now."
                f" Not meant? ctm import {self.kind} --undo {self.import_id}"
            )
        return "dry run: nothing written" if self.is_dry_run else self.import_id

    def to_record(self) -> dict[str, Any]:
        """Turn the summary into JSON's types."""
        record = asdict(replace(self, amounts=dict(self.amounts)))
        for transient in ("is_dry_run", "already_imported_at", "is_undone", "bad_rows"):
            del record[transient]
        return record | {
            "first_day": self.first_day and self.first_day.isoformat(),
            "last_day": self.last_day and self.last_day.isoformat(),
            "amounts": {currency: str(amount) for currency, amount in self.amounts.items()},
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "ImportSummary":
        """Read back what ``to_record`` made."""
        names = cls.__dataclass_fields__
        return cls(
            **{name: value for name, value in record.items() if name in names}
            | {
                "left_out": tuple((count, reason) for count, reason in record["left_out"]),
                "first_day": date.fromisoformat(record["first_day"]) if record["first_day"] else None,
                "last_day": date.fromisoformat(record["last_day"]) if record["last_day"] else None,
                "amounts": {currency: Decimal(text) for currency, text in record["amounts"].items()},
                "unused_columns": tuple(record["unused_columns"]),
                "notes": tuple(record["notes"]),
            }
        )
