"""Questions: one command each, one method of the workbench each."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctm_analytics.cli.options import (
    DEFAULT_DATA,
    Account,
    Ad,
    AsOf,
    Basis,
    Campaign,
    Data,
    Format,
    Model,
    Output,
    Platform,
    Since,
    Until,
    WindowDays,
)

if TYPE_CHECKING:
    from ctm_analytics.workbench import Workbench

app = typer.Typer()


@app.command(epilog="Example: ctm ads --since 2026-11-09 --until 2026-11-15 --by campaign --format csv")
def ads(
    *,
    data: Data = DEFAULT_DATA,
    by: Annotated[str, typer.Option(help="ad, adset, campaign, platform, day, week or total.")] = "ad",
    columns: Annotated[str, typer.Option(help="In a table: delivery, messaging, sales or all.")] = "sales",
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    model: Model = None,
    window_days: WindowDays = None,
    basis: Basis = "cohort",
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Show what each ad cost and brought: conversations, sales, CAC with its interval."""
    from ctm_analytics.answers.performance import view
    from ctm_analytics.cli.output import show
    from ctm_analytics.columns import PRESETS
    from ctm_analytics.questions import known

    known("--columns", columns, PRESETS)
    result = _open(data, as_of).ads(
        by=by,
        model=model,
        window_days=window_days,
        basis=basis,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    show(result, row_format, output, columns=view(by, columns))


@app.command(epilog="Example: ctm attribution --since 2026-11-09 --until 2026-11-15 --ad 120226305854810726")
def attribution(
    *,
    data: Data = DEFAULT_DATA,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    basis: Basis = "cohort",
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Show all attribution models and windows side by side, and how far each ad's CAC moves."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).attribution(
        basis=basis,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    show(result, row_format, output)


@app.command(epilog="Example: ctm outlook --since 2026-11-09 --until 2026-11-15")
def outlook(
    *,
    data: Data = DEFAULT_DATA,
    by: Annotated[str, typer.Option(help="ad, adset or campaign.")] = "ad",
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    model: Model = None,
    window_days: WindowDays = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Show what each ad will come to: customers still to come, CAC with its doubt, and what to do."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).outlook(
        by=by,
        model=model,
        window_days=window_days,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    show(result, row_format, output)


@app.command(epilog="Example: ctm compare 120226305854810726 120226305854810727")
def compare(
    first: Annotated[str, typer.Argument(help="An ad, by id or name.")],
    second: Annotated[str, typer.Argument(help="Another.")],
    *,
    data: Data = DEFAULT_DATA,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    model: Model = None,
    window_days: WindowDays = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Compare two ads' CACs, and say what it still takes to tell them apart."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).compare(
        first, second, model=model, window_days=window_days, since=since, until=until
    )
    show(result, row_format, output)


@app.command(epilog="Example: ctm speed --responder human --window-days 14")
def speed(
    *,
    data: Data = DEFAULT_DATA,
    responder: Annotated[str, typer.Option(help="any, or human for people only.")] = "any",
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    model: Model = None,
    window_days: WindowDays = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Show whether speed sells: conversion of those answered in time and of those still waiting then."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).speed(
        responder=responder,
        model=model,
        window_days=window_days,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    show(result, row_format, output)


@app.command(epilog="Example: ctm latency --by platform --responder human")
def latency(
    *,
    data: Data = DEFAULT_DATA,
    by: Annotated[
        str | None,
        typer.Option(
            help="ad, adset, campaign, platform, day, week, hour, weekday, weekday_hour, business_time or responder."
        ),
    ] = None,
    responder: Annotated[str, typer.Option(help="any, or human for people only.")] = "any",
    turns: Annotated[
        str, typer.Option(help="first responses, those to the next messages, or all.")
    ] = "first",
    business_hours: Annotated[
        bool, typer.Option("--business-hours", help="Let the clock run only in the setting business_hours.")
    ] = False,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Show how fast people are answered; who still waits counts as waiting."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).latency(
        by=by,
        responder=responder,
        turns=turns,
        business_hours=business_hours,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    show(result, row_format, output)


@app.command(epilog="Example: ctm badge --as-of 2026-11-16T07:00:00+00:00")
def badge(
    *, data: Data = DEFAULT_DATA, as_of: AsOf = None, row_format: Format = "table", output: Output = None
) -> None:
    """Say whether each account would pass the test of Meta's badge: 90 % answered within 15 minutes, over 7 days."""
    from ctm_analytics.cli.output import show

    show(_open(data, as_of).badge(), row_format, output)


@app.command(epilog="Example: ctm conversations --ad 120226305854810726 --format json")
def conversations(
    *,
    data: Data = DEFAULT_DATA,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    model: Model = None,
    window_days: WindowDays = None,
    limit: Annotated[int, typer.Option(min=1, help="In a table: how many of the newest.")] = 50,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """List the conversations behind the numbers, newest first."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).conversations(
        model=model,
        window_days=window_days,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    show(result, row_format, output, most_rows=limit)


@app.command(epilog="Example: ctm inbox --platform whatsapp --responder human")
def inbox(
    *,
    data: Data = DEFAULT_DATA,
    responder: Annotated[str, typer.Option(help="any, or human: a bot's answer is none.")] = "any",
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    limit: Annotated[int, typer.Option(min=1, help="In a table: how many of the most urgent.")] = 50,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """List who waits for an answer now, by the time left to write back."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).inbox(
        responder=responder, platform=platform, account=account, campaign=campaign, ad=ad
    )
    show(result, row_format, output, most_rows=limit)


@app.command(epilog="Example: ctm funnel --since 2026-11-09 --until 2026-11-15")
def funnel(
    *,
    data: Data = DEFAULT_DATA,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    model: Model = None,
    window_days: WindowDays = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Show the way from click to customer, with every loss named."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).funnel(
        model=model,
        window_days=window_days,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    show(result, row_format, output)


@app.command(epilog="Example: ctm cohorts --by ad --window-days 28")
def cohorts(
    *,
    data: Data = DEFAULT_DATA,
    by: Annotated[str, typer.Option(help="ad, adset, campaign, platform, day, week or total.")] = "week",
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    model: Model = None,
    window_days: WindowDays = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Show how cohorts ripen: the share that has bought by each day of age."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).cohorts(
        by=by,
        model=model,
        window_days=window_days,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    show(result, row_format, output)


@app.command(epilog="Example: ctm reconciliation --by day --since 2026-11-09 --until 2026-11-15")
def reconciliation(
    *,
    data: Data = DEFAULT_DATA,
    by: Annotated[str, typer.Option(help="ad, campaign, day, ad_day or total.")] = "ad",
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    window_days: WindowDays = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Reconcile the conversations that Meta reports with the sales that were kept, every loss named."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).reconciliation(
        by=by,
        window_days=window_days,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    show(result, row_format, output)


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
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Judge what the answers rest on: gaps, duplicates, unmatched sales, missing spend."""
    from ctm_analytics.cli.output import show

    result = _open(data, as_of).quality(by=by, since=since, until=until)
    show(result, row_format, output)


@app.command(epilog='Example: ctm sql "select platform, count(*) from conversations group by platform"')
def sql(
    query: Annotated[str, typer.Argument(help="One statement over the relations that `ctm tables` lists.")],
    *,
    data: Data = DEFAULT_DATA,
    as_of: AsOf = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Query the models."""
    from ctm_analytics.cli.output import show

    show(_open(data, as_of).sql(query), row_format, output)


@app.command(epilog="Example: ctm tables --format csv")
def tables(*, data: Data = DEFAULT_DATA, row_format: Format = "table", output: Output = None) -> None:
    """List every relation that `ctm sql` can read, with the meaning of each column."""
    from ctm_analytics.cli.output import show
    from ctm_analytics.workbench import catalogue

    show(catalogue(), row_format, output)
    if row_format == "table":
        typer.echo(f'Ask them: ctm sql --data {data} "from conversations limit 5"', err=True)


def _open(data: Path, as_of: str | None) -> "Workbench":
    from ctm_analytics.workbench import open_workbench

    return open_workbench(data, as_of=as_of)
