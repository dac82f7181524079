"""forward/cursor.json: which deliveries have been relayed to the team's bot."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from receiver.errors import ReceiverError
from receiver.store.folder import DataFolder, replace_file


class Place(NamedTuple):
    """A delivery: the run whose journal holds it, the number of the segment, its sequence in there."""

    run: str
    segment: int
    sequence: int


@dataclass
class ForwardCursor:
    """How far each run's journal has been relayed.

    Attributes
    ----------
    since : int, microseconds since 1970 UTC; what was received before is nobody's to relay
    next_places : dict of str to list of two int, for each run the segment and the sequence to go on with
    aside : list of Place, deliveries that the bot refused again and again, to be tried from time to time
    """

    since: int
    next_places: dict[str, list[int]] = field(default_factory=dict)
    aside: list[Place] = field(default_factory=list)

    def save(self, folder: DataFolder) -> None:
        """Replace the file durably."""
        replace_file(cursor_path(folder), json.dumps(asdict(self)).encode() + b"\n", folder.staging)


def cursor_path(folder: DataFolder) -> Path:
    """Where the cursor of a data folder lies."""
    return folder.forward / "cursor.json"


def load_cursor(folder: DataFolder, begun_at: int) -> ForwardCursor:
    """Read the cursor; where there is none yet, relaying begins with what is received at ``begun_at``.

    Raises
    ------
    ReceiverError
        If the file is no cursor: guessing would send everything again, or leave something out.
    """
    path = cursor_path(folder)
    if not path.exists():
        return ForwardCursor(since=begun_at)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        places = {
            run: [int(segment), int(sequence)] for run, (segment, sequence) in content["next_places"].items()
        }
        return ForwardCursor(int(content["since"]), places, [Place(*place) for place in content["aside"]])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ReceiverError(
            f"{path}: not a cursor. Remove it to relay only what is received from now on."
        ) from None
