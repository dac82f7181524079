"""What the receiver counts, as Prometheus text: numbers only, nothing about a person or a body."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import time

from receiver.forwarder_process import ForwarderProcess
from receiver.store.folder import DataFolder
from receiver.store.publisher_process import PublisherProcess


@dataclass
class Tally:
    """What happened to requests since the start.

    Attributes
    ----------
    deliveries : Counter of str: ``stored``, ``refused``, ``too_large``, ``unavailable``, ``cut_off``
    refusals : Counter of str, refused signatures by reason
    last_stored_at : float, seconds since 1970 of the last delivery that was acknowledged; 0 before the first
    """

    deliveries: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    last_stored_at: float = 0.0

    def add(self, other: "Tally") -> None:
        """Count what another worker has counted, too."""
        self.deliveries.update(other.deliveries)
        self.refusals.update(other.refusals)
        self.last_stored_at = max(self.last_stored_at, other.last_stored_at)


@dataclass
class Figures:
    """What one worker, or all of them together, have done, and what they can do now.

    Attributes
    ----------
    tally : Tally
    commits, committed, commit_seconds : groups written and synced, the deliveries in them, seconds spent on them
    waiting, waiting_bytes : int, deliveries that wait for the disk, and their bytes
    accepting : int, workers whose journal is open
    behind : int, of these, those for which too much waits
    failures : int, workers that ended untold
    """

    tally: Tally = field(default_factory=Tally)
    commits: int = 0
    committed: int = 0
    commit_seconds: float = 0.0
    waiting: int = 0
    waiting_bytes: int = 0
    accepting: int = 0
    behind: int = 0
    failures: int = 0

    def add(self, other: "Figures") -> None:
        """Add what another worker has done and can do."""
        self.tally.add(other.tally)
        for name, value in vars(other).items():
            if name != "tally":
                setattr(self, name, getattr(self, name) + value)

    def ended(self) -> "Figures":
        """Give what stays true of a worker that has ended: its totals."""
        return Figures(self.tally, self.commits, self.committed, self.commit_seconds)

    def to_json(self) -> str:
        """Write the figures in one line."""
        return json.dumps(self, default=vars)

    @classmethod
    def from_json(cls, line: bytes) -> "Figures":
        """Read what ``to_json`` wrote."""
        fields = json.loads(line)
        tally = Tally()
        for name, value in fields.pop("tally").items():
            setattr(tally, name, Counter(value) if isinstance(value, dict) else value)
        return cls(tally, **fields)


def exposition(
    figures: Figures, publisher: PublisherProcess, folder: DataFolder, forwarder: ForwarderProcess | None
) -> str:
    """Write all metrics in Prometheus' text format."""
    tally = figures.tally
    waiting_since = [path.stat().st_mtime for path in _existing(folder.journal.glob("*/*.wal"))]
    lines = [
        *_labelled("ctm_deliveries_total", "POST requests by result", "result", tally.deliveries),
        *_labelled("ctm_signatures_refused_total", "refused signatures by reason", "reason", tally.refusals),
        *_one("ctm_last_stored_timestamp_seconds", "gauge", "last delivery stored", tally.last_stored_at),
        *_one("ctm_accepting_workers", "gauge", "processes that accept deliveries", figures.accepting),
        *_one("ctm_worker_failures_total", "counter", "such processes that ended untold", figures.failures),
        *_one("ctm_commits_total", "counter", "groups written and synced", figures.commits),
        *_one("ctm_commit_seconds_total", "counter", "seconds spent on them", figures.commit_seconds),
        *_one("ctm_journal_deliveries_total", "counter", "deliveries on disk", figures.committed),
        *_one("ctm_waiting_deliveries", "gauge", "deliveries that wait for the disk", figures.waiting),
        *_one("ctm_waiting_bytes", "gauge", "their bytes", figures.waiting_bytes),
        *_labelled("ctm_published_total", "what became of the journal", "what", publisher.totals),
        *_one("ctm_publisher_failures_total", "counter", "publishers that ended untold", publisher.failures),
        *_one("ctm_publisher_silent_seconds", "gauge", "how long it owes a sign", publisher.silent_seconds),
        *_one("ctm_unpublished_segments", "gauge", "sealed segments to be published", len(waiting_since)),
        *_one(
            "ctm_oldest_unpublished_seconds", "gauge", "age of the oldest of them",
            max(0.0, time() - min(waiting_since)) if waiting_since else 0,
        ),
        *_one("ctm_disk_free_bytes", "gauge", "free space of the data folder", folder.free_bytes()),
    ]  # fmt: skip
    if forwarder is not None:
        lines += _forwarding(forwarder)
    return "\n".join(lines) + "\n"


def _forwarding(forwarder: ForwarderProcess) -> list[str]:
    return [
        *_labelled("ctm_forward_total", "deliveries and attempts by result", "result", forwarder.totals),
        *_one("ctm_forward_lag_seconds", "gauge", "age of the oldest not relayed", forwarder.lag_seconds),
        *_one("ctm_forward_set_aside", "gauge", "deliveries refused again and again", forwarder.aside),
        *_one("ctm_forwarder_failures_total", "counter", "forwarders that ended untold", forwarder.failures),
    ]


def _existing(paths: Iterable[Path]) -> list[Path]:
    # The publisher moves segments away while they are listed.
    return [path for path in paths if path.exists()]


def _one(name: str, kind: str, meaning: str, value: float) -> list[str]:
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", f"{name} {value}"]


def _labelled(name: str, meaning: str, label: str, values: Mapping[str, int]) -> list[str]:
    samples = [f'{name}{{{label}="{key}"}} {value}' for key, value in sorted(values.items())]
    return [f"# HELP {name} {meaning}", f"# TYPE {name} counter", *samples]
