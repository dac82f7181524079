"""How long the accounts are usually silent: a silent unsubscription looks like any other silence, only longer."""

import hashlib
import json
import logging
from pathlib import Path

DAY_SECONDS = 24 * 3600
REMEMBERED_DAYS = 7
FORGOTTEN_SECONDS = 14 * DAY_SECONDS
MOST_ACCOUNTS = 10_000
LEAST_SILENCE_SECONDS = 3600
TIMES_LONGER = 2

logger = logging.getLogger("receiver")


class Rhythm:
    """When each account was last heard of, and its longest silence of each of the last seven days.

    An account is silent when it has said nothing for an hour and twice as long as its longest silence of the last
    week, nights and Sundays included. One that is known for less than a day is not judged; one that was silent for
    two weeks is forgotten, and above 10,000 accounts the one that was heard of longest ago. Accounts are kept as
    hashes. The file may be deleted at any time.
    """

    def __init__(self, path: Path, started_at: int) -> None:
        """Read what earlier runs have learnt.

        Parameters
        ----------
        path : Path, of the file
        started_at : int, microseconds since 1970 UTC; no silence that lasted until then is learnt from, as it may
            have been the receiver's
        """
        self._path = path
        self._started_at = started_at
        # In the order in which they were last heard of.
        self._accounts: dict[str, tuple[int, int, dict[str, float]]] = {}
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            self._accounts = {
                account: (int(first), int(last), {str(day): float(gap) for day, gap in gaps.items()})
                for account, (first, last, gaps) in content.items()
            }
        except FileNotFoundError:
            pass
        except (ValueError, TypeError, AttributeError):
            logger.warning("index: %s: how long accounts are usually silent is learnt again", path.name)

    def note(self, platform: str, account_id: str, received_at: int) -> None:
        """Hear of an account."""
        account = hashlib.blake2b(f"{platform}\0{account_id}".encode(), digest_size=8).hexdigest()
        first, last, gaps = self._accounts.get(account, (received_at, received_at, {}))
        if received_at < last:
            return  # another worker's is read first
        day = str(received_at // 1_000_000 // DAY_SECONDS)
        if last >= self._started_at:
            gaps[day] = max(gaps.get(day, 0.0), (received_at - last) / 1_000_000)
        self._accounts.pop(account, None)
        self._accounts[account] = (first, received_at, gaps)
        if len(self._accounts) > MOST_ACCOUNTS:
            del self._accounts[next(iter(self._accounts))]

    def figures(self, now: int) -> dict[str, float]:
        """Count the accounts and the silent ones, and measure the longest silence of any; forget what is long over."""
        longest, silent = 0.0, 0
        today = now // 1_000_000 // DAY_SECONDS
        for account, (first, last, gaps) in list(self._accounts.items()):
            silence = max(0.0, (now - last) / 1_000_000)
            for day in [day for day in gaps if int(day) < today - REMEMBERED_DAYS]:
                del gaps[day]
            if silence > FORGOTTEN_SECONDS:
                del self._accounts[account]
                continue
            longest = max(longest, silence)
            usual = max(gaps.values(), default=0.0)
            is_known = (last - first) / 1_000_000 >= DAY_SECONDS
            silent += is_known and silence > max(LEAST_SILENCE_SECONDS, TIMES_LONGER * usual)
        return {
            "accounts": len(self._accounts),
            "silent_accounts": silent,
            "longest_silence_seconds": longest,
        }

    def save(self) -> None:
        """Keep what was learnt; losing it costs a week of learning, so that it is not synced."""
        temporary = self._path.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps(self._accounts), encoding="utf-8")
            temporary.rename(self._path)
        except OSError as error:
            logger.warning("index: %s: %s", self._path.name, error.strerror)
