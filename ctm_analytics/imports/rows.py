"""Columns of text to a typed table, each fault named by line, column and value."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.currencies import decimals_of
from ctm_analytics.imports.casting import CASTS, EXCEL_ADVICE, ROUNDED_ID, signed_currency
from ctm_analytics.imports.faults import Fault, Findings, Remarked, Unfit
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.notation import Notation
from ctm_analytics.imports.text_rows import TextRows
from ctm_analytics.schemas import INSTANT, MONEY, RATE

_ARROW_TYPES = {
    "amount": MONEY,
    "count": pa.int64(),
    "tally": pa.int64(),
    "rate": RATE,
    "day": pa.date32(),
    "instant": INSTANT,
    "flag": pa.bool_(),
}
_NO_DIGIT = r"[^0-9., -]"
_REMEMBERED_VALUES = 200_000


@dataclass(frozen=True)
class _Column:
    """One field's cells: each distinct text once, and which row has which."""

    header: str
    texts: list[str]
    positions: pa.Array
    lines: pa.ChunkedArray

    def rows_with(self, positions: Iterable[int]) -> list[tuple[int, str]]:
        """Find line and text of the rows whose text is at one of these positions."""
        at = pc.indices_nonzero(pc.is_in(self.positions, value_set=pa.array(list(positions), pa.int32())))
        return [
            (line, self.texts[position])
            for line, position in zip(
                self.lines.take(at).to_pylist(), self.positions.take(at).to_pylist(), strict=True
            )
        ]


@dataclass(frozen=True)
class Casting:
    """How the texts of one file become values; settled once all of it was seen.

    Attributes
    ----------
    layout : Layout
    types : mapping of str to str, field to the name of its cast
    notation : Notation
    rounded_fields : set of str, fields whose ids Excel has rounded
    """

    layout: Layout
    types: Mapping[str, str]
    notation: Notation
    rounded_fields: set[str]

    @cached_property
    def of_field(self) -> Mapping[str, Callable[[str], object]]:
        """What casts the texts of each field; a text that comes again in a later part is not read again."""
        return {name: self._remembering(name, cast) for name, cast in self.types.items()}

    def _remembering(self, name: str, cast: str) -> Callable[[str], object]:
        rule = self.layout.preset.fields.get(name)
        notation = replace(self.notation, zone=ZoneInfo("UTC")) if rule and rule.is_utc else self.notation
        return lru_cache(_REMEMBERED_VALUES)(lambda text: CASTS[cast](text, notation))


def cast_rows(text: TextRows, casting: Casting, findings: Findings) -> pa.Table:
    """Cast every field of some rows, once.

    Parameters
    ----------
    text : TextRows, the columns that ``casting.layout`` uses
    casting : Casting
    findings : Findings, takes the faults and remarks

    Returns
    -------
    pa.Table
        The rows without a fault: a column per field of ``casting.types`` (null where the file has none),
        ``source_line`` and ``row_hash``.
    """
    layout, types = casting.layout, casting.types
    columns = {name: _column(text, layout, name) for name in types if name in layout.columns}
    height = len(text.lines)
    table = {}
    for name, cast in types.items():
        arrow_type = _ARROW_TYPES.get(cast, pa.string())
        if name in columns:
            values = _values(columns[name], casting.of_field[name], findings)
            table[name] = pa.array(values, arrow_type).take(columns[name].positions)
        else:
            table[name] = pa.nulls(height, arrow_type)
    for name in casting.rounded_fields:
        _name_rounded(columns[name], findings)
    if layout.currency:
        table["currency"] = pa.repeat(pa.scalar(layout.currency), height)
    for name, cast in types.items():
        if cast == "amount" and name in columns:
            _name_foreign_signs(columns[name], table["currency"], findings)
            _name_fractions(
                columns[name], table[name], table["currency"], casting.notation.decimals, findings
            )
    typed = pa.table(table | {"source_line": text.lines, "row_hash": text.row_hashes})
    return without_faulty(typed, findings)


def without_faulty(rows: pa.Table, findings: Findings) -> pa.Table:
    """Take away the rows that a fault names."""
    if not findings.faults:
        return rows
    bad_lines = pa.array([fault.line for fault in findings.faults], pa.int64())
    return rows.filter(pc.invert(pc.is_in(rows["source_line"], value_set=bad_lines)))


def require(rows: pa.Table, names: Sequence[str], layout: Layout, findings: Findings) -> pa.Table:
    """Name each row in which a required cell is empty, and take it away."""
    for name in names:
        for line in rows["source_line"].filter(pc.is_null(rows[name])).to_pylist():
            findings.faults.append(Fault(line, layout.header_of(name), "", "empty"))
    return without_faulty(rows, findings)


def _column(text: TextRows, layout: Layout, name: str) -> _Column:
    texts, positions = text.cells(layout.columns[name])
    return _Column(layout.header_of(name), texts.to_pylist(), positions, text.lines)


def _values(column: _Column, cast: Callable[[str], object], findings: Findings) -> list[object]:
    """Cast each distinct text, and name the rows of those that do not fit."""
    values: list[object] = []
    unfit: dict[str, Unfit] = {}
    unfit_positions = []
    remarks: dict[str, list[int]] = {}
    for position, text in enumerate(column.texts):
        value: object = None
        try:
            value = cast(text)
        except Unfit as error:
            unfit[text] = error
            unfit_positions.append(position)
        if isinstance(value, Remarked):
            remarks.setdefault(value.remark, []).append(position)
            value = value.value
        values.append(value)
    for line, text in column.rows_with(unfit_positions) if unfit else ():
        findings.faults.append(Fault(line, column.header, text, str(unfit[text]), unfit[text].advice))
    for remark, positions in remarks.items():
        findings.remark(column.header, remark, [line for line, _ in column.rows_with(positions)])
    return values


def _name_rounded(column: _Column, findings: Findings) -> None:
    """Name the rows with an id that Excel has rounded."""
    is_rounded = pc.match_substring_regex(pa.array(column.texts, pa.string()), ROUNDED_ID)
    for line, text in column.rows_with(pc.indices_nonzero(is_rounded).to_pylist()):
        findings.faults.append(Fault(line, column.header, text, "rounded by Excel", EXCEL_ADVICE))


def _name_foreign_signs(column: _Column, currencies: pa.Array, findings: Findings) -> None:
    """Name amounts whose own sign contradicts the currency of their row."""
    has_sign = pc.match_substring_regex(pa.array(column.texts, pa.string()), _NO_DIGIT)
    places = pc.indices_nonzero(has_sign).to_pylist()
    signed = {place: sign for place in places if (sign := signed_currency(column.texts[place]))}
    for sign in set(signed.values()):
        positions = [position for position, other in signed.items() if other == sign]
        is_signed = pc.is_in(column.positions, value_set=pa.array(positions, pa.int32()))
        for place in pc.indices_nonzero(pc.and_(is_signed, pc.not_equal(currencies, sign))).to_pylist():
            text = column.texts[column.positions[place].as_py()]
            reason = f"not {currencies[place].as_py()}, the currency of this row"
            findings.faults.append(Fault(column.lines[place].as_py(), column.header, text, reason))


def _name_fractions(
    column: _Column, amounts: pa.Array, currencies: pa.Array, most_decimals: int, findings: Findings
) -> None:
    """Name amounts with more decimals than the currency of their row has; none has more than ``most_decimals``."""
    for currency in pc.unique(currencies).drop_null().to_pylist():
        decimals = decimals_of(currency)
        if decimals == most_decimals:
            continue
        has_more = pc.not_equal(amounts, pc.round(amounts, decimals))
        is_too_fine = pc.and_(has_more, pc.equal(currencies, currency))
        for place in pc.indices_nonzero(is_too_fine).to_pylist():
            text = column.texts[column.positions[place].as_py()]
            reason = f"more than {decimals} decimals" if decimals else f"{currency} has no decimals"
            findings.faults.append(Fault(column.lines[place].as_py(), column.header, text, reason))
