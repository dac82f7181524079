"""Imports of sales, spend, contacts and rates."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ctm_analytics.cli.options import DEFAULT_DATA, Data
from ctm_analytics.errors import InvalidArgument

app = typer.Typer(no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(help="CSV files.")]
Preset = Annotated[str, typer.Option(help="How the file is laid out; auto recognises it.", metavar="NAME")]
Mapping = Annotated[
    list[str] | None,
    typer.Option("--map", help="A column of the file and the field it holds.", metavar="COLUMN=FIELD"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]


@app.command(epilog="Example: ctm import sales orders_export.csv --dry-run")
def sales(
    files: Files,
    *,
    data: Data = DEFAULT_DATA,
    preset: Preset = "auto",
    mapping: Mapping = None,
    dry_run: DryRun = False,
) -> None:
    """Import orders or deals: Shopify's export, or a plain CSV."""
    _import("sales", files, data, preset, mapping or [], dry_run=dry_run)


@app.command(epilog='Example: ctm import spend ads-manager.csv --map "Ad ID=ad_id"')
def spend(
    files: Files,
    *,
    data: Data = DEFAULT_DATA,
    preset: Preset = "auto",
    mapping: Mapping = None,
    dry_run: DryRun = False,
) -> None:
    """Import what the ads cost: Ads Manager's export by day, or a plain CSV."""
    _import("spend", files, data, preset, mapping or [], dry_run=dry_run)


@app.command(epilog="Example: ctm import contacts contacts.csv")
def contacts(
    files: Files,
    *,
    data: Data = DEFAULT_DATA,
    preset: Preset = "auto",
    mapping: Mapping = None,
    dry_run: DryRun = False,
) -> None:
    """Import which contact is which customer, e-mail or phone."""
    _import("contacts", files, data, preset, mapping or [], dry_run=dry_run)


@app.command(epilog="Example: ctm import rates rates.csv")
def rates(
    files: Files,
    *,
    data: Data = DEFAULT_DATA,
    preset: Preset = "auto",
    mapping: Mapping = None,
    dry_run: DryRun = False,
) -> None:
    """Import exchange rates: what one unit was worth in the reporting currency, by day."""
    _import("rates", files, data, preset, mapping or [], dry_run=dry_run)


def _import(
    kind: str, files: Sequence[Path], data: Path, preset: str, mapping: Sequence[str], *, dry_run: bool
) -> None:
    from ctm_analytics import imports
    from ctm_analytics.settings import load_settings

    import_file = getattr(imports, f"import_{kind}")
    settings = load_settings(data, os.environ)
    fields = dict(_pair(text) for text in mapping)
    for file in files:
        summary = import_file(
            file,
            data,
            settings=settings,
            imported_at=datetime.now(UTC),
            preset=preset,
            mapping=fields,
            dry_run=dry_run,
        )
        print(summary)


def _pair(text: str) -> tuple[str, str]:
    column, equals, field = text.rpartition("=")
    if not equals or not column or not field:
        raise InvalidArgument(f'--map: {text!r} is not COLUMN=FIELD. Write e.g. --map "Ad ID=ad_id".')
    return column, field
