"""Questions about ads: what each cost, brought and will come to; one command each, one method of the workbench."""

from typing import Annotated

import typer

from ctm_analytics.cli.opening import open_data
from ctm_analytics.cli.options import (
    DEFAULT_DATA,
    Account,
    Ad,
    AsOf,
    Basis,
    Campaign,
    Data,
    Engine,
    Format,
    Model,
    Output,
    Platform,
    Since,
    Until,
    WindowDays,
)

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
    engine: Engine = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    model: Model = None,
    window_days: WindowDays = None,
    basis: Basis = "cohort",
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Say instead how the answer was come by, and where the time went."),
    ] = False,
    analyze: Annotated[
        bool,
        typer.Option("--analyze", help="As --explain, and the engine's own account of its slowest query."),
    ] = False,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Show what each ad cost and brought: conversations, sales, CAC with its interval."""
    from ctm_analytics.cli.output import show

    result = open_data(data, as_of, engine).ads(
        by=by,
        model=model,
        window_days=window_days,
        basis=basis,
        columns=columns,
        since=since,
        until=until,
        platform=platform,
        account=account,
        campaign=campaign,
        ad=ad,
    )
    if explain or analyze:
        print(result.explain(analyze=analyze))
    else:
        show(result, row_format, output)


@app.command(epilog="Example: ctm outlook --since 2026-11-09 --until 2026-11-15")
def outlook(
    *,
    data: Data = DEFAULT_DATA,
    by: Annotated[str, typer.Option(help="ad, adset or campaign.")] = "ad",
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    engine: Engine = None,
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

    result = open_data(data, as_of, engine).outlook(
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
    engine: Engine = None,
    model: Model = None,
    window_days: WindowDays = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Compare two ads' CACs, and say what it still takes to tell them apart."""
    from ctm_analytics.cli.output import show

    result = open_data(data, as_of, engine).compare(
        first, second, model=model, window_days=window_days, since=since, until=until
    )
    show(result, row_format, output)


@app.command(epilog="Example: ctm attribution --since 2026-11-09 --until 2026-11-15 --ad 120226305854810726")
def attribution(
    *,
    data: Data = DEFAULT_DATA,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    engine: Engine = None,
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

    result = open_data(data, as_of, engine).attribution(
        basis=basis,
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
    engine: Engine = None,
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

    result = open_data(data, as_of, engine).cohorts(
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


@app.command(epilog="Example: ctm speed --responder human --window-days 14")
def speed(
    *,
    data: Data = DEFAULT_DATA,
    responder: Annotated[str, typer.Option(help="any, or human for people only.")] = "any",
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    engine: Engine = None,
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

    result = open_data(data, as_of, engine).speed(
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


@app.command(epilog="Example: ctm funnel --since 2026-11-09 --until 2026-11-15")
def funnel(
    *,
    data: Data = DEFAULT_DATA,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    engine: Engine = None,
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

    result = open_data(data, as_of, engine).funnel(
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
    engine: Engine = None,
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

    result = open_data(data, as_of, engine).reconciliation(
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
