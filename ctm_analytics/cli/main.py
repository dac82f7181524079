"""`ctm`: every command, and the one place where an error becomes a sentence and an exit code."""

import sys
from importlib import metadata
from typing import Annotated

import typer

from ctm_analytics.cli import (
    advertising,
    answering,
    capturing,
    erasing,
    importing,
    notebooks,
    querying,
    reporting,
)
from ctm_analytics.errors import CtmError

app = typer.Typer(
    name="ctm",
    help="Which ad brings customers, what does one cost, how fast do we reply?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_asked: bool) -> None:
    if is_asked:
        print(f"ctm {metadata.version('ctm-analytics')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Answer which ad brings customers, what one costs, and how fast you reply."""


for group in (capturing, erasing, advertising, answering, querying, reporting, notebooks):
    app.registered_commands += group.app.registered_commands
app.add_typer(importing.app, name="import", help="Import sales, spend, contacts and rates from CSV files.")


def main() -> None:
    """Run a command; errors that a user can mend become one sentence and the exit code of the contract."""
    try:
        app()
    except CtmError as error:
        print(f"ctm: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
