"""The forwarder's process: it relays what Meta sent to the team's bot, from the journal, byte for byte.

Meta allows one callback URL per app, and this receiver has it. What was acknowledged is relayed at least once, in the
order of each journal, as soon as its segment is sealed; capture waits for nothing of it. Each line that is written is a
JSON object: what became of deliveries since the last line, how many are set aside, and when the oldest was received.
"""

import contextlib
import json
import logging
import os
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from receiver.errors import EXIT_FAILED, ReceiverError
from receiver.store.folder import DataFolder, try_lock
from receiver.store.forward_cursor import Place, load_cursor
from receiver.store.segment import Delivery, read_segment
from receiver.target import Target

POLL_SECONDS = 0.25
REPORT_SECONDS = 1.0
SCAN_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
# Refused so often, within two minutes, a delivery no longer holds up those behind it.
MOST_REFUSALS = 8
MOST_ASIDE = 1_000
ASIDE_SECONDS = 600.0
# A little less than segments are kept, so that what is given up is counted before it is gone.
KEPT_SECONDS = 71 * 3600

logger = logging.getLogger("receiver")


class Forwarder:
    """Relays the deliveries of one data folder; there is one at a time, who holds ``forward/LOCK``.

    What the bot cannot take now holds up what is behind it, and is tried again. What it refuses ``MOST_REFUSALS``
    times in a row is set aside and tried from time to time. After ``KEPT_SECONDS`` a delivery is given up.
    """

    def __init__(
        self, folder: DataFolder, target: Target, begun_at: int, is_to_stop: Callable[[], bool]
    ) -> None:
        """Go on where the last forwarder stopped.

        Parameters
        ----------
        begun_at : int, microseconds since 1970 UTC; where none has been before, the first to relay is received then
        is_to_stop : callable, asked before each delivery

        Raises
        ------
        ReceiverError
            If the cursor of the folder cannot be understood.
        """
        self.counts: Counter[str] = Counter()
        self.oldest_received_at: int | None = None
        self._folder, self._target, self._is_to_stop = folder, target, is_to_stop
        self._cursor = load_cursor(folder, begun_at)
        self._cursor.save(folder)
        self._reported_at = self._scanned_at = self._aside_at = float("-inf")
        self._saved, self._said = "", dict[str, int | None]()
        self._refusals = 0  # of the delivery in hand
        self._pause = 0.0

    def step(self) -> float:
        """Relay all that is sealed, as far as the bot takes it; the seconds to wait before the next step."""
        self._find_journals()
        if self._relay_all():
            self.oldest_received_at, self._pause = None, 0.0
            self._try_aside()
        else:
            self._pause = min(LONGEST_PAUSE_SECONDS, 2 * self._pause or FIRST_PAUSE_SECONDS)
        self._report()
        return self._pause or POLL_SECONDS

    def _find_journals(self) -> None:
        places = self._cursor.next_places
        for folder in self._folder.journal.iterdir():
            if folder.is_dir():
                places.setdefault(folder.name, [0, 0])
        if time.monotonic() < self._scanned_at + SCAN_SECONDS:
            return
        self._scanned_at = time.monotonic()
        sealed = self._sealed()
        for run, numbers in sealed.items():
            following = [number for number in numbers if run not in places or number >= places[run][0]]
            place = places.setdefault(run, [min(numbers), 0])
            if following and min(following) > place[0]:
                self.counts["missing_segments"] += min(following) - place[0]
                place[:] = [min(following), 0]
        for run in places.keys() - sealed.keys():
            if not (self._folder.journal / run).exists():
                del places[run]

    def _sealed(self) -> dict[str, list[int]]:
        """Find the numbers of all sealed segments by run: those in the journal first, as they move to done/."""
        names = [f"{path.parent.name}-{path.stem}" for path in self._folder.journal.glob("*/*.wal")]
        names += [path.stem for path in self._folder.done.glob("*.wal")]
        found: dict[str, list[int]] = {}
        for name in names:
            run, _, number = name.rpartition("-")
            found.setdefault(run, []).append(int(number))
        return found

    def _relay_all(self) -> bool:
        """Relay a segment of each run in turn until none is left; False when the bot did not take one."""
        has_moved = True
        while has_moved:
            has_moved = False
            for run, (number, _) in sorted(self._cursor.next_places.items()):
                deliveries = self._read(run, number)
                if deliveries is None:
                    continue
                if not self._relay(run, deliveries):
                    return False
                has_moved = True
        return True

    def _read(self, run: str, number: int) -> list[Delivery] | None:
        """Read a sealed segment, before or after its publication; None if there is none."""
        name = f"{number:016}"
        for path in (self._folder.journal / run / f"{name}.wal", self._folder.done / f"{run}-{name}.wal"):
            with contextlib.suppress(FileNotFoundError):
                return read_segment(path.read_bytes(), f"{run}-{name}")[0]
        return None

    def _relay(self, run: str, deliveries: list[Delivery]) -> bool:
        place = self._cursor.next_places[run]
        for delivery in deliveries:
            if delivery.sequence < place[1] or not self._is_due(delivery):
                continue
            if not self._deliver(Place(run, place[0], delivery.sequence), delivery):
                return False
            place[1] = delivery.sequence + 1
            self._report()
        place[:] = [place[0] + 1, 0]
        return True

    def _is_due(self, delivery: Delivery) -> bool:
        """Whether it came from Meta (what was backfilled bears no signature) since relaying was asked for."""
        return delivery.received_at >= self._cursor.since and any(delivery.signature)

    def _deliver(self, place: Place, delivery: Delivery) -> bool:
        """Relay one delivery; whether the one behind it may follow."""
        self.oldest_received_at = delivery.received_at
        if self._is_to_stop():
            return False
        if _is_expired(delivery):
            self.counts["given_up"] += 1
            return True
        outcome = self._send(delivery)
        if outcome == "refused":
            self._refusals += 1
            if self._refusals < MOST_REFUSALS or len(self._cursor.aside) >= MOST_ASIDE:
                return False
            logger.error("forward: %s-%016d, delivery %d is refused and set aside", *place)
            self._cursor.aside.append(place)
        elif outcome == "forwarded":
            self._pause = 0.0
        self._refusals = 0
        return outcome != "unavailable"

    def _try_aside(self) -> None:
        """Try what was set aside once more, in no order with the rest."""
        if time.monotonic() < self._aside_at + ASIDE_SECONDS:
            return
        self._aside_at = time.monotonic()
        for place in self._cursor.aside.copy():
            if self._is_to_stop():
                return
            deliveries = self._read(place.run, place.segment) or []
            delivery = next((found for found in deliveries if found.sequence == place.sequence), None)
            if delivery is None or _is_expired(delivery):
                self.counts["given_up"] += 1
                self._cursor.aside.remove(place)
            elif self._send(delivery) == "forwarded":
                self._cursor.aside.remove(place)

    def _send(self, delivery: Delivery) -> str:
        outcome = self._target.send(delivery.body, delivery.signature)
        self.counts[outcome] += 1
        return outcome

    def _report(self) -> None:
        """Say what has happened, and keep how far it got, both at most once a second and only if there is news."""
        if time.monotonic() < self._reported_at + REPORT_SECONDS:
            return
        self._reported_at = time.monotonic()
        self.save()
        state = {"aside": len(self._cursor.aside), "oldest": self.oldest_received_at}
        if self.counts or state != self._said:
            print(json.dumps({"counts": self.counts, **state}), flush=True)
            self._said = state
            self.counts.clear()

    def save(self) -> None:
        """Keep how far it got; what was relayed since the last time would be relayed again after a crash."""
        state = repr(self._cursor)
        if state == self._saved:
            return
        try:
            self._cursor.save(self._folder)
            self._saved = state
        except OSError as error:
            logger.error("forward: the cursor cannot be saved: %s", error)


def main(arguments: list[str]) -> int:
    """Relay until standard input ends.

    Parameters
    ----------
    arguments : list of two str: the data folder, and when relaying was asked for (microseconds); the URL stands in
        ``CTM_FORWARD_URL``

    Returns
    -------
    int
        0, or 1 if it cannot work.
    """
    # A terminal or a supervisor signals the whole group, but the receiver decides when this ends.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    os.nice(5)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    folder = DataFolder(Path(arguments[0]))
    try:
        folder.create()
        # The forwarder of a receiver that was killed, or is being replaced, ends after the delivery in its hands.
        while try_lock(folder.forward / "LOCK") is None:
            if _ends_within(POLL_SECONDS):
                return 0
        target = Target(os.environ["CTM_FORWARD_URL"])
        forwarder = Forwarder(folder, target, int(arguments[1]), lambda: _ends_within(0))
        while not _ends_within(forwarder.step()):
            pass
        forwarder.save()
        target.close()
    except (ReceiverError, OSError) as error:
        logger.critical("forward: %s", error)
        return EXIT_FAILED
    return 0


def _ends_within(seconds: float) -> bool:
    """Whether standard input has ended, which is never written to."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def _is_expired(delivery: Delivery) -> bool:
    return _now() - delivery.received_at > KEPT_SECONDS * 1_000_000


def _now() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
