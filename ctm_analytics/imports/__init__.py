"""Imports: sales, spend, contacts and rates from the CSV files that people export.

A file is imported whole or not at all: each row that does not fit is named with its line, column and value.
The same bytes are stored once. Which columns a file needs stands in ``presets/``.

>>> from datetime import UTC, datetime
>>> from pathlib import Path
>>> from ctm_analytics.settings import Settings
>>> summary = import_spend(
...     Path("meta.csv"), Path("data"), settings=Settings(), imported_at=datetime.now(UTC)
... )  # doctest: +SKIP
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from ctm_analytics.imports.importing import KINDS, Options, import_file
from ctm_analytics.imports.presets import presets_of
from ctm_analytics.imports.summary import ImportSummary
from ctm_analytics.settings import Settings

__all__ = ["ImportSummary", "import_contacts", "import_rates", "import_sales", "import_spend", "presets_of"]


def import_sales(
    file: Path,
    data: Path,
    *,
    settings: Settings,
    imported_at: datetime,
    preset: str = "auto",
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> ImportSummary:
    """Import orders or deals: one row per sale.

    Parameters
    ----------
    file : Path, a CSV file
    data : Path, the data folder; the import is stored in its ``imports/sales/``
    settings : Settings; times without an offset are in ``reporting_timezone``
    imported_at : datetime with a zone; the latest import of a ``sale_id`` counts
    preset : str, ``"shopify"``, ``"plain"``, or ``"auto"`` for the one that knows most of the header
    mapping : mapping of str to str, file column to field; wins over the preset
    dry_run : bool, check and summarise, write nothing

    Returns
    -------
    ImportSummary
        Its ``str`` is for people. ``already_imported_at`` is set when the same bytes were imported before.

    Raises
    ------
    InvalidFile
        If the file, its header or any row does not fit; the message names each row. Nothing is stored.
    InvalidArgument
        For a preset, column or field that does not exist, or an ``imported_at`` without a zone.
    """
    options = Options(settings, imported_at, preset, mapping or {}, dry_run)
    return import_file(KINDS["sales"], file, data, options)


def import_spend(
    file: Path,
    data: Path,
    *,
    settings: Settings,
    imported_at: datetime,
    preset: str = "auto",
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> ImportSummary:
    """Import what ads cost: one row per day and ad.

    Rows of one day and ad in one file (result types, breakdowns) are added up; of several imports of a day and
    ad the latest counts. Parameters, result and errors are those of ``import_sales``; presets are
    ``"meta_ads_manager"`` and ``"plain"``.
    """
    options = Options(settings, imported_at, preset, mapping or {}, dry_run)
    return import_file(KINDS["spend"], file, data, options)


def import_contacts(
    file: Path,
    data: Path,
    *,
    settings: Settings,
    imported_at: datetime,
    preset: str = "auto",
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> ImportSummary:
    """Import which contact is which customer: one row per statement.

    Parameters, result and errors are those of ``import_sales``; the preset is ``"plain"``.
    """
    options = Options(settings, imported_at, preset, mapping or {}, dry_run)
    return import_file(KINDS["contacts"], file, data, options)


def import_rates(
    file: Path,
    data: Path,
    *,
    settings: Settings,
    imported_at: datetime,
    preset: str = "auto",
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> ImportSummary:
    """Import exchange rates: one row per day and currency, the reporting currency for one unit.

    Parameters, result and errors are those of ``import_sales``; the preset is ``"plain"``.
    """
    options = Options(settings, imported_at, preset, mapping or {}, dry_run)
    return import_file(KINDS["rates"], file, data, options)
