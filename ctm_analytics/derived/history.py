"""What events alone tell of contacts, kept from one question to the next, and mended where events arrived."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from ctm_analytics.derived.files import BEGINNING, FileFacts
from ctm_analytics.derived.folder import DerivedFolder
from ctm_analytics.derived.parts import ON_DEMAND, RELATIONS, show
from ctm_analytics.derived.refreshing import STATEMENTS, Moment, Refresh, statement
from ctm_analytics.derived.state import State, states
from ctm_analytics.engines.duckdb import DuckDBEngine
from ctm_analytics.models import Parameters, compose, literal
from ctm_analytics.schemas import EVENTS
from ctm_analytics.sources import identity_of, name_of

_FORMAT = "3"


class EventHistory:
    """The relations that events alone make, each a view over files of the folder.

    Parameters
    ----------
    files : iterable of Path, the files of events

    Attributes
    ----------
    how : str, how the relations were come by: ``read``, ``mended`` or ``made``
    """

    def __init__(self, folder: DerivedFolder, files: Iterable[Path], engine: DuckDBEngine) -> None:
        self._folder = folder
        self._files = {name_of(path): path for path in files}
        self._engine = engine
        self._facts: dict[str, FileFacts] | None = None
        self._known_at: dict[datetime, datetime] = {}
        self._key = ""
        self._state: State | None = None
        self._paths: dict[str, list[Path]] = {}
        self.how = "read"

    def prepare(self, parameters: Parameters) -> list[Path] | None:
        """Come by the relations; the files of events that were read for it, None where they are there already.

        Raises
        ------
        QueryError, InvalidFile
            If a file of events is damaged or gone.
        """
        moment = self._moment(parameters)
        if self._key == moment.key:
            return None
        refresh = self._refresh(parameters)
        self._key, self._state, self._paths = moment.key, self._come_by(moment, refresh), {}
        return [self._files[name] for name in sorted(refresh.read)]

    def select(self, name: str, parameters: Parameters) -> str | None:
        """Give a SELECT that stands for a relation; None where nothing can be kept.

        Raises
        ------
        QueryError, InvalidFile
            As for :meth:`prepare`.
        """
        self.prepare(parameters)
        if self._state is not None and name in ON_DEMAND and name not in self._state.parts:
            joined = self._refresh(parameters).joined(self._moment(parameters), self._state, name)
            self._state = joined or self._state
        is_kept = self._state is not None and name in self._state.parts
        if is_kept and name not in self._paths and not self._shown(name):
            # It is damaged.
            self._state, self._paths = self._refresh(parameters).built(self._moment(parameters)), {}
        if self._state is None or not (name in self._paths or self._shown(name)):
            return None
        return f"select * from kept_{name}"

    def known_at(self, as_of: datetime) -> datetime:
        """Give the last recorded instant until ``as_of``: any other instant up to the next one asks the same."""
        if as_of not in self._known_at:
            self._known_at[as_of] = self._look(as_of)
        return self._known_at[as_of]

    def paths(self, name: str | None = None) -> list[Path]:
        """List the files that are being read, or those of one relation."""
        return [path for of, paths in self._paths.items() for path in paths if name in (None, of)]

    def forget_lost(self) -> bool:
        """Forget what was kept where somebody has removed a file of it; whether somebody has."""
        is_lost = not all(path.exists() for path in self.paths())
        if is_lost:
            self._key, self._state, self._paths = "", None, {}
        return is_lost

    def _refresh(self, parameters: Parameters) -> Refresh:
        return Refresh(self._engine, self._folder, self._files, parameters)

    def _moment(self, parameters: Parameters) -> Moment:
        as_of = parameters["as_of"]
        assert isinstance(as_of, datetime)
        made_by = [
            compose(name, parameters).replace(literal(as_of), ":as_of") for name in (*RELATIONS, *ON_DEMAND)
        ]
        content = "\n".join([_FORMAT, self._engine.version, *made_by, *map(statement, STATEMENTS)])
        family = f"history-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
        if self._facts is None:
            self._facts = self._learnt(family)
        known_at = self.known_at(as_of)
        return Moment(family, known_at, dict(self._facts))

    def _learnt(self, family: str) -> dict[str, FileFacts]:
        """Take from the last state what is known of files that are the same still."""
        last: Mapping[str, FileFacts] = next((state.files for state in states(self._folder, family)), {})
        return {
            name: last[name]
            for name, path in self._files.items()
            if name in last and last[name].identity == identity_of(path)
        }

    def _look(self, as_of: datetime) -> datetime:
        """Look into files that are new, or that go beyond an instant."""
        facts = self._facts if self._facts is not None else {}
        beyond = {name for name in self._files if name not in facts or facts[name].until > as_of}
        known_at = [facts[name].until for name in self._files if name not in beyond]
        if beyond:
            identities = {name: identity_of(self._files[name]) for name in sorted(beyond)}
            self._engine.create_named_view("looked_at", [self._files[name] for name in identities], EVENTS)
            rows = self._engine.query(compose(statement("file_facts"), {"as_of": as_of})).to_pylist()
            found = {row["file"]: row for row in rows}
            for name, identity in identities.items():
                row = found.get(name, {})
                ends = (row.get(column) or BEGINNING for column in ("received_until", "occurred_until"))
                facts[name] = FileFacts(identity, row.get("events", 0), *ends)
                known_at.append(row.get("known_at") or BEGINNING)
        self._facts = facts
        return max(known_at, default=BEGINNING)

    def _come_by(self, moment: Moment, refresh: Refresh) -> State | None:
        self.how = "read"
        if (state := self._found(moment)) is not None:
            return state
        self.how = "mended"
        if (state := self._refreshed(moment, refresh)) is not None:
            return state
        self.how = "made"
        return refresh.built(moment)

    def _found(self, moment: Moment) -> State | None:
        if self._folder.find(moment.key) is None:
            return None
        return next(states(self._folder, moment.key), None)

    def _refreshed(self, moment: Moment, refresh: Refresh) -> State | None:
        """Mend the latest state that is not of a later instant."""
        for state in states(self._folder, moment.family):
            if state.as_of <= moment.as_of:
                return refresh.mended(moment, state)
        return None

    def _shown(self, name: str) -> bool:
        assert self._state is not None
        if name not in self._state.parts:
            return False
        paths = show(self._engine, self._folder, self._state.parts, name, f"kept_{name}")
        if paths is not None:
            self._paths[name] = paths
        return paths is not None
