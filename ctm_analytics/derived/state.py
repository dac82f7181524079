"""A refresh's outcome on disk: which files of events it has read, and where its relations lie."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ctm_analytics.derived.files import FileFacts
from ctm_analytics.derived.folder import DerivedFolder


@dataclass(frozen=True)
class State:
    """Relations as of some files of events and an instant.

    Attributes
    ----------
    as_of : datetime, naive UTC: the last recorded instant that counted
    files : mapping of a file's name to what is known of it
    may_tie : bool, whether any event can tie two ids of a contact together
    parts : mapping of str to str; a part of a relation to its key in the folder
    """

    as_of: datetime
    files: Mapping[str, FileFacts]
    may_tie: bool
    parts: Mapping[str, str]

    def written(self) -> bytes:
        """Write it as JSON."""
        content = {
            "as_of": self.as_of.isoformat(),
            "files": {name: facts.as_json() for name, facts in self.files.items()},
            "may_tie": self.may_tie,
            "parts": dict(self.parts),
        }
        return json.dumps(content).encode()


def read_state(path: Path) -> State | None:
    """Read a state; None where the file is none."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        files = {name: FileFacts.from_json(facts) for name, facts in content["files"].items()}
        as_of = datetime.fromisoformat(content["as_of"])
        return State(as_of, files, bool(content["may_tie"]), dict(content["parts"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def states(folder: DerivedFolder, family: str) -> Iterator[State]:
    """Yield the states of one family, the latest first, and of one instant the one with most relations."""
    found = [read_state(path) for path in folder.whole(family, ".json")]
    yield from sorted(
        (state for state in found if state is not None),
        key=lambda state: (state.as_of, len(state.parts)),
        reverse=True,
    )
