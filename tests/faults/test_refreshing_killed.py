"""Whoever refreshes what is kept may die at any call, meet a full disk, or have company: answers stay right."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from businesses import LATEST, Business, differences, talk
from faults.faulty_calls import CHANGES, FaultyCalls, most_calls
from faults.size import scaled, sized

ROOT = Path(__file__).parents[2]
STRIKES = sized(5, scaled(100))
ASK = """
import sys
import ctm_analytics as ctm
from ctm_analytics.derived import refreshing
refreshing.FEWEST_EVENTS = 0
workbench = ctm.open(sys.argv[1], as_of="2100-01-01T00:00:00+00:00", environ={})
print(workbench.conversations().table.to_pylist())
print(workbench.inbox().table.to_pylist())
"""


def asking(data: Path, environ: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", ASK, str(data)],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin"} | environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def captured(tmp_path: Path) -> Path:
    """Events of which nearly all are kept already."""
    business = Business(tmp_path / "captured")
    business.deliver(talk("7000001", "7000002", "7000003", "5511988887777"))
    assert differences(business.folder.root, LATEST) == {}
    business.deliver(talk("7000002", "7000004"))
    return business.folder.root


@pytest.mark.parametrize("act", ["kill", "full"])
def test_a_refresh_struck_at_any_call_leaves_answers_right(
    captured: Path, tmp_path: Path, faulty_calls: FaultyCalls, act: str
) -> None:
    data, log = tmp_path / "data", tmp_path / "calls.log"
    shutil.copytree(captured, data)
    answer, _ = asking(data, faulty_calls.logged(data, log, *CHANGES)).communicate()
    assert any((data / "derived").glob("conversation_timelines_overlay-*"))
    calls = most_calls(log)
    assert calls > 30
    for at_call in range(1, calls + 1, -(-calls // STRIKES)):
        shutil.rmtree(data)
        shutil.copytree(captured, data)
        struck = asking(data, faulty_calls.struck(data, log, act, at_call, *CHANGES))
        said = struck.communicate()
        assert (struck.returncode, said) == (
            (-signal.SIGKILL, ("", "")) if act == "kill" else (0, (answer, ""))
        )
        # First who mends: who counts differences makes all anew, below so many events, and leaves nothing to mend.
        assert asking(data, {}).communicate() == (answer, ""), at_call
        assert differences(data, LATEST) == {}, at_call


def test_two_who_refresh_at_once_both_answer_rightly(captured: Path, tmp_path: Path) -> None:
    for number in range(sized(2, scaled(30))):
        data = tmp_path / f"data-{number}"
        shutil.copytree(captured, data)
        both = [asking(data, {}) for _ in range(2)]
        first, second = (one.communicate() for one in both)
        assert first == second
        assert (first[1], "7000004" in first[0]) == ("", True)
        assert differences(data, LATEST) == {}
