"""What the publisher does all day: publish what is sealed, write heartbeats, have the folder compacted."""

import gc
import json
import logging
import os
import select
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from receiver.deliveries import ReadingOptions
from receiver.errors import ReceiverError
from receiver.settings import load_retention_days
from receiver.store.background import BackgroundCompaction
from receiver.store.folder import DataFolder
from receiver.store.heartbeat import write_heartbeat
from receiver.store.object_store import ObjectStore, StoreUnavailable
from receiver.store.open_segment import remove_empty_journals
from receiver.store.publisher import Publisher

POLL_SECONDS = 0.25
LIST_SECONDS = 1.0
TIDY_SECONDS = 3600.0
LONGEST_PAUSE_SECONDS = 30.0
# Events of a segment are many objects and no garbage.
GARBAGE_OBJECTS = 100_000

logger = logging.getLogger("receiver")


def publish_until_told(folder: DataFolder, settings: Mapping[str, Any]) -> None:
    """Publish until the receiver says so on standard input, or is gone.

    Parameters
    ----------
    folder : DataFolder, whose lock is held
    settings : mapping, as the receiver has written it: the fields of ``ReadingSettings`` and ``events_url``

    Raises
    ------
    ReceiverError, OSError, sqlite3.Error
        When publication cannot go on.
    """
    gc.set_threshold(GARBAGE_OBJECTS)
    options = ReadingOptions(
        store_text=settings["store_text"],
        bot_app_ids=frozenset(settings["bot_app_ids"]),
        human_app_ids=frozenset(settings["human_app_ids"]),
    )
    events_url = settings["events_url"]
    store = ObjectStore(events_url) if events_url else None
    publisher = Publisher(folder, options, store)
    compaction = BackgroundCompaction(folder, load_retention_days(folder.root, os.environ), store)
    try:
        _work(publisher, compaction, _Receiver(folder, publisher, store))
        remove_empty_journals(folder.journal)
    finally:
        compaction.stop()
        publisher.rhythm.save()
        publisher.close()


def _work(publisher: Publisher, compaction: BackgroundCompaction, receiver: "_Receiver") -> None:
    outage = _Outage()
    tidy_at = time.monotonic() + TIDY_SECONDS
    while receiver.end != "leave":
        segments = publisher.sealed_segments()
        if receiver.end == "drain" and not segments:
            return
        pause = POLL_SECONDS
        if receiver.end or outage.is_over():
            try:
                pause = _publish(publisher, segments, receiver)
                outage.has_ended()
            except StoreUnavailable as error:
                if receiver.end == "drain":
                    raise
                outage.goes_on(error)
        if not receiver.end and (done := compaction.look()):
            _say(done)
        if time.monotonic() >= tidy_at:
            publisher.tidy()
            publisher.rhythm.save()
            tidy_at = time.monotonic() + TIDY_SECONDS
        receiver.listen(pause)


def _publish(publisher: Publisher, segments: Sequence[Path], receiver: "_Receiver") -> float:
    """Publish for a while; how long there is nothing to do then."""
    # What a receiver has sealed meanwhile goes before a backfill: after a while they are listed again.
    list_at = time.monotonic() + LIST_SECONDS
    for segment in segments:
        publication = publisher.publish(segment)
        if publication is None:  # an erasure has the folder, or a command
            break
        _say(asdict(publication))
        receiver.listen(0)
        if receiver.end == "leave" or time.monotonic() >= list_at:
            return 0.0
    return POLL_SECONDS


class _Outage:
    """How long to leave an object store alone that does not answer."""

    def __init__(self) -> None:
        self._pause = 0.0
        self._retry_at = 0.0

    def is_over(self) -> bool:
        """Whether it may be tried, again or still."""
        return time.monotonic() >= self._retry_at

    def goes_on(self, error: StoreUnavailable) -> None:
        """Wait, longer each time, and say so."""
        self._pause = min(2 * self._pause or 1.0, LONGEST_PAUSE_SECONDS)
        self._retry_at = time.monotonic() + self._pause
        logger.error("publisher: %s What is sealed waits in journal/.", error)
        _say({"store_failures": 1})

    def has_ended(self) -> None:
        """Note that it answers."""
        self._pause = 0.0


class _Receiver:
    """What the receiver says, and the heartbeats that it has written.

    Attributes
    ----------
    end : str, how this process is to end: ``drain``, ``leave``, or empty while it is not
    """

    def __init__(self, folder: DataFolder, publisher: Publisher, store: ObjectStore | None) -> None:
        self.end = ""
        self._folder = folder
        self._publisher = publisher
        self._store = store

    def listen(self, timeout_seconds: float) -> None:
        """Do what the receiver says, or wait for a while.

        Raises
        ------
        ReceiverError
            When the receiver is gone: the next one must find the folder free.
        """
        readable, _, _ = select.select([sys.stdin], [], [], timeout_seconds)
        if not readable:
            return
        # Few and short: each line is written into the pipe whole, and a next one once this one is answered.
        content = os.read(sys.stdin.fileno(), select.PIPE_BUF)
        if not content:
            raise ReceiverError("the receiver is gone; what it acknowledged is published at the next start")
        told = [json.loads(line) for line in content.splitlines()]
        for message in told:
            if message["beat"] is not None:
                self._beat(message["beat"])
            self.end = message["end"] or self.end
            _say({"gauges": self._publisher.rhythm.figures(time.time_ns() // 1000)})

    def _beat(self, beat: Mapping[str, str]) -> None:
        started_at, beat_at = (datetime.fromisoformat(beat[name]) for name in ("started_at", "beat_at"))
        try:
            path = write_heartbeat(self._folder, beat["receiver_id"], started_at, beat_at)
            if self._store is not None:
                self._store.write(f"heartbeats/{path.name}", path.read_bytes())
        except (OSError, StoreUnavailable) as error:
            # A missing beat shows as a gap in capture, which is the careful side to err on.
            logger.error("heartbeat: %s", error)


def _say(what: Mapping[str, object]) -> None:
    print(json.dumps(what), flush=True)
