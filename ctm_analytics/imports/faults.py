"""What is wrong with a file, row by row, as a text from which it can be mended."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ctm_analytics.errors import InvalidFile

SHOWN_ROWS = 20
_SHOWN_CHARACTERS = 40
_FLOOD = 200_000


class Unfit(Exception):
    """A cell's text is no value of its column; the message says what was expected.

    Attributes
    ----------
    advice : str or None, what to do about it, said once per file
    """

    def __init__(self, reason: str, advice: str | None = None) -> None:
        super().__init__(reason)
        self.advice = advice


class Remarked(NamedTuple):
    """A value that was taken in a way that the user should hear about."""

    value: object
    remark: str


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong in one row; ``column`` and ``value`` are empty when it is the row itself."""

    line: int
    column: str
    value: str
    reason: str
    advice: str | None = field(default=None, compare=False)


@dataclass
class Findings:
    """What was noticed while a file was read, part after part.

    Attributes
    ----------
    file : str, its name, for messages
    rows_read : int, rows below the header, blank lines not counted
    faults : list of Fault, in any order
    notes : list of str, what else the user should know
    """

    file: str
    rows_read: int = 0
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _left_out: dict[tuple[str, str], int] = field(default_factory=dict)
    _remarks: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def leave_out(self, rows: int, one: str, many: str) -> None:
        """Record that rows are not imported, and why, in the words for one row or for many."""
        if rows:
            self._left_out[one, many] = self._left_out.get((one, many), 0) + rows

    @property
    def left_out(self) -> tuple[tuple[int, str], ...]:
        """How many rows are not imported, and why."""
        return tuple((rows, one if rows == 1 else many) for (one, many), rows in self._left_out.items())

    def remark(self, column: str, said: str, lines: Sequence[int]) -> None:
        """Record that the values of a column on these lines were taken in a way that the user should hear about.

        Where they are, but not what: the remark is kept with the import, and the text may be somebody's address.
        """
        first, rows = self._remarks.get((column, said), [lines[0], 0])
        self._remarks[column, said] = [min(first, lines[0]), rows + len(lines)]

    @property
    def remarks(self) -> tuple[str, ...]:
        """The remarks, in words, and the notes."""
        said = (
            f"{column} ({_places(first, rows)}): {remark}"
            for (column, remark), (first, rows) in self._remarks.items()
        )
        return (*said, *self.notes)

    def refuse_flood(self, max_errors: int) -> None:
        """Give up on a file of which so many rows do not fit that they would not fit into memory either.

        Raises
        ------
        InvalidFile
            Naming the first of them.
        """
        if len(self.faults) > max(max_errors, _FLOOD):
            raise InvalidFile(
                f"{self.file}: more than {_FLOOD:,} rows do not fit (nothing imported). The first of them:\n"
                f"{self.described()}"
            )

    def reasons(self) -> dict[int, str]:
        """Say for each bad row, by its line, all that is wrong with it."""
        return {
            line: "; ".join(" ".join(filter(None, _described(fault))) for fault in found)
            for line, found in self._by_line().items()
        }

    def described(self) -> str:
        """Name each bad row on one line, the first ``SHOWN_ROWS`` of them, and what to do about them."""
        by_line = self._by_line()
        bad = len(by_line)
        lines = _aligned([_cells(line, found) for line, found in list(by_line.items())[:SHOWN_ROWS]])
        if bad > SHOWN_ROWS:
            lines.append(f"  … and {plural(bad - SHOWN_ROWS, 'more row')}: --rejects FILE writes them all")
        advices = dict.fromkeys(fault.advice for found in by_line.values() for fault in found if fault.advice)
        return "\n".join([*lines, *advices])

    def refusal(self) -> InvalidFile:
        """Build the error that names the bad rows."""
        bad = len(self._by_line())
        fit = self.rows_read - bad
        way_on = f"; --max-errors {bad} to import the others" if fit else ""
        return InvalidFile(
            f"{self.file}: {fit:,} of {plural(self.rows_read, 'row')} fit,"
            f" {bad:,} {'does' if bad == 1 else 'do'} not (nothing imported{way_on}).\n{self.described()}"
        )

    def _by_line(self) -> dict[int, list[Fault]]:
        by_line: dict[int, list[Fault]] = {}
        for fault in sorted(set(self.faults)):
            by_line.setdefault(fault.line, []).append(fault)
        return by_line


def shown(value: str) -> str:
    """Quote a value for a message: on one line, control characters escaped, cut where it is long."""
    cut = value if len(value) <= _SHOWN_CHARACTERS else value[: _SHOWN_CHARACTERS - 1] + "…"
    return json.dumps(cut, ensure_ascii=False)


def plural(count: int, one: str, many: str | None = None) -> str:
    """Count things: ``1 row``, ``2,000 rows``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Sequence[str], shown_names: int = 8) -> str:
    """Join names with commas and say how many more there are."""
    rest = len(names) - shown_names
    return ", ".join(names[:shown_names]) + (f" and {rest:,} more" if rest > 0 else "")


def _places(first_line: int, rows: int) -> str:
    return f"line {first_line}" + (f" and {plural(rows - 1, 'more row')}" if rows > 1 else "")


def _cells(line: int, found: list[Fault]) -> list[str]:
    column, value, reason = _described(found[0])
    others = [" ".join(_described(fault)) for fault in found[1:]]
    return [f"line {line}", column, value, "; also ".join([reason, *others])]


def _described(fault: Fault) -> tuple[str, str, str]:
    return (fault.column, shown(fault.value), fault.reason) if fault.column else ("–", "", fault.reason)


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return ["  " + "  ".join(row).rstrip() for row in padded]
