"""The publisher's process: it publishes what is sealed, and writes the receiver's heartbeats.

It reads one JSON object a line: ``{"beat": {"receiver_id": …, "started_at": …, "beat_at": …}, "end": ""}``
(``end`` is ``drain``: when all is published, or ``leave``: after the segment in hand), and writes ``ready``, then one
JSON object for each segment (what became of it) and for each line read (how the accounts are, as ``gauges``).
"""

import json
import logging
import os
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from receiver.deliveries import ReadingOptions
from receiver.errors import EXIT_FAILED, FolderInUse, ReceiverError
from receiver.settings import load_retention_days
from receiver.store.background import BackgroundCompaction
from receiver.store.folder import DataFolder, try_lock
from receiver.store.heartbeat import write_heartbeat
from receiver.store.journal import remove_empty_journals
from receiver.store.publisher import Publisher, remove_unfinished

POLL_SECONDS = 0.25
LOCK_SECONDS = 3.0
LIST_SECONDS = 1.0
TIDY_SECONDS = 3600.0

logger = logging.getLogger("receiver")


def main(arguments: list[str]) -> int:
    """Publish until the receiver says so on standard input, or is gone.

    Parameters
    ----------
    arguments : list of one str, the settings as JSON

    Returns
    -------
    int
        0 when it was told to end, and did; else 1.
    """
    # A terminal or a supervisor signals the whole group, but the receiver decides when all is published.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    os.nice(5)  # an answer may not wait for a processor, a publication may
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    settings = json.loads(arguments[0])
    folder = DataFolder(Path(settings["data"]))
    options = ReadingOptions(
        store_text=settings["store_text"],
        bot_app_ids=frozenset(settings["bot_app_ids"]),
        human_app_ids=frozenset(settings["human_app_ids"]),
    )
    try:
        folder.create()
        _lock(folder)
        # Before the receiver goes on: from then on it writes into journal/ too.
        remove_unfinished(folder)
        remove_empty_journals(folder.journal)
        print("ready", flush=True)
        _publish_until_drained(folder, options)
        return 0
    except (ReceiverError, OSError, sqlite3.Error) as error:
        logger.critical("publisher: %s", error)
        return EXIT_FAILED


def _lock(folder: DataFolder) -> None:
    # The publisher of a receiver that was killed ends after the segment in its hands.
    give_up = time.monotonic() + LOCK_SECONDS
    while try_lock(folder.lock) is None:
        if time.monotonic() > give_up:
            raise FolderInUse(f"{folder.root}: another receiver publishes from this folder. Stop it first.")
        time.sleep(POLL_SECONDS)


def _publish_until_drained(folder: DataFolder, options: ReadingOptions) -> None:
    publisher = Publisher(folder, options)
    compaction = BackgroundCompaction(folder, load_retention_days(folder.root, os.environ))
    try:
        _work(folder, publisher, compaction)
        remove_empty_journals(folder.journal)
    finally:
        compaction.stop()
        publisher.rhythm.save()
        publisher.close()


def _work(folder: DataFolder, publisher: Publisher, compaction: BackgroundCompaction) -> None:
    end = ""
    tidy_at = time.monotonic() + TIDY_SECONDS
    while True:
        segments = publisher.sealed_segments()
        if end == "drain" and not segments:
            return
        # What a receiver has sealed meanwhile goes before a backfill: after a while they are listed again.
        list_at = time.monotonic() + LIST_SECONDS
        pause = POLL_SECONDS
        for segment in segments:
            publication = publisher.publish(segment)
            if publication is None:  # an erasure has the folder, or a command
                break
            _say(asdict(publication))
            end = _listen(folder, publisher, 0) or end
            if end == "leave":
                return
            if time.monotonic() >= list_at:
                pause = 0.0
                break
        if not end and (done := compaction.look()):
            _say(done)
        if time.monotonic() >= tidy_at:
            publisher.tidy()
            publisher.rhythm.save()
            tidy_at = time.monotonic() + TIDY_SECONDS
        end = _listen(folder, publisher, pause) or end
        if end == "leave":
            return


def _listen(folder: DataFolder, publisher: Publisher, timeout_seconds: float) -> str:
    """Do what the receiver says; how it is to end, if that was said.

    Raises
    ------
    ReceiverError
        When the receiver is gone: the next one must find the folder free.
    """
    readable, _, _ = select.select([sys.stdin], [], [], timeout_seconds)
    if not readable:
        return ""
    # Few and short: each line is written into the pipe whole, and a next one once this one is answered.
    content = os.read(sys.stdin.fileno(), select.PIPE_BUF)
    if not content:
        raise ReceiverError("the receiver is gone; what it acknowledged is published at the next start")
    told = [json.loads(line) for line in content.splitlines()]
    for message in told:
        if message["beat"] is not None:
            _beat(folder, message["beat"])
        _say({"gauges": publisher.rhythm.figures(time.time_ns() // 1000)})
    return next((message["end"] for message in told if message["end"]), "")


def _beat(folder: DataFolder, beat: Mapping[str, str]) -> None:
    started_at, beat_at = (datetime.fromisoformat(beat[name]) for name in ("started_at", "beat_at"))
    try:
        write_heartbeat(folder, beat["receiver_id"], started_at, beat_at)
    except OSError as error:
        # A missing beat shows as a gap in capture, which is the careful side to err on.
        logger.error("heartbeat: %s", error)


def _say(what: Mapping[str, object]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
