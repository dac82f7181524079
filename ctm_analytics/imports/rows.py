"""Columns of text to a typed table, each fault named by line, column and value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.currencies import THOUSANDTHS_CURRENCIES, WHOLE_CURRENCIES
from ctm_analytics.imports.casting import (
    CASTS,
    EXCEL_ADVICE,
    is_rounded,
    signed_currency,
)
from ctm_analytics.imports.faults import Fault, Findings, Remarked, Unfit, plural
from ctm_analytics.imports.layout import Layout
from ctm_analytics.imports.notation import Notation, day_first, decimal_sign, refuse_open_thousandths
from ctm_analytics.imports.options import Options
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
# One id in a thousand ends in three zeros by itself; Excel rounds them all.
_ROUNDED_BY_CHANCE = 0.01


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


def cast_rows(
    text: TextRows, layout: Layout, types: Mapping[str, str], options: Options, findings: Findings
) -> pa.Table:
    """Cast every field of a file, once.

    Parameters
    ----------
    text : TextRows, the columns that ``layout`` uses
    layout : Layout
    types : mapping of str to str, field to the name of its cast
    options : Options
    findings : Findings, takes the faults and remarks

    Returns
    -------
    pa.Table
        The rows without a fault: a column per field of ``types`` (null where the file has none),
        ``source_line`` and ``row_hash``.

    Raises
    ------
    InvalidFile
        If the file's dates can be read in two ways.
    """
    columns = {name: _column(text, layout, name) for name in types if name in layout.columns}
    notation = _notation(findings.file, columns, types, options, layout.currency)
    height = len(text.lines)
    table = {}
    for name, cast in types.items():
        arrow_type = _ARROW_TYPES.get(cast, pa.string())
        if name in columns:
            rule = layout.preset.fields.get(name)
            own = replace(notation, zone=ZoneInfo("UTC")) if rule and rule.is_utc else notation
            table[name] = _cast_column(columns[name], cast, arrow_type, own, findings)
        else:
            table[name] = pa.nulls(height, arrow_type)
    if layout.currency:
        table["currency"] = pa.repeat(pa.scalar(layout.currency), height)
    for name, cast in types.items():
        if cast == "amount" and name in columns:
            _name_foreign_signs(columns[name], table["currency"], findings)
            _name_fractions(columns[name], table[name], table["currency"], findings)
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
    cells = [_distinct(text.columns[position]) for position in layout.columns[name]]
    texts, positions = cells[0]
    if len(cells) > 1:
        filled = pc.coalesce(*(texts.take(positions) for texts, positions in cells)).dictionary_encode()
        texts, positions = filled.dictionary, filled.indices
    return _Column(layout.header_of(name), texts.to_pylist(), positions, text.lines)


def _distinct(column: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Give each distinct text once, blanks around it removed, and where each row's is; null where it is blank."""
    encoded = (column if pa.types.is_dictionary(column.type) else column.dictionary_encode()).combine_chunks()
    stripped = pa.array([text.strip() or None for text in encoded.dictionary.to_pylist()], pa.string())
    distinct = stripped.dictionary_encode()
    return distinct.dictionary, distinct.indices.take(encoded.indices)


def _notation(
    file: str,
    columns: Mapping[str, _Column],
    types: Mapping[str, str],
    options: Options,
    header_currency: str | None,
) -> Notation:
    of = {
        cast: [text for name, column in columns.items() if types[name] == cast for text in column.texts]
        for cast in set(types.values())
    }
    wholes = [*of.get("count", ()), *of.get("tally", ())]
    amounts = of.get("amount", [])
    currencies = {header_currency} if header_currency else {text.upper() for text in of.get("currency", ())}
    if currencies and currencies.issubset(WHOLE_CURRENCIES):
        amounts, wholes = [], [*wholes, *amounts]
    if has_thousandths := bool(currencies.intersection(THOUSANDTHS_CURRENCIES)):
        money = next(column.header for name, column in columns.items() if types[name] == "amount")
        refuse_open_thousandths(file, money, amounts)
    dates = [column for name, column in columns.items() if types[name] in ("day", "instant")]
    is_day_first = options.is_day_first
    if is_day_first is None and dates:
        is_day_first = day_first(file, dates[0].header, [text for column in dates for text in column.texts])
    return Notation(
        decimal_sign([*amounts, *of.get("rate", ())], wholes),
        3 if has_thousandths else 2,
        bool(is_day_first),
        options.settings.zone,
        options.settings.default_country,
    )


def _cast_column(
    column: _Column, cast: str, arrow_type: pa.DataType, notation: Notation, findings: Findings
) -> pa.Array:
    values: list[object] = []
    unfit: dict[str, Unfit] = {}
    remarks: dict[str, list[int]] = {}
    bad_positions = []
    for position, text in enumerate(column.texts):
        value: object = None
        try:
            value = CASTS[cast](text, notation)
        except Unfit as error:
            unfit[text] = error
            bad_positions.append(position)
        if isinstance(value, Remarked):
            remarks.setdefault(value.remark, []).append(position)
            value = value.value
        values.append(value)
    if cast == "id":
        rounded = _rounded(column.texts)
        unfit |= {column.texts[position]: Unfit("rounded by Excel", EXCEL_ADVICE) for position in rounded}
        bad_positions += rounded
    for line, text in column.rows_with(bad_positions) if bad_positions else ():
        findings.faults.append(Fault(line, column.header, text, str(unfit[text]), unfit[text].advice))
    for remark, positions in remarks.items():
        findings.notes.append(_remark(column, remark, column.rows_with(positions)))
    return pa.array(values, arrow_type).take(column.positions)


def _name_foreign_signs(column: _Column, currencies: pa.Array, findings: Findings) -> None:
    """Name amounts whose own sign contradicts the currency of their row."""
    signed = {position: sign for position, text in enumerate(column.texts) if (sign := signed_currency(text))}
    for sign in set(signed.values()):
        positions = [position for position, other in signed.items() if other == sign]
        is_signed = pc.is_in(column.positions, value_set=pa.array(positions, pa.int32()))
        for place in pc.indices_nonzero(pc.and_(is_signed, pc.not_equal(currencies, sign))).to_pylist():
            text = column.texts[column.positions[place].as_py()]
            reason = f"not {currencies[place].as_py()}, the currency of this row"
            findings.faults.append(Fault(column.lines[place].as_py(), column.header, text, reason))


def _name_fractions(column: _Column, amounts: pa.Array, currencies: pa.Array, findings: Findings) -> None:
    """Name amounts with more decimals than their currency has."""
    is_whole = pc.is_in(currencies, value_set=pa.array(WHOLE_CURRENCIES))
    has_thousandths = pc.is_in(currencies, value_set=pa.array(THOUSANDTHS_CURRENCIES))
    kept = pc.if_else(
        is_whole, pc.round(amounts, 0), pc.if_else(has_thousandths, amounts, pc.round(amounts, 2))
    )
    for place in pc.indices_nonzero(pc.not_equal(amounts, kept)).to_pylist():
        text = column.texts[column.positions[place].as_py()]
        reason = (
            f"{currencies[place].as_py()} has no decimals"
            if is_whole[place].as_py()
            else "more than 2 decimals"
        )
        findings.faults.append(Fault(column.lines[place].as_py(), column.header, text, reason))


def _rounded(texts: list[str]) -> list[int]:
    """Find the ids that Excel has rounded; a single one among hundreds is chance."""
    rounded = [position for position, text in enumerate(texts) if is_rounded(text)]
    return rounded if len(rounded) > len(texts) * _ROUNDED_BY_CHANCE else []


def _remark(column: _Column, remark: str, rows: list[tuple[int, str]]) -> str:
    """Say where, but not what: the remark is kept with the import, and the text may be somebody's address."""
    more = f" and {plural(len(rows) - 1, 'more row')}" if len(rows) > 1 else ""
    return f"{column.header} (line {rows[0][0]}{more}): {remark}"
