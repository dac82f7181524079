"""The report: one HTML file that carries everything it needs and asks no other host for anything."""

import json
import shlex
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ctm_analytics.charts.theme import CONFIG
from ctm_analytics.columns import NOT_CREDITED, column_of
from ctm_analytics.errors import InvalidArgument, NoData
from ctm_analytics.formats import MONTHS, count, period
from ctm_analytics.report.ads_table import LEVELS, ads_table, verdict_counts
from ctm_analytics.report.completeness import missing
from ctm_analytics.report.kpi import Tile, tile
from ctm_analytics.report.plotly_bundle import plotly_bundle, policy_hash
from ctm_analytics.report.summary import summarise
from ctm_analytics.report.tables import Table, data_table, write_csv
from ctm_analytics.settings import Settings

VERSIONS = ("ctm-analytics", "plotly", "duckdb", "pandas")
_PARTS = resources.files("ctm_analytics.report")


class Source(Protocol):
    """What a report says about where its numbers come from; a workbench is one."""

    @property
    def settings(self) -> Settings:
        """The settings that the numbers were made with."""

    @property
    def as_of(self) -> datetime:
        """The instant the answers are for, with a zone."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that was read."""

    @property
    def currency(self) -> str | None:
        """The currency of all amounts, ISO 4217."""


class Answer(Protocol):
    """What a question returns."""

    @property
    def df(self) -> pd.DataFrame:
        """The rows."""


@dataclass
class Section:
    """One question of the report with its answer."""

    title: str
    anchor: str
    kind: str
    finding: str = ""
    note: str = ""
    figure: Markup | None = None
    height: int = 0
    table: Table | None = None
    passed: Table | None = None
    rows: pd.DataFrame | None = None
    command: str = ""


@dataclass
class Report:
    """A report in the making: fill it from top to bottom, then save it.

    Parameters
    ----------
    title : str
    since, until : date or ISO text, both included
    workbench : where the numbers come from; the footer and the header quote it

    Raises
    ------
    InvalidArgument
        If a day is not a day, or ``since`` lies after ``until``.

    Examples
    --------
    >>> report = Report("Weekly", "2026-11-16", "2026-11-22")
    >>> report.headline("A new customer cost $33.")
    >>> report.period, report.previous
    ('16–22 Nov 2026', (datetime.date(2026, 11, 9), datetime.date(2026, 11, 15)))
    """

    title: str
    since: date
    until: date
    workbench: Source | None = None
    headlines: list[str] = field(default_factory=list, init=False)
    notices: list[str] = field(default_factory=list, init=False)
    tiles: list[Tile] = field(default_factory=list, init=False)
    sections: list[Section] = field(default_factory=list, init=False)
    is_comparable: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self.since, self.until = _day("since", self.since), _day("until", self.until)
        if self.since > self.until:
            raise InvalidArgument(
                f"since: {self.since} lies after until: {self.until}. Give the earlier day first."
            )

    @property
    def period(self) -> str:
        """The period in words."""
        return period(self.since, self.until)

    @property
    def previous(self) -> tuple[date, date]:
        """The equally long period just before, both days included; before a calendar month, the month before."""
        if self.since.day == 1 and self.until == _last_of_month(self.since):
            eve = self.since - timedelta(days=1)
            return eve.replace(day=1), eve
        length = self.until - self.since + timedelta(days=1)
        return self.since - length, self.since - timedelta(days=1)

    @property
    def currency(self) -> str | None:
        """The currency of all amounts."""
        return self.workbench.currency if self.workbench else None

    @property
    def command(self) -> str:
        """The options by which ``ctm`` asks about the same days."""
        return f"--since {self.since} --until {self.until}"

    def rests_on(self, days: pd.DataFrame) -> None:
        """Note which days nothing is known of; where there are some, ``compare`` compares with nothing.

        Parameters
        ----------
        days : frame of ``workbench.ads(by="day")`` of the period, the one before it, and more if there is more
        """
        before = period(*self.previous)
        lacks, lacked = missing(days, self.since, self.until), missing(days, *self.previous)
        source = self.workbench
        is_over = source is None or source.as_of.astimezone(source.settings.zone).date() > self.until
        if source and not is_over:
            self.notice(f"The period is not over: the numbers are those until {_instant(source)}.")
        if lacks:
            self.notice(f"In this period {lacks}: the numbers are of what is known.")
        if lacked:
            self.notice(f"Not compared with {before}: there {lacked}.")
        self.is_comparable = is_over and not lacks and not lacked

    def compare(
        self, question: Callable[..., Answer], **words: Any
    ) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
        """Ask a question that has one row for an answer about the period and about the one before.

        Parameters
        ----------
        question : method of a workbench, such as ``workbench.ads``
        **words : its arguments, such as ``by="total"``

        Returns
        -------
        pair of Series
            The second is all null where the period before has no data, or days lack data (``rests_on``); both are empty
            where this period has no answer.
        """
        answer = self.ask(question, **words)
        if answer is None:
            return pd.Series(dtype=object), pd.Series(dtype=object)
        now, nothing = answer.df, pd.Series(None, index=answer.df.columns, dtype=object)
        if not self.is_comparable:
            return now.iloc[0], nothing
        since, until = self.previous
        try:
            return now.iloc[0], question(since=since, until=until, **words).df.iloc[0]
        except NoData:
            return now.iloc[0], nothing

    def ask(self, question: Callable[..., Answer], **words: Any) -> Answer | None:
        """Ask a question about the period; ``None`` where there is nothing to answer it with.

        Parameters
        ----------
        question, **words
            as for :meth:`compare`
        """
        try:
            return question(since=self.since, until=self.until, **words)
        except NoData:
            return None

    def headline(self, sentence: str) -> None:
        """Add a sentence to the top; the first is the largest."""
        if sentence:
            self.headlines.append(sentence)

    def notice(self, sentence: str) -> None:
        """Add a warning above the numbers; an empty sentence adds none."""
        if sentence:
            self.notices.append(sentence)

    def kpi(self, label: str, value: Any, previous: Any = None, **look: Any) -> None:
        """Add a tile; ``look`` is ``unit, down_is_good, interval, is_ripening, note, trend`` of :func:`kpi.tile`."""
        self.tiles.append(tile(label, value, previous, currency=self.currency, **look))

    def section(
        self,
        title: str,
        figure: go.Figure | None = None,
        note: str = "",
        table: pd.DataFrame | None = None,
        *,
        command: str = "",
    ) -> None:
        """Add a chart under its question, with the rows that it is drawn from.

        Parameters
        ----------
        title : str, the question or topic
        figure : figure of ``ctm_analytics.charts`` or any other; its title becomes the finding
        note : str, how to read it
        table : frame, folded away under the chart; also written by ``save`` as CSV
        command : str, the words of ``ctm`` that ask for the same, such as ``"funnel"``; shown under the table
        """
        section = self._add(title, "chart", note=note, rows=table)
        section.command = f"ctm {command} {self.command}" if command else ""
        if table is not None:
            section.table = data_table(table, self.currency)
        if figure is not None:
            section.finding = _finding(figure)
            if not (figure.layout.meta or {}).get("nothing"):
                section.figure = _script_json(_without_title(figure))
                section.height = int(figure.layout.height or 400)

    def ads_table(
        self,
        ads: pd.DataFrame,
        total: "pd.Series[Any] | None" = None,
        title: str = "What did each ad cost and bring?",
        *,
        levels: Mapping[str, pd.DataFrame] | None = None,
    ) -> None:
        """Add the per-ad table: sorted, filtered and downloaded by the reader.

        Parameters
        ----------
        ads : frame of ``workbench.ads()``
        total : row of ``workbench.ads(by="total")``, or None for no row of totals
        title : str
        levels : mapping of ``"adset"`` or ``"campaign"`` to the frame of ``workbench.ads(by=…)``, to choose from
        """
        target = self.workbench.settings.target_cac if self.workbench else None
        section = self._add(title, "ads", rows=ads)
        section.finding = verdict_counts(ads)
        section.table = ads_table(ads, total, self.currency, target_cac=target, levels=levels or {})
        section.command = f"ctm ads {self.command}"

    def quality(
        self,
        checks: pd.DataFrame,
        held: "pd.Series[Any] | None" = None,
        title: str = "Can these numbers be trusted?",
    ) -> None:
        """Add the panel of data-quality checks.

        Parameters
        ----------
        checks : frame of ``workbench.quality()``
        held : row of ``workbench.sql("from contents")``, to say what was read and how fresh it is
        title : str
        """
        section = self._add(title, "quality", rows=checks)
        section.note = "" if held is None else _read(held, self.workbench)
        named = checks.assign(check=[column_of(str(check)).label for check in checks["check"]])
        is_passed = (checks["status"] == "ok").to_numpy(dtype=bool)
        open_checks = named[~is_passed].sort_values("status", kind="stable")  # fail before warn
        section.finding = _quality_finding(len(checks), [str(status) for status in open_checks["status"]])
        section.table = data_table(open_checks, self.currency)
        section.passed = data_table(named[is_passed], self.currency)

    def save(self, path: Path | str, tables: Path | str | None = None) -> Path:
        """Write the report, its ``summary.json``, and each section's rows as CSV where ``tables`` names a folder.

        Returns
        -------
        Path
            The HTML file; the same content gives the same bytes.
        """
        page = Path(path)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(self.html(), encoding="utf-8", newline="\n")
        summary = json.dumps(summarise(self), ensure_ascii=False)
        page.with_name("summary.json").write_text(summary, encoding="utf-8")
        if tables is not None:
            folder = Path(tables)
            folder.mkdir(parents=True, exist_ok=True)
            for section in self.sections:
                if section.rows is not None:
                    text = write_csv(section.rows)
                    (folder / f"{section.anchor}.csv").write_text(text, encoding="utf-8", newline="\n")
        return page

    def html(self) -> str:
        """Make the page."""
        script = _part("page.js")
        bundle = plotly_bundle()
        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters["quote"] = shlex.quote
        return environment.from_string(_part("page.html")).render(
            report=self,
            style=Markup(_part("page.css")),
            script=Markup(script),
            plotly=bundle.packed,
            policy=Markup(f"{policy_hash(script.encode())} {bundle.policy_hash}"),
            config=_script_json(CONFIG),
            compared_with=period(*self.previous),
            not_credited=NOT_CREDITED,
            places=LEVELS,
            days=(self.until - self.since).days + 1,
            as_of=_instant(self.workbench) if self.workbench else "",
            versions=[f"{name} {metadata.version(name)}" for name in VERSIONS],
        )

    def _add(self, title: str, kind: str, note: str = "", rows: pd.DataFrame | None = None) -> Section:
        anchor = _anchor(title, [section.anchor for section in self.sections])
        section = Section(title=title, anchor=anchor, kind=kind, note=note, rows=rows)
        self.sections.append(section)
        return section


def _part(name: str) -> str:
    return _PARTS.joinpath(name).read_text(encoding="utf-8")


def _day(name: str, value: date | str) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InvalidArgument(f"{name}: {value!r} is not a date. Use YYYY-MM-DD, e.g. 2026-11-16.") from None


def _last_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _anchor(title: str, taken: Iterable[str]) -> str:
    """Name a section in its address: fixed by its title, so that bytes repeat and links hold.

    Examples
    --------
    >>> _anchor("Cost per new customer?", ["cost-per-new-customer"])
    'cost-per-new-customer-2'
    """
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in title.lower())
    anchor = "-".join(words.split()) or "section"
    copies = sum(1 for name in taken if name == anchor or name.startswith(f"{anchor}-"))
    return f"{anchor}-{copies + 1}" if copies else anchor


def _finding(figure: go.Figure) -> str:
    meta = figure.layout.meta or {}
    return str(meta.get("finding") or figure.layout.title.text or "")


def _without_title(figure: go.Figure) -> dict[str, Any]:
    """Take the title out: the page says it in text, which wraps on a phone and can be read aloud."""
    drawn: dict[str, Any] = json.loads(pio.to_json(figure, engine="json"))
    drawn["layout"].pop("title", None)
    return drawn


def _script_json(value: Any) -> Markup:
    """Write JSON that no text in it can end the script element, or the page, with."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _instant(source: Source) -> str:
    return _local(source.as_of, source)


def _local(at: datetime, source: Source | None) -> str:
    at = at.astimezone(source.settings.zone if source else UTC)
    return f"{_date(at)}, {at:%H:%M}"


def _date(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _read(held: "pd.Series[Any]", source: Source | None) -> str:
    """Say what was read, and until when it reaches."""
    received = held["last_received_at"]
    last = "never" if pd.isna(received) else _local(pd.Timestamp(received).to_pydatetime(), source)
    spend, sales = (
        "" if pd.isna(held[name]) else f" until {_date(held[name])}"
        for name in ("last_spend_day", "last_sale_day")
    )
    return (
        f"Read: {count(held['events'])} events, the last received {last};"
        f" spend of {count(held['ads'])} ads{spend}; {count(held['sales'])} sales{sales}."
    )


def _quality_finding(checks: int, failed: list[str]) -> str:
    if not failed:
        return f"All {checks} checks passed."
    severe = failed.count("fail")
    words = "needs" if len(failed) == 1 else "need"
    return f"{len(failed)} of {checks} checks {words} attention" + (
        f", {severe} of them failed." if severe else "."
    )
