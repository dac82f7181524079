"""What is to be forgotten without anybody's command: what people took back, and what is older than is kept."""

from collections import Counter
from datetime import datetime

from receiver.store import retention, unsending
from receiver.store.folder import DataFolder


def is_due(folder: DataFolder, retention_days: int | None, now: datetime) -> bool:
    """Whether there is anything to forget.

    Parameters
    ----------
    retention_days : int or None, ``None`` keeps everything
    now : datetime with a zone
    """
    return unsending.is_due(folder) or (
        retention_days is not None and retention.is_due(folder, retention_days, now)
    )


def forget(folder: DataFolder, retention_days: int | None, now: datetime) -> Counter[str]:
    """Forget what is to be forgotten; how much of what."""
    found = Counter(
        {f"taken_back_{name}": count for name, count in unsending.forget_taken_back(folder).items()}
    )
    if retention_days is not None:
        old = retention.forget_old(folder, retention_days, now)
        found.update({f"outdated_{name}": count for name, count in old.items()})
    return found
