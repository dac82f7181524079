"""A publication or a compaction that dies before any of its calls, or is refused one, costs and doubles nothing."""

import errno
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from faults.faulty_calls import CHANGES, FaultyCalls, most_calls
from faults.size import sized
from faults.work import WORKS, Forking
from segments import add_segment, delivery, publish_all

from ctm_analytics.sources import find_sources
from receiver.store.compaction import compact
from receiver.store.folder import DataFolder
from receiver.store.verification import verify

# In `make test` a kill where names change, since a sync changes nothing for those who live on.
KILLED = "kill", sized(("rename", "unlink", "utime"), CHANGES)
REFUSED = [(act, (*CHANGES, "open")) for act in (errno.EIO, errno.ENOSPC, "full")]
FAULTS = [
    *(pytest.param(work, *KILLED, id=f"{work} killed") for work in WORKS),
    *sized(
        [pytest.param(work, errno.ENOSPC, ("fsync", "rename"), id=f"{work} refused") for work in WORKS],
        [pytest.param(work, *refused, id=f"{work} {refused[0]}") for work in WORKS for refused in REFUSED],
    ),
]


@pytest.fixture(scope="module")
def forking(faulty_calls: FaultyCalls) -> Iterator[Forking]:
    forking = Forking(faulty_calls.library)
    yield forking
    forking.end()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, if there is room: nobody here loses power, and hundreds of syncs take long on a disk."""
    memory = Path("/dev/shm")
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
    with tempfile.TemporaryDirectory(dir=memory if is_roomy else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def waiting(place: Path) -> Path:
    """A folder with settled, with recent and with waiting events, some of them repeated."""
    os.umask(0o077)
    folder = DataFolder(place / "waiting")
    folder.create()
    add_segment(folder, 0, delivery("m_1", "m_2"))
    publish_all(folder)
    compact(folder)
    add_segment(folder, 1, delivery("m_2", "m_3"))
    publish_all(folder)
    add_segment(folder, 2, delivery("m_3", "m_4"), b"not json", delivery("m_4", "m_5"))
    return folder.root


def readable(data: Path) -> list[str]:
    """The event ids that a reader finds at this moment."""
    files = find_sources(data).files["raw_events"]
    return sorted(
        event_id
        for file in files
        for event_id in pq.read_table(file, partitioning=None)["event_id"].to_pylist()
    )


@pytest.mark.parametrize(("work", "act", "names"), FAULTS)
def test_work_struck_at_any_call_ends_in_the_same_events(
    waiting: Path,
    place: Path,
    faulty_calls: FaultyCalls,
    forking: Forking,
    work: str,
    act: str | int,
    names: tuple[str, ...],
) -> None:
    data, log = place / "data", place / "calls.log"
    shutil.copytree(waiting, data)
    before = readable(data)
    assert forking.do(work, data, faulty_calls.logged(data, log, *names)) == 0
    after = readable(data)
    assert (len(before), len(after)) == (3, 6 if work == "publish" else 3)
    strikes = most_calls(log)
    assert strikes > 3
    for at_call in range(1, strikes + 1):
        shutil.rmtree(data)
        shutil.copytree(waiting, data)
        exit_code = forking.do(work, data, faulty_calls.struck(data, log, act, at_call, *names))
        assert (exit_code == -signal.SIGKILL) == (act == "kill"), at_call
        assert readable(data) in (before, after), at_call
        WORKS[work](DataFolder(data))
        assert readable(data) == after, at_call
        assert verify(DataFolder(data)).is_sound, at_call
        publish_all(DataFolder(data))  # as the next receiver does
        assert not [path for path in data.glob("staging/**/*") if path.is_file()], at_call
        assert len(readable(data)) == 6, at_call
