"""Compaction beside publication: a thread of the publisher's process, so that no event waits for it."""

import logging
import os
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from receiver.store import forgetting
from receiver.store.compaction import COMPACT_SECONDS, compact, grace_now, is_due
from receiver.store.folder import DataFolder
from receiver.store.merging import Interrupted

LOOK_SECONDS = 10.0
RETRY_SECONDS = 600.0
LEAST_URGENT = 15  # as a niceness: below publication

logger = logging.getLogger("receiver")


class BackgroundCompaction:
    """Compacts a data folder whenever it is due, one compaction at a time, and forgets what is to be forgotten.

    Parameters
    ----------
    folder : DataFolder
    retention_days : int or None, how many days of events are kept; ``None`` keeps all
    """

    def __init__(self, folder: DataFolder, retention_days: int | None = None) -> None:
        self._folder = folder
        self._retention_days = retention_days
        # It lies there while a compaction runs: one that ends the process is not tried again at once.
        self._marker = folder.index / "compacting"
        self._look_at = time.monotonic() + _left_to_wait(self._marker)
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._tally: dict[str, int] = {}

    def look(self) -> dict[str, int]:
        """Start a compaction if one is due; what one that has ended since the last look has done, by name."""
        if self._thread is not None:
            if self._thread.is_alive():
                return {}
            self._thread = None
            return self._tally
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            if is_due(self._folder) or self._is_to_forget():
                self._thread = threading.Thread(target=self._run, name="compaction", daemon=True)
                self._thread.start()
        return {}

    def stop(self) -> None:
        """Give up what is being done, and wait until it is."""
        self._is_stopping.set()
        if self._thread is not None:
            self._thread.join()

    # Below: the thread.

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LEAST_URGENT)
        self._tally = {}
        self._marker.touch()
        try:
            if is_due(self._folder):
                done = compact(
                    self._folder, grace_seconds=grace_now(self._folder), is_stopped=self._is_stopping.is_set
                )
                self._tally = {f"compacted_{name}": count for name, count in asdict(done).items()}
            if self._is_to_forget():
                self._tally.update(forgetting.forget(self._folder, self._retention_days, datetime.now(UTC)))
        except Interrupted:
            logger.info("compaction: given up, to be done again")
        except Exception as error:
            # Whatever it was, publication goes on; readers see the files as they were.
            logger.critical("compaction: %s", error)
            self._tally = {"compaction_failures": 1}
            self._look_at = time.monotonic() + RETRY_SECONDS
        self._marker.unlink(missing_ok=True)

    def _is_to_forget(self) -> bool:
        return forgetting.is_due(self._folder, self._retention_days, datetime.now(UTC))


def _left_to_wait(marker: Path) -> float:
    try:
        return COMPACT_SECONDS - (time.time() - marker.stat().st_mtime)
    except FileNotFoundError:
        return 0.0
