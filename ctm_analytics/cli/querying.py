"""Questions about the data themselves: what the answers rest on, and any statement over the models."""

from typing import Annotated

import typer

from ctm_analytics.cli.opening import open_data
from ctm_analytics.cli.options import (
    DEFAULT_DATA,
    AsOf,
    Data,
    Engine,
    Format,
    Output,
    Since,
    Until,
)

app = typer.Typer()


@app.command(epilog="Example: ctm quality --since 2026-11-09 --until 2026-11-15")
def quality(
    *,
    data: Data = DEFAULT_DATA,
    by: Annotated[
        str,
        typer.Option(
            help="check, match (how sales were matched), ad or total (restated spend, bounds of CAC)."
        ),
    ] = "check",
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    engine: Engine = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Judge what the answers rest on: gaps, duplicates, unmatched sales, missing spend."""
    from ctm_analytics.cli.output import show

    result = open_data(data, as_of, engine).quality(by=by, since=since, until=until)
    show(result, row_format, output)


@app.command(epilog='Example: ctm sql "select platform, count(*) from conversations group by platform"')
def sql(
    query: Annotated[str, typer.Argument(help="One statement over the relations that `ctm tables` lists.")],
    *,
    data: Data = DEFAULT_DATA,
    as_of: AsOf = None,
    engine: Engine = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Query the models."""
    from ctm_analytics.cli.output import show

    show(open_data(data, as_of, engine).sql(query), row_format, output)


@app.command(epilog="Example: ctm tables conversations")
def tables(
    relation: Annotated[str | None, typer.Argument(help="One of them (default: all).")] = None,
    *,
    data: Data = DEFAULT_DATA,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """List every relation that `ctm sql` can read, with the meaning of each column."""
    from ctm_analytics.cli.output import show
    from ctm_analytics.workbench import catalogue

    show(catalogue(relation), row_format, output)
    if row_format == "table":
        typer.echo(f'Ask: ctm sql --data {data} "from {relation or "conversations"} limit 5"', err=True)
