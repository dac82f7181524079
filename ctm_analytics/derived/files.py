"""The files of events as one refresh found them: which came, which went, and until when each was filled."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

# A settled file is merged with others for so long, or somewhat longer; an older one stays as it is.
YOUNG_DAYS = timedelta(days=3)
BEGINNING = datetime(1, 1, 1)  # noqa: DTZ001 - on disk instants are naive UTC


class FileFacts(NamedTuple):
    """What is known of a file of events.

    Attributes
    ----------
    identity : str, tells it from any other file, also from one that replaces it under its name
    events : int
    received_until, occurred_until : datetime, naive UTC; the beginning of time where there is no event
    """

    identity: str
    events: int
    received_until: datetime
    occurred_until: datetime

    @property
    def until(self) -> datetime:
        """Its last instant."""
        return max(self.received_until, self.occurred_until)

    def as_json(self) -> list[str | int]:
        """Write it as a list of plain values."""
        return [
            self.identity,
            self.events,
            self.received_until.isoformat(),
            self.occurred_until.isoformat(),
        ]

    @classmethod
    def from_json(cls, values: Iterable[str | int]) -> "FileFacts":
        """Read what ``as_json`` wrote.

        Raises
        ------
        ValueError, TypeError
            If it did not.
        """
        identity, events, received_until, occurred_until = values
        return cls(
            str(identity),
            int(events),
            datetime.fromisoformat(str(received_until)),
            datetime.fromisoformat(str(occurred_until)),
        )


def young(files: Mapping[str, FileFacts]) -> set[str]:
    """Name the files that compaction may yet replace."""
    newest = max((facts.received_until for facts in files.values()), default=BEGINNING)
    if newest < BEGINNING + YOUNG_DAYS:
        return set(files)
    return {name for name, facts in files.items() if facts.received_until >= newest - YOUNG_DAYS}


def differing(files: Mapping[str, FileFacts], others: Mapping[str, FileFacts]) -> set[str]:
    """Name those of some files that are not among others, or are other files there."""
    return {name for name, facts in files.items() if facts != others.get(name)}
