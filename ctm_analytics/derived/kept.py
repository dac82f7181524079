"""Relations that several questions read, each worked out once and kept as a Parquet file.

The file's name is made of the statement, of the files that it reads, and of the engine: when any of them changes, it is
another file. ``as_of`` counts only as far as it tells apart what has been recorded, so that a question asked an hour
later finds what the first one left.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from ctm_analytics.derived.folder import DerivedFolder
from ctm_analytics.derived.history import EventHistory
from ctm_analytics.derived.parts import ON_DEMAND, RELATIONS
from ctm_analytics.engines.duckdb import DuckDBEngine
from ctm_analytics.models import Parameters, compose, literal
from ctm_analytics.plan import Step, Stopwatch
from ctm_analytics.sources import Sources

# What the models compare with :as_of.
INSTANTS = {
    "raw_sales": ("imported_at", "sold_at"),
    "raw_spend": ("imported_at",),
    "raw_contacts": ("imported_at",),
    "raw_rates": ("imported_at",),
}
_RAW = re.compile(r"\braw_[a-z_]+\b")


class KeptRelations:
    """Relations by name, each a view over its file; over a temporary table where no file can be written.

    Parameters
    ----------
    folder : DerivedFolder, of the files
    """

    def __init__(
        self, folder: DerivedFolder, sources: Sources, engine: DuckDBEngine, stopwatch: Stopwatch
    ) -> None:
        self._folder = folder
        self._sources = sources
        self._stopwatch = stopwatch
        self._engine = engine
        self._history = EventHistory(self._folder, sources.files["raw_events"], engine)
        self._statements: dict[str, str] = {}
        self._paths: dict[str, Path] = {}
        self._latest: dict[tuple[str, datetime], datetime | None] = {}

    def keep(self, name: str, parameters: Parameters, given: dict[str, str], weights: str) -> str:
        """Keep a model's rows; a SELECT that stands for it.

        Parameters
        ----------
        given : dict of a model's name to a SELECT, of those that are kept already
        weights : str, the statement that ``raw_removal_effects`` were learnt from

        Raises
        ------
        QueryError, InvalidFile
            If a file that the model reads is damaged or gone.
        """
        self._stopwatch.resume()
        if name in (*RELATIONS, *ON_DEMAND):
            if (read := self._history.prepare(parameters)) is not None:
                size = sum(path.stat().st_size for path in read)
                self._stopwatch.note(Step("events", self._history.how, None, len(read), size))
            before = self._history.paths(name)
            if (select := self._history.select(name, parameters)) is not None:
                # Under its name stand other rows now than those of a table before.
                self._statements.pop(name, None)
                if (paths := self._history.paths(name)) != before:
                    self._note(name, "read", paths)
                return select
        sql = compose(name, parameters)
        statement = sql + weights if "raw_removal_effects" in sql else sql
        return self.keep_rows(name, statement, parameters, lambda: compose(name, parameters, given))

    def keep_rows(self, name: str, statement: str, parameters: Parameters, made: Callable[[], str]) -> str:
        """Keep rows that follow from a statement; a SELECT that stands for them.

        Parameters
        ----------
        statement : str, from which they follow, its parameters bound
        made : callable, gives a SELECT of the rows; called where they are not kept yet

        Raises
        ------
        QueryError, InvalidFile
            As for :meth:`keep`.
        """
        if self._statements.get(name) != statement:
            self._read_or_make(name, statement, parameters, made)
            self._statements[name] = statement
        return f"select * from kept_{name}"

    def _read_or_make(
        self, name: str, statement: str, parameters: Parameters, made: Callable[[], str]
    ) -> None:
        as_of = parameters["as_of"]
        assert isinstance(as_of, datetime)
        key = self._key(name, statement, as_of)

        def write(target: Path) -> None:
            self._engine.write(target, rows)
            if self._key(name, statement, as_of) != key:
                raise OSError("A file was replaced while it was read, and what it held may have been erased.")

        path = self._folder.find(key)
        how = "made" if path is None else "read"
        rows = made() if path is None else ""
        if path is None:
            path = self._folder.put(key, ".parquet", write)
            self._folder.tidy([*self._paths.values(), *self._history.paths()])
        if path is None:
            self._paths.pop(name, None)
            self._engine.create_table(f"rows_of_{name}", rows)
            self._engine.create_view(f"kept_{name}", f"select * from rows_of_{name}")
        else:
            self._paths[name] = path
            self._engine.create_file_view(f"kept_{name}", [path])
        self._note(name, how, [] if path is None else [path])

    def _note(self, name: str, how: str, paths: Sequence[Path]) -> None:
        rows = sum(map(self._engine.rows_of, paths)) if paths else None
        self._stopwatch.note(Step(name, how, rows, len(paths), sum(path.stat().st_size for path in paths)))

    def forget_lost(self) -> bool:
        """Forget relations whose files somebody has removed; whether there were any."""
        lost = [name for name, path in self._paths.items() if not path.exists()]
        for name in lost:
            del self._paths[name], self._statements[name]
        return self._history.forget_lost() or bool(lost)

    def _key(self, name: str, statement: str, as_of: datetime) -> str:
        relations = sorted(set(_RAW.findall(statement)))
        read = {relation: self._sources.identity(relation) for relation in relations}
        latest = {relation: self._latest_before(as_of, relation) for relation in relations}
        timeless = statement.replace(literal(as_of), ":as_of")
        content = "\n".join(map(str, (timeless, read, latest, self._engine.version)))
        return f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:32]}"

    def _latest_before(self, as_of: datetime, relation: str) -> datetime | None:
        """Give the last recorded instant until ``as_of``: any other instant up to the next one asks the same."""
        if relation == "raw_events":
            return self._history.known_at(as_of)
        columns = INSTANTS.get(relation)
        if columns and (relation, as_of) not in self._latest:
            until = literal(as_of)
            latest = ", ".join(f"max(case when {column} <= {until} then {column} end)" for column in columns)
            row = self._engine.query(f"select {latest} from {relation}").to_pylist()[0]
            self._latest[relation, as_of] = max(filter(None, row.values()), default=None)
        return self._latest.get((relation, as_of))
