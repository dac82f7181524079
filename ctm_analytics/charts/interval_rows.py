"""A row per ad: a dot, its interval, and a line to compare with. What the per-ad charts share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ctm_analytics.charts.theme import BLUE, GREEN, GREY, VERMILION, above_row, describe, set_height

ROW_HEIGHT = 28
MOST_ROWS = 30
NAME_WIDTH = 34
DOT = 10.0


@dataclass(frozen=True)
class Row:
    """One ad's dot and interval, as it will be drawn.

    Attributes
    ----------
    name : str, shown on the axis, already escaped
    hover : str, shown beside the pointer, already escaped
    low, value, high : float, ``low <= value <= high``, in the axis' unit
    group : str, one of the keys of ``MARKS``
    clipped : str or None, what the interval's upper end is, when it lies beyond the axis
    size : float, diameter of the dot in pixels
    """

    name: str
    hover: str
    low: float
    value: float
    high: float
    group: str
    clipped: str | None = None
    size: float = DOT


# Shape and fill say the same as colour.
MARKS: dict[str, dict[str, object]] = {
    "better": {"symbol": "circle", "color": GREEN},
    "unsettled": {"symbol": "diamond", "color": BLUE},
    "worse": {"symbol": "square", "color": VERMILION},
    "few": {"symbol": "circle-open", "color": GREY},
    "at least": {"symbol": "triangle-right-open", "color": GREY},
}


def draw_rows(figure: go.Figure, rows: Sequence[Row], legend: dict[str, str]) -> None:
    """Draw rows from top to bottom, one trace for each group that occurs.

    Parameters
    ----------
    figure : figure, changed in place
    rows : sequence of Row, the first on top
    legend : dict of group to its words; also the order of the legend
    """
    for group, words in legend.items():
        places = [place for place, row in enumerate(rows) if row.group == group]
        if places:
            figure.add_trace(_trace([rows[place] for place in places], places, group, words))
    for place, row in enumerate(rows):
        if row.clipped:
            figure.add_annotation(
                text=f"→ {row.clipped}", x=1, xref="paper", xanchor="right", y=place, yshift=9,
                showarrow=False, font={"size": 11}, bgcolor="rgba(0,0,0,0)",
            )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[row.name for row in rows],
        range=[len(rows) - 0.4, -0.6],
        ticksuffix="  ",
    )
    set_height(figure, 110 + ROW_HEIGHT * max(len(rows), 2))
    describe(figure, narrow=_narrow(rows))


def _narrow(rows: Sequence[Row]) -> dict[str, Any]:
    """Put each name above its row: beside it, it would take half of a phone's width."""
    right = {"x": 1, "xanchor": "right", "xref": "paper", "yshift": 15, "showarrow": False}
    names = [above_row(row.name, place, 15) for place, row in enumerate(rows)]
    ends = [
        {"text": f"→ {row.clipped}", "y": place, "font": {"size": 11}, **right}
        for place, row in enumerate(rows)
        if row.clipped
    ]
    return {
        "annotations": names + ends,
        "yaxis.showticklabels": False,
        "yaxis.range": [len(rows) - 0.4, -0.9],
        "margin.l": 6,
        "margin.r": 10,
        "height": 190 + 44 * len(rows),
    }


def _trace(rows: Sequence[Row], places: Sequence[int], group: str, words: str) -> go.Scatter:
    mark = MARKS[group]
    return go.Scatter(
        x=[row.value for row in rows],
        y=list(places),
        mode="markers",
        name=words,
        marker={**mark, "size": [row.size for row in rows], "line": {"width": 2, "color": mark["color"]}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [row.high - row.value for row in rows],
            "arrayminus": [row.value - row.low for row in rows],
            "color": mark["color"],
            "thickness": 1.75,
            "width": 3,
        },
        customdata=[row.hover for row in rows],
        hovertemplate="%{customdata}<extra></extra>",
    )


def left_out(drawn: int, known: int, by: str, what: str = "ads") -> str:
    """Say under the axis that not every ad is drawn; empty where every one is.

    Examples
    --------
    >>> left_out(30, 300, "spend")
    '<br>The 30 ads with most spend, of 300'
    """
    return f"<br>The {drawn} {what} with most {by}, of {known}" if drawn < known else ""


def draw_reference(figure: go.Figure, value: float, words: str, *, dash: str) -> None:
    """Draw a line across all rows, named in the legend: words beside the line would meet the rows.

    Parameters
    ----------
    figure : figure whose rows are drawn; changed in place
    value : float, in the axis' unit
    dash : str, lengths of dashes and gaps, as in SVG
    """
    bottom, top = figure.layout.yaxis.range
    figure.add_trace(
        go.Scatter(
            x=[value, value],
            y=[bottom, top],
            mode="lines",
            name=words,
            line={"color": GREY, "width": 1.75, "dash": dash},
            hoverinfo="skip",
        )
    )
