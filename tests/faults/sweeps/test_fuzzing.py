"""What reads bytes from outside or from a disk is fuzzed for minutes, starting from all sample bodies."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from faults.properties import PROPERTIES
from faults.size import scaled

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-faults" / "bin" / "python"
BODIES = ROOT / "tests" / "receiver" / "deliveries" / "payloads" / "bodies.jsonl"
SECONDS = scaled(180)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for number, line in enumerate(BODIES.read_text().splitlines()):
        (folder / f"{number}.json").write_text(json.dumps(json.loads(line)["body"]))
    (folder / "manifest.json").write_text('{"version": 1, "settled": [], "live": [1, 2]}')
    (folder / "signature").write_text("sha256=" + "0" * 64)
    return folder


@pytest.mark.parametrize("name", PROPERTIES)
def test_no_bytes_that_a_fuzzer_finds_break_a_property(name: str, corpus: Path, tmp_path: Path) -> None:
    assert PYTHON.exists(), (
        "The fuzzer has an environment of its own: run `make faults`, or `make .venv-faults/.ok`."
    )
    found = tmp_path / "found"
    found.mkdir()
    run = subprocess.run(
        [PYTHON, ROOT / "tests" / "faults" / "fuzz.py", name, f"-max_total_time={SECONDS}", "-timeout=60",
         f"-artifact_prefix={tmp_path}/", found, corpus],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-5000:]
    tried = re.search(r"Done (\d+) runs", run.stderr)
    assert tried, run.stderr[-5000:]
    print(f"{name}: {int(tried[1]):,} inputs in {SECONDS} s")
