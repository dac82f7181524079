"""Makes the sample data that is committed: the demo, scaled down, without what only a demo needs.

Run ``python -m ctm_analytics.simulation.sample data/sample``.
"""

import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

from ctm_analytics.simulation.demo import SOURCE_FOLDER, run_demo

SEED = 31
UNTIL = date(2026, 11, 15)
SCALE = 0.1

# What an analysis reads, and the files it was imported from.
_PARTS = ("ctm.toml", "events", "heartbeats", "imports", SOURCE_FOLDER)


def make_sample(folder: Path) -> None:
    """Make the sample in a folder anew."""
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "demo"
        run_demo(made, until=UNTIL, seed=SEED, scale=SCALE, progress=lambda _: None)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for part in _PARTS:
            shutil.move(made / part, folder / part)


if __name__ == "__main__":
    make_sample(Path(sys.argv[1]))
