"""Relations that several statements read, kept in a cluster for as long as a session lasts: it needs only to read."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ctm_analytics.models import Parameters, compose
from ctm_analytics.plan import Step, Stopwatch

if TYPE_CHECKING:
    from ctm_analytics.engines.spark_connect import SparkConnectEngine


class KeptInCluster:
    """Relations by name, each a table of the engine's session."""

    def __init__(self, engine: "SparkConnectEngine", stopwatch: Stopwatch) -> None:
        self._engine = engine
        self._stopwatch = stopwatch
        self._statements: dict[str, str] = {}

    def keep(self, name: str, parameters: Parameters, given: dict[str, str], weights: str) -> str:
        """Keep a model's rows; a SELECT that stands for it.

        Parameters
        ----------
        given : dict of a model's name to a SELECT, of those that are kept already
        weights : str, the statement that ``raw_removal_effects`` were learnt from

        Raises
        ------
        QueryError, EngineFailed
            If the cluster cannot work it out.
        """
        sql = compose(name, parameters)
        statement = sql + weights if "raw_removal_effects" in sql else sql
        return self.keep_rows(name, statement, parameters, lambda: compose(name, parameters, given))

    def keep_rows(self, name: str, statement: str, _: Parameters, made: Callable[[], str]) -> str:
        """Keep rows that follow from a statement; a SELECT that stands for them.

        Parameters
        ----------
        statement : str, from which they follow, its parameters bound
        made : callable, gives a SELECT of the rows; called where they are not kept yet

        Raises
        ------
        QueryError, EngineFailed
            As for :meth:`keep`.
        """
        if self._statements.get(name) != statement:
            self._stopwatch.resume()
            self._engine.create_table(f"kept_{name}", made())
            self._stopwatch.note(Step(name, "made"))
            self._statements[name] = statement
        return f"select * from kept_{name}"

    def forget_lost(self) -> bool:
        """Whether any is lost: a session keeps its own."""
        return False
