"""Questions about answers: how fast people are answered, and who still waits."""

from typing import Annotated

import typer

from ctm_analytics.cli.opening import open_data
from ctm_analytics.cli.options import (
    DEFAULT_DATA,
    Account,
    Ad,
    AsOf,
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


@app.command(epilog="Example: ctm latency --by platform --responder human")
def latency(
    *,
    data: Data = DEFAULT_DATA,
    by: Annotated[
        str | None,
        typer.Option(
            help="ad, adset, campaign, platform, day, week, hour, weekday, weekday_hour, business_time, responder"
            " or total."
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
    engine: Engine = None,
    platform: Platform = None,
    account: Account = None,
    campaign: Campaign = None,
    ad: Ad = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Show how fast people are answered; who still waits counts as waiting."""
    from ctm_analytics.cli.output import show

    result = open_data(data, as_of, engine).latency(
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
    *,
    data: Data = DEFAULT_DATA,
    as_of: AsOf = None,
    engine: Engine = None,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """Say whether each account would pass the test of Meta's badge: 90 % answered within 15 minutes, over 7 days."""
    from ctm_analytics.cli.output import show

    show(open_data(data, as_of, engine).badge(), row_format, output)


@app.command(epilog="Example: ctm conversations --ad 120226305854810726 --format json")
def conversations(
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
    limit: Annotated[int, typer.Option(min=1, help="In a table: how many of the newest.")] = 50,
    row_format: Format = "table",
    output: Output = None,
) -> None:
    """List the conversations behind the numbers, newest first."""
    from ctm_analytics.cli.output import show

    result = open_data(data, as_of, engine).conversations(
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
    engine: Engine = None,
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

    result = open_data(data, as_of, engine).inbox(
        responder=responder, platform=platform, account=account, campaign=campaign, ad=ad
    )
    show(result, row_format, output, most_rows=limit)
