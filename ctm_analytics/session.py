"""One data folder, opened as of one instant: what a question is checked against, and how it is put to the engine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ctm_analytics.answers import attribution, currency
from ctm_analytics.derived.cluster import KeptInCluster
from ctm_analytics.derived.folder import DerivedFolder
from ctm_analytics.derived.kept import KeptRelations
from ctm_analytics.derived.parts import ON_DEMAND, RELATIONS
from ctm_analytics.engines.duckdb import DuckDBEngine, QueryError
from ctm_analytics.errors import InvalidArgument, InvalidFile, NoData
from ctm_analytics.models import Parameters, compose, in_order, literal
from ctm_analytics.plan import Step, Stopwatch
from ctm_analytics.questions import FilterWords, Question, ask
from ctm_analytics.results import Chart, Result
from ctm_analytics.settings import Settings, did_you_mean
from ctm_analytics.sources import SCHEMAS, Sources, find_sources

if TYPE_CHECKING:
    from ctm_analytics.engines.spark_connect import SparkConnectEngine

# What several queries read, worked out once: a row per contact, conversation, touch, sale, ad or day; and small facts.
KEPT = (
    *RELATIONS,
    *ON_DEMAND,
    "spend",
    "ads",
    "sale_matches",
    "divided_shares",
    "credits",
    "ad_day_measures",
    "amounts",
    "opening_ids",
    "shared_keys",
    "event_counts",
    "heard_days",
    "contents",
)
# What a mart is told when it is read on its own.
WITHOUT_A_QUESTION = {
    **{"by": "ad", "ads_only": False, "by_hour_band": False},
    **{"responder": "any", "turns": "first", "clock": "elapsed"},
}
_NOTHING_CAPTURED = " Nothing has been captured yet: run `ctm receive`."
# So many names can be read in an error.
FEW_NAMES = 10
# What a filter may be named by, in the mart `dimensions`.
NAMED = {
    "ad": ("ad_id", "ad_name"),
    "campaign": ("campaign_id", "campaign_name"),
    "account": ("account_id",),
}


class Session:
    """An engine over the files of a data folder, with the settings that its questions need.

    Attributes
    ----------
    fingerprint : str, SHA-256 over the files
    engine : str, name and release of what answers
    currency : str or None, ISO 4217, in which all amounts are reported
    """

    def __init__(self, data: Path, settings: Settings, as_of: datetime) -> None:
        sources = find_sources(data, settings.events_url, settings.imports_url)
        if sources.is_empty:
            raise NoData(
                f"{data}: no events and no imports here yet. Capture with `ctm receive`, import with `ctm import`,"
                " or look around with `ctm demo`."
            )
        self._data = data
        self._settings = settings
        self._as_of = as_of
        self.fingerprint = sources.fingerprint()
        self._weights = ""
        self._stopwatch = Stopwatch()
        self._is_cluster = settings.engine != "duckdb"
        self._engine: DuckDBEngine | SparkConnectEngine
        self._kept: KeptRelations | KeptInCluster
        self._engine, self._kept = _opened(settings, data, sources, self._stopwatch)
        self.engine = self._engine.version
        self._check_zone()
        self.currency = self._reporting_currency()

    def ask(self, filters: FilterWords, **attribution: Any) -> Question:
        """Check what is asked, against the rules and against the ads, campaigns and accounts that there are.

        Raises
        ------
        InvalidArgument
            Naming the word, its value, and what it may be.
        """
        self._stopwatch.start()
        question = ask(filters, self._settings, self._as_of, **attribution)
        named: dict[str, Any] = {
            word: self._named(question, word, str(value), columns)
            for word, columns in NAMED.items()
            if (value := getattr(question, word)) is not None
        }
        return replace(question, **named)

    def _named(self, question: Question, word: str, value: str, columns: tuple[str, ...]) -> str:
        """Find an ad, campaign or account as the data write it, whatever its capitals."""
        names = self._names(question, columns)
        alike = sorted(name for name in names if name.casefold() == value.casefold())
        if value not in names and len(alike) != 1:
            hint = did_you_mean(value, names) or _all_of(names, columns[0])
            raise InvalidArgument(f"{word}: there is no {word} {value!r}.{hint}")
        return value if value in names else alike[0]

    def names(self, word: str) -> list[str]:
        """List the names that a filter may have, in alphabetical order."""
        return sorted(self._names(self.ask({}), NAMED[word][-1:]))

    def _names(self, question: Question, columns: Iterable[str]) -> set[str]:
        table, _ = self.run("dimensions", question)
        return {name for column in columns for name in table.column(column).to_pylist() if name is not None}

    def run(self, model: str, question: Question, **words: Any) -> tuple[pa.Table, str]:
        """Put a model to the engine; its rows, and the whole statement that gives them.

        Parameters
        ----------
        **words
            what the mart is told besides the question, such as ``by``

        Raises
        ------
        InvalidFile
            If a file of the folder is damaged or gone.
        """
        parameters = question.parameters(self._settings, self.currency) | words
        try:
            given = self._given([model], question, parameters)
            statement = compose(model, parameters, given)
            self._stopwatch.resume()
            table = self._engine.query(statement)
        except (QueryError, InvalidFile, OSError):
            # Somebody may have removed what is kept in the midst of it.
            if not self._kept.forget_lost():
                raise
            return self.run(model, question, **words)
        self._stopwatch.note(Step(model, "asked", table.num_rows, statement=statement))
        return table, compose(model, parameters)

    def _given(self, models: list[str], question: Question, parameters: Parameters) -> dict[str, str]:
        """Keep what several queries read of what models need; SELECTs that stand for it."""
        self._kept.forget_lost()
        names = [each.name for each in in_order(models)]
        self._weigh_ads(names, question)
        given: dict[str, str] = {}
        # First responses stand with the conversations.
        names = [name for name in names if name not in ON_DEMAND or parameters.get("turns") != "first"]
        for name in names:
            # A cluster works a relation out anew wherever a statement reads it: there each is kept that another reads.
            if name in KEPT or (self._is_cluster and name not in models):
                given[name] = self._kept.keep(name, parameters, given, self._weights)
        return given

    def _weigh_ads(self, names: Iterable[str], question: Question) -> None:
        """Let the Markov model learn from all journeys what each ad is worth, before a query reads that."""
        if "divided_shares" in names and question.model in (None, "markov"):
            parameters = question.parameters(self._settings, self.currency)
            self._weights = compose("journey_steps", parameters)
            rows = self._kept.keep_rows(
                "removal_effects",
                self._weights,
                parameters,
                lambda: attribution.as_values(
                    attribution.removal_effects(self.run("journey_steps", question)[0])
                ),
            )
            self._engine.create_view("raw_removal_effects", rows)

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """Put a statement to the engine as it is, ``$name`` bound to the parameter of that name.

        Raises
        ------
        QueryError, InvalidFile
            If the statement is wrong; if a file is damaged or gone.
        """
        return self._engine.query(sql, parameters)

    def name_models(self, names: Iterable[str], question: Question) -> None:
        """Give models their names in the engine, each as one whole query: views over views bind slowly."""
        parameters = question.parameters(self._settings, self.currency) | WITHOUT_A_QUESTION
        names = list(names)
        given = self._given(names, question, parameters)
        for name in names:
            self._engine.create_view(name, compose(name, parameters, given))

    def result(
        self,
        table: pa.Table,
        sql: str,
        question: Question,
        chart: Chart | None = None,
        view: Sequence[str] = (),
        side_by_side: pa.Table | None = None,
    ) -> Result:
        """Hand rows out, with the words of the question that they answer."""
        about = question.about(self._settings, self.currency)
        zone = self._settings.zone
        return Result(
            table,
            sql=sql,
            about=about,
            currency=self.currency,
            zone=zone,
            view=view,
            chart=chart,
            side_by_side=side_by_side,
            plan=self._stopwatch.plan(),
            analyze=self._engine.analyzed,
        )

    def nothing(self, question: Question) -> NoData:
        """Say that nothing happened, and from when to when there are data."""
        held = self.run("contents", question)[0].to_pylist()[0]
        names = ("first_day", "first_spend_day", "last_day", "last_spend_day")
        days = [held[name] for name in names if held[name]]
        reach = f" The data run from {min(days)} to {max(days)}." if days else ""
        if not held["first_day"]:
            reach += _NOTHING_CAPTURED
        return NoData(f"{self._data}: nothing for {question.period()} with these filters.{reach}")

    def no_conversation(self, question: Question) -> NoData:
        """Say that nobody wrote, and from when to when there are conversations."""
        held = self.run("contents", question)[0].to_pylist()[0]
        reach = (
            f" The conversations run from {held['first_day']} to {held['last_day']}."
            if held["first_day"]
            else _NOTHING_CAPTURED
        )
        return NoData(f"{self._data}: nobody wrote in {question.period()} with these filters.{reach}")

    def require_events(self, question: Question) -> None:
        """Refuse to say that nobody waits where nobody was heard.

        Raises
        ------
        NoData
            If nothing was captured up to then.
        """
        if not self.run("contents", question)[0].to_pylist()[0]["first_day"]:
            raise self.no_conversation(question)

    def _check_zone(self) -> None:
        """Python and the engine each have their own list of zones."""
        zone = literal(self._settings.reporting_timezone)
        try:
            self._engine.query(f"select convert_timezone('UTC', {zone}, timestamp '2026-01-01')")
        except QueryError:
            raise InvalidArgument(
                f"reporting_timezone: {self._settings.reporting_timezone!r} names no place."
                " Use a name such as 'Europe/Berlin'."
            ) from None

    def _reporting_currency(self) -> str | None:
        question = ask({}, self._settings, self._as_of)
        parameters = question.parameters(self._settings, self._settings.reporting_currency)
        sql = self._kept.keep("amounts", parameters, {}, "")
        amounts = self._engine.query(sql).to_pylist()
        return currency.chosen(amounts, self._settings.reporting_currency, self._data)


def _all_of(names: set[str], column: str) -> str:
    if len(names) > FEW_NAMES:
        return f' All of them: ctm sql "select distinct {column} from dimensions".'
    return f" There is {', '.join(map(repr, sorted(names)))}." if names else " There is none at all."


def _opened(
    settings: Settings, data: Path, sources: Sources, stopwatch: Stopwatch
) -> "tuple[DuckDBEngine, KeptRelations] | tuple[SparkConnectEngine, KeptInCluster]":
    if settings.engine == "duckdb":
        here = DuckDBEngine(sources.files, SCHEMAS, settings.memory_limit)
        folder = DerivedFolder(data / "derived", settings.imports_url)
        return here, KeptRelations(folder, sources, here, stopwatch)
    from ctm_analytics.engines.spark_connect import SparkConnectEngine  # late: few need it

    there = SparkConnectEngine(settings.engine, sources.files, SCHEMAS, sources.urls)
    return there, KeptInCluster(there, stopwatch)
