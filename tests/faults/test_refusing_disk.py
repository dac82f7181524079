"""A receiver whose disk refuses any one call acknowledges nothing that is lost, and the next one publishes all."""

import contextlib
import errno
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from faults.faulty_calls import CHANGES, FaultyCalls, calls
from faults.size import sized
from receiving import Receiver, message, published, wait_until

from receiver.errors import EXIT_STORAGE
from receiver.store.folder import DataFolder
from receiver.store.verification import verify

ANSWERS = {200, 503}


def deliver(receiver: Receiver, mids: list[str]) -> list[str]:
    """Deliver messages one after another as long as the receiver lives; those that were acknowledged."""
    acknowledged = []
    for mid in mids:
        with contextlib.suppress(httpx.TransportError):
            status = receiver.post(message(mid)).status_code
            assert status in ANSWERS
            acknowledged += [mid] * (status == 200)
    return acknowledged


def live_through(data: Path, workers: int, environ: dict[str, str]) -> tuple[list[str], int]:
    """Let a receiver take deliveries over a seal and a publication; what it acknowledged, and its exit code."""
    receiver = Receiver(data, ["--workers", str(workers)], environ)
    try:
        acknowledged = deliver(receiver, [f"m_{number}" for number in range(2)])
        wait_until(
            lambda: (
                published(data)
                or receiver.process.poll() is not None
                or "has failed" in receiver.log
                or not acknowledged
            )
        )
        acknowledged += deliver(receiver, [f"m_{number}" for number in range(2, 4)])
        return acknowledged, receiver.stop()
    finally:
        receiver.kill()


def survives(data: Path, acknowledged: list[str]) -> None:
    """Assert that the next receiver has everything that was acknowledged, once, and the folder is sound."""
    receiver = Receiver(data, [], {})
    assert receiver.stop() == 0
    stored = Counter(row["message_id"] for row in published(data))
    assert set(acknowledged) <= stored.keys()
    assert set(stored.values()) <= {1}
    assert verify(DataFolder(data)).is_sound


def most_journal_calls(log: Path) -> int:
    """How many calls a process made that has a journal: the receiver, or the busiest of its workers."""
    found = calls(log)
    keepers = {call.process for call in found if call.path.endswith(".open")}
    return max(Counter(call.process for call in found if call.process in keepers).values())


@pytest.mark.parametrize(
    ("place", "workers", "act", "names"),
    sized(
        [("journal", 1, "full", ("write", "fdatasync", "rename"))],
        [
            *((".", 1, act, (*CHANGES, "open")) for act in (errno.EIO, errno.ENOSPC, "full")),
            ("journal", 2, errno.EIO, (*CHANGES, "open")),
        ],
    ),
)
def test_whatever_call_the_disk_refuses_nothing_acknowledged_is_lost(
    tmp_path: Path,
    faulty_calls: FaultyCalls,
    place: str,
    workers: int,
    act: str | int,
    names: tuple[str, ...],
) -> None:
    data, log = tmp_path / "data", tmp_path / "calls.log"
    acknowledged, exit_code = live_through(data, workers, faulty_calls.logged(data / place, log, *names))
    assert (len(acknowledged), exit_code) == (4, 0)

    def meet(at_call: int) -> tuple[int, int]:
        folder = tmp_path / f"{at_call}" / "data"
        folder.parent.mkdir()
        environ = faulty_calls.struck(folder / place, log, act, at_call, *names)
        acknowledged, exit_code = live_through(folder, workers, environ)
        survives(folder, acknowledged)
        return at_call, exit_code

    with ThreadPoolExecutor(3) as threads:  # they mostly wait
        exit_codes = dict(threads.map(meet, range(1, most_journal_calls(log) + 1)))
    assert set(exit_codes.values()) <= {0, EXIT_STORAGE}, exit_codes


def test_a_sync_that_failed_is_never_tried_again_and_ends_the_receiver(
    start: Callable[..., Receiver], data: Path, tmp_path: Path, faulty_calls: FaultyCalls
) -> None:
    log = tmp_path / "calls.log"
    receiver = start(**faulty_calls.struck(data / "journal", log, errno.EIO, 2, "fdatasync"))
    assert deliver(receiver, ["m_1", "m_2", "m_3"]) == ["m_1"]
    assert receiver.process.wait(30) == EXIT_STORAGE
    assert len(calls(log)) == 2
    survives(data, ["m_1"])
