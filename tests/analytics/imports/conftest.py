"""An importer bound to an empty data folder and a fixed clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet as pq
import pytest

from ctm_analytics import imports
from ctm_analytics.errors import CtmError
from ctm_analytics.settings import Settings

IMPORTED_AT = datetime(2026, 11, 23, 7, 15, tzinfo=UTC)


@dataclass
class Importer:
    """Writes a file, imports it, reads back what was stored."""

    folder: Path
    zone: str = "UTC"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def write(self, content: str | bytes, name: str = "file.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(
        self,
        kind: str,
        content: str | bytes | Path | BinaryIO,
        *,
        name: str = "file.csv",
        minutes: int = 0,
        **options: Any,
    ) -> imports.ImportSummary:
        act: Callable[..., imports.ImportSummary] = getattr(imports, f"import_{kind}")
        return act(
            self.write(content, name) if isinstance(content, str | bytes) else content,
            self.data,
            settings=Settings(reporting_timezone=self.zone),
            imported_at=IMPORTED_AT + timedelta(minutes=minutes),
            **options,
        )

    def error(self, kind: str, content: str | bytes | Path, **options: Any) -> str:
        with pytest.raises(CtmError) as caught:
            self.run(kind, content, **options)
        assert self.files(kind) == [], "a refused file stores nothing"
        return str(caught.value)

    def files(self, kind: str) -> list[Path]:
        folder = self.data / "imports" / kind
        return sorted(path for path in folder.iterdir()) if folder.exists() else []

    def rows(self, kind: str) -> list[dict[str, Any]]:
        paths = [path for path in self.files(kind) if path.suffix == ".parquet"]
        return [row for path in paths for row in pq.read_table(path).to_pylist()]

    def column(self, kind: str, name: str) -> list[Any]:
        return [row[name] for row in self.rows(kind)]


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


@pytest.fixture
def sample() -> Callable[[str], Path]:
    """A committed file: invented rows below real headers."""
    return lambda name: Path(__file__).parent / "files" / name
