"""The rows of an import that fit: counted, added up, and written to a file that has no name yet."""

import tempfile
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import IO
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctm_analytics.imports.kinds import Kind
from ctm_analytics.schemas import IMPORTS


class AcceptedRows:
    """Rows at the grain of their kind, part after part.

    Parameters
    ----------
    kind : Kind
    zone : ZoneInfo, of the days of instants
    origin : mapping of str to pa.Scalar, the columns that say where a row comes from
    is_kept : bool, write the rows; else they are only counted

    Attributes
    ----------
    rows : int
    days : set of date, those with at least one row
    amounts : dict of currency to Decimal
    future : int, sales that are dated after their import
    """

    def __init__(self, kind: Kind, zone: ZoneInfo, origin: Mapping[str, pa.Scalar], *, is_kept: bool) -> None:
        self.rows = 0
        self.days: set[date] = set()
        self.amounts: dict[str, Decimal] = {}
        self.future = 0
        self._kind = kind
        self._zone = zone
        self._origin = origin
        self._schema = IMPORTS[kind.name]
        # It is gone with the process, however that ends, unless its content is published.
        self._file = tempfile.TemporaryFile(prefix="ctm-import-")  # noqa: SIM115 (closed by close)
        self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd") if is_kept else None

    def add(self, rows: pa.Table) -> None:
        """Take in the rows of a part."""
        self.rows += len(rows)
        if self._kind.day_field:
            self.days.update(_days(rows[self._kind.day_field], self._zone))
        if self._kind.amount_field:
            self._add_up(rows, self._kind.amount_field)
        if self._kind.name == "sales":
            self.future += pc.sum(pc.greater(rows["sold_at"], self._origin["imported_at"])).as_py() or 0
        if self._writer and len(rows):
            for name, value in self._origin.items():
                rows = rows.append_column(name, pa.repeat(value, len(rows)))
            self._writer.write_table(rows.select(self._schema.names).cast(self._schema))

    def content(self) -> IO[bytes]:
        """Finish the Parquet file, and give it from its beginning."""
        if self._writer is None:
            raise ValueError("these rows are only counted")
        self._writer.close()
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Let go of the file."""
        if self._writer:
            self._writer.close()
        self._file.close()

    def _add_up(self, rows: pa.Table, field: str) -> None:
        sums = rows.group_by("currency").aggregate([(field, "sum")])
        for currency, amount in zip(
            sums["currency"].to_pylist(), sums[f"{field}_sum"].to_pylist(), strict=True
        ):
            self.amounts[currency] = self.amounts.get(currency, Decimal(0)) + amount


def _days(moments: pa.ChunkedArray, zone: ZoneInfo) -> set[date]:
    if pa.types.is_timestamp(moments.type):
        local = pc.assume_timezone(moments, "UTC").cast(pa.timestamp("us", zone.key))
        moments = pc.local_timestamp(local).cast(pa.date32(), safe=False)
    return set(pc.unique(moments).to_pylist())
