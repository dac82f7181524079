"""The receiver installs and runs without the analysis, from its own lock file; needs the package registry."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from receiving import VERIFY_TOKEN, Receiver, message, published

ROOT = Path(__file__).parents[2]
ANALYSIS = "duckdb", "pandas", "numpy", "plotly", "scipy", "typer", "papermill", "jupyterlab"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds what requirements-receiver.lock names, and nothing else."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    python = folder / "bin" / "python"
    lock = str(ROOT / "requirements-receiver.lock")
    if shutil.which("uv"):
        subprocess.check_call(["uv", "venv", "-q", "--python", sys.executable, str(folder)])
        install = ["uv", "pip", "install", "-q", "--python", str(python)]
    else:
        subprocess.check_call([sys.executable, "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "-q"]
    subprocess.check_call([*install, "--no-deps", "--require-hashes", "-r", lock])
    return python


def test_nothing_of_the_analysis_is_installed_with_the_receiver(python: Path) -> None:
    program = "import sys; from importlib.util import find_spec; print(*filter(find_spec, sys.argv[1:]))"
    found = subprocess.check_output([python, "-c", program, *ANALYSIS, "starlette", "pyarrow"], text=True)
    assert found.split() == ["starlette", "pyarrow"]


def test_the_receiver_runs_with_what_its_lock_file_names(
    start: Callable[..., Receiver], data: Path, python: Path
) -> None:
    receiver = start(python=str(python), PYTHONPATH=str(ROOT))
    answer = receiver.get(f"/webhook?hub.mode=subscribe&hub.challenge=42&hub.verify_token={VERIFY_TOKEN}")
    assert (answer.status_code, answer.text) == (200, "42")
    assert receiver.post(message("m_1")).status_code == 200
    assert receiver.stop() == 0
    assert [row["message_id"] for row in published(data)] == ["m_1"]
