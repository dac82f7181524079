"""Opening the data folder that a command names, when it is asked something."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctm_analytics.workbench import Workbench


def open_data(data: Path, as_of: str | None, engine: str | None) -> "Workbench":
    """Open a data folder as of an instant; the workbench is imported here, and not by ``ctm --help``."""
    from ctm_analytics.workbench import open_workbench

    return open_workbench(data, as_of=as_of, engine=engine)
