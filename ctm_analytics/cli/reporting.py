"""Reports, the demo, and what is wrong with this set-up."""

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctm_analytics.cli.options import DEFAULT_DATA, AsOf, Data, Engine, Format, LocalData, Output
from ctm_analytics.errors import InvalidArgument, InvalidFile

if TYPE_CHECKING:
    from ctm_analytics.report.publishing import Published, Wish
    from ctm_analytics.report.runner import Order

app = typer.Typer()

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
DEMO_DATA = Path("data/demo")
DEMO_SEED = 7


@app.command(epilog="Example: ctm report weekly --week 2026-W47")
def report(
    notebook: Annotated[
        str, typer.Argument(help="A report of notebooks/reports, or a notebook's path.")
    ] = "weekly",
    *,
    data: Data = DEFAULT_DATA,
    since: Annotated[str | None, typer.Option(help="First day.", metavar="DAY")] = None,
    until: Annotated[str | None, typer.Option(help="Last day, included.", metavar="DAY")] = None,
    last: Annotated[str | None, typer.Option(help="The last whole days, e.g. 7d.", metavar="DAYS")] = None,
    week: Annotated[str | None, typer.Option(help="An ISO week, e.g. 2026-W47.", metavar="WEEK")] = None,
    month: Annotated[str | None, typer.Option(help="A month, e.g. 2026-10.", metavar="MONTH")] = None,
    as_of: AsOf = None,
    engine: Engine = None,
    parameters: Annotated[
        list[str] | None, typer.Option("-p", help="A parameter of the notebook.", metavar="NAME=VALUE")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of all reports (default: DATA/reports).")] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            help="What to name on stdout, of html, csv and pdf; pdf needs Chromium.",
            metavar="LIST",
        ),
    ] = "html",
    deliver: Annotated[
        list[str] | None,
        typer.Option(help="mail:ADDRESS,… or slack: or cmd:PROGRAM; failures too.", metavar="TARGET"),
    ] = None,
    alert: Annotated[
        list[str] | None,
        typer.Option(help="Warn when an interval clears a limit, e.g. 'cac > 40'.", metavar="CONDITION"),
    ] = None,
    only_if_changed: Annotated[
        bool, typer.Option("--only-if-changed", help="Do nothing where the inputs are those of the last run.")
    ] = False,
    fail_on: Annotated[
        str | None, typer.Option(help="quality: exit 3 when a data-quality check fails.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> None:
    """Run a report notebook and write one self-contained HTML file (default: the last complete week or month)."""
    from ctm_analytics.formats import period as period_words
    from ctm_analytics.questions import known
    from ctm_analytics.report.alerts import read_condition
    from ctm_analytics.report.delivery import read_target
    from ctm_analytics.report.notebook import read_parameters
    from ctm_analytics.report.period import resolve_period
    from ctm_analytics.report.publishing import Wish, failures_delivered, maturing, publish, read_formats
    from ctm_analytics.report.runner import Order
    from ctm_analytics.workbench import open_workbench

    if fail_on is not None:
        known("--fail-on", fail_on, ("quality",))
    wish = Wish(
        [read_target(text, os.environ) for text in deliver or []],
        [read_condition(text) for text in alert or []],
        read_formats(formats),
        only_if_changed=only_if_changed,
        fail_on_quality=fail_on == "quality",
        as_of_is_given=as_of is not None,
    )
    chosen = dict(_pair(text) for text in parameters or [])
    path = _notebook(notebook)
    with failures_delivered(wish.targets, data, path.stem):
        read_parameters(path)  # what is wrong with it is said before anything else
        workbench = open_workbench(data, as_of=as_of, engine=engine)
    os.environ["CTM_ENGINE"] = workbench.settings.engine  # the notebook asks there, too
    today = workbench.as_of.astimezone(workbench.settings.zone).date()
    words = {"since": since, "until": until, "last": last, "week": week, "month": month}
    period = resolve_period(today, **words, default="month" if path.stem.startswith("monthly") else "week")
    days = _days(period)
    zone = workbench.settings.reporting_timezone
    _say(f"{period_words(*period)}, {zone}, {days} {'day' if days == 1 else 'days'}")
    if note := maturing(period, today, workbench.settings.window_days):
        _say(note)
    order = Order(path, data, *period, workbench.as_of, out or data / "reports", chosen)
    published = publish(order, wish, workbench, os.environ)
    for alarm in published.alerts:
        _say(alarm.sentence)
    if not published.run.is_new:
        _say("Unchanged since the last run: nothing was written, nothing delivered.")
    if as_json:
        print(_as_json(order, published, wish))
    else:
        print(*published.files, sep="\n")
    for problem in published.problems[1:]:
        _say(f"ctm: {problem}")
    for problem in published.problems[:1]:
        raise problem


@app.command(epilog="Example: ctm demo")
def demo(
    *,
    data: Annotated[Path, typer.Option(help="Folder of the demo; made anew each time.")] = DEMO_DATA,
    until: Annotated[
        str | None,
        typer.Option(help="Last of the thirty days (default: the last Sunday that is over).", metavar="DAY"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another business.")] = DEMO_SEED,
) -> None:
    """Play thirty days of a small business through the real receiver, and write its weekly report."""
    from ctm_analytics.questions import day
    from ctm_analytics.report.runner import Order, run_report
    from ctm_analytics.simulation.demo import run_demo

    if not _notebook("weekly").is_file():
        raise InvalidFile(
            f"{_notebook('weekly')}: not here. The demo and the reports run from a clone of the repository."
        )
    last_day = day("--until", until) or _last_sunday(datetime.now(UTC).date())
    for name in ("CTM_EVENTS_URL", "CTM_IMPORTS_URL"):  # what the demo makes lies in its folder
        os.environ.pop(name, None)
    run_demo(data, until=last_day, seed=seed, progress=_say)
    _say("Writing the weekly report")
    first_day = last_day - timedelta(days=6)
    run = run_report(
        Order(_notebook("weekly"), data, first_day, last_day, datetime.now(UTC), data / "reports")
    )
    _say(f"Ask on: {sys.argv[0]} ads --data {data}    or open the report in a browser:")
    print(run.page)


@app.command(epilog="Example: ctm doctor")
def doctor(*, data: LocalData = DEFAULT_DATA, row_format: Format = "table", output: Output = None) -> None:
    """Say what is wrong with this set-up, and what to do about it."""
    from ctm_analytics.cli.doctor import examine
    from ctm_analytics.cli.output import show

    result = examine(data, os.environ)
    show(result, row_format, output)
    if "fail" in result.table.column("status").to_pylist():
        raise typer.Exit(1)


def _notebook(name: str) -> Path:
    path = Path(name)
    return path if path.suffix == ".ipynb" else NOTEBOOKS / "reports" / f"{name}.ipynb"


def _last_sunday(today: date) -> date:
    """Find the last Sunday that is over everywhere: the numbers then repeat from week to week."""
    return today - timedelta(days=today.isoweekday())


def _days(period: tuple[date, date]) -> int:
    return (period[1] - period[0]).days + 1


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidArgument(f"-p: {text!r} is not NAME=VALUE. Write e.g. -p target_cac=40.")
    return name, value


def _as_json(order: "Order", published: "Published", wish: "Wish") -> str:
    """Write what came of a report for a program that goes on with it."""
    content = {
        "status": "written" if published.run.is_new else "unchanged",
        "since": str(order.since),
        "until": str(order.until),
        "page": str(published.run.page),
        "files": [str(path) for path in published.files],
        "alerts": [asdict(alarm) for alarm in published.alerts],
        "delivered_to": [target.name for target in wish.targets] if published.run.is_new else [],
        "problems": [str(problem) for problem in published.problems],
    }
    return json.dumps(content, default=str, ensure_ascii=False)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
