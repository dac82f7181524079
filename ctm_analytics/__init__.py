"""Which ad brings customers, what does one cost, how fast do we reply: a workbench for click-to-message ads."""

from typing import TYPE_CHECKING, Any

from ctm_analytics.errors import CtmError, InvalidArgument, InvalidFile, NoData
from ctm_analytics.settings import Settings

if TYPE_CHECKING:
    from ctm_analytics import charts
    from ctm_analytics.notebook import explore
    from ctm_analytics.notebook import load_ipython_extension as load_ipython_extension
    from ctm_analytics.notebook import open_in_notebook as open  # noqa: A004 - `ctm.open("data")` reads as what it does
    from ctm_analytics.report.page import Report
    from ctm_analytics.results import Result
    from ctm_analytics.workbench import Workbench

__all__ = [
    "CtmError",
    "InvalidArgument",
    "InvalidFile",
    "NoData",
    "Report",
    "Result",
    "Settings",
    "Workbench",
    "charts",
    "explore",
    "open",
]

# Imported when first used: pandas, DuckDB and Plotly take a second that `ctm --help` need not wait for.
_LATE = {
    "Report": ("ctm_analytics.report.page", "Report"),
    "Result": ("ctm_analytics.results", "Result"),
    "Workbench": ("ctm_analytics.workbench", "Workbench"),
    "explore": ("ctm_analytics.notebook", "explore"),
    "open": ("ctm_analytics.notebook", "open_in_notebook"),
    "load_ipython_extension": ("ctm_analytics.notebook", "load_ipython_extension"),
    "charts": ("ctm_analytics.charts", None),
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'ctm_analytics' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LATE[name]
    imported = import_module(module)
    return getattr(imported, attribute) if attribute else imported


def __dir__() -> list[str]:
    return __all__
