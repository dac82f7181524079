"""A publication that is killed before any of its calls, or is refused one, leaves what the next one completes."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from faults.faulty_calls import CHANGES, FaultyCalls, most_calls
from faults.size import sized
from receiving import published
from segments import add_segment, delivery, publish_all

from receiver.store.folder import DataFolder
from receiver.store.verification import verify

ROOT = Path(__file__).parents[2]
PUBLISH = (
    "import os, sys, pathlib, segments; from receiver.store.folder import DataFolder; os.umask(0o077);"
    "segments.publish_all(DataFolder(pathlib.Path(sys.argv[1])))"
)
# In `make test` those between which the state of the folder as a reader sees it changes.
CALLS = sized(("fsync", "rename", "unlink", "utime"), CHANGES)


def publish(data: Path, environ: dict[str, str]) -> int:
    """Publish in a process of its own; its exit code."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.run(
        [sys.executable, "-c", PUBLISH, str(data)],
        env={**outside, "PYTHONPATH": path, **environ},
        check=False,
    ).returncode


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """A folder where something is published and a segment waits: with new, with known and with repeated events."""
    os.umask(0o077)
    folder = DataFolder(tmp_path / "waiting")
    folder.create()
    add_segment(folder, 0, delivery("m_1", "m_2"))
    publish_all(folder)
    add_segment(folder, 1, delivery("m_2", "m_3"), b"not json", delivery("m_3", "m_4"))
    return folder.root


@pytest.mark.parametrize("act", sized(["kill", errno.ENOSPC], ["kill", "full", errno.ENOSPC, errno.EIO]))
def test_a_publication_struck_at_any_call_ends_in_the_same_events(
    waiting: Path, tmp_path: Path, faulty_calls: FaultyCalls, act: str | int
) -> None:
    data, log = tmp_path / "data", tmp_path / "calls.log"
    shutil.copytree(waiting, data)
    assert publish(data, faulty_calls.logged(data, log, *CALLS)) == 0
    expected = sorted(row["event_id"] for row in published(data))
    assert len(expected) == 5
    strikes = most_calls(log)
    assert strikes > 5
    for at_call in range(1, strikes + 1):
        shutil.rmtree(data)
        shutil.copytree(waiting, data)
        exit_code = publish(data, faulty_calls.struck(data, log, act, at_call, *CALLS))
        assert (exit_code == -signal.SIGKILL) == (act == "kill"), at_call
        publish_all(DataFolder(data))
        assert sorted(row["event_id"] for row in published(data)) == expected, at_call
        assert verify(DataFolder(data)).is_sound, at_call
        assert not list(data.glob("staging/*")), at_call
        assert not list(data.glob("journal/*/*.wal")), at_call
