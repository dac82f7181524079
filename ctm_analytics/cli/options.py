"""Options that commands share, in the words of the workbench."""

import re
from pathlib import Path
from typing import Annotated

import typer

from ctm_analytics.errors import InvalidArgument


def _local_folder(path: Path) -> Path:
    """Refuse a URL, which would be taken for a folder of that name: an import into it would seem to succeed."""
    if re.match("[A-Za-z][A-Za-z0-9+.-]+:/", str(path)):
        raise InvalidArgument(
            f"data: {str(path)!r} is no folder of this machine. Name a folder; its ctm.toml says with events_url"
            " which object store its events are published to."
        )
    return path


def _folder(path: Path) -> Path:
    """Take a data folder, or give the one of this machine that stands for a URL."""
    url = re.fullmatch("s3:/+(.+)", str(path))  # a path has lost a slash of it
    if url is None:
        return _local_folder(path)
    from ctm_analytics.object_store import working_folder

    return working_folder(f"s3://{url[1]}")


Data = Annotated[
    Path,
    typer.Option(
        envvar="CTM_DATA", help="The data folder, or s3://BUCKET/PREFIX.", show_default=True, callback=_folder
    ),
]
LocalData = Annotated[
    Path,
    typer.Option(envvar="CTM_DATA", help="The data folder.", show_default=True, callback=_local_folder),
]
Since = Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.", metavar="DAY")]
Until = Annotated[str | None, typer.Option(help="Last day, included.", metavar="DAY")]
AsOf = Annotated[
    str | None,
    typer.Option(help="What had happened and was known by then (ISO, with zone).", metavar="INSTANT"),
]
Platform = Annotated[str | None, typer.Option(help="messenger, instagram or whatsapp.")]
Account = Annotated[
    str | None, typer.Option(help="Page, Instagram account or phone number id.", metavar="ID")
]
Campaign = Annotated[str | None, typer.Option(help="A campaign, by id or name.", metavar="CAMPAIGN")]
Ad = Annotated[str | None, typer.Option(help="An ad, by id or name.", metavar="AD")]
Model = Annotated[
    str | None,
    typer.Option(
        help="last_touch, first_touch, linear, position_based, time_decay, markov or shapley.",
        metavar="MODEL",
    ),
]
WindowDays = Annotated[
    str | None,
    typer.Option(help="Days after a touch in which a sale is credited to it, or lifetime.", metavar="DAYS"),
]
Basis = Annotated[
    str, typer.Option(help="File sales under the day of the touch (cohort) or of the sale (calendar).")
]
Engine = Annotated[
    str | None,
    typer.Option(
        help="Where the models run: duckdb, in this process, or a Spark Connect server, sc://HOST:PORT.",
        metavar="ENGINE",
    ),
]
Format = Annotated[str, typer.Option("--format", help="table, csv, json or parquet.", metavar="FORMAT")]
Output = Annotated[
    Path | None, typer.Option(help="Write to a file instead of standard output.", metavar="FILE")
]

DEFAULT_DATA = Path("data")
