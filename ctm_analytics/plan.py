"""How an answer was come by: which relations were read or made, and where the time went."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass
class Step:
    """One thing that was done for an answer.

    Attributes
    ----------
    name : str, the relation, or what was done
    how : ``read`` from files, ``mended``, ``made``, or ``asked`` of the engine
    rows, files, bytes : int or None, of the files that were read, or of the answer; None where nobody counted
    statement : str, what was asked
    seconds : float
    """

    name: str
    how: str
    rows: int | None = None
    files: int | None = None
    bytes: int | None = None
    statement: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """The steps of an answer; it shows itself as a table.

    Attributes
    ----------
    steps : tuple of Step, in order
    seconds : float, from the question to its answer
    tree : str, what the engine says of its own work, where that was asked for
    """

    steps: tuple[Step, ...]
    seconds: float
    tree: str = ""

    @property
    def slowest(self) -> Step | None:
        """The question to the engine that took longest."""
        asked = (step for step in self.steps if step.statement)
        return max(asked, key=lambda step: step.seconds, default=None)

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("step", "how", "rows", "files", "MB", "seconds")]
        rows += [_cells(step) for step in self.steps]
        spent = sum(step.seconds for step in self.steps)
        rows.append(("statistics and tables", "in Python", "", "", "", f"{max(self.seconds - spent, 0):.3f}"))
        rows.append(("all", "", "", "", "", f"{self.seconds:.3f}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(_padded(row, widths)).rstrip() for row in rows]
        lines.insert(1, "  ".join("─" * width for width in widths))
        tree = (
            f"\n\n{self.slowest.name}, as the engine did it:\n{self.tree}"
            if self.slowest and self.tree
            else ""
        )
        return "\n".join(lines) + tree

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


class Stopwatch:
    """Notes the steps since a question was asked."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin anew: a question is asked."""
        self._steps: list[Step] = []
        self._started = self._last = time.perf_counter()

    def resume(self) -> None:
        """Begin a step: what was done since the last one is nobody's."""
        self._last = time.perf_counter()

    def note(self, step: Step) -> None:
        """End a step."""
        now = time.perf_counter()
        step.seconds, self._last = now - self._last, now
        self._steps.append(step)

    def plan(self) -> Plan:
        """Give what was done until now."""
        return Plan(tuple(self._steps), time.perf_counter() - self._started)


def _cells(step: Step) -> tuple[str, ...]:
    size = "" if step.bytes is None else f"{step.bytes / 1e6:,.1f}"
    counts = ("" if count is None else f"{count:,}" for count in (step.rows, step.files))
    return (step.name, step.how, *counts, size, f"{step.seconds:.3f}")


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if place < 2 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
