"""From a wish to a delivered report: judge the alerts, run the notebook, check the data, tell everybody."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctm_analytics.errors import CtmError, DataQuality, InvalidArgument
from ctm_analytics.formats import period as period_words
from ctm_analytics.report.alerts import Alert, Condition, judge
from ctm_analytics.report.delivery import Target, deliver
from ctm_analytics.report.index import write_index
from ctm_analytics.report.message import Message, facts_of, reason_of, subject_of
from ctm_analytics.report.pdf import PdfFailed, write_pdf
from ctm_analytics.report.period import Period, ripe_from
from ctm_analytics.report.runner import Order, ReportRun, run_report
from ctm_analytics.report.sending import DeliveryFailed, setting

if TYPE_CHECKING:
    from ctm_analytics.workbench import Workbench

FORMATS = ("html", "pdf", "csv")


@dataclass(frozen=True)
class Wish:
    """What to do with a report besides making it.

    Attributes
    ----------
    targets : list of Target, who gets it
    conditions : list of Condition, what to be alarmed by
    formats : tuple of str of ``FORMATS``
    only_if_changed, fail_on_quality : bool
    as_of_is_given : bool, whether the instant was named; else it is now, and no input
    """

    targets: list[Target]
    conditions: list[Condition]
    formats: tuple[str, ...] = ("html",)
    only_if_changed: bool = False
    fail_on_quality: bool = False
    as_of_is_given: bool = False


@dataclass(frozen=True)
class Published:
    """What came of it."""

    run: ReportRun
    files: tuple[Path, ...]
    alerts: tuple[Alert, ...]
    problems: tuple[CtmError, ...]


def publish(order: Order, wish: Wish, workbench: "Workbench", environ: Mapping[str, str]) -> Published:
    """Make a report, and deliver it or the news that it failed.

    Parameters
    ----------
    order : Order
    wish : Wish
    workbench : Workbench, opened as of the order's instant
    environ : mapping of str to str; ``CTM_REPORTS_URL`` is where the folder of all reports is served, if it is

    Returns
    -------
    Published
        Its ``problems`` are errors that leave a written and delivered report: they are the caller's to raise.

    Raises
    ------
    CtmError
        As :func:`run_report` does.
    DeliveryFailed
        If a target does not take it; the report stays written.
    """
    address = _address(order, environ)
    period = Period(order.since, order.until)
    today = order.as_of.astimezone(workbench.settings.zone).date()
    with failures_delivered(wish.targets, order, order.name):
        alerts = tuple(judge(wish.conditions, workbench, period, today, workbench.settings.window_days))
        fired = tuple(alert.sentence for alert in alerts if alert.fired)
        inputs = _inputs(order, wish, workbench, today)
        order = replace(order, notices=fired, inputs=inputs, engine=workbench.engine)
        undelivered = order.folder.with_name(f"{order.folder.name}.undelivered")
        run = run_report(order, only_if_changed=wish.only_if_changed and not undelivered.exists())
        problems = tuple(_print(order, run, wish))
        if not run.is_new:
            return Published(run, _files(run, wish), alerts, problems)
        problems += tuple(_quality(order, wish, workbench))
    message = _message(order, run, alerts, address)
    told = tuple(_without_places(str(problem), order) for problem in problems)
    try:
        deliver(replace(message, problems=told), wish.targets)
    except DeliveryFailed:
        with suppress(OSError):  # it fails all the same
            undelivered.touch()  # so that the next run is not "unchanged", and delivers it
        raise
    if wish.targets:
        undelivered.unlink(missing_ok=True)
    return Published(run, _files(run, wish), alerts, problems)


@contextmanager
def failures_delivered(targets: list[Target], places: "Order | Path", name: str) -> Iterator[None]:
    """Tell everybody when the block fails, then go on failing.

    Parameters
    ----------
    targets : list of Target
    places : Order, or the data folder where there is none yet; its folders are kept out of what is sent
    name : str, the report's

    Raises
    ------
    DeliveryFailed
        In place of a failure that a target does not take either; it says both.
    """
    try:
        yield
    except Exception as error:  # whatever a notebook raised: it is told, and goes on to the caller
        try:
            deliver(_failure(error, places, name), targets)
        except DeliveryFailed as untold:
            if isinstance(error, CtmError):
                raise DeliveryFailed(f"{error} And nobody could be told: {untold}") from error
            error.add_note(f"And nobody could be told: {untold}")
        raise


def read_formats(text: str) -> tuple[str, ...]:
    """Read a list of formats.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> read_formats("html,csv")
    ('html', 'csv')
    """
    from ctm_analytics.questions import known

    formats = tuple(part.strip() for part in text.split(","))
    for each in formats:
        known("--format", each, FORMATS)
    return formats


def maturing(period: Period, today: date, window_days: int) -> str:
    """Say until when sales of a period may still come; empty where it is ripe."""
    ripe = ripe_from(period, window_days)
    if today >= ripe:
        return ""
    return (
        f"Still matures: sales within {window_days} days of a click may come until {ripe}, so CAC may fall."
    )


def _inputs(order: Order, wish: Wish, workbench: "Workbench", today: date) -> str:
    """Digest all that a report is made from. Now is no input, but how far the period has ripened is."""
    young = (ripe_from(Period(order.since, order.until), workbench.settings.window_days) - today).days
    content: dict[str, Any] = {
        "data": workbench.fingerprint,
        "settings": repr(workbench.settings),
        "notebook": hashlib.sha256(order.notebook.read_bytes()).hexdigest()
        if order.notebook.is_file()
        else "",
        "period": [str(order.since), str(order.until)],
        "parameters": dict(order.parameters),
        "alerts": [str(condition) for condition in wish.conditions],
        "as_of": order.as_of.isoformat() if wish.as_of_is_given else max(young, 0),
        "version": metadata.version("ctm-analytics"),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _quality(order: Order, wish: Wish, workbench: "Workbench") -> list[CtmError]:
    if not wish.fail_on_quality:
        return []
    checks = workbench.quality(since=order.since, until=order.until).table.to_pylist()
    failed = [check["detail"] for check in checks if check["status"] == "fail"]
    return (
        [DataQuality(f"the report is written, but its data are not good: {'; '.join(failed)}.")]
        if failed
        else []
    )


def _print(order: Order, run: ReportRun, wish: Wish) -> list[CtmError]:
    """Print the report, if that is wished and not done yet; without a browser the HTML file is still delivered."""
    pdf = run.folder / "report.pdf"
    if "pdf" not in wish.formats or pdf.is_file():
        return []
    try:
        write_pdf(run.page, pdf)
        write_index(order.out)  # which names the PDF
    except PdfFailed as error:
        return [error]
    except OSError as error:
        return [PdfFailed(f"{pdf}: could not be written: {error.strerror or error}. The HTML file is.")]
    return []


def _files(run: ReportRun, wish: Wish) -> tuple[Path, ...]:
    made = {"html": (run.page,), "pdf": (run.folder / "report.pdf",), "csv": run.tables}
    return tuple(path for each in wish.formats for path in made[each] if path.is_file())


def _message(order: Order, run: ReportRun, alerts: tuple[Alert, ...], address: str) -> Message:
    summary = run.summary
    loud = [f"ALERT {alert.subject}" for alert in alerts if alert.fired]
    facts = [*loud, *facts_of(summary.get("tiles", []))] or ["written"]
    pdf = run.folder / "report.pdf"
    return Message(
        subject=subject_of(order.name, order.since, order.until, facts),
        title=summary.get("title", order.name.capitalize()),
        period=period_words(order.since, order.until),
        address=address,
        summary=summary,
        alerts=order.notices,
        files=(run.page, *([pdf] if pdf.is_file() else [])),
    )


def _failure(error: Exception, places: "Order | Path", name: str) -> Message:
    """Write the news of a failure: what failed and the next step, and no value that could name a person."""
    if isinstance(error, CtmError):
        what = error.shared or str(error)
    else:
        what = (
            f"{type(error).__name__}: its words are in the log of the machine that ran it. Look there first."
        )
    what = f"{what} The last good report stays as it was."
    what = _without_places(what, places)
    if isinstance(places, Path):
        period, subject = "no period yet", f"CTM {name}: {reason_of(error)}"
    else:
        period = period_words(places.since, places.until)
        subject = subject_of(name, places.since, places.until, [reason_of(error)])
    title = f"{name.capitalize()} report: {reason_of(error).lower()}"
    return Message(subject=subject, title=title, period=period, failure=what)


def _without_places(text: str, places: "Order | Path") -> str:
    """Keep the machine's folders out of what is sent."""
    folders = [places] if isinstance(places, Path) else [places.data, places.out, places.notebook.parent]
    for folder in folders:
        for place in (folder.resolve(), folder.absolute()):
            text = text.replace(f"{place}", place.name)
    return text


def _address(order: Order, environ: Mapping[str, str]) -> str:
    """Say where others find the report: by its link where it is served, else below the folder of all reports."""
    place = f"{order.name}/{order.folder.name}/index.html"
    url = setting("CTM_REPORTS_URL", environ)
    if url and not url.startswith(("https://", "http://")):
        raise InvalidArgument(
            f"CTM_REPORTS_URL: {url!r} is no address. Use e.g. https://ctm.example.com/reports."
        )
    return f"{url.rstrip('/')}/{place}" if url else f"{order.out.name}/{place}"
