"""What is told of a report, whatever carries it: numbers first, in the subject too; or what failed."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ctm_analytics.errors import EXIT_NO_DATA, CtmError
from ctm_analytics.formats import period, shorten

# Longer subjects are cut by the programs that show them.
_SUBJECT = 120
_MINUTES = "Answered within "


@dataclass(frozen=True)
class Message:
    """One report, or its failure, to be delivered.

    Attributes
    ----------
    subject : str, one line
    title, period : str
    address : str, where the report lies: a link where it is served, else its path below the folder of all reports
    summary : dict of :func:`ctm_analytics.report.summary.summarise`; empty for a failure, or a page of another making
    alerts : tuple of str, what fired
    problems : tuple of str, what the reader must know beside: a failed quality check, a missing PDF
    failure : str, what failed and the next step; empty where nothing did
    files : tuple of Path, the page and, where it was made, the PDF
    """

    subject: str
    title: str
    period: str
    address: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    failure: str = ""
    files: tuple[Path, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything above the numbers, the most urgent first."""
        notices = [text for text in self.summary.get("notices", ()) if text not in self.alerts]
        failure = (self.failure,) if self.failure else ()
        return (*failure, *self.alerts, *self.problems, *notices)

    @property
    def zone(self) -> str:
        """The time zone of the days."""
        return str(self.summary.get("zone", ""))

    @property
    def headlines(self) -> list[str]:
        """What the report found, in sentences."""
        return list(self.summary.get("headlines", ()))

    @property
    def tiles(self) -> list[dict[str, str]]:
        """The report's key numbers."""
        return list(self.summary.get("tiles", ()))

    @property
    def ads(self) -> dict[str, Any]:
        """The ads that most was spent on: ``columns``, ``rows`` and how many are ``left_out``."""
        return dict(self.summary.get("ads", {}))


def subject_of(name: str, since: date, until: date, facts: list[str]) -> str:
    """Write a subject: the report, its days, and what it says.

    Examples
    --------
    >>> subject_of("weekly", date(2026, 11, 16), date(2026, 11, 22), ["CAC $33 ▼4 %", "28 % answered < 5 min"])
    'CTM weekly 16–22 Nov: CAC $33 ▼4 %, 28 % answered < 5 min'
    """
    days = period(since, until).removesuffix(f" {until.year}")
    return shorten(f"CTM {name} {days}: {', '.join(facts)}", _SUBJECT)


def facts_of(tiles: list[dict[str, str]]) -> list[str]:
    """Choose what a subject says: CAC and the share answered fast; of another report its first two tiles.

    Examples
    --------
    >>> facts_of([{"label": "CAC (ad spend only)", "value": "$33", "change": "▼ 4 %"}])
    ['CAC $33 ▼4 %']
    """
    written = {tile["label"]: _fact(tile) for tile in tiles}
    chosen = [text for label, text in written.items() if label.startswith(("CAC", _MINUTES))]
    return chosen or list(written.values())[:2]


def reason_of(error: BaseException) -> str:
    """Say in a word or two why there is no report."""
    return "no data" if isinstance(error, CtmError) and error.exit_code == EXIT_NO_DATA else "FAILED"


def _fact(tile: dict[str, str]) -> str:
    if tile["label"].startswith(_MINUTES):
        return f"{tile['value']} answered < {tile['label'].removeprefix(_MINUTES)}"
    change = tile["change"].replace("▲\xa0", "▲").replace("▼\xa0", "▼").replace("▲ ", "▲").replace("▼ ", "▼")
    change = "" if change == "no change" else change
    return " ".join(f"{tile['label'].partition(' (')[0]} {tile['value']} {change}".split(" ")).strip()
