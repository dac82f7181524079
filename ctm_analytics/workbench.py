"""One object that answers questions about a data folder: one method per question."""

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Unpack

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics import cards
from ctm_analytics.answers import (
    attribution,
    badge,
    blind_hours,
    cohorts,
    comparison,
    funnel,
    latency,
    moves,
    outlook,
    performance,
    quality,
    reconciliation,
    speed,
    tables,
)
from ctm_analytics.calls import (
    AnswerGroup,
    Basis,
    Candidate,
    Group,
    Judged,
    Model,
    Preset,
    Reconciled,
    Responder,
    Turns,
    in_words,
)
from ctm_analytics.columns import PRESETS
from ctm_analytics.engines.duckdb import DuckDBEngine, QueryError
from ctm_analytics.errors import InvalidArgument
from ctm_analytics.models import all_models, compose
from ctm_analytics.object_store import working_folder
from ctm_analytics.questions import FilterWords, Platform, Question, ask, instant, known
from ctm_analytics.results import Chart, Result
from ctm_analytics.session import NAMED, WITHOUT_A_QUESTION, Session
from ctm_analytics.settings import LIFETIME_DAYS, Settings, did_you_mean, load_settings
from ctm_analytics.sources import SCHEMAS, holds_data

CONVERSATION_VIEW = (
    *("opened_at", "platform", "contact_id", "opened_by", "ad_id", "messages_in", "messages_out"),
    *("first_response_seconds", "sales", "revenue"),
)
INBOX_VIEW = (
    *("seconds_left", "waited_seconds", "platform", "contact_id", "ad_name"),
    *("opened_by", "messages_waiting"),
)
_UNKNOWN_RELATION = re.compile(r"Catalog Error: Table with name (\S+) does not exist")
SAMPLE = Path(__file__).parents[1] / "data" / "sample"
DEMO_MARK = "truth.json"  # a demo says what is true of it; a business cannot


def open_workbench(
    data: str | Path | None = None,
    *,
    as_of: datetime | str | None = None,
    engine: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> "Workbench":
    """Open a data folder. In notebooks: ``ctm.open("data")``.

    Parameters
    ----------
    data : path of the data folder, or ``s3://bucket/prefix`` of one in an object store; by default ``CTM_DATA``,
        else ``data`` where it holds anything, else the invented sample data, marked as such
    as_of : aware datetime or ISO text, the instant the answers are for; by default now
    engine : ``duckdb``, in this process, or ``sc://HOST:PORT`` of a Spark Connect server; by default the setting
    environ : mapping of str to str; by default the process's environment

    Raises
    ------
    InvalidArgument
        If the folder does not exist, or a setting breaks its rule.
    EngineFailed
        If no server answers there.
    NoData
        If the folder holds neither an event nor an import.

    Examples
    --------
    >>> workbench = open_workbench("data/sample")  # doctest: +SKIP
    """
    environ = os.environ if environ is None else environ
    named = data or environ.get("CTM_DATA")
    url = re.fullmatch("s3:/+(.+)", str(named))
    folder = working_folder(f"s3://{url[1]}") if url else Path(named or "data")
    settings = load_settings(folder, environ)
    is_empty = not (holds_data(folder) or settings.events_url or settings.imports_url)
    if named is None and is_empty and holds_data(SAMPLE):
        folder = SAMPLE
    if not folder.is_dir():
        raise InvalidArgument(
            f"{folder.absolute()}: no such folder. Name the data folder, or run `ctm demo` first."
        )
    moment = datetime.now(UTC) if as_of is None else instant("as_of", as_of)
    settings = load_settings(folder, environ)
    return Workbench(folder, replace(settings, engine=engine or settings.engine), moment)


class Workbench:
    """Answers about one data folder, as of one instant.

    Attributes
    ----------
    data : Path
    settings : Settings
    as_of : datetime, UTC: what had happened and was known by then
    currency : str or None, ISO 4217, in which all amounts are reported; None where there are no amounts
    fingerprint : str, SHA-256 over the files that the answers are made from
    engine : str, name and release of what answers
    """

    def __init__(self, data: Path, settings: Settings, as_of: datetime) -> None:
        self._session = Session(data, settings, as_of)
        self.data = data
        self.settings = settings
        self.as_of = as_of
        self.fingerprint = self._session.fingerprint
        self.engine = self._session.engine
        self.currency = self._session.currency

    @property
    def is_invented(self) -> bool:
        """Whether these are the data of the demo or of the sample."""
        return self.data.resolve() == SAMPLE or (self.data / DEMO_MARK).is_file()

    @in_words
    def ads(
        self,
        *,
        by: Group = "ad",
        model: Model | None = None,
        window_days: int | str | None = None,
        basis: Basis = "cohort",
        columns: Preset = "sales",
        **filters: Unpack[FilterWords],
    ) -> Result:
        """Cost, conversations, sales and CAC per ad, with intervals.

        Parameters
        ----------
        by : ``ad``, ``adset``, ``campaign``, ``platform``, ``day``, ``week``, or ``total``
        model : ``last_touch``, ``first_touch``, ``linear``, ``position_based``, ``time_decay``, ``markov`` or
            ``shapley``; by default the setting ``attribution_model``
        window_days : int, 1 to 365, or ``lifetime``; by default the setting
        basis : ``cohort`` files sales under the day of the touch, ``calendar`` under the day of the sale; there
            ``expected_new_customers`` and ``matured_cac`` are null
        columns : ``sales``, ``messaging``, ``delivery`` or ``all``: those that are shown; ``.df`` always has them all
        **filters
            ``since``, ``until`` (days, both included), ``as_of``, ``platform``, ``account``, ``campaign``, ``ad``

        Returns
        -------
        Result
            One row per ad, most spend first; days and weeks in their order. The row with ``ad_id`` null is what no
            ad is credited with; every other grouping is of ads only, so that its ratios are those of its columns.
            ``cac_high`` null beside a ``cac_low`` reads "at least".

        Raises
        ------
        InvalidArgument
            For a word or value that is not one of those above.
        NoData
            If nothing happened in the period.

        Examples
        --------
        >>> workbench.ads(since="2026-11-09", until="2026-11-15").df  # doctest: +SKIP
        """
        known("by", by, performance.KEYS)
        known("columns", columns, PRESETS)
        question = self._session.ask(filters, model=model, window_days=window_days, basis=basis)
        table, sql = self._foreseen(question, by, bounded=False)
        judged, pool = {}, table
        if by in outlook.CANDIDATES:
            pool = self._pool(question, by, table)
            judged = outlook.judgements(pool, by, self.settings.target_cac)
        table = outlook.with_values(table, by, judged, outlook.JUDGEMENTS)
        table, chart = performance.arranged(table, by), None
        if by in outlook.CANDIDATES:
            chart = _chart("cac_by_ad", "cac_table", target_cac=self.settings.target_cac)
        if by == "day":
            starts = self._session.run("ad_starts", question)[0].to_pandas()
            chart = Chart(_late("daily_trend", starts=starts), _late("trend_table", starts=starts))
        result = self._session.result(table, sql, question, chart, performance.view(by, columns))
        if by == "platform" or question.platform or question.account:
            result.about += " · an ad has one spend on all its platforms and accounts: no costs here"
        if not outlook.is_captured(pool):
            result.about += f" · {outlook.NOT_CAPTURED}"
        return result

    @in_words
    def outlook(
        self,
        *,
        by: Candidate = "ad",
        model: Model | None = None,
        window_days: int | str | None = None,
        **filters: Unpack[FilterWords],
    ) -> Result:
        """Say what each ad will come to, and what to do about it.

        Parameters
        ----------
        by : ``ad``, ``adset`` or ``campaign``
        model, window_days, **filters
            as for :meth:`ads`

        Returns
        -------
        Result
            Customers so far, ``still_to_come`` and ``expected_new_customers`` at the window's end; ``matured_cac`` with
            its 95 % interval; CAC shrunk towards that of all ads with its 90 % interval; the chances to be below the
            target and to be the best; ``expected_loss`` of customers per unit of spend against the (unknown) best; the
            verdict, and the day from which the cohort is ripe; ``suggested_spend``, which moves money from ads to cut
            to ads to scale, with the customers that this may bring (``expected_effect``). ``about`` says how many
            will ever buy, or why that cannot be told yet.

        Examples
        --------
        >>> workbench.outlook(since="2026-11-09", until="2026-11-15")  # doctest: +SKIP
        """
        known("by", by, outlook.CANDIDATES)
        question = self._session.ask(filters, model=model, window_days=window_days)
        table, sql = self._foreseen(question, by, bounded=True)
        pool = self._pool(question, by, table)
        judged = outlook.judgements(pool, by, self.settings.target_cac)
        table = outlook.with_values(table, by, judged, outlook.JUDGEMENTS)
        table = outlook.with_values(table, by, outlook.ranked(pool, by), ("p_best", "expected_loss"))
        names = performance.KEYS[by]
        table = table.filter(pc.is_valid(table.column(names[0]))).select([*names, *outlook.COLUMNS])
        table = moves.with_moves(table)
        view = (*(name for name in names if name == f"{by}_name"), *outlook.VIEW, *moves.COLUMNS[:2])
        chart = Chart(_late("spend_moves", effect=moves.total_effect(table)), _late("moves_table"))
        result = self._session.result(table, sql, question, chart, view)
        if not outlook.is_captured(pool):
            result.about += f" · {outlook.NOT_CAPTURED}"
        waits, _ = self._session.run(
            "conversion_waits", _whole(replace(question, window_days=LIFETIME_DAYS)), by="total"
        )
        if waits.num_rows:
            result.about += f" · {outlook.lag_sentence(outlook.cure(waits))}"
        return result

    @in_words
    def attribution(self, *, basis: Basis = "cohort", **filters: Unpack[FilterWords]) -> Result:
        """All attribution models and windows side by side: how much of an ad's CAC is a matter of the model.

        Parameters
        ----------
        basis, **filters
            as for :meth:`ads`

        Returns
        -------
        Result
            One row per ad, window (``window_days``; 36500 is a lifetime) and model, with ``sales``, ``new_customers``,
            ``revenue``, ``spend``, ``cac`` and ``roas``, and in each row the ad's ``cac_lowest`` and ``cac_highest``
            over all of them (null: one of them gives it no new customer). Shown with the models side by side.
            In every model and window the ads and what no ad is credited with add up to all sales.

        Raises
        ------
        NoData
            If nothing was spent and nothing sold in the period.

        Examples
        --------
        >>> workbench.attribution(campaign="Prospecting – Messages")  # doctest: +SKIP
        """
        question = replace(self._session.ask(filters, basis=basis), model=None)
        totals, sql = self._session.run("attribution", question)
        if not totals.num_rows:
            raise self._session.nothing(question)
        table = attribution.compared(totals)
        model, window = self.settings.attribution_model, attribution.nearest(table, question.window_days)
        chart = Chart(
            _late("models_by_ad", target_cac=self.settings.target_cac, window_days=window),
            _late("models_table", window_days=window),
        )
        beside = attribution.side_by_side(table, model, window)
        result = self._session.result(table, sql, question, chart, attribution.VIEW, beside)
        shown = f"CAC by model ({window} days) and by window ({model.replace('_', ' ')})"
        result.about = f"{shown} · {result.about}"
        return result

    @in_words
    def cohorts(
        self,
        *,
        by: Group = "week",
        model: Model | None = None,
        window_days: int | str | None = None,
        **filters: Unpack[FilterWords],
    ) -> Result:
        """Show how cohorts ripen: the share of each that has bought by each age.

        Parameters
        ----------
        by : ``ad``, ``adset``, ``campaign``, ``platform``, ``day``, ``week`` (of the touch), or ``total``
        model, window_days, **filters
            as for :meth:`ads`

        Returns
        -------
        Result
            One row per cohort and day of age: ``bought_share`` is 1 − Kaplan–Meier, so that those who are younger still
            count as waiting, with its 95 % band; ``at_risk`` says how many it still rests on. Shown with the ages side
            by side.

        Examples
        --------
        >>> workbench.cohorts(by="ad", window_days=28)  # doctest: +SKIP
        """
        known("by", by, performance.KEYS)
        question = self._session.ask(filters, model=model, window_days=window_days)
        waits, sql = self._session.run("conversion_waits", question, by=by)
        if not waits.num_rows:
            raise self._session.nothing(question)
        table = cohorts.ripening(waits, by, question.window_days)
        chart, side_by_side = _chart("cohort_curves", "cohort_table"), cohorts.side_by_side(table)
        return self._session.result(table, sql, question, chart, side_by_side=side_by_side)

    @in_words
    def latency(
        self,
        *,
        by: AnswerGroup | None = None,
        responder: Responder = "any",
        turns: Turns = "first",
        business_hours: bool = False,
        **filters: Unpack[FilterWords],
    ) -> Result:
        """Time to the response, unanswered conversations counted as still waiting.

        Parameters
        ----------
        by : None for all together, or ``ad``, ``adset``, ``campaign``, ``platform``, ``day``, ``week``, ``hour``,
            ``weekday`` (1 = Monday), ``weekday_hour``, ``business_time`` (Monday to Friday, 8 to 18 h), ``responder``
        responder : ``any``, or ``human`` for people only
        turns : ``first`` responses of conversations, those to the ``next`` turns, or ``all``
        business_hours : bool, whether the clock runs only in the setting ``business_hours``
        **filters
            as for :meth:`ads`

        Returns
        -------
        Result
            ``engaged`` (or ``turns``), ``answered``, the Kaplan–Meier median with its 95 % interval and the 90th
            percentile (null when too few were answered), the mean wait within a day, the shares answered within 5
            minutes, 1 hour and 24 hours with 95 % intervals, and the naive median. By ``weekday_hour``,
            ``blind_seconds`` says how long the receiver was down in that hour of the week. Ads, campaigns and platforms
            are compared by a log-rank test, whose answer stands in ``about``.

        Raises
        ------
        InvalidArgument
            For ``business_hours`` without that setting, and as for :meth:`ads`.

        Examples
        --------
        >>> workbench.latency(by="platform", responder="human")  # doctest: +SKIP
        """
        waits, sql, question = self._waits(by, responder, filters, turns=turns, business_hours=business_hours)
        table = latency.summaries(
            waits, by or "total", turns=turns, clock="business" if business_hours else "elapsed"
        )
        if by == "weekday_hour":
            gaps, _ = self._session.run("capture_gaps", question)
            blind = blind_hours.blind_seconds(gaps, self.settings.zone, question.since, question.until)
            table = blind_hours.with_blind_seconds(table, blind)
        chart = None
        if turns == "first" and not business_hours:
            of_hours = by == "weekday_hour"
            chart = _chart(
                *("weekday_hour", "weekday_hour_table") if of_hours else ("waits_by_group", "waits_table")
            )
        result = self._session.result(table, sql, question, chart, latency.view(table, by or "total"))
        if business_hours:
            result.about += " · open hours only: 0 s is a message that was written and answered while closed"
        if by in latency.COMPARED and (sentence := latency.compared(waits, by)):
            result.about += f" · {sentence}"
        return result

    @in_words
    def badge(self, *, as_of: datetime | str | None = None) -> Result:
        """Put each account to the test of Meta's badge "Very responsive to messages".

        Over the last 7 days 90 % of new messages answered, within 15 minutes. A message is new after 24 hours of
        silence by both; automatic and instant answers do not count; the time is the mean of the fastest 90 %.

        Returns
        -------
        Result
            One row per account: ``new_messages``, ``replied``, ``response_rate``, ``response_time_seconds``,
            ``is_very_responsive``; an account to which nobody wrote has none.

        Examples
        --------
        >>> workbench.badge()  # doctest: +SKIP
        """
        question = self._session.ask({"as_of": as_of})
        replies, sql = self._session.run("badge_replies", question)
        if not replies.num_rows:
            self._session.require_events(question)
        result = self._session.result(
            badge.judged(replies), sql, question, _chart("badge_test", "badge_table")
        )
        until = f"{question.as_of:%Y-%m-%d %H:%M} UTC"
        result.about = f"the 7 days until {until} · 90 % and 15 minutes, as Meta's badge asks"
        return result

    @in_words
    def response_curve(
        self, *, by: AnswerGroup | None = None, responder: Responder = "any", **filters: Unpack[FilterWords]
    ) -> Result:
        """Share answered by time since the first message: 1 − Kaplan–Meier, with its log-log band.

        Parameters
        ----------
        by, responder, **filters
            as for :meth:`latency`

        Returns
        -------
        Result
            ``group``, ``seconds``, ``answered_share``, ``low``, ``high``, ``at_risk``.

        Examples
        --------
        >>> workbench.response_curve(by="business_time").figure  # doctest: +SKIP
        """
        waits, sql, question = self._waits(by, responder, filters)
        return self._session.result(
            latency.curves(waits, by or "total"), sql, question, _chart("response_curve", "response_table")
        )

    @in_words
    def conversations(
        self,
        *,
        model: Model | None = None,
        window_days: int | str | None = None,
        **filters: Unpack[FilterWords],
    ) -> Result:
        """List the rows behind the numbers, newest first.

        Parameters
        ----------
        model, window_days, **filters
            as for :meth:`ads`; the model decides ``sales`` and ``revenue``

        Examples
        --------
        >>> workbench.conversations(ad="Reel – Testimonial", since="2026-11-09")  # doctest: +SKIP
        """
        question = self._session.ask(filters, model=model, window_days=window_days)
        table, sql = self._session.run("conversation_list", question)
        if not table.num_rows:
            raise self._session.nothing(question)
        return self._session.result(table, sql, question, view=CONVERSATION_VIEW)

    @in_words
    def inbox(
        self,
        *,
        responder: Responder = "any",
        as_of: datetime | str | None = None,
        platform: Platform | None = None,
        account: str | None = None,
        campaign: str | None = None,
        ad: str | None = None,
    ) -> Result:
        """List who waits for an answer now, the messaging window that closes first on top.

        Parameters
        ----------
        responder : ``any``, or ``human``: what only a bot has answered still waits
        as_of, platform, account, campaign, ad
            as for :meth:`ads`

        Returns
        -------
        Result
            One row per person whose last message has no answer and whose window is open, with ``waited_seconds`` and
            ``seconds_left``; no rows where nobody waits.

        Examples
        --------
        >>> workbench.inbox(responder="human")  # doctest: +SKIP
        """
        known("responder", responder, ("any", "human"))
        question = self._session.ask(
            {"as_of": as_of, "platform": platform, "account": account, "campaign": campaign, "ad": ad}
        )
        table, sql = self._session.run("inbox", question, responder=responder)
        chart = _chart("inbox_by_time_left", "inbox_table")
        result = self._session.result(table, sql, question, chart, INBOX_VIEW)
        if not table.num_rows:
            self._session.require_events(question)
            result.about = f"Nobody waits for an answer{self._silence(question)} · {result.about}"
        return result

    def _silence(self, question: Question) -> str:
        """Say since when nobody wrote, where that is why nobody waits; the demo ends with the last Sunday."""
        contents, _ = self._session.run("contents", question)
        last_day = contents.column("last_day")[0].as_py()
        today = question.as_of.astimezone(self.settings.zone).date()
        if last_day is None or (today - last_day).days < 2:
            return ""
        words = f": the last messages are of {last_day}"
        if (self.data / DEMO_MARK).is_file():
            words += f", with which the demo ends (ctm demo --until {today - timedelta(days=1)} leaves some waiting)"
        return words

    @in_words
    def funnel(
        self,
        *,
        model: Model | None = None,
        window_days: int | str | None = None,
        **filters: Unpack[FilterWords],
    ) -> Result:
        """From click to customer, with every loss named.

        Parameters
        ----------
        model, window_days, **filters
            as for :meth:`ads`

        Examples
        --------
        >>> workbench.funnel(platform="whatsapp").figure  # doctest: +SKIP
        """
        question = self._session.ask(filters, model=model, window_days=window_days)
        table, sql = self._session.run("funnel", question)
        totals = table.to_pylist()[0]
        if totals["conversations"] is None:
            raise self._session.nothing(question)
        stages = funnel.stages(totals)
        chart = _chart("funnel", "funnel_table", currency=self.currency)
        result = self._session.result(stages, sql, question, chart)
        if not totals["conversations"]:
            result.about += f" · {outlook.NOT_CAPTURED}"
        return result

    @in_words
    def reconciliation(
        self, *, by: Reconciled = "ad", window_days: int | str | None = None, **filters: Unpack[FilterWords]
    ) -> Result:
        """Reconcile Meta's count with the till: reported → captured → engaged → matched sale → kept sale.

        Parameters
        ----------
        by : ``ad``, ``campaign``, ``day``, ``ad_day`` or ``total``
        window_days, **filters
            as for :meth:`ads`

        Returns
        -------
        Result
            Every stage counts conversations by the day they opened; each loss is the difference of two stages:
            ``not_captured`` (negative where Meta reports fewer than came), ``opened_silently``, ``without_sale``,
            ``sale_not_kept`` (cancelled or refunded in full). ``dropped_days`` are those on which less was captured
            than chance explains, judged by the ad's own days before: a failure of capture.

        Examples
        --------
        >>> workbench.reconciliation(by="day", since="2026-11-09")  # doctest: +SKIP
        """
        known("by", by, reconciliation.KEYS)
        question = self._session.ask(filters, window_days=window_days)
        days, sql = self._session.run("reconciliation", question)
        if not days.num_rows:
            raise self._session.nothing(question)
        history = days
        if question.since is not None:
            history, _ = self._session.run("reconciliation", replace(question, since=None))
        names = [name for name in reconciliation.KEYS[by] if not name.endswith("_id")][:2]
        view = (*names, *reconciliation.VIEW)
        table = reconciliation.reconciled(history, by, question.since)
        return self._session.result(table, sql, question, _chart("waterfall", "waterfall_table"), view)

    @in_words
    def compare(
        self,
        first: str,
        second: str,
        *,
        model: Model | None = None,
        window_days: int | str | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
        as_of: datetime | str | None = None,
    ) -> Result:
        """Compare two ads' CACs, and foresee the money and the days until they can be told apart.

        Parameters
        ----------
        first, second : two ads, by id or name
        model, window_days, since, until, as_of
            as for :meth:`ads`

        Returns
        -------
        Result
            One row: each ad's spend, customers and CAC, the ratio with its exact 95 % interval, ``p_value``, and
            ``days_still_needed`` and ``spend_still_needed`` (power 80 %, 5 % two-sided); ``about`` says it in words.

        Examples
        --------
        >>> workbench.compare("Reel – Testimonial", "Static – 20% Off")  # doctest: +SKIP
        """
        if first == second:
            raise InvalidArgument(f"compare: {first!r} twice. Name two ads.")
        period: FilterWords = {"since": since, "until": until, "as_of": as_of}
        sides = []
        for ad in (first, second):
            question = self._session.ask(period | {"ad": ad}, model=model, window_days=window_days)
            words = WITHOUT_A_QUESTION | {"ads_only": True}
            table, sql = self._session.run("ad_performance", question, **words)
            if table.num_rows != 1:
                raise (
                    self._session.nothing(question)
                    if not table.num_rows
                    else InvalidArgument(
                        f"ad: {ad!r} is the name of {table.num_rows} ads. Name one by its id."
                    )
                )
            days, _ = self._session.run("ad_performance", question, **words | {"by": "day"})
            row = table.to_pylist()[0]
            sides.append(
                {
                    "ad_id": row["ad_id"],
                    "ad_name": row["ad_name"],
                    "spend": row["paid_spend"] or 0.0,
                    "new_customers": row["paid_new_customers"] or 0.0,
                    "cac": row["cac"],
                    "days": sum(bool(day["spend"]) for day in days.to_pylist()),
                }
            )
        if sides[0]["ad_id"] == sides[1]["ad_id"]:
            raise InvalidArgument(f"compare: {first!r} and {second!r} are one ad. Name two.")
        compared = comparison.compared(*sides)
        chart = _chart("two_ads", "two_ads_table", currency=self.currency)
        result = self._session.result(compared, sql, replace(question, ad=None), chart, comparison.VIEW)
        result.about += f" · {comparison.sentence(compared.to_pylist()[0])}"
        return result

    @in_words
    def speed(
        self,
        *,
        responder: Responder = "any",
        model: Model | None = None,
        window_days: int | str | None = None,
        **filters: Unpack[FilterWords],
    ) -> Result:
        """Ask whether speed sells: conversion of those answered by a landmark against those still waiting then.

        Parameters
        ----------
        responder : ``any`` or ``human``
        model, window_days, **filters
            as for :meth:`ads`

        Returns
        -------
        Result
            One row per landmark: the difference in conversion after it, within ad, weekday and hour, with its 95 %
            interval. Groups are formed by what was known at the landmark, so that nobody counts as fast for having
            waited to buy. It is an association, not proof.

        Examples
        --------
        >>> workbench.speed(responder="human", window_days=14)  # doctest: +SKIP
        """
        known("responder", responder, ("any", "human"))
        question = self._session.ask(filters, model=model, window_days=window_days)
        pairs, sql = self._session.run("speed_pairs", question, responder=responder)
        if not pairs.num_rows:
            raise self._session.no_conversation(question)
        effects = speed.effects(pairs, question.window_days)
        result = self._session.result(effects, sql, question, _chart("speed_effects", "speed_table"))
        result.about += f" · {speed.CAUTION}"
        return result

    @in_words
    def quality(
        self,
        *,
        by: Judged = "check",
        since: date | str | None = None,
        until: date | str | None = None,
        as_of: datetime | str | None = None,
    ) -> Result:
        """Judge what the answers rest on: each check with its status and the next step.

        Parameters
        ----------
        by : ``check``; ``match`` for how sales were matched, kind by kind; ``ad`` or ``total`` for how spend was
            restated and what unmatched sales could change
        since, until, as_of
            as for :meth:`ads`

        Returns
        -------
        Result
            By ad: ``first_spend`` as first imported and ``spend`` as it is now; ``cac`` = spend / new_customers, if
            none of the period's unmatched sales is the ad's, and ``cac_if_all`` = spend / (new_customers +
            unmatched_new_customers), if all are: the truth lies between. ``match_rate_low`` = sales / (sales +
            unmatched_sales) is the least share of the ad's sales that is matched; the greatest is always 1.
            An unmatched sale is one that is ``unmatched`` or ``ambiguous``, neither cancelled nor refunded in full;
            one whose buyer may be new counts as new. Every ratio is null where its denominator is 0.

        Examples
        --------
        >>> workbench.quality(by="ad")  # doctest: +SKIP
        """
        known("by", by, quality.VIEWS)
        question = self._session.ask({"since": since, "until": until, "as_of": as_of})
        if by != "check":
            table, sql = self._session.run(
                "match_quality" if by == "match" else "ad_quality", question, by=by
            )
            if not table.num_rows:
                raise self._session.nothing(question)
            return self._session.result(table, sql, question, view=quality.VIEWS[by])
        table, sql = self._session.run("quality_counts", question)
        if not any(table.column("out_of").to_pylist()):
            raise self._session.nothing(question)
        history, _ = self._session.run("reconciliation", replace(question, since=None))
        drops = reconciliation.drops_in(history, question.since)
        return self._session.result(quality.judged(table, drops), sql, question, view=quality.VIEWS[by])

    @in_words
    def sql(
        self,
        query: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        as_of: datetime | str | None = None,
    ) -> Result:
        """Ask the models in SQL; ``from conversations`` alone is enough.

        Parameters
        ----------
        query : str, one statement in DuckDB's dialect over the relations of :meth:`tables`
        parameters : mapping of str to value; ``$name`` in the statement is bound to it, never pasted
        as_of : as for :meth:`ads`

        Raises
        ------
        InvalidArgument
            With the engine's first line and its caret, if the statement is wrong.

        Examples
        --------
        >>> workbench.sql("from conversations where platform = $of", parameters={"of": "whatsapp"}).df  # doctest: +SKIP
        """
        question = self._session.ask({"as_of": as_of})
        words = set(re.findall(r"\w+", query.lower()))
        self._session.name_models(words & all_models().keys(), question)
        try:
            table = self._session.query(query, parameters or {})
        except QueryError as error:
            raise _wrong_sql(error) from None
        twice = [name for name, times in Counter(table.column_names).items() if times > 1]
        if twice:
            raise InvalidArgument(f"sql: two columns are called {twice[0]!r}. Name each with `as`.")
        return self._session.result(table, query, question)

    @in_words
    def tables(self, relation: str | None = None) -> Result:
        """List every relation that :meth:`sql` can read, or one of them, with the meaning of each column.

        Examples
        --------
        >>> workbench.tables("conversations")  # doctest: +SKIP
        """
        return catalogue(relation)

    @in_words
    def names(self, of: Literal["ad", "campaign", "account"] | str) -> list[str]:
        """List the ads, campaigns or accounts that a filter may name.

        Examples
        --------
        >>> workbench.names("campaign")  # doctest: +SKIP
        """
        known("of", of, NAMED)
        return self._session.names(of)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_")]

    def _repr_html_(self) -> str:
        return cards.as_html(self._card())

    def __repr__(self) -> str:
        return cards.as_text(self._card())

    def _card(self) -> cards.Card:
        table, _ = self._session.run("contents", self._session.ask({}))
        return cards.Card(
            data=self.data,
            is_invented=self.is_invented,
            contents=table.to_pylist()[0],
            zone=self.settings.zone,
            currency=self.currency,
            as_of=self.as_of,
            checks=[(row["status"], row["detail"]) for row in self.quality().table.to_pylist()],
        )

    def _waits(
        self,
        by: str | None,
        responder: str,
        filters: FilterWords,
        *,
        turns: str = "first",
        business_hours: bool = False,
    ) -> tuple[pa.Table, str, Question]:
        known("by", by or "total", latency.KEYS)
        known("responder", responder, ("any", "human"))
        known("turns", turns, latency.TURNS)
        if business_hours and not self.settings.business_hours:
            raise InvalidArgument(
                "business_hours: none are set. Write [business_hours] into ctm.toml, and below it"
                ' monday = "09:00-18:00", and so on.'
            )
        question = self._session.ask(filters)
        words = {
            "by": by or "total",
            "by_hour_band": by in latency.COMPARED,
            "responder": responder,
            "turns": turns,
            "clock": "business" if business_hours else "elapsed",
        }
        waits, sql = self._session.run("response_waits", question, **WITHOUT_A_QUESTION | words)
        if not waits.num_rows:
            raise self._session.no_conversation(question)
        if business_hours:
            zone = self.settings.reporting_timezone
            waits = latency.on_business_clock(waits, self.settings.business_hours, zone)
        return waits, sql, question

    def _foreseen(self, question: Question, by: str, *, bounded: bool) -> tuple[pa.Table, str]:
        """Measure each group so far, and foresee what its cohort will come to, ``bounded`` by intervals or not."""
        words = WITHOUT_A_QUESTION | {"by": by, "ads_only": by != "ad"}
        table, sql = self._session.run("ad_performance", question, **words)
        if not table.num_rows:
            raise self._session.nothing(question)
        waits, _ = self._session.run("response_waits", question, **words)
        table = performance.with_intervals(table)
        table = outlook.with_values(table, by, latency.first_responses(waits, by), latency.FIRST_RESPONSES)
        sold, _ = self._session.run("conversion_waits", question, by=by)
        rates = cohorts.matured_rates(sold, by, question.window_days)
        matured = {key: {"matured_conversion_rate": rate} for key, rate in rates.items()}
        table = outlook.with_values(table, by, matured, ("matured_conversion_rate",))
        ages, _ = self._session.run("cohort_ages", question, by=by)
        lags = outlook.Lags({}, None)
        if question.basis == "cohort":  # a calendar's sales are not those of its conversations
            history, _ = self._session.run("conversion_waits", _whole(question), by="platform")
            lags = outlook.lags(history, question.window_days)
        by_group = outlook.ages_by_group(ages, by)
        found = outlook.forecasts(table, by, by_group, lags, question.window_days, bounded=bounded)
        names = (*outlook.FORECASTS, "still_to_come", "matured_cac_low", "matured_cac_high")
        return outlook.with_values(table, by, found, names), sql

    def _pool(self, question: Question, by: str, measured: pa.Table) -> pa.Table:
        """Measure all groups of the period: also those that are filtered out teach what an ad can be.

        Parameters
        ----------
        measured : the groups that are asked for; of ads without a filter these are all
        """
        everybody = replace(question, campaign=None, ad=None)
        if everybody == question and by == "ad":
            return measured
        return self._session.run("ad_performance", everybody, **WITHOUT_A_QUESTION | {"by": by})[0]


def _whole(question: Question) -> Question:
    """Ask of the whole history what a question asks of a period and some ads."""
    nothing: dict[str, Any] = dict.fromkeys(("since", "until", "platform", "account", "campaign", "ad"))
    return replace(question, **nothing)


def catalogue(relation: str | None = None) -> Result:
    """List every relation, or one, with the meaning of each column; they are the same whatever the data.

    Raises
    ------
    InvalidArgument
        If there is no such relation.
    """
    names = list(all_models()) if relation is None else [relation]
    if not all_models().keys() >= set(names):
        raise _no_relation("tables", names[0])
    engine = DuckDBEngine(dict.fromkeys(SCHEMAS, ()), SCHEMAS)
    question = ask({}, Settings(), datetime.now(UTC))
    parameters = question.parameters(Settings(), None) | WITHOUT_A_QUESTION
    described = {name: engine.query(f"describe {compose(name, parameters)}") for name in names}
    about = "1 relation" if len(described) == 1 else f"{len(described)} relations"
    return Result(tables.listed(described), sql="", about=about)


def _wrong_sql(error: QueryError) -> InvalidArgument:
    unknown = _UNKNOWN_RELATION.match(str(error))
    if unknown is None:
        return InvalidArgument(f"sql: {error}\n`ctm tables` lists the relations and columns.")
    return _no_relation("sql", unknown[1])


def _no_relation(asked_in: str, name: str) -> InvalidArgument:
    hint = did_you_mean(name, all_models())
    return InvalidArgument(f"{asked_in}: there is no relation {name!r}.{hint} `ctm tables` lists them.")


def _chart(name: str, table: str, **words: Any) -> Chart:
    """Name the functions of ``ctm_analytics.charts`` that draw an answer's rows, with ``words``, and tabulate them."""
    return Chart(_late(name, **words), _late(table))


def _late(name: str, **words: Any) -> Callable[[pd.DataFrame], Any]:
    """Import the charts when asked: Plotly takes half a second that most answers need not wait for."""

    def call(rows: pd.DataFrame) -> Any:
        from ctm_analytics import charts

        return getattr(charts, name)(rows, **words)

    return call
