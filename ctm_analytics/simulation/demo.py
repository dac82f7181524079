"""The demo: thirty days of the shop in a data folder, through the real receiver and the real imports."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.imports import ImportSummary, import_contacts, import_sales, import_spend
from ctm_analytics.settings import load_settings
from ctm_analytics.simulation.business import (
    BOT_APP_ID,
    CURRENCY,
    HELP_DESK_APP_ID,
    TARGET_CAC,
    TIMEZONE,
)
from ctm_analytics.simulation.deliveries import deliveries_of
from ctm_analytics.simulation.exports import Exports, write_exports
from ctm_analytics.simulation.replay import ReplayCounts, replay
from ctm_analytics.simulation.truth import write_truth
from ctm_analytics.simulation.world import simulate

TRUTH_FILE = "truth.json"
SOURCE_FOLDER = "source"

_SETTINGS = f"""\
# The shop of the demo. Every key and its default: docs/operations.md.
reporting_timezone = "{TIMEZONE}"
reporting_currency = "{CURRENCY}"
target_cac = {TARGET_CAC}
bot_app_ids = ["{BOT_APP_ID}"]
human_app_ids = ["{HELP_DESK_APP_ID}"]
"""


@dataclass(frozen=True)
class DemoResult:
    """What the demo made.

    Attributes
    ----------
    data : Path, the data folder
    truth : Path, ``truth.json``; its format stands in ``ctm_analytics.simulation.truth``
    since, until : date, first and last day of the period
    event_count : int, distinct events that were delivered
    replayed : ReplayCounts
    exports : Exports, the CSV files
    imports : tuple of ImportSummary
    """

    data: Path
    truth: Path
    since: date
    until: date
    event_count: int
    replayed: ReplayCounts
    exports: Exports
    imports: tuple[ImportSummary, ...]


def run_demo(
    data: Path, *, until: date, seed: int, progress: Callable[[str], None], scale: float = 1.0
) -> DemoResult:
    """Make the demo's data folder anew: simulate, deliver, export, import.

    Parameters
    ----------
    data : Path; what an earlier demo left there is deleted
    until : date, the last of the thirty days; it must be over in every place, so yesterday at the latest
    seed : int; with the weekday of ``until`` it decides every number
    progress : callable, gets a sentence at each step
    scale : float, > 0; 1 is some 4,000 conversations

    Raises
    ------
    InvalidArgument
        If the folder holds anything but an earlier demo.
    ReceiverFailed
        If the receiver cannot be started or fails on the way.
    """
    _clear(data)
    progress(f"Simulating thirty days of a small shop until {until}")
    world = simulate(seed, until, scale)
    data.mkdir(parents=True, exist_ok=True)
    # First of all: it marks the folder as a demo, which the next run may delete.
    write_truth(world, data / TRUTH_FILE)
    (data / "ctm.toml").write_text(_SETTINGS, encoding="utf-8")
    source = data / SOURCE_FOLDER
    source.mkdir()
    exports = write_exports(world, source)
    bodies = deliveries_of(world)
    progress(f"Posting {len(bodies):,} signed deliveries of {len(world.events):,} events to the receiver")
    replayed = replay(data, bodies, progress=progress)
    progress("Importing spend, sales and contacts")
    return DemoResult(
        data=data,
        truth=data / TRUTH_FILE,
        since=world.period.since,
        until=until,
        event_count=len(world.events),
        replayed=replayed,
        exports=exports,
        imports=_import_all(exports, data),
    )


def _clear(data: Path) -> None:
    if not data.exists():
        return
    if not data.is_dir():
        raise InvalidArgument(f"{data}: is a file. Name a folder for the demo, e.g. data/demo.")
    if any(data.iterdir()) and not (data / TRUTH_FILE).is_file():
        raise InvalidArgument(
            f"{data}: holds something else than a demo, and the demo would delete it."
            " Name another folder, e.g. data/demo."
        )
    shutil.rmtree(data)


def _import_all(exports: Exports, data: Path) -> tuple[ImportSummary, ...]:
    settings = load_settings(data, {})
    files = [
        *((import_spend, file) for file in exports.spend),
        *((import_sales, file) for file in exports.sales),
        (import_contacts, exports.contacts),
    ]
    return tuple(
        import_file(file, data, settings=settings, imported_at=datetime.now(UTC))
        for import_file, file in files
    )
