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
from receiver.store.object_store import ObjectStore
from receiver.store.shared_compaction import compact_shared, is_shared_due

LOOK_SECONDS = 10.0
ASK_STORE_SECONDS = 60.0  # whether it is due takes requests to find out
RETRY_SECONDS = 600.0
LEAST_URGENT = 15  # as a niceness: below publication

logger = logging.getLogger("receiver")


class BackgroundCompaction:
    """Compacts a data folder whenever it is due, one compaction at a time, and forgets what is to be forgotten.

    Parameters
    ----------
    folder : DataFolder
    retention_days : int or None, how many days of events are kept; ``None`` keeps all
    store : ObjectStore or None, where the folder's events are published to, and compacted by whoever has the lease
    """

    def __init__(
        self, folder: DataFolder, retention_days: int | None = None, store: ObjectStore | None = None
    ) -> None:
        self._folder = folder
        self._retention_days = retention_days
        self._store = store
        self._ask_store_at = 0.0
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
            if is_due(self._folder) or self._is_to_forget() or self._is_to_ask_store():
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
            if self._store is not None and self._is_to_ask_store():
                self._ask_store_at = time.monotonic() + ASK_STORE_SECONDS
                self._tally.update(self._compact_store(self._store))
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

    def _is_to_ask_store(self) -> bool:
        return self._store is not None and time.monotonic() >= self._ask_store_at

    def _compact_store(self, store: ObjectStore) -> dict[str, int]:
        if not is_shared_due(store, self._retention_days):
            return {}
        is_stopped = self._is_stopping.is_set
        done = compact_shared(store, self._folder, retention_days=self._retention_days, is_stopped=is_stopped)
        return {f"compacted_{name}": count for name, count in asdict(done).items()}


def _left_to_wait(marker: Path) -> float:
    try:
        return COMPACT_SECONDS - (time.time() - marker.stat().st_mtime)
    except FileNotFoundError:
        return 0.0
