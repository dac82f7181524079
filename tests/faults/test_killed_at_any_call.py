"""A publication or a compaction that dies before any of its calls, or is refused one, costs and doubles nothing."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from faults.faulty_calls import CHANGES, FaultyCalls, most_calls
from faults.size import sized
from segments import add_segment, delivery, publish_all

from ctm_analytics.sources import find_sources
from receiver.store.compaction import compact
from receiver.store.folder import DataFolder
from receiver.store.verification import verify

ROOT = Path(__file__).parents[2]
PROGRAM = (
    "import os, sys, pathlib; from faults.test_killed_at_any_call import WORKS, DataFolder; os.umask(0o077);"
    "WORKS[sys.argv[1]](DataFolder(pathlib.Path(sys.argv[2])))"
)
WORKS: dict[str, Callable[[DataFolder], object]] = {
    "publish": publish_all,
    "compact": lambda folder: compact(folder, grace_seconds=0),
}
# In `make test` a kill where names change, since a sync changes nothing for those who live on.
KILLED = "kill", sized(("rename", "unlink", "utime"), CHANGES)
REFUSED = [(act, (*CHANGES, "open")) for act in (errno.EIO, errno.ENOSPC, "full")]
FAULTS = [
    *(pytest.param(work, *KILLED, id=f"{work} killed") for work in WORKS),
    *sized(
        [pytest.param("publish", errno.ENOSPC, ("fsync", "rename"), id="publish refused")],
        [pytest.param(work, *refused, id=f"{work} {refused[0]}") for work in WORKS for refused in REFUSED],
    ),
]


def work_in_a_process(work: str, data: Path, environ: dict[str, str]) -> int:
    """Publish or compact in a process of its own; its exit code."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    command = [sys.executable, "-c", PROGRAM, work, str(data)]
    quiet = subprocess.DEVNULL  # a refusal ends in a traceback here
    return subprocess.run(
        command, env={**outside, "PYTHONPATH": path, **environ}, check=False, stderr=quiet
    ).returncode


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """A folder with settled, with recent and with waiting events, some of them repeated."""
    os.umask(0o077)
    folder = DataFolder(tmp_path / "waiting")
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
    tmp_path: Path,
    faulty_calls: FaultyCalls,
    work: str,
    act: str | int,
    names: tuple[str, ...],
) -> None:
    data, log = tmp_path / "data", tmp_path / "calls.log"
    shutil.copytree(waiting, data)
    before = readable(data)
    assert work_in_a_process(work, data, faulty_calls.logged(data, log, *names)) == 0
    after = readable(data)
    assert (len(before), len(after)) == (3, 6 if work == "publish" else 3)
    strikes = most_calls(log)
    assert strikes > 3
    for at_call in range(1, strikes + 1):
        shutil.rmtree(data)
        shutil.copytree(waiting, data)
        exit_code = work_in_a_process(work, data, faulty_calls.struck(data, log, act, at_call, *names))
        assert (exit_code == -signal.SIGKILL) == (act == "kill"), at_call
        assert readable(data) in (before, after), at_call
        WORKS[work](DataFolder(data))
        assert readable(data) == after, at_call
        assert verify(DataFolder(data)).is_sound, at_call
        publish_all(DataFolder(data))  # as the next receiver does
        assert not [path for path in data.glob("staging/**/*") if path.is_file()], at_call
        assert len(readable(data)) == 6, at_call
