"""Reports as their notebooks make them, without a kernel's start: the cells are run one after the other."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def report_of(data: Path, out: Path, *, name: str = "weekly", **parameters: str) -> Path:
    """Run a report notebook's cells on a data folder; the page that it writes."""
    notebook = json.loads((ROOT / "notebooks" / "reports" / f"{name}.ipynb").read_text(encoding="utf-8"))
    given = {"data": str(data), "as_of": "2026-11-30T00:00:00+00:00", "out": str(out), **parameters}
    scope: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{name}.ipynb", "exec"), scope)
        if "parameters" in cell["metadata"].get("tags", ()):
            scope |= given
    return out / "index.html"
