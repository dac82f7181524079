"""One look for every chart: transparent, readable in light and dark, and nothing that leaves this machine."""

import textwrap
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from ctm_analytics.formats import label

# Okabe and Ito's first four reach 3:1 on white and on the dark background; ORDER pairs them with a dash and a
# marker, so that nothing is told by colour alone.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORDER = (BLUE, VERMILION, GREEN, PURPLE)
DASHES = ("solid", "7px,4px", "2px,3px", "7px,3px,2px,3px")
# Legible on both backgrounds, for what must not draw the eye.
GREY = "#7F8790"
FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif'

# Plotly's own defaults upload a chart's data at one click of its tool bar.
CONFIG: dict[str, Any] = {
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "displaylogo": False,
    # Two amounts in a title, "$36 … $45", are no formula: where a page has MathJax, Plotly would set them as one.
    "typesetMath": False,
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}
# A title's line; what is longer is folded, since Plotly would let it run off the figure.
TITLE_WIDTH = 100
TITLE_LINE_HEIGHT = 20
NARROW_WIDTH = 46
RENDERERS = ("plotly_mimetype", "notebook", "notebook_connected", "jupyterlab", "vscode", "browser", "iframe")

_AXIS = {
    "automargin": True,
    "gridcolor": "rgba(127,135,144,0.22)",
    "linecolor": "rgba(127,135,144,0.5)",
    "title": {"font": {"size": 12}, "standoff": 10},
    "zeroline": False,
    "tickfont": {"size": 12},
}
TEMPLATE = go.layout.Template(
    layout={
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONTS, "size": 13},
        "colorway": list(ORDER),
        "title": {
            "font": {"size": 15},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yanchor": "top",
            "pad": {"l": 4, "t": 12},
        },
        "margin": {"l": 8, "r": 16, "t": 48, "b": 8},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {"font": {"family": FONTS, "size": 13}, "align": "left"},
        "legend": {
            "traceorder": "normal",
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",
            "font": {"size": 12},
            "itemsizing": "constant",
        },
        "hovermode": "closest",
        "dragmode": False,
    }
)


def new_figure(finding: str, *, height: int, legend_lines: int = 1) -> go.Figure:
    """Start a figure in the house's look, its title being what the data says.

    Parameters
    ----------
    finding : str, one sentence in plain words
    height : int, pixels, for a title of one line and no legend
    legend_lines : int, for which there is room between title and plot: Plotly lets the two overlap
    """
    protect_renderers()
    lines = textwrap.wrap(finding, TITLE_WIDTH)
    title = {"text": "<br>".join(label(line) for line in lines)}
    figure = go.Figure(layout={"template": TEMPLATE, "title": title})
    above = TITLE_LINE_HEIGHT * (len(lines) - 1 + legend_lines)
    figure.update_layout(margin_t=TEMPLATE.layout.margin.t + above)
    return describe(set_height(figure, height), finding=finding)


def folded(words: str) -> str:
    """Fold what stands under an axis for a narrow screen; breaks that it has stay."""
    return "<br>".join(line for part in words.split("<br>") for line in textwrap.wrap(part, NARROW_WIDTH))


def set_height(figure: go.Figure, height: int) -> go.Figure:
    """Give a figure its height in pixels; a title's further lines come on top of it."""
    return figure.update_layout(height=height + figure.layout.margin.t - TEMPLATE.layout.margin.t)


def describe(figure: go.Figure, **facts: Any) -> go.Figure:
    """Note what the report's page needs to know of a figure.

    ``finding`` is its title as plain text; ``nothing`` says that there is nothing to see; ``narrow`` holds layout
    values for a narrow screen, by path (``"xaxis.title.text"``), ``narrow_traces`` the like for its traces, by name.
    """
    figure.layout.meta = {**(figure.layout.meta or {}), **facts}
    return figure


def name_panel(figure: go.Figure, words: str, height: float) -> None:
    """Write a panel's name above its upper left corner; ``height`` is a share of the plot."""
    figure.add_annotation(
        text=f"<b>{words}</b>",
        x=0,
        xref="paper",
        xanchor="left",
        y=height,
        yref="paper",
        yanchor="bottom",
        yshift=4,
        showarrow=False,
    )


def above_row(text: str, place: float, shift: int) -> dict[str, Any]:
    """Put words above a row, at the left: beside it a phone leaves no room.

    Parameters
    ----------
    text : str, escaped already
    place : float, of the row on the vertical axis
    shift : int, pixels from there
    """
    return {
        "text": text,
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": place,
        "yshift": shift,
        "showarrow": False,
        "font": {"size": 12},
    }


def protect_renderers() -> None:
    """Keep notebooks from offering to upload a chart: Plotly's renderers get this theme's configuration."""
    for name in RENDERERS:
        pio.renderers[name].config = CONFIG


def say_nothing_to_draw(figure: go.Figure, reason: str) -> go.Figure:
    """Put a sentence where the chart would be."""
    figure.add_annotation(
        text=reason, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 14}
    )
    set_height(figure.update_xaxes(visible=False).update_yaxes(visible=False), 160)
    return describe(figure, nothing=True)
