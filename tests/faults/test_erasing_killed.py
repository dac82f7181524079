"""An erasure that dies before any of its calls leaves everybody else whole, and is completed by doing it again."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from faults.faulty_calls import CHANGES, FaultyCalls, most_calls
from faults.size import scaled, sized
from people import ANNA, ANNA_USER_ID, BEN, CLEO, files_with, said, wamid, whatsapp, wrote
from segments import add_segment, publish_all

from ctm_analytics.sources import find_sources
from receiver.store.compaction import compact
from receiver.store.folder import DataFolder
from receiver.store.verification import verify

ROOT = Path(__file__).parents[2]
NEEDLES = (ANNA, ANNA_USER_ID, "anna@example.com", wamid(ANNA, 1)[:24])
NAMES = sized(("rename", "unlink", "link"), CHANGES)
# A kill in `make test` at every third of these calls, in `make faults` at so many of all that change anything: each
# takes two erasures, and some seconds.
STEP, MOST_KILLS = 3, scaled(60)


def erase(data: Path, contact: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "CTM_"))}
    command = [sys.executable, "-m", "ctm_analytics", "erase", "--contact", contact, "--data", str(data)]
    return subprocess.run(
        command, env={**outside, **environ}, cwd=ROOT, check=False, capture_output=True, text=True
    )


def others(data: Path) -> dict[str, dict[str, Any]]:
    """Every row of a reader's that is not Anna's, by its id."""
    files = find_sources(data).files["raw_events"]
    rows = [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]
    assert len({row["event_id"] for row in rows}) == len(rows)
    return {row["event_id"]: row for row in rows if row["contact_id"] not in (ANNA, ANNA_USER_ID)}


@pytest.fixture
def captured(tmp_path: Path) -> Path:
    """Anna in settled and recent events, raw deliveries, quarantine and imports; her two ids meet in one event only."""
    os.umask(0o077)
    folder = DataFolder(tmp_path / "captured")
    folder.create()
    add_segment(folder, 0, whatsapp(said(ANNA, 1, user_id=ANNA_USER_ID)), whatsapp(said(BEN, 1)))
    publish_all(folder)
    compact(folder, grace_seconds=0)
    hidden = said(ANNA_USER_ID, 2) | {"id": "wamid.no-number-in-it"}
    add_segment(
        folder, 1, whatsapp(said(ANNA, 3)), whatsapp(hidden), whatsapp(said(BEN, 2)), wrote(CLEO, "m_1")
    )
    publish_all(folder)
    (folder.quarantine / "run-1-9.body").write_text(f"what {ANNA} wrote")
    for kind, content in (
        ("contacts", f"contact_id,email\n{ANNA_USER_ID},anna@example.com\n"),
        (
            "sales",
            "sale_id,sold_at,gross_amount,currency,email\nS1,2025-06-09T10:00:00Z,80,USD,anna@example.com\n",
        ),
    ):
        file = tmp_path / f"{kind}.csv"
        file.write_text(content)
        command = [
            sys.executable,
            "-m",
            "ctm_analytics",
            "import",
            kind,
            str(file),
            "--data",
            str(folder.root),
        ]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder.root


def test_an_erasure_killed_at_any_call_is_completed_by_the_next(
    captured: Path, tmp_path: Path, faulty_calls: FaultyCalls
) -> None:
    data, log = tmp_path / "data", tmp_path / "calls.log"
    shutil.copytree(captured, data)
    before = others(data)
    assert len(before) == 3
    assert erase(data, ANNA, faulty_calls.logged(data, log, *NAMES)).returncode == 0
    assert files_with(data, *NEEDLES) == []
    strikes = most_calls(log)
    assert strikes > 12
    for at_call in range(1, strikes + 1, sized(STEP, -(-strikes // MOST_KILLS))):
        shutil.rmtree(data)
        shutil.copytree(captured, data)
        killed = erase(data, ANNA, faulty_calls.struck(data, log, "kill", at_call, *NAMES))
        assert killed.returncode == -signal.SIGKILL, at_call
        assert others(data) == before, at_call
        again = erase(data, ANNA, {})
        assert (again.returncode, again.stdout) == (0, ""), at_call
        assert files_with(data, *NEEDLES) == [], at_call
        assert others(data) == before, at_call
        assert verify(DataFolder(data)).is_sound, at_call
        publish_all(DataFolder(data))  # as the next receiver does
        assert not [path for path in data.glob("staging/**/*") if path.is_file()], at_call
