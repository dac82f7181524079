"""The page that lists all reports of a folder, newest first, with what each of them says."""

import json
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from ctm_analytics.formats import period
from ctm_analytics.report.lock import in_turn
from ctm_analytics.report.placing import write_whole

# Tiles of a report that its line has room for.
_TILES = 4


def write_index(reports: Path) -> None:
    """Write ``index.html`` of all runs below a folder; a function of what lies there, without a clock.

    Parameters
    ----------
    reports : Path, with ``<name>/<since>_<until>/run.json`` below it
    """
    with in_turn(reports):
        write_whole(reports / "index.html", index_page(reports))


def index_page(reports: Path) -> str:
    """Make the page; whatever a report says is shown as text."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    parts = resources.files("ctm_analytics.report")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(parts.joinpath("index.html").read_text(encoding="utf-8"))
    groups: dict[str, list[dict[str, Any]]] = {}
    for folder in sorted(reports.glob("*/*_*"), key=_newest_first):
        if (run := _run(reports, folder)) is not None:
            groups.setdefault(folder.parent.name, []).append(run)
    style = parts.joinpath("page.css").read_text(encoding="utf-8")
    return template.render(groups=groups, style=Markup(style)) + "\n"


def _newest_first(folder: Path) -> tuple[str, int, int]:
    days = _days(folder.name) or (date.min, date.min)
    return folder.parent.name, -days[1].toordinal(), -days[0].toordinal()


def _run(reports: Path, folder: Path) -> dict[str, Any] | None:
    """Read what a report says; ``None`` where the folder holds none."""
    days = _days(folder.name)
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        summary = record["summary"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if days is None or not isinstance(summary, dict):
        return None
    tables = sorted(folder.glob("tables/*.csv"))
    return {
        "period": period(*days),
        "address": folder.relative_to(reports).as_posix(),
        "title": summary.get("title", folder.parent.name.capitalize()),
        "headline": next(iter(summary.get("headlines", ())), ""),
        "notices": summary.get("notices", []),
        "tiles": summary.get("tiles", [])[:_TILES],
        "zone": summary.get("zone", ""),
        "has_pdf": (folder / "report.pdf").is_file(),
        "tables": [path.relative_to(reports).as_posix() for path in tables],
    }


def _days(name: str) -> tuple[date, date] | None:
    """Read a folder's name; ``None`` where it is not that of a report."""
    since, _, until = name.partition("_")
    try:
        return date.fromisoformat(since), date.fromisoformat(until)
    except ValueError:
        return None
