"""What `benchmarks/generation.py` writes is what a receiver would have written."""

import subprocess
import sys
from pathlib import Path

import pytest

from receiver.store.folder import DataFolder, sha256_of
from receiver.store.manifest import current_manifest
from receiver.store.merging import merge_files

GENERATION = Path(__file__).parents[1] / "benchmarks" / "generation.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "data"
    generate(folder, "2")
    return folder


def generate(folder: Path, days: str) -> None:
    # Twelve million a year: some thirty thousand a day, so that a day has several row groups.
    subprocess.run([sys.executable, GENERATION, folder, "--millions", "12", "--days", days], check=True)


def test_compaction_would_write_a_generated_day_byte_for_byte_so(data: Path, tmp_path: Path) -> None:
    folder = DataFolder(data)
    for entry in current_manifest(folder).settled:
        (merged,) = merge_files([folder.events / entry.file], tmp_path / "again").files
        assert (merged.day, merged.rows, merged.sha256) == (entry.day, entry.rows, entry.sha256)


def test_another_day_leaves_the_first_days_as_they_are(data: Path, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    generate(folder.root, "1")
    generate(folder.root, "2")
    expected = {path.parent.name: sha256_of(path) for path in data.glob("events/settled/*/*.parquet")}
    found = {entry.day: entry.sha256 for entry in current_manifest(folder).settled}
    assert {f"day={day}": digest for day, digest in found.items()} == expected
