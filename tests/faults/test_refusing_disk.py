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


def live_through(data: Path, environ: dict[str, str]) -> tuple[list[str], int]:
    """Let a receiver take deliveries over a seal and a publication; what it acknowledged, and its exit code."""
    receiver = Receiver(data, [], environ)
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


def receiver_calls(data: Path, log: Path) -> int:
    """How many calls the receiver itself made, beside its publisher."""
    receivers = {call.process for call in calls(log) if call.path.endswith(".open")}
    assert len(receivers) == 1
    return sum(call.process in receivers for call in calls(log))


@pytest.mark.parametrize(
    ("act", "names"),
    sized(
        [(errno.EIO, ("fdatasync", "rename")), ("full", ("write",))],
        [(act, (*CHANGES, "open")) for act in (errno.EIO, errno.ENOSPC, "full")],
    ),
)
def test_whatever_call_the_disk_refuses_nothing_acknowledged_is_lost(
    data: Path, tmp_path: Path, faulty_calls: FaultyCalls, act: str | int, names: tuple[str, ...]
) -> None:
    log = tmp_path / "calls.log"
    acknowledged, exit_code = live_through(data, faulty_calls.logged(data, log, *names))
    assert (len(acknowledged), exit_code) == (4, 0)

    def meet(at_call: int) -> tuple[int, int]:
        folder = tmp_path / f"{at_call}" / "data"
        folder.parent.mkdir()
        acknowledged, exit_code = live_through(folder, faulty_calls.struck(folder, log, act, at_call, *names))
        survives(folder, acknowledged)
        return at_call, exit_code

    with ThreadPoolExecutor(3) as threads:  # they mostly wait
        exit_codes = dict(threads.map(meet, range(1, receiver_calls(data, log) + 1)))
    assert set(exit_codes.values()) <= {0, EXIT_STORAGE}, exit_codes


def test_a_sync_that_failed_is_never_tried_again_and_ends_the_receiver(
    start: Callable[..., Receiver], data: Path, tmp_path: Path, faulty_calls: FaultyCalls
) -> None:
    log = tmp_path / "calls.log"
    receiver = start(**faulty_calls.struck(data, log, errno.EIO, 2, "fdatasync"))
    assert deliver(receiver, ["m_1", "m_2", "m_3"]) == ["m_1"]
    assert receiver.process.wait(30) == EXIT_STORAGE
    synced = [call.path for call in calls(log) if call.path.startswith(f"{data}/journal/")]
    assert len(synced) == 2
    survives(data, ["m_1"])
