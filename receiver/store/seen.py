"""Which events are published already: a cache, made from the event ids of the Parquet files."""

import logging
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from receiver.store.parquet import read_event_ids

logger = logging.getLogger("receiver")


class SeenIndex:
    """The ids of published events, and the files they were read from.

    Ids join the index in the transaction that is committed after their file has got its name. An id
    without a file would make a later redelivery vanish; a file without its ids is found by ``catch_up``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = self._connect()
        except sqlite3.DatabaseError as error:
            logger.warning("index: %s: it is made again from the published events", error)
            self._start_again()

    def catch_up(self, published: Mapping[str, Path]) -> None:
        """Make the index agree with the published files.

        Parameters
        ----------
        published : mapping of str to Path, every published file by its name
        """
        known = {name for (name,) in self._connection.execute("SELECT name FROM files")}
        if known - published.keys():
            # Ids of files that are gone would swallow events that nobody can read.
            logger.warning("index: %d files have gone: it is made again", len(known - published.keys()))
            self._start_again()
            known = set()
        for name in sorted(published.keys() - known):
            try:
                self.add_file(name, read_event_ids(published[name]))
            except (OSError, ValueError, TypeError) as error:
                # Capture goes on: the file's events could at worst be stored a second time.
                self._connection.rollback()
                logger.error("index: %s cannot be read: %s", published[name].name, error)
                continue
            self.commit()

    def add(self, event_id: str) -> bool:
        """Note an event; False if it was known. Nothing is kept before ``commit``."""
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO events VALUES (?)", (bytes.fromhex(event_id),)
        )
        return cursor.rowcount == 1

    def discard(self, event_ids: Iterable[str]) -> None:
        """Forget events that were noted but will not be published."""
        keys = [(bytes.fromhex(event_id),) for event_id in event_ids]
        self._connection.executemany("DELETE FROM events WHERE event_id = ?", keys)

    def add_file(self, name: str, event_ids: Iterable[str] = ()) -> None:
        """Note a published file, with the events that were not noted one by one."""
        for event_id in event_ids:
            self.add(event_id)
        self._connection.execute("INSERT OR IGNORE INTO files VALUES (?)", (name,))

    def commit(self) -> None:
        """Keep what was noted."""
        self._connection.commit()

    def close(self) -> None:
        """Close the file; what was not committed is forgotten."""
        self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("the file is damaged")
            connection.execute("CREATE TABLE IF NOT EXISTS events (event_id BLOB PRIMARY KEY) WITHOUT ROWID")
            connection.execute("CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY) WITHOUT ROWID")
            connection.execute("SELECT event_id FROM events LIMIT 0")
            connection.execute("SELECT name FROM files LIMIT 0")
        except BaseException:
            connection.close()
            raise
        return connection

    def _start_again(self) -> None:
        if hasattr(self, "_connection"):
            self._connection.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._connection = self._connect()
