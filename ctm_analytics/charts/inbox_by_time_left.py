"""Who waits for an answer now, by how long one may still be sent."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.theme import BLUE, VERMILION, describe, new_figure, say_nothing_to_draw
from ctm_analytics.formats import count, duration, floats

HOUR = 3600.0
# Until when the messaging window closes, in hours; Meta's windows are 24 hours, and up to 168 for leads of ads.
LIMITS_HOURS = (1, 4, 12, 24)
SOON_HOURS = 4
NOTHING = "Nobody waits for an answer."
GROUPS = {
    "From an ad": {"color": VERMILION, "pattern": {"shape": "/", "size": 6, "solidity": 0.35}},
    "Others": {"color": BLUE},
}
FROM_AD, OTHERS = GROUPS


def inbox_by_time_left(inbox: pd.DataFrame) -> go.Figure:
    """Draw how many people wait, by the time until their messaging window closes.

    Parameters
    ----------
    inbox : frame of ``workbench.inbox()``: one row per person who waits, with ``seconds_left``, ``opened_by`` and
        ``waited_seconds``
    """
    figure = new_figure(inbox_finding(inbox), height=320)
    if inbox.empty:
        return say_nothing_to_draw(figure, NOTHING)
    bins = _bins(inbox)
    for group, marker in GROUPS.items():
        counts = [len(rows[_group(rows) == group]) for rows in bins.values()]
        if any(counts):
            figure.add_bar(
                x=list(bins),
                y=counts,
                name=f"{group} ({count(sum(counts))})",
                marker=marker,
                customdata=[_hover(words, rows) for words, rows in bins.items()],
                hovertemplate="%{customdata}<extra></extra>",
            )
    for words, rows in bins.items():
        figure.add_annotation(
            x=words, y=len(rows), text=f"<b>{count(len(rows))}</b>", yshift=10, showarrow=False
        )
    figure.update_yaxes(title_text="People waiting", tickformat=",~d", nticks=5, rangemode="tozero")
    figure.update_xaxes(title_text="Until the messaging window closes", showgrid=False)
    figure.update_layout(barmode="stack", bargap=0.25)
    return describe(figure, narrow={"xaxis.tickangle": 0, "xaxis.tickfont.size": 11})


def inbox_finding(inbox: pd.DataFrame) -> str:
    """Say how many wait, how many windows close soon, and who has waited longest.

    Examples
    --------
    >>> inbox_finding(pd.DataFrame({"seconds_left": [], "waited_seconds": []}))
    'Nobody waits for an answer.'
    """
    if inbox.empty:
        return NOTHING
    soon = int((floats(inbox["seconds_left"]) < SOON_HOURS * HOUR).sum())
    who = "1 person waits" if len(inbox) == 1 else f"{count(len(inbox))} people wait"
    longest = duration(floats(inbox["waited_seconds"]).max())
    closing = f"the windows of {count(soon)} close" if soon != 1 else "the window of 1 closes"
    return f"{who}, for up to {longest}; {closing} within {SOON_HOURS} hours."


def inbox_table(inbox: pd.DataFrame) -> pd.DataFrame:
    """Count what is drawn: nobody's id stands beneath a chart that may be passed on."""
    rows = [
        {"time_left": words, "waiting": len(of), "waiting_from_ads": int((_group(of) == FROM_AD).sum())}
        for words, of in _bins(inbox).items()
    ]
    return pd.DataFrame(rows, columns=["time_left", "waiting", "waiting_from_ads"])


def _bins(inbox: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Split by the time left; the last bin only where somebody is in it."""
    hours = floats(inbox["seconds_left"]) / HOUR
    edges = (0, *LIMITS_HOURS)
    bins = {
        f"{'under' if low == 0 else f'{low} to'} {high} h": inbox[(hours >= low) & (hours < high)]
        for low, high in pairwise(edges)
    }
    longer = inbox[hours >= LIMITS_HOURS[-1]]
    return bins if longer.empty else {**bins, f"{LIMITS_HOURS[-1]} h or more": longer}


def _group(rows: pd.DataFrame) -> Any:
    return np.where((rows["opened_by"] == "ad").to_numpy(dtype=bool), FROM_AD, OTHERS)


def _hover(words: str, rows: pd.DataFrame) -> str:
    if rows.empty:
        return f"<b>{words}</b><br>nobody"
    return f"<b>{words}</b><br>{count(len(rows))} wait, for up to {duration(floats(rows['waited_seconds']).max())}"
