"""Imports: sales, spend, contacts and rates from the files that people export.

A file is imported whole or not at all: each row that does not fit is named with its line, column and value.
The same bytes are stored once, unless a later file has replaced rows of theirs: then they count again. Which columns
a file needs stands in ``presets/``.

>>> from datetime import UTC, datetime
>>> from pathlib import Path
>>> from ctm_analytics.settings import Settings
>>> summary = import_spend(
...     Path("meta.csv"), Path("data"), settings=Settings(), imported_at=datetime.now(UTC)
... )  # doctest: +SKIP
"""

from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Unpack

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.imports.importing import import_file
from ctm_analytics.imports.kinds import KINDS
from ctm_analytics.imports.ledger import imports_folder, withdraw
from ctm_analytics.imports.options import Choices, Options
from ctm_analytics.imports.presets import presets_of
from ctm_analytics.imports.spend import SpendArrangement
from ctm_analytics.imports.summary import ImportSummary
from ctm_analytics.settings import Settings

__all__ = [
    "ImportSummary",
    "import_contacts",
    "import_rates",
    "import_sales",
    "import_spend",
    "presets_of",
    "undo_import",
]


def import_sales(
    file: Path | BinaryIO,
    data: Path,
    *,
    settings: Settings,
    imported_at: datetime,
    **choices: Unpack[Choices],
) -> ImportSummary:
    """Import orders or deals: one row per sale.

    Parameters
    ----------
    file : Path, a CSV file, or one compressed with gzip; or an open binary stream of one
    data : Path, the data folder; the import is stored in its ``imports/sales/``
    settings : Settings; times without an offset are in ``reporting_timezone``
    imported_at : datetime with a zone; the latest import of a ``sale_id`` counts
    **choices : ``preset``, ``mapping``, ``dry_run``, ``max_errors``, ``rejects``, ``date_format``, ``currency``,
        ``save_preset``, as ``ctm_analytics.imports.options.Options`` describes them

    Returns
    -------
    ImportSummary
        Its ``str`` is for people. ``already_imported_at`` is set when the same bytes were imported before and all of
        them counts; ``counted_again`` when a later import had replaced rows of theirs.

    Raises
    ------
    InvalidFile
        If the file, its header or more rows than ``max_errors`` do not fit; the message names each row. Nothing is
        stored.
    InvalidArgument
        For a preset, column or field that does not exist, an ``imported_at`` without a zone, and other choices that
        contradict their rule.
    """
    return import_file(KINDS["sales"], file, data, Options(settings, imported_at, **choices))


def import_spend(
    file: Path | BinaryIO,
    data: Path,
    *,
    settings: Settings,
    imported_at: datetime,
    spread_evenly: bool = False,
    **choices: Unpack[Choices],
) -> ImportSummary:
    """Import what ads cost: one row per day and ad.

    Rows of one day and ad in one file (result types, breakdowns) are added up; of several imports of a day and
    ad the latest counts. Rows over several days are refused, or, with ``spread_evenly``, estimated by day. All
    else is as in ``import_sales``.
    """
    kind = KINDS["spend"]
    if spread_evenly:
        kind = replace(kind, arrangement=partial(SpendArrangement, is_spread=True))
    return import_file(kind, file, data, Options(settings, imported_at, **choices))


def import_contacts(
    file: Path | BinaryIO,
    data: Path,
    *,
    settings: Settings,
    imported_at: datetime,
    **choices: Unpack[Choices],
) -> ImportSummary:
    """Import which contact is which customer: one row per statement; all else is as in ``import_sales``."""
    return import_file(KINDS["contacts"], file, data, Options(settings, imported_at, **choices))


def import_rates(
    file: Path | BinaryIO,
    data: Path,
    *,
    settings: Settings,
    imported_at: datetime,
    **choices: Unpack[Choices],
) -> ImportSummary:
    """Import exchange rates: one row per day and currency, the reporting currency for one unit.

    All else is as in ``import_sales``.
    """
    return import_file(KINDS["rates"], file, data, Options(settings, imported_at, **choices))


def undo_import(kind: str, import_id: str, data: Path, *, imports_url: str = "") -> ImportSummary:
    """Remove one import, as if it had never been.

    What it replaced counts again: of a sale, or of a day and ad, the latest import that is left.

    Parameters
    ----------
    kind : str, ``sales``, ``spend``, ``contacts`` or ``rates``
    import_id : str, as its summary names it
    data : Path, the data folder
    imports_url : str, ``s3://bucket/prefix`` where its imports lie, or empty

    Returns
    -------
    ImportSummary
        Of what is gone.

    Raises
    ------
    InvalidArgument
        If there is no such kind or import.
    """
    if kind not in KINDS:
        raise InvalidArgument(f"kind: {kind!r} is not one of {', '.join(KINDS)}.")
    return withdraw(imports_folder(data, kind, imports_url), import_id, imports_url)
