"""Imports of sales, spend, contacts and rates."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ctm_analytics.cli.options import DEFAULT_DATA, Data
from ctm_analytics.cli.progress import followed
from ctm_analytics.errors import InvalidArgument

app = typer.Typer(no_args_is_help=True)

Files = Annotated[
    list[Path] | None,
    typer.Argument(help="CSV files, also gzipped; - for standard input.", show_default=False),
]
Preset = Annotated[str, typer.Option(help="How the file is laid out; auto recognises it.", metavar="NAME")]
Mapping = Annotated[
    list[str] | None,
    typer.Option("--map", help="A column of the file and the field it holds.", metavar="COLUMN=FIELD"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")]
MaxErrors = Annotated[
    int, typer.Option(help="Import the other rows if no more than N do not fit.", metavar="N", min=0)
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        help="Write the rows that do not fit here, as they are, each with the reason.", metavar="FILE"
    ),
]
DateFormat = Annotated[
    str | None,
    typer.Option(help="DD/MM/YYYY or MM/DD/YYYY, where the file leaves it open.", metavar="FORMAT"),
]
Currency = Annotated[
    str | None, typer.Option(help="Of amounts for which the file names none, e.g. USD.", metavar="CODE")
]
SavePreset = Annotated[
    str | None,
    typer.Option(help="Keep what --map says under this name, for files of the same columns.", metavar="NAME"),
]
SpreadEvenly = Annotated[
    bool, typer.Option("--spread-evenly", help="Estimate each day of a row over several days.")
]
Undo = Annotated[
    str | None, typer.Option(help="Remove this import, as if it had never been.", metavar="IMPORT_ID")
]


@app.command(epilog="Example: ctm import sales orders_export.csv --max-errors 5 --rejects rejects.csv")
def sales(
    files: Files = None,
    *,
    data: Data = DEFAULT_DATA,
    preset: Preset = "auto",
    mapping: Mapping = None,
    dry_run: DryRun = False,
    max_errors: MaxErrors = 0,
    rejects: Rejects = None,
    date_format: DateFormat = None,
    currency: Currency = None,
    save_preset: SavePreset = None,
    undo: Undo = None,
) -> None:
    """Import orders or deals: from Shopify, WooCommerce, Stripe, HubSpot, Salesforce, or a plain CSV."""
    _run(
        "sales",
        files or [],
        data,
        undo,
        preset=preset,
        mapping=_fields(mapping),
        dry_run=dry_run,
        max_errors=max_errors,
        rejects=rejects,
        save_preset=save_preset,
        date_format=date_format,
        currency=currency,
    )


@app.command(epilog='Example: ctm import spend agency.csv --map "Net cost=spend" --save-preset agency')
def spend(
    files: Files = None,
    *,
    data: Data = DEFAULT_DATA,
    preset: Preset = "auto",
    mapping: Mapping = None,
    dry_run: DryRun = False,
    max_errors: MaxErrors = 0,
    rejects: Rejects = None,
    date_format: DateFormat = None,
    currency: Currency = None,
    spread_evenly: SpreadEvenly = False,
    save_preset: SavePreset = None,
    undo: Undo = None,
) -> None:
    """Import what the ads cost: Ads Manager's export by day, the Marketing API's insights, or a plain CSV."""
    _run(
        "spend",
        files or [],
        data,
        undo,
        preset=preset,
        mapping=_fields(mapping),
        dry_run=dry_run,
        max_errors=max_errors,
        rejects=rejects,
        save_preset=save_preset,
        date_format=date_format,
        currency=currency,
        spread_evenly=spread_evenly,
    )


@app.command(epilog="Example: ctm import contacts contacts.csv.gz")
def contacts(
    files: Files = None,
    *,
    data: Data = DEFAULT_DATA,
    preset: Preset = "auto",
    mapping: Mapping = None,
    dry_run: DryRun = False,
    max_errors: MaxErrors = 0,
    rejects: Rejects = None,
    save_preset: SavePreset = None,
    undo: Undo = None,
) -> None:
    """Import which contact is which customer, e-mail or phone: from ManyChat, Chatwoot, or a plain CSV."""
    _run(
        "contacts",
        files or [],
        data,
        undo,
        preset=preset,
        mapping=_fields(mapping),
        dry_run=dry_run,
        max_errors=max_errors,
        rejects=rejects,
        save_preset=save_preset,
    )


@app.command(epilog="Example: ctm import rates rates.csv --date-format DD/MM/YYYY")
def rates(
    files: Files = None,
    *,
    data: Data = DEFAULT_DATA,
    preset: Preset = "auto",
    mapping: Mapping = None,
    dry_run: DryRun = False,
    max_errors: MaxErrors = 0,
    rejects: Rejects = None,
    date_format: DateFormat = None,
    save_preset: SavePreset = None,
    undo: Undo = None,
) -> None:
    """Import exchange rates: what one unit was worth in the reporting currency, by day."""
    _run(
        "rates",
        files or [],
        data,
        undo,
        preset=preset,
        mapping=_fields(mapping),
        dry_run=dry_run,
        max_errors=max_errors,
        rejects=rejects,
        save_preset=save_preset,
        date_format=date_format,
    )


def _run(kind: str, files: Sequence[Path], data: Path, undo: str | None, **choices: Any) -> None:
    from ctm_analytics import imports
    from ctm_analytics.settings import load_settings

    if bool(files) == bool(undo):
        raise InvalidArgument(f"import {kind}: name the files to import, or one import to --undo.")
    if choices["rejects"] and len(files) > 1:
        raise InvalidArgument("--rejects: takes the rows of one file. Import the files one by one.")
    settings = load_settings(data, os.environ)
    if undo:
        print(imports.undo_import(kind, undo, data, imports_url=settings.imports_url))
        return
    import_file = getattr(imports, f"import_{kind}")
    for file in files:
        content = sys.stdin.buffer if str(file) == "-" else file
        with followed(file.name) as on_progress:
            summary = import_file(
                content,
                data,
                settings=settings,
                imported_at=datetime.now(UTC),
                on_progress=on_progress,
                **choices,
            )
        print(summary)
    print(f"data folder: {settings.imports_url or data.absolute()}", file=sys.stderr)


def _fields(pairs: Sequence[str] | None) -> dict[str, str]:
    return dict(_pair(text) for text in pairs or ())


def _pair(text: str) -> tuple[str, str]:
    column, equals, field = text.rpartition("=")
    if not equals or not column or not field:
        raise InvalidArgument(f'--map: {text!r} is not COLUMN=FIELD. Write e.g. --map "Ad ID=ad_id".')
    return column, field
