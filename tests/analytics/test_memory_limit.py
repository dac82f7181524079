"""What exceeds the memory goes to the disk, privately, and nothing of it stays."""

import stat
import tempfile
from pathlib import Path

import pytest

from ctm_analytics.engines.duckdb import DuckDBEngine
from ctm_analytics.errors import InvalidArgument

LARGE = "select count(distinct md5(cast(range as varchar))) as ids from range(1500000)"


@pytest.fixture
def spill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_an_answer_that_exceeds_the_memory_is_the_same(spill: Path) -> None:
    assert DuckDBEngine({}, {}, "64MB").query(LARGE).to_pylist() == [{"ids": 1_500_000}]


def test_where_it_goes_is_private_and_is_gone_with_the_engine(spill: Path) -> None:
    engine = DuckDBEngine({}, {}, "64MB")
    (folder,) = spill.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    del engine
    assert not list(spill.iterdir())


def test_where_neither_is_enough_the_error_says_what_to_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(InvalidArgument, match="memory_limit: 16MB of memory"):
        DuckDBEngine({}, {}, "16MB").query(LARGE)
