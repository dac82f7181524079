"""How to import: what the functions of ``ctm_analytics.imports`` and ``ctm import`` let a user choose."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.imports.source import Progress, unheard
from ctm_analytics.settings import Settings, did_you_mean

DATE_FORMATS = ("DD/MM/YYYY", "MM/DD/YYYY")


class Choices(TypedDict, total=False):
    """The keyword arguments of every import; ``Options`` says what each means."""

    preset: str
    mapping: Mapping[str, str] | None
    dry_run: bool
    max_errors: int
    rejects: Path | None
    date_format: str | None
    currency: str | None
    save_preset: str | None
    on_progress: Progress


@dataclass(frozen=True)
class Options:
    """How to import.

    Attributes
    ----------
    settings : Settings; times without an offset are in ``reporting_timezone``
    imported_at : datetime with a zone; the latest import counts
    preset : str, a preset's name, or ``"auto"`` for the one that knows most of the header
    mapping : mapping of str to str, file column to field; wins over the preset
    dry_run : bool, check and summarise, store nothing
    max_errors : int, ``>= 0``; with at most so many bad rows, import the others
    rejects : Path or None, where to write the bad rows as they are in the file, with the reason; also if nothing
        is imported, and also in a dry run
    date_format : str or None, one of ``DATE_FORMATS``, for dates that the file leaves open; any separator fits
    currency : str or None, ISO 4217, of amounts for which the file names none
    save_preset : str or None, keep ``mapping`` under this name for later imports
    on_progress : callable, hears how far each step has come: its name, what is done, and of how much
    """

    settings: Settings
    imported_at: datetime
    preset: str = "auto"
    mapping: Mapping[str, str] | None = None
    dry_run: bool = False
    max_errors: int = 0
    rejects: Path | None = None
    date_format: str | None = None
    currency: str | None = None
    save_preset: str | None = None
    on_progress: Progress = unheard

    def __post_init__(self) -> None:
        """Check each option against its rule.

        Raises
        ------
        InvalidArgument
            Naming the option, the value and the rule.
        """
        if self.imported_at.tzinfo is None:
            raise InvalidArgument(f"imported_at: {self.imported_at} has no time zone. Use datetime.now(UTC).")
        if self.max_errors < 0:
            raise InvalidArgument(f"max_errors: {self.max_errors} is below 0.")
        if self.date_format not in (None, *DATE_FORMATS):
            suggestion = did_you_mean(str(self.date_format).upper(), DATE_FORMATS)
            raise InvalidArgument(
                f"date_format: {self.date_format!r} is no date format.{suggestion}"
                f" Use {' or '.join(DATE_FORMATS)}; any separator fits."
            )
        if self.currency is not None and not re.fullmatch("[A-Z]{3}", self.currency):
            raise InvalidArgument(
                f"currency: {self.currency!r} is not a currency. Use three capital letters such as USD."
            )

        if self.save_preset is not None and not self.mapping:
            raise InvalidArgument("save_preset: there is no mapping to keep. Add --map COLUMN=FIELD.")

    @property
    def is_day_first(self) -> bool | None:
        """What ``date_format`` says about the order of day and month; ``None`` when the file has to."""
        return None if self.date_format is None else self.date_format.startswith("DD")
