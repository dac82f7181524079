"""One question of a report with its answer: its address, its finding and its drawing."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
from markupsafe import Markup

from ctm_analytics.report.tables import Table


@dataclass
class Section:
    """One question of the report with its answer."""

    title: str
    anchor: str
    kind: str
    finding: str = ""
    note: str = ""
    figure: Markup | None = None
    height: int = 0
    table: Table | None = None
    passed: Table | None = None
    rows: pd.DataFrame | None = None
    command: str = ""


def anchor_of(title: str, taken: Iterable[str]) -> str:
    """Name a section in its address: fixed by its title, so that bytes repeat and links hold.

    Examples
    --------
    >>> anchor_of("Cost per new customer?", ["cost-per-new-customer"])
    'cost-per-new-customer-2'
    """
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in title.lower())
    anchor = "-".join(words.split()) or "section"
    copies = sum(1 for name in taken if name == anchor or name.startswith(f"{anchor}-"))
    return f"{anchor}-{copies + 1}" if copies else anchor


def finding_of(figure: go.Figure) -> str:
    """Read what a figure shows: its finding, else its title."""
    meta = figure.layout.meta or {}
    return str(meta.get("finding") or figure.layout.title.text or "")


def without_title(figure: go.Figure) -> dict[str, Any]:
    """Take the title out: the page says it in text, which wraps on a phone and can be read aloud."""
    drawn: dict[str, Any] = json.loads(pio.to_json(figure, engine="json"))
    drawn["layout"].pop("title", None)
    return drawn


def script_json(value: Any) -> Markup:
    """Write JSON that no text in it can end the script element, or the page, with."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def quality_finding(checks: int, failed: list[str]) -> str:
    """Say how many checks need attention; ``failed`` holds the status of each that does."""
    if not failed:
        return f"All {checks} checks passed."
    severe = failed.count("fail")
    words = "needs" if len(failed) == 1 else "need"
    return f"{len(failed)} of {checks} checks {words} attention" + (
        f", {severe} of them failed." if severe else "."
    )
