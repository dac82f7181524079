"""Meta's badge "Very responsive to messages": 90 % of new messages answered, within 15 minutes, over 7 days."""

from typing import Any

import numpy as np
import pyarrow as pa

LEAST_RATE = 0.9
LONGEST_SECONDS = 15 * 60
# The response time is the mean of so many of the fastest answers.
FASTEST_SHARE = 0.9

SCHEMA = pa.schema(
    [
        ("platform", pa.string()),
        ("account_id", pa.string()),
        ("new_messages", pa.int64()),
        ("replied", pa.int64()),
        ("response_rate", pa.float64()),
        ("response_time_seconds", pa.float64()),
        ("is_very_responsive", pa.bool_()),
    ]
)


def judged(replies: pa.Table) -> pa.Table:
    """Judge each account.

    Parameters
    ----------
    replies : Table of the mart ``badge_replies``, in its order

    Returns
    -------
    Table of ``SCHEMA``; ``response_time_seconds`` is null where nothing was answered by hand
    """
    accounts: dict[tuple[str, str], list[float | None]] = {}
    for reply in replies.to_pylist():
        accounts.setdefault((reply["platform"], reply["account_id"]), []).append(reply["reply_seconds"])
    rows = [_row(platform, account_id, waits) for (platform, account_id), waits in accounts.items()]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(platform: str, account_id: str, waits: list[float | None]) -> dict[str, Any]:
    replied = sorted(wait for wait in waits if wait is not None)
    rate = len(replied) / len(waits)
    fastest = replied[: max(1, int(FASTEST_SHARE * len(replied)))]
    seconds = float(np.mean(fastest)) if fastest else None
    return {
        "platform": platform,
        "account_id": account_id,
        "new_messages": len(waits),
        "replied": len(replied),
        "response_rate": rate,
        "response_time_seconds": seconds,
        "is_very_responsive": rate >= LEAST_RATE and seconds is not None and seconds <= LONGEST_SECONDS,
    }
