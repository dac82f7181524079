"""Many files of events become few: one day of receipt a file, sorted by contact, each event once.

Memory holds a slot at a time, however many events there are: rows are first dealt out to slots, one file
each, by day and by the highest bits of ``contact_key``; then each slot is sorted and becomes a row group.
"""

import contextlib
import itertools
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from receiver.errors import ReceiverError, StorageFailed
from receiver.store.contacts import distinct_contacts, shared_keys
from receiver.store.event_ids import EventIds, number_of
from receiver.store.folder import sha256_of
from receiver.store.parquet import event_schema, read_checked, write_events

SLOT_ROWS = 16_384
SLOT_BYTES = 16 * 1024 * 1024
CHUNK_ROWS = 8_192
CHUNK_BYTES = 8 * 1024 * 1024
FILE_ROWS = 1_000_000
MAX_OPEN_SLOTS = 128
# Where there are more, they are looked through in parts, by their first digit.
IDS_AT_ONCE = 4_000_000
_DIGITS = "0123456789abcdef"
# Rows of one contact stand together: windows, one person's history and an erasure read few row groups, and
# equal ids compress well. Days need no order within a file, for each file is of one day.
SORT_KEYS = [("contact_key", "ascending"), ("occurred_at", "ascending"), ("event_id", "ascending")]


class Interrupted(Exception):
    """The work was given up because somebody asked for it; nothing of it is seen by readers."""


class UnreadableFile(ReceiverError):
    """A file that is damaged or gone.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, path: Path, error: Exception) -> None:
        # The library's text may quote what it read.
        super().__init__(
            f"{path}: cannot be read ({type(error).__name__}), so it is left as it is."
            " `ctm verify` says what is wrong; docs/operations.md says how to publish it again."
        )
        self.path = path


class MergedFile(NamedTuple):
    """A file that is complete and synced, but has no name yet that readers know; ``day`` is YYYY-MM-DD."""

    day: str
    path: Path
    rows: int
    sha256: str


class Merged(NamedTuple):
    """What many files became.

    Attributes
    ----------
    files : list of MergedFile, in the order of their days
    copies : int, further copies of an event that were left out
    shared_keys : int, values of ``contact_key`` that stand for more than one contact, counted on each day
    """

    files: list[MergedFile]
    copies: int
    shared_keys: int


class _Slot(NamedTuple):
    """Rows that are sorted together: of one day, with the same highest bits of ``contact_key``."""

    day: date
    part: int


class _Survey(NamedTuple):
    """What there is to merge.

    Attributes
    ----------
    rows : Counter of date, rows by day of receipt
    first_received : dict of str to datetime, of events in more than one row: when the first copy came
    """

    rows: Counter[date]
    first_received: dict[str, int]


def merge_files(
    inputs: Sequence[Path], workplace: Path, is_stopped: Callable[[], bool] = lambda: False
) -> Merged:
    """Write the events of all inputs into as few files as may be.

    Of several copies of an event the one that was received first stays.

    Parameters
    ----------
    inputs : sequence of Path, files of events
    workplace : Path, a folder for this work alone; it is emptied first
    is_stopped : callable, asked every few thousand rows whether to give up

    Raises
    ------
    Interrupted
        If ``is_stopped`` said so.
    UnreadableFile
        If an input cannot be read.
    StorageFailed
        If what was written is not what was read.
    """
    if workplace.exists():
        shutil.rmtree(workplace)
    workplace.mkdir(mode=0o700)
    schema = _common_schema(inputs)
    survey = _survey(inputs)
    dealer = _Dealer(inputs, schema, survey, workplace, is_stopped)
    merged: list[MergedFile] = []
    for day, tables in itertools.groupby(dealer.sorted_tables(), key=lambda dealt: dealt[0]):
        rows = (table for _, table in tables)
        while (first := next(rows, None)) is not None:
            path = workplace / f"{day}-{len(merged)}.parquet.tmp"
            count = write_events(path, schema, _up_to(FILE_ROWS, itertools.chain([first], rows)))
            merged.append(MergedFile(day.isoformat(), path, count, sha256_of(path)))
    copies = sum(survey.rows.values()) - sum(file.rows for file in merged)
    if copies != dealer.left_out:
        raise StorageFailed(f"{copies - dealer.left_out} events are missing in the merged files.")
    return Merged(merged, copies, dealer.shared_keys)


def _common_schema(inputs: Iterable[Path]) -> pa.Schema:
    """Every column that any input has: those of the contract first."""
    schemas = [_metadata(path).schema.to_arrow_schema().remove_metadata() for path in inputs]
    return pa.unify_schemas([event_schema(store_text=False), *schemas])


def _survey(inputs: Iterable[Path]) -> _Survey:
    rows: Counter[date] = Counter()
    for table in _read(inputs, ["received_at"]):
        days = pc.value_counts(pc.cast(table.column("received_at"), pa.date32()))
        rows.update({count["values"]: count["counts"] for count in days.to_pylist()})
    parts = min(len(_DIGITS), math.ceil(rows.total() / IDS_AT_ONCE))
    suspects = {number for part in range(parts) for number in _repeated(inputs, list(_DIGITS[part::parts]))}
    return _Survey(rows, _first_received(inputs, suspects) if suspects else {})


def _repeated(inputs: Iterable[Path], first_digits: Sequence[str]) -> Iterator[int]:
    """Yield the number of each id that is in more than one row, of those that begin with one of some digits."""
    ids = EventIds()
    for table in _read(inputs, ["event_id"]):
        column = table.column("event_id")
        digits = pc.utf8_slice_codeunits(column, 0, 1)
        ids.update(column.filter(pc.is_in(digits, pa.array(first_digits))).to_pylist())
    yield from ids.repeated()


def _first_received(inputs: Iterable[Path], suspects: set[int]) -> dict[str, int]:
    first: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for table in _read(inputs, ["event_id", "received_at"]):
        instants = table.column("received_at").cast(pa.int64()).to_pylist()
        for event_id, received_at in zip(table.column("event_id").to_pylist(), instants, strict=True):
            if number_of(event_id) in suspects:
                seen[event_id] += 1
                first[event_id] = min(received_at, first.get(event_id, received_at))
    return {event_id: received_at for event_id, received_at in first.items() if seen[event_id] > 1}


class _Dealer:
    """Deals rows out to slots, and gives back slot after slot, sorted."""

    def __init__(
        self,
        inputs: Sequence[Path],
        schema: pa.Schema,
        survey: _Survey,
        workplace: Path,
        is_stopped: Callable[[], bool],
    ) -> None:
        self.left_out = self.shared_keys = 0
        self._inputs, self._schema, self._workplace = inputs, schema, workplace
        self._first_received = survey.first_received
        self._is_stopped = is_stopped
        self._bits = _bits_by_day(inputs, survey.rows)

    def sorted_tables(self) -> Iterator[tuple[date, pa.Table]]:
        """Yield every row once, in tables that are sorted within and follow each other in order."""
        slots = [_Slot(day, part) for day in sorted(self._bits) for part in range(1 << self._bits[day])]
        for start in range(0, len(slots), MAX_OPEN_SLOTS):
            group = slots[start : start + MAX_OPEN_SLOTS]
            self._deal_out(set(group))
            for slot in group:
                contacts: list[pa.Table] = []
                for table in self._dealt(slot):
                    self._go_on()
                    contacts.append(distinct_contacts(table))
                    yield slot.day, table.sort_by(SORT_KEYS)
                self.shared_keys += len(
                    shared_keys(contacts)
                )  # all rows of a key are in one slot of their day

    def _deal_out(self, group: set[_Slot]) -> None:
        kept: set[str] = set()
        self.left_out = 0
        with contextlib.ExitStack() as stack:
            writers: dict[_Slot, pa.ipc.RecordBatchStreamWriter] = {}
            for chunk in _gathered(_read(self._inputs), self._schema, CHUNK_ROWS, CHUNK_BYTES):
                self._go_on()
                for slot, rows in self._by_slot(self._first_copies(chunk, kept)):
                    if slot in group:
                        if slot not in writers:
                            options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
                            stream = pa.ipc.new_stream(self._path(slot), self._schema, options=options)
                            writers[slot] = stack.enter_context(stream)
                        writers[slot].write_table(rows)

    def _by_slot(self, rows: pa.Table) -> Iterator[tuple[_Slot, pa.Table]]:
        for day, of_day in _split(rows, pc.cast(rows.column("received_at"), pa.date32())):
            bits = self._bits[day]
            keys = of_day.column("contact_key")
            half = (1 << bits) >> 1
            # In two steps: Arrow leaves a number as it is where it is to be shifted by 63 at once.
            highest = pc.shift_right(pc.shift_right(keys, 63 - bits), 1) if bits else pc.multiply(keys, 0)
            highest = pc.add(highest, half)
            for part, of_part in _split(of_day, pc.fill_null(highest, (1 << bits) - 1)):
                yield _Slot(day, part), of_part

    def _first_copies(self, rows: pa.Table, kept: set[str]) -> pa.Table:
        """Leave out every copy of an event but the first received."""
        if not self._first_received:
            return rows
        instants = rows.column("received_at").cast(pa.int64()).to_pylist()
        stays: list[bool] = []
        for event_id, received_at in zip(rows.column("event_id").to_pylist(), instants, strict=True):
            first = self._first_received.get(event_id, received_at)
            stays.append(first == received_at and event_id not in kept)
            if event_id in self._first_received and stays[-1]:
                kept.add(event_id)
        self.left_out += stays.count(False)
        return rows.filter(pa.array(stays))

    def _dealt(self, slot: _Slot) -> Iterator[pa.Table]:
        """Read a slot back; one that is far too large, a single contact's perhaps, in several tables."""
        path = self._path(slot)
        if path.exists():
            with pa.ipc.open_stream(path) as stream:
                tables = (pa.Table.from_batches([batch]) for batch in stream)
                yield from _gathered(tables, self._schema, 2 * SLOT_ROWS, 4 * SLOT_BYTES)
            path.unlink()

    def _path(self, slot: _Slot) -> Path:
        return self._workplace / f"{slot.day}-{slot.part}.arrow.tmp"

    def _go_on(self) -> None:
        if self._is_stopped():
            raise Interrupted


def _bits_by_day(inputs: Sequence[Path], rows_by_day: Mapping[date, int]) -> dict[date, int]:
    """How many bits of ``contact_key`` tell the slots of a day apart, so that each fits into memory."""
    total_bytes = 0
    for path in inputs:
        metadata = _metadata(path)
        total_bytes += sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    row_bytes = total_bytes / max(1, sum(rows_by_day.values()))
    slots = {day: rows * max(1 / SLOT_ROWS, row_bytes / SLOT_BYTES) for day, rows in rows_by_day.items()}
    return {day: math.ceil(math.log2(max(1, count))) for day, count in slots.items()}


def _read(inputs: Iterable[Path], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    for path in inputs:
        try:
            yield from read_checked(path, columns)
        except (OSError, ValueError, KeyError) as error:
            raise UnreadableFile(path, error) from None


def _metadata(path: Path) -> pq.FileMetaData:
    try:
        return pq.read_metadata(path)
    except (OSError, ValueError) as error:
        raise UnreadableFile(path, error) from None


def _gathered(
    tables: Iterable[pa.Table], schema: pa.Schema, max_rows: int, max_bytes: int
) -> Iterator[pa.Table]:
    """Join small tables, with nulls for columns that one lacks, until they are large enough to be worth a step."""
    gathered: list[pa.Table] = []
    rows = size = 0
    for table in tables:
        gathered.append(_conformed(table, schema))
        rows, size = rows + table.num_rows, size + table.nbytes
        if rows >= max_rows or size >= max_bytes:
            yield pa.concat_tables(gathered)
            gathered, rows, size = [], 0, 0
    if rows:
        yield pa.concat_tables(gathered)


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table.column(field.name) if field.name in table.schema.names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _split(rows: pa.Table, keys: pa.ChunkedArray) -> Iterator[tuple[Any, pa.Table]]:
    """Yield the rows of each key, in the order of the keys."""
    order = pc.sort_indices(keys)
    rows, start = rows.take(order), 0
    for count in pc.value_counts(keys.take(order)).to_pylist():
        yield count["values"], rows.slice(start, count["counts"])
        start += count["counts"]


def _up_to(max_rows: int, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    rows = 0
    for table in tables:
        yield table
        rows += table.num_rows
        if rows >= max_rows:
            return
