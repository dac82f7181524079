"""Which events are published already: a cache, made from the event ids of the Parquet files."""

import contextlib
import logging
import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from receiver.deliveries import Event
from receiver.store.contacts import CONTACT_COLUMNS, ContactKeys, contacts_of
from receiver.store.manifest import Manifest, SettledFile
from receiver.store.parquet import read_checked

# Ids are forgotten a period at a time; those of this period and of the last are kept. Meta tries again for
# at most seven days.
PERIOD_DAYS = 14
_PERIOD_SECONDS = PERIOD_DAYS * 24 * 3600
_BUSY_SECONDS = 60

logger = logging.getLogger("receiver")


class SeenIndex:
    """The ids of events that were published in the last 14 to 28 days, and the files that hold them.

    Ids join the index in the transaction that is committed after their file has got its name. An id
    without a file would make a later redelivery vanish; a file without its ids is found by ``catch_up``.
    Two tables take turns: when a period begins, the ids of the one before the last are dropped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = self._connect()
        except sqlite3.DatabaseError as error:
            logger.warning("index: %s: it is made again from the published events", error)
            self._start_again()

    @property
    def since_day(self) -> str:
        """Every live file of a day of receipt from this one on (YYYY-MM-DD) is in the index."""
        return datetime.fromtimestamp((self._period - 1) * _PERIOD_SECONDS, UTC).date().isoformat()

    def catch_up(self, manifest: Manifest, published: Mapping[str, Path]) -> None:
        """Make the index agree with the published files; memory holds the ids of one row group at a time.

        Parameters
        ----------
        manifest : Manifest, says what became of files that are gone
        published : mapping of str to Path, every live file by its path relative to ``events/``
        """
        self.begin_period()
        known = {name for (name,) in self._connection.execute("SELECT name FROM files")}
        gone = known - published.keys()
        if lost := [name for name in gone if not manifest.has_replaced(name)]:
            # Ids of files that are gone would swallow events that nobody can read.
            logger.warning("index: %d files have gone: it is made again", len(lost))
            self._start_again()
            known = set()
        self._connection.executemany("DELETE FROM files WHERE name = ?", [(name,) for name in gone])
        self.commit()
        for name in sorted(published.keys() - known):
            if not name.startswith("settled/") or _day(name) >= self.since_day:
                self._read(name, published[name])

    def knows_recent(self, file_name: str) -> bool:
        """Whether a recent file of this name is in the index, in whatever generation."""
        query = "SELECT 1 FROM files WHERE name LIKE 'recent/%/' || ?"
        return self._connection.execute(query, (file_name,)).fetchone() is not None

    def unknown_files(self, manifest: Manifest) -> list[SettledFile]:
        """List the settled files whose ids are too old to be in the index."""
        known = {name for (name,) in self._connection.execute("SELECT name FROM files")}
        return [entry for entry in manifest.settled if entry.file not in known]

    def add(self, event_id: str) -> bool:
        """Note an event; False if it was known. Nothing is kept before ``commit``."""
        key = bytes.fromhex(event_id)
        return self._connection.execute(self._insert, (key, key)).rowcount == 1

    def has_foreign_key(self, event: Event) -> bool:
        """Whether the ``contact_key`` of an event is known as another contact's."""
        return self._contacts.collides(event, self._period)

    def discard(self, event_ids: Iterable[str]) -> None:
        """Forget events that were noted but will not be published."""
        keys = [(bytes.fromhex(event_id),) for event_id in event_ids]
        self._connection.executemany(f"DELETE FROM ids_{self._period % 2} WHERE event_id = ?", keys)

    def add_file(self, name: str) -> None:
        """Note a published file, whose events were noted one by one."""
        self._connection.execute("INSERT OR IGNORE INTO files VALUES (?, ?)", (name, self._period))

    def commit(self) -> None:
        """Keep what was noted."""
        self._connection.commit()

    def roll_back(self) -> None:
        """Forget what was noted since the last ``commit``."""
        self._connection.rollback()

    def close(self) -> None:
        """Close the file; what was not committed is forgotten."""
        self._connection.close()

    def _read(self, name: str, path: Path) -> None:
        try:
            for rows in read_checked(path, ["event_id", *CONTACT_COLUMNS]):
                for event_id in rows.column("event_id").to_pylist():
                    self.add(event_id)
                for key, contact in contacts_of(rows):
                    self._contacts.note(key, contact, self._period)
                self.commit()
        except (OSError, ValueError, TypeError, KeyError) as error:
            # Capture goes on: the file's events could at worst be stored a second time.
            self.roll_back()
            logger.error("index: %s cannot be read: %s", path.name, type(error).__name__)
            return
        self.add_file(name)
        self.commit()

    def begin_period(self) -> None:
        """Let the ids of the period before the last go, when a new one has begun."""
        period = int(time.time()) // _PERIOD_SECONDS
        if period == self._period:
            return
        if period == self._period + 1:
            self._connection.execute(f"DELETE FROM ids_{period % 2}")
            self._connection.execute("DELETE FROM files WHERE period < ?", (period - 1,))
            self._contacts.forget(period - 1)
        else:  # the clock was wrong, or nothing was published for a month
            for table in ("ids_0", "ids_1", "files"):
                self._connection.execute(f"DELETE FROM {table}")
            self._contacts.forget(period)
        self._set_period(period)

    def _set_period(self, period: int) -> None:
        self._connection.execute(f"PRAGMA user_version = {period}")
        self.commit()
        self._period = period
        current, last = f"ids_{period % 2}", f"ids_{1 - period % 2}"
        self._insert = (
            f"INSERT OR IGNORE INTO {current} SELECT ?"
            f" WHERE NOT EXISTS (SELECT 1 FROM {last} WHERE event_id = ?)"
        )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("the file is damaged")
            for table in ("ids_0", "ids_1"):
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {table} (event_id BLOB PRIMARY KEY) WITHOUT ROWID"
                )
                connection.execute(f"SELECT event_id FROM {table} LIMIT 0")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, period INTEGER) WITHOUT ROWID"
            )
            connection.execute("SELECT name, period FROM files LIMIT 0")
            self._contacts = ContactKeys(connection)
            (period,) = connection.execute("PRAGMA user_version").fetchone()
        except BaseException:  # an interruption, too: it goes on to the caller
            connection.close()
            raise
        self._connection = connection
        self._set_period(period or int(time.time()) // _PERIOD_SECONDS)
        return connection

    def _start_again(self) -> None:
        if hasattr(self, "_connection"):
            self._connection.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._connection = self._connect()


def rename_files(path: Path, old: Collection[str], new: Iterable[str]) -> None:
    """Say that the events of some files are in others now; without an index there is nothing to say it to.

    Parameters
    ----------
    path : Path of the index
    old : collection of str, files by their paths relative to ``events/``; none of them is live any more
    new : iterable of str, live files that hold what is left of the old ones
    """
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection, connection:
            found = [
                connection.execute("SELECT period FROM files WHERE name = ?", (name,)).fetchone()
                for name in old
            ]
            periods = [row[0] for row in found if row is not None]
            # Where the index has missed some of the old, it will read the new.
            if len(periods) == len(old):
                # They will be forgotten with the oldest of them.
                rows = [(name, min(periods)) for name in new]
                connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?)", rows)
            connection.executemany("DELETE FROM files WHERE name = ?", [(name,) for name in old])
    except sqlite3.DatabaseError as error:
        logger.warning("index: %s: it learns of %d replaced files at the next start", error, len(old))


def _day(name: str) -> str:
    return Path(name).parent.name.removeprefix("day=")
