"""What the receiver counts, as Prometheus text: numbers only, nothing about a person or a body."""

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time
from typing import Any

from receiver.disk import DiskTrend
from receiver.forwarder_process import ForwarderProcess
from receiver.store.folder import DataFolder
from receiver.store.journal import SECONDS_BOUNDS, SIZE_BOUNDS
from receiver.store.publisher_process import PublisherProcess

MINUTES = 60


@dataclass
class Tally:
    """What happened to requests since the start.

    Attributes
    ----------
    deliveries : Counter of str: ``stored``, ``refused``, ``too_large``, ``unavailable``, ``cut_off``
    refusals : Counter of str, refused signatures by reason
    unavailable_minutes : Counter of str, answers with 503 in each minute (since 1970) of the last hour that had any
    last_stored_at : float, seconds since 1970 of the last delivery that was acknowledged; 0 before the first
    """

    deliveries: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    unavailable_minutes: Counter[str] = field(default_factory=Counter)
    last_stored_at: float = 0.0

    def count(self, result: str) -> None:
        """Count a request that was answered now."""
        self.deliveries[result] += 1
        if result == "stored":
            self.last_stored_at = time()
        elif result == "unavailable":
            self.unavailable_minutes[str(int(time() // 60))] += 1
            while len(self.unavailable_minutes) > MINUTES:
                del self.unavailable_minutes[min(self.unavailable_minutes, key=int)]

    def minutes_unavailable(self) -> int:
        """In how many of the last sixty minutes at least one delivery was answered with 503."""
        return sum(int(minute) > time() // 60 - MINUTES for minute in self.unavailable_minutes)

    def add(self, other: "Tally") -> None:
        """Count what another worker has counted, too."""
        self.deliveries.update(other.deliveries)
        self.refusals.update(other.refusals)
        self.unavailable_minutes.update(other.unavailable_minutes)
        self.last_stored_at = max(self.last_stored_at, other.last_stored_at)


@dataclass
class Figures:
    """What one worker, or all of them together, have done, and what they can do now.

    Attributes
    ----------
    tally : Tally
    commits, committed, commit_seconds : groups written and synced, the deliveries in them, seconds spent on them
    commits_by_seconds, commits_by_size : Counter of str, groups by the bound that they do not exceed
    waiting, waiting_bytes : int, deliveries that wait for the disk, and their bytes
    accepting : int, workers whose journal is open
    behind : int, of these, those for which too much waits
    failures : int, workers that ended untold
    """

    tally: Tally = field(default_factory=Tally)
    commits: int = 0
    committed: int = 0
    commit_seconds: float = 0.0
    commits_by_seconds: Counter[str] = field(default_factory=Counter)
    commits_by_size: Counter[str] = field(default_factory=Counter)
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
        return Figures(
            self.tally,
            self.commits,
            self.committed,
            self.commit_seconds,
            self.commits_by_seconds,
            self.commits_by_size,
        )

    def to_json(self) -> str:
        """Write the figures in one line."""
        return json.dumps(self, default=vars)

    @classmethod
    def from_json(cls, line: bytes) -> "Figures":
        """Read what ``to_json`` wrote."""
        fields = json.loads(line)
        tally = Tally(**_with_counters(fields.pop("tally")))
        return cls(tally, **_with_counters(fields))


def _with_counters(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: Counter(value) if isinstance(value, dict) else value for name, value in fields.items()}


class Exposition:
    """All metrics in Prometheus' text format."""

    def __init__(
        self, folder: DataFolder, publisher: PublisherProcess, forwarder: ForwarderProcess | None
    ) -> None:
        self._folder, self._publisher, self._forwarder = folder, publisher, forwarder
        self._trend = DiskTrend()

    def text(self, figures: Figures) -> str:
        """Write them as they are now."""
        lines = [
            *_requests(figures.tally),
            *_journal(figures),
            *_publication(self._publisher, self._folder),
            *_disk(self._folder, self._trend),
            *(_forwarding(self._forwarder) if self._forwarder is not None else []),
        ]
        return "\n".join(lines) + "\n"


def _requests(tally: Tally) -> list[str]:
    return [
        *_labelled("ctm_deliveries_total", "POST requests by result", "result", tally.deliveries),
        *_labelled("ctm_signatures_refused_total", "refused signatures by reason", "reason", tally.refusals),
        *_one(
            "ctm_unavailable_minutes", "gauge", "of the last 60, those with an answer of 503",
            tally.minutes_unavailable(),
        ),
        *_one("ctm_last_stored_timestamp_seconds", "gauge", "last delivery stored", tally.last_stored_at),
    ]  # fmt: skip


def _journal(figures: Figures) -> list[str]:
    return [
        *_one("ctm_accepting_workers", "gauge", "processes that accept deliveries", figures.accepting),
        *_one("ctm_worker_failures_total", "counter", "such processes that ended untold", figures.failures),
        *_histogram(
            "ctm_commit_seconds", "to write and sync a group", figures.commits_by_seconds, SECONDS_BOUNDS
        ),
        f"ctm_commit_seconds_sum {figures.commit_seconds}",
        f"ctm_commit_seconds_count {figures.commits}",
        *_histogram("ctm_commit_deliveries", "in one group", figures.commits_by_size, SIZE_BOUNDS),
        f"ctm_commit_deliveries_sum {figures.committed}",
        f"ctm_commit_deliveries_count {figures.commits}",
        *_one("ctm_waiting_deliveries", "gauge", "deliveries that wait for the disk", figures.waiting),
        *_one("ctm_waiting_bytes", "gauge", "their bytes", figures.waiting_bytes),
    ]


def _publication(publisher: PublisherProcess, folder: DataFolder) -> list[str]:
    waiting = _stats(folder.journal.glob("*/*.wal"))
    oldest = max(0.0, time() - min(stat.st_mtime for stat in waiting)) if waiting else 0
    quarantined = len(_stats(folder.quarantine.glob("*")))
    gauges = publisher.gauges
    return [
        *_labelled("ctm_published_total", "what became of the journal", "what", publisher.totals),
        *_one("ctm_publisher_failures_total", "counter", "publishers that ended untold", publisher.failures),
        *_one("ctm_publisher_silent_seconds", "gauge", "how long it owes a sign", publisher.silent_seconds),
        *_one("ctm_unpublished_segments", "gauge", "sealed segments to be published", len(waiting)),
        *_one("ctm_unpublished_bytes", "gauge", "their bytes", sum(stat.st_size for stat in waiting)),
        *_one("ctm_oldest_unpublished_seconds", "gauge", "age of the oldest of them", oldest),
        *_one("ctm_quarantined_files", "gauge", "what somebody should look at", quarantined),
        *_one("ctm_accounts", "gauge", "heard of in two weeks", gauges.get("accounts", 0)),
        *_one("ctm_silent_accounts", "gauge", "silent for unusually long", gauges.get("silent_accounts", 0)),
        *_one(
            "ctm_longest_silence_seconds", "gauge", "of any account", gauges.get("longest_silence_seconds", 0)
        ),
    ]


def _disk(folder: DataFolder, trend: DiskTrend) -> list[str]:
    free = folder.free_bytes()
    seconds = trend.seconds_to_full(monotonic(), free)
    return [
        *_one("ctm_disk_free_bytes", "gauge", "free space of the data folder", free),
        *_one("ctm_disk_seconds_to_full", "gauge", "if it goes on like the last hour", seconds),
    ]


def _forwarding(forwarder: ForwarderProcess) -> list[str]:
    return [
        *_labelled("ctm_forward_total", "deliveries and attempts by result", "result", forwarder.totals),
        *_one("ctm_forward_lag_seconds", "gauge", "age of the oldest not relayed", forwarder.lag_seconds),
        *_one("ctm_forward_set_aside", "gauge", "deliveries refused again and again", forwarder.aside),
        *_one("ctm_forwarder_failures_total", "counter", "forwarders that ended untold", forwarder.failures),
    ]


def _stats(paths: Iterable[Path]) -> list[os.stat_result]:
    found = []
    for path in paths:
        with contextlib.suppress(
            FileNotFoundError
        ):  # the publisher moves segments away while they are listed
            found.append(path.stat())
    return found


def _one(name: str, kind: str, meaning: str, value: float) -> list[str]:
    # Prometheus writes what never comes to an end in its own way.
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", f"{name} {value}".replace(" inf", " +Inf")]


def _histogram(name: str, meaning: str, counts: Counter[str], bounds: Iterable[float]) -> list[str]:
    """Write the buckets of a histogram, each with those below it; its sum and its count are the caller's."""
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} histogram"]
    total = 0
    for bound in [*map(str, bounds), "+Inf"]:
        total += counts[bound]
        lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
    return lines


def _labelled(name: str, meaning: str, label: str, values: Mapping[str, int]) -> list[str]:
    samples = [f'{name}{{{label}="{key}"}} {value}' for key, value in sorted(values.items())]
    return [f"# HELP {name} {meaning}", f"# TYPE {name} counter", *samples]
