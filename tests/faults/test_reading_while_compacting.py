"""A workbench that stays open while files are compacted is right, or says that it is to be opened again."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from faults.load import Load
from faults.size import scaled, sized
from receiving import PATIENCE_SECONDS, Receiver, published, wait_until

import ctm_analytics as ctm
from ctm_analytics.errors import InvalidFile
from receiver.store.compaction import compact
from receiver.store.folder import DataFolder

SECONDS = sized(0, scaled(600))
GRACE_SECONDS = 0.5
COUNT = "select count(*) as events, count(distinct event_id) as ids from events"
AS_OF = "2100-01-01T00:00:00Z"


@contextlib.contextmanager
def compacting(folder: DataFolder) -> Iterator[None]:
    """Compact again and again, with little grace."""
    stop = threading.Event()

    def go_on() -> None:
        while not stop.wait(0.1):
            compact(folder, grace_seconds=GRACE_SECONDS)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class OpenWorkbench:
    """A workbench that gives one answer as long as it lives."""

    def __init__(self, data: Path) -> None:
        self._workbench = ctm.open(data, as_of=AS_OF)
        self._events: int | None = None

    def ask(self) -> None:
        (row,) = self._workbench.sql(COUNT).table.to_pylist()
        assert row["events"] == row["ids"], "an event was read twice"
        assert self._events in (None, row["events"]), "the same files gave two answers"
        self._events = row["events"]


def test_a_workbench_that_stays_open_is_right_or_says_that_it_is_to_be_opened_again(
    start: Callable[..., Receiver], data: Path
) -> None:
    receiver = start()
    load = Load(receiver.url, pause_seconds=0.02)
    wait_until(lambda: published(data))
    answered = outlived = 0
    begun_at = time.monotonic()
    with compacting(DataFolder(data)):
        while time.monotonic() - begun_at < SECONDS or not (answered and outlived):
            assert time.monotonic() - begun_at < SECONDS + 4 * PATIENCE_SECONDS, (
                "no workbench outlived its files"
            )
            try:
                workbench = OpenWorkbench(data)
                while True:
                    workbench.ask()
                    answered += 1
            except InvalidFile as error:
                outlived += str(error).endswith(" Open the workbench again.")
    load.stop()
    assert receiver.stop() == 0
    print(f"{answered} answers of workbenches that stayed open, {outlived} times one was to be opened again")
