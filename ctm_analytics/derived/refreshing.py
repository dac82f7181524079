"""Works the relations out from all events, or mends those of an earlier state where events arrived since.

A mend looks only at files of events that came since. It works out anew the contacts of whom something arrived, from the
last opening on that cannot have moved, with the very statements that made the rest. What cannot be mended, as where
events vanished, is made anew from all events.
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ctm_analytics.derived.files import FileFacts, differing, young
from ctm_analytics.derived.folder import DerivedFolder
from ctm_analytics.derived.parts import (
    GATHERED,
    ON_DEMAND,
    RELATIONS,
    STANDS,
    show,
    standing,
    superseded,
    unknown,
)
from ctm_analytics.derived.state import State
from ctm_analytics.engines.duckdb import DuckDBEngine, QueryError
from ctm_analytics.models import Parameters, Value, compose
from ctm_analytics.schemas import EVENTS
from ctm_analytics.sources import identity_of

# Below so many events a fresh start takes no longer than a look at what changed.
FEWEST_EVENTS = 100_000
# An overlay of more than this part of its base becomes part of it.
LARGEST_OVERLAY = 1 / 8
_FOLDER = Path(__file__).parent / "refresh"
STATEMENTS = tuple(sorted(path.stem for path in _FOLDER.glob("*.sql")))
_ALIASES = "select * from now_contact_aliases"
_TIES = {True: "select 'whatsapp' as platform", False: "select cast(null as string) as platform"}


class Moment(NamedTuple):
    """What the relations are to be of.

    Attributes
    ----------
    family : str, stands for the statements, their settings, and the engine
    as_of : datetime, naive UTC: the last recorded instant that counts
    files : mapping of a file's name to what is known of it
    """

    family: str
    as_of: datetime
    files: Mapping[str, FileFacts]

    @property
    def key(self) -> str:
        """Name it in the folder."""
        content = [self.as_of.isoformat(), *sorted(facts.identity for facts in self.files.values())]
        return f"{self.family}_{sha256('|'.join(content).encode()).hexdigest()[:32]}"


@cache
def statement(name: str) -> str:
    """Read a statement of ``refresh/``, as one that stands where a SELECT does."""
    return f"select * from (\n{(_FOLDER / f'{name}.sql').read_text(encoding='utf-8')})"


def _read_from(events: str, sql: str) -> str:
    """Let a statement read other events than all: the engine opens every file of those that it finds named."""
    return sql.replace("raw_events", events)


class Refresh:
    """One making or mending of the relations.

    Parameters
    ----------
    files : mapping of a file's name to its path: all files of events
    parameters : those of the models

    Attributes
    ----------
    read : set of str, names of the files of events that were read
    """

    def __init__(
        self,
        engine: DuckDBEngine,
        folder: DerivedFolder,
        files: Mapping[str, Path],
        parameters: Parameters,
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._files = files
        self._parameters = parameters
        self._made: list[str] = []
        self._read_as: Mapping[str, FileFacts] = {}
        self.read: set[str] = set()

    def built(self, moment: Moment) -> State | None:
        """Work everything out from all events; None where nothing can be written."""
        self.read, self._read_as = set(self._files), moment.files
        may_tie = self._may_tie("raw_events")
        parts: dict[str, str] = {}
        given = {"id_ties": _TIES[may_tie]}
        for name in (*GATHERED, *RELATIONS):
            if not self._put(parts, name, compose(name, self._parameters, given)):
                return None
            if not self._show(parts, name, f"new_{name}"):
                return None  # somebody has removed it already
            given[name] = f"select * from new_{name}"
        self._look_at(young(moment.files))
        self._engine.create_view("appeared", self._bound("appeared"))
        if not self._put(parts, "known_rows", "select file, row_hash from appeared"):
            return None
        return self._stated(moment, parts, may_tie=may_tie)

    def joined(self, moment: Moment, state: State, name: str) -> State | None:
        """Work a relation of ``ON_DEMAND`` out from all events, and add it to a state; None as for :meth:`built`."""
        self.read, self._read_as = set(self._files), moment.files
        parts, given = dict(state.parts), {}
        for other in RELATIONS:
            if not self._show(parts, other, f"now_{other}"):
                return None
            given[other] = f"select * from now_{other}"
        if not (
            self._put(parts, name, compose(name, self._parameters, given)) and self._overlay(parts, name)
        ):
            return None
        return self._stated(moment, parts, may_tie=state.may_tie)

    def _overlay(self, parts: dict[str, str], name: str) -> bool:
        """Write rows of a new base also where they count if contacts were replaced before it was made."""
        if "replaced" not in parts:
            return True
        if not (self._show(parts, name, f"new_{name}") and self._show(parts, "replaced", "last_replaced")):
            return False
        return self._put(parts, f"{name}_overlay", superseded(name, f"new_{name}", "last_replaced"))

    def mended(self, moment: Moment, last: State) -> State | None:
        """Mend an earlier state; None where it cannot be mended, or nothing can be written."""
        self._read_as = moment.files
        came, gone = differing(moment.files, last.files), differing(last.files, moment.files)
        events = sum(facts.events for facts in moment.files.values())
        if events < FEWEST_EVENTS or any(last.files[name].events for name in gone - young(last.files)):
            return None
        try:
            if not self._show_last(last) or self._lost(came, gone):
                return None
            return self._with_arrivals(moment, last, came)
        except QueryError:
            if all(self._folder.find(key) for key in last.parts.values()):
                raise
            return None  # somebody has removed a part of it meanwhile
        finally:
            self._engine.drop_tables(self._made)

    def _with_arrivals(self, moment: Moment, last: State, came: set[str]) -> State | None:
        parts = dict(last.parts)
        self._arrive(moment, last, came)
        if self._may_tie("arrived") and not last.may_tie:
            return None  # what payloads of all events tell is read from now on
        if not (self._gather(parts, may_tie=last.may_tie) and self._alias(parts)):
            return None
        for name in ("touched", "histories", "redone", "newly_replaced"):
            self._make(name, self._bound(name))
        self._redo(moment, [name for name in ON_DEMAND if name in parts])
        if not (self._put_refs(parts) and self._put_overlays(parts) and self._put_known(parts, moment, came)):
            return None
        return self._stated(moment, parts, may_tie=last.may_tie)

    def _show_last(self, last: State) -> bool:
        names = (*GATHERED, "contact_aliases", "contacts", "conversation_timelines", "known_rows")
        return all(self._show(last.parts, name, f"last_{name}") for name in names)

    def _lost(self, came: set[str], gone: set[str]) -> bool:
        """Find out whether an event of a file that is gone stands in none that came."""
        self._look_at(came)
        self._make("appeared", self._bound("appeared"))
        row = self._engine.query(self._bound("lost", gone=tuple(sorted(gone)))).to_pylist()[0]
        return bool(row["events"])

    def _arrive(self, moment: Moment, last: State, came: set[str]) -> None:
        """Gather what was recorded or came due since."""
        held = {name for name, facts in moment.files.items() if facts.until > last.as_of} - came
        self._look_at(held)
        self._engine.create_view("held", "select * from looked_at")
        self._make("arrived", self._bound("arrived", last_as_of=last.as_of))

    def _may_tie(self, events: str) -> bool:
        """Whether any event can tie two ids of a contact together."""
        found = self._engine.query(_read_from(events, self._composed("id_ties", {})))
        return bool(found.column("platform")[0].as_py())

    def _gather(self, parts: dict[str, str], *, may_tie: bool) -> bool:
        """Add what arrived to what is only ever gathered; False where something came before what was known."""
        for name in GATHERED if may_tie else ("ref_contacts",):
            rows = self._composed(name, {"id_ties": _TIES[may_tie]})
            self._make(f"came_{name}", _read_from("arrived", rows))
        if may_tie and self._engine.query(self._bound("told_earlier")).to_pylist()[0]["ids"]:
            return False
        return all(self._add(parts, name) for name in (GATHERED if may_tie else ("ref_contacts",)))

    def _add(self, parts: dict[str, str], name: str) -> bool:
        """Add rows that are not known yet, and show all of them."""
        self._make(f"new_{name}", unknown(name, f"came_{name}", f"last_{name}"))
        if self._has_rows(f"new_{name}"):
            overlay, rows = f"{name}_overlay", f"select * from new_{name}"
            if overlay in parts:
                if not self._show(parts, overlay, f"last_{overlay}"):
                    return False
                rows += f" union all by name from last_{overlay}"
            if not self._put(parts, overlay, rows):
                return False
            if self._is_large(parts, name):
                del parts[overlay]
                if not self._put(parts, name, f"from last_{name} union all by name from new_{name}"):
                    return False
        return self._show(parts, name, f"now_{name}")

    def _alias(self, parts: dict[str, str]) -> bool:
        """Find out which ids are tied together now, and which were tied otherwise."""
        tied = [name for name in GATHERED if name != "ref_contacts"]
        if any(self._has_rows(f"new_{name}") for name in tied if f"new_{name}" in self._made):
            given = {name: f"select * from now_{name}" for name in tied}
            if not self._put(parts, "contact_aliases", self._composed("contact_aliases", given)):
                return False
        is_shown = self._show(parts, "contact_aliases", "now_contact_aliases")
        self._make("tied_otherwise", self._bound("tied_otherwise"))
        return is_shown

    def _redo(self, moment: Moment, on_demand: Iterable[str]) -> None:
        """Work touched contacts out anew over their own last events, by the statements of the models."""
        since = self._engine.query(self._bound("redo_since")).to_pylist()[0]["redo_from"]
        facts = moment.files.items() if since is not None else ()
        recent = {name for name, file in facts if file.events and file.occurred_until >= since}
        self._look_at(set(moment.files) - recent if self._has_rows("tied_otherwise") else set())
        self._make("tied_events", self._bound("tied_events"))
        self._look_at(recent)
        self._engine.create_view("sought_events", self._bound("sought_events"))
        self._make("redo_events", _read_from("sought_events", self._bound("redo_events")))
        self._make("contact_events", self._bound("contact_events"))
        events = {"events": "select * from redo_events"}
        self._make("new_contacts", self._composed("contacts", {"events": "select * from contact_events"}))
        self._make("new_touches", self._composed("touches", events))
        given = events | {name: f"select * from new_{name}" for name in ("contacts", "touches")}
        self._make("redone_conversations", self._composed("conversation_timelines", given))
        self._make("new_conversation_timelines", self._bound("new_conversation_timelines"))
        for name in on_demand:
            self._make(f"redone_{name}", self._composed(name, given))
            self._make(f"new_{name}", self._bound(f"new_{name}"))

    def _put_refs(self, parts: dict[str, str]) -> bool:
        """Write who used which ref, where that may have changed."""
        if not (self._has_rows("tied_otherwise") or self._has_rows("new_ref_contacts")):
            return True
        given = {"ref_contacts": "select * from now_ref_contacts", "contact_aliases": _ALIASES}
        return self._put(parts, "used_refs", self._composed("used_refs", given))

    def _put_overlays(self, parts: dict[str, str]) -> bool:
        """Write what takes the place of rows of the bases, and which rows these are."""
        before = "select * from newly_replaced where false"
        self._engine.create_view("last_replaced", before)
        if "replaced" in parts and not self._show(parts, "replaced", "last_replaced"):
            return False
        self._make("replaced", self._bound("replaced"))
        for name in self._standing(parts):
            overlay, rows = f"{name}_overlay", f"select * from new_{name}"
            if overlay in parts:
                if not self._show(parts, overlay, f"last_{overlay}"):
                    return False
                rows += f" union all by name {standing(name, f'last_{overlay}', 'newly_replaced')}"
            if not self._put(parts, overlay, rows):
                return False
        if not self._put(parts, "replaced", "select * from replaced"):
            return False
        return not self._is_large(parts, "conversation_timelines") or self._fold(parts)

    def _standing(self, parts: Mapping[str, str]) -> list[str]:
        """Name the relations whose rows are replaced: of those on demand only what somebody has asked for."""
        return [name for name in STANDS if name in parts]

    def _is_large(self, parts: Mapping[str, str], name: str) -> bool:
        """Whether a relation's overlay has outgrown its base."""
        base, overlay = (self._folder.find(parts[part]) for part in (name, f"{name}_overlay"))
        if base is None or overlay is None:
            return False
        return overlay.stat().st_size > LARGEST_OVERLAY * base.stat().st_size

    def _fold(self, parts: dict[str, str]) -> bool:
        """Make new bases of the bases and what takes the place of their rows."""
        mended = dict(parts)
        for name in self._standing(parts):
            if not self._show(mended, name, f"mended_{name}"):
                return False
            if not self._put(parts, name, f"select * from mended_{name}"):
                return False
            del parts[f"{name}_overlay"]
        del parts["replaced"]
        return True

    def _put_known(self, parts: dict[str, str], moment: Moment, came: set[str]) -> bool:
        lists = {"young": tuple(sorted(young(moment.files))), "came": tuple(sorted(came))}
        return self._put(parts, "known_rows", self._bound("known_rows", **lists))

    def _stated(self, moment: Moment, parts: Mapping[str, str], *, may_tie: bool) -> State | None:
        """Say under the moment's name where its relations lie, unless a file was replaced meanwhile."""
        state = State(moment.as_of, moment.files, may_tie, parts)
        if self._is_replaced():
            return None  # what was read may have been erased
        path = self._folder.put(moment.key, ".json", lambda target: target.write_bytes(state.written()))
        return None if path is None else state

    def _put(self, parts: dict[str, str], part: str, sql: str) -> bool:
        key = f"{part}-{secrets.token_hex(8)}"
        parts[part] = key

        def write(target: Path) -> None:
            self._engine.write(target, sql)
            if self._is_replaced():
                raise OSError("A file was replaced while it was read, and what it held may have been erased.")

        return self._folder.put(key, ".parquet", write) is not None

    def _is_replaced(self) -> bool:
        return any(identity_of(path) != self._read_as[name].identity for name, path in self._files.items())

    def _show(self, parts: Mapping[str, str], name: str, view: str) -> bool:
        return show(self._engine, self._folder, parts, name, view) is not None

    def _look_at(self, names: set[str]) -> None:
        self.read |= names
        self._engine.create_named_view("looked_at", [self._files[name] for name in sorted(names)], EVENTS)

    def _has_rows(self, name: str) -> bool:
        return bool(self._engine.query(f"from {name} limit 1").num_rows)

    def _make(self, name: str, sql: str) -> None:
        self._engine.create_table(name, sql)
        self._made.append(name)

    def _bound(self, name: str, **words: Value) -> str:
        return compose(statement(name), {**self._parameters, **words}, {"contact_aliases": _ALIASES})

    def _composed(self, model: str, given: Mapping[str, str]) -> str:
        return compose(model, self._parameters, given)
