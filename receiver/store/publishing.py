"""The publisher's process: it takes the folder, says ``ready``, and publishes until the receiver says so.

It reads one JSON object a line: ``{"beat": {"receiver_id": …, "started_at": …, "beat_at": …}, "end": ""}``
(``end`` is ``drain``: when all is published, or ``leave``: after the segment in hand), and writes ``ready``, then one
JSON object for each segment (what became of it) and for each line read (how the accounts are, as ``gauges``).
"""

import json
import logging
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

from receiver.errors import EXIT_FAILED, FolderInUse, ReceiverError
from receiver.store.backfill import remove_unfinished_backfills
from receiver.store.folder import DataFolder, try_lock
from receiver.store.open_segment import remove_empty_journals

POLL_SECONDS = 0.25
LOCK_SECONDS = 3.0

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
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    settings = json.loads(arguments[0])
    folder = DataFolder(Path(settings["data"]))
    try:
        folder.create()
        _lock(folder)
        # Before the receiver goes on: from then on it writes into journal/ too.
        remove_unfinished(folder)
        remove_empty_journals(folder.journal)
        print("ready", flush=True)
        os.nice(10)  # an answer may not wait for a processor, a publication may
        # Here, because Parquet takes longer to import than all before: the first answer does not wait for it.
        from receiver.store.publication import publish_until_told

        publish_until_told(folder, settings)
        return 0
    except (ReceiverError, OSError, sqlite3.Error) as error:
        logger.critical("publisher: %s", error)
        return EXIT_FAILED


def remove_unfinished(folder: DataFolder) -> None:
    """Remove what an interrupted run has left in ``staging/``; nobody may be writing there."""
    for unfinished in folder.staging.glob("*.tmp"):
        unfinished.unlink(missing_ok=True)
    remove_unfinished_backfills(folder)


def _lock(folder: DataFolder) -> None:
    # The publisher of a receiver that was killed ends after the segment in its hands.
    give_up = time.monotonic() + LOCK_SECONDS
    while try_lock(folder.lock) is None:
        if time.monotonic() > give_up:
            raise FolderInUse(f"{folder.root}: another receiver publishes from this folder. Stop it first.")
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
