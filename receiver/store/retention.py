"""What is older than ``retention_days`` goes: whole days of settled events, and what lies in quarantine."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from receiver.store.derived import remove_derived
from receiver.store.folder import DataFolder, locked, sync_folder
from receiver.store.manifest import current_manifest
from receiver.store.rewriting import drop_settled


def first_kept_day(retention_days: int, now: datetime) -> str:
    """Return the first day of receipt (UTC, as YYYY-MM-DD) that is kept: so many whole days before today."""
    return (now.astimezone(UTC).date() - timedelta(days=retention_days)).isoformat()


def is_due(folder: DataFolder, retention_days: int, now: datetime) -> bool:
    """Whether anything is older than it may be."""
    first_day = first_kept_day(retention_days, now)
    settled = current_manifest(folder).settled
    return any(entry.day < first_day for entry in settled) or any(_quarantined_before(folder, first_day))


def forget_old(folder: DataFolder, retention_days: int, now: datetime) -> Counter[str]:
    """Remove every settled day and every quarantined file older than ``retention_days``.

    The manifest is replaced first, so that no reader looks for a file that is about to go. Segments in ``done/``
    are never that old; what is imported is not captured, and stays.

    Returns
    -------
    Counter of str
        ``events`` and ``days`` that are gone, and files ``quarantined``.
    """
    first_day = first_kept_day(retention_days, now)
    with locked(folder.compacting_lock):
        old = [entry for entry in current_manifest(folder).settled if entry.day < first_day]
        if old:
            drop_settled(folder, old)
            remove_derived(folder)
        # Also what an interrupted run has left behind the manifest.
        for day in sorted((folder.events / "settled").glob("day=*")):
            if day.name.removeprefix("day=") < first_day:
                _remove(day)
        quarantined = list(_quarantined_before(folder, first_day))
        for path in quarantined:
            path.unlink(missing_ok=True)
        sync_folder(folder.quarantine)
    return Counter(
        events=sum(entry.rows for entry in old),
        days=len({entry.day for entry in old}),
        quarantined=len(quarantined),
    )


def _quarantined_before(folder: DataFolder, first_day: str) -> Iterator[Path]:
    for path in folder.quarantine.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d}" < first_day:
                yield path


def _remove(day: Path) -> None:
    for path in day.iterdir():
        path.unlink()
    day.rmdir()
    sync_folder(day.parent)
