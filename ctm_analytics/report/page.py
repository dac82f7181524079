"""The report: one HTML file that carries everything it needs and asks no other host for anything."""

import json
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.cards import INVENTED
from ctm_analytics.columns import COLUMNS, column_of
from ctm_analytics.errors import InvalidArgument, NoData
from ctm_analytics.formats import period
from ctm_analytics.report.ads_table import ads_table, verdict_counts
from ctm_analytics.report.completeness import missing
from ctm_analytics.report.kpi import Tile, tile
from ctm_analytics.report.rendering import rendered
from ctm_analytics.report.section import (
    Section,
    anchor_of,
    finding_of,
    quality_finding,
    script_json,
    without_title,
)
from ctm_analytics.report.source import Answer, Source, moment, read_sentence, unknown
from ctm_analytics.report.summary import summarise
from ctm_analytics.report.tables import data_table, write_csv


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
        if self.workbench and self.workbench.is_invented:
            self.notice(f"{INVENTED}: no business sold any of this.")

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

    def days(self, question: Callable[..., Answer], *, before: int = 0) -> pd.DataFrame:
        """Ask for each day, and note which days nothing is known of: then ``compare`` compares with nothing.

        Parameters
        ----------
        question : ``workbench.ads``
        before : int, how many days to read before the period; at least those of the period before

        Returns
        -------
        DataFrame
            As of ``workbench.ads(by="day")``, in order; no rows where no ad spent anything or brought anybody.
        """
        first = min(self.previous[0], self.since - timedelta(days=before))
        source, lacks, lacked = self.workbench, "", ""
        try:
            days = question(by="day", since=first, until=self.until).df.sort_values("day")
            lacks, lacked = missing(days, self.since, self.until), missing(days, *self.previous)
        except NoData:
            days = pd.DataFrame(columns=["day", *COLUMNS])
            self.notice("No ad spent anything or brought anybody: all conversations opened without one.")
        is_over = source is None or source.as_of.astimezone(source.settings.zone).date() > self.until
        if source and not is_over:
            self.notice(
                f"The period is not over: the numbers are those until {moment(source.as_of, source)}."
            )
        if lacks:
            self.notice(f"In this period {lacks}: the numbers are of what is known.")
        if lacked:
            self.notice(f"Not compared with {period(*self.previous)}: there {lacked}.")
        self.is_comparable = is_over and not lacks and not lacked
        return days

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
            The second is all null where the period before has no data, or days lack data (``days``); both are all null
            where this period has no answer.
        """
        answer = self.ask(question, **words)
        if answer is None:
            return unknown(), unknown()
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
            section.finding = finding_of(figure)
            if not (figure.layout.meta or {}).get("nothing"):
                section.figure = script_json(without_title(figure))
                section.height = int(figure.layout.height or 400)

    def ads_table(
        self,
        ads: pd.DataFrame,
        total: "pd.Series[Any] | None" = None,
        title: str = "What did each ad cost and bring?",
        *,
        levels: Mapping[str, Answer | None] | None = None,
    ) -> None:
        """Add the per-ad table: sorted, filtered and downloaded by the reader.

        Parameters
        ----------
        ads : frame of ``workbench.ads()``
        total : row of ``workbench.ads(by="total")``, or None for no row of totals
        title : str
        levels : mapping of ``"adset"`` or ``"campaign"`` to the answer of ``workbench.ads(by=…)``, to choose from
        """
        target = self.workbench.settings.target_cac if self.workbench else None
        section = self._add(title, "ads", rows=ads)
        section.finding = verdict_counts(ads)
        frames = {level: answer.df for level, answer in (levels or {}).items() if answer is not None}
        section.table = ads_table(ads, total, self.currency, target_cac=target, levels=frames)
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
        section.note = "" if held is None else read_sentence(held, self.workbench)
        named = checks.assign(check=[column_of(str(check)).label for check in checks["check"]])
        is_passed = (checks["status"] == "ok").to_numpy(dtype=bool)
        open_checks = named[~is_passed].sort_values("status", kind="stable")  # fail before warn
        section.finding = quality_finding(len(checks), [str(status) for status in open_checks["status"]])
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
        return rendered(self)

    def _add(self, title: str, kind: str, note: str = "", rows: pd.DataFrame | None = None) -> Section:
        anchor = anchor_of(title, [section.anchor for section in self.sections])
        section = Section(title=title, anchor=anchor, kind=kind, note=note, rows=rows)
        self.sections.append(section)
        return section


def _day(name: str, value: date | str) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InvalidArgument(f"{name}: {value!r} is not a date. Use YYYY-MM-DD, e.g. 2026-11-16.") from None


def _last_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
