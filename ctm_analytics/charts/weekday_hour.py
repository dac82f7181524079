"""When people write and when they wait: one map for each, since an empty night says nothing about speed."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from ctm_analytics.charts.theme import GREY, describe, name_panel, new_figure, say_nothing_to_draw
from ctm_analytics.formats import WEEKDAYS, Floats, count, duration, floats, number_or_none, time_ticks

HOURS = range(24)
MAP, WORDS, BLIND, THIN, THIN_WORDS = "map", "words", "not captured", "few people", "few people's words"
# A median of fewer people says next to nothing.
FEW_CHATS = 5
PALE = 0.22
# Stands in a cell whose median was not reached.
UNREACHED = "…"
DAY_SECONDS = 86_400.0
# Cividis is as light as mid grey here: darker cells take white words, lighter ones black.
MIDDLE = 0.46

Cells = NDArray[np.bool_]


class Panel(NamedTuple):
    """One of the two maps: what colours each cell, what stands in it, what it says when pointed at."""

    values: Floats
    texts: list[list[str]]
    hover: list[list[str]]
    bar: dict[str, object]
    axis: str


def weekday_hour(latency: pd.DataFrame) -> go.Figure:
    """Draw two maps, hour by weekday: median time to the first response, and how many conversations.

    Parameters
    ----------
    latency : frame of ``workbench.latency(by="weekday_hour")``: ``weekday`` 1 = Monday to 7, ``hour`` 0-23,
        ``engaged``, ``median_first_response_seconds``, ``blind_seconds``. Hours that a gap in capture touches are grey;
        those of fewer than ``FEW_CHATS`` are pale, and have no part in the colours. Where fewer than half were
        answered there is no median: such an hour is as bright as the longest, and says so
    """
    figure = new_figure(weekday_hour_finding(latency), height=560, legend_lines=0)
    chats = _grid(latency, "engaged")
    if not np.nansum(chats):
        return say_nothing_to_draw(figure, "Nobody wrote in this period.")
    medians = _grid(latency, "median_first_response_seconds")
    blind = _grid(latency, "blind_seconds")
    is_blind = blind > 0
    is_thin = ~is_blind & (chats < FEW_CHATS) & (chats > 0)
    is_unreached = ~is_blind & (chats > 0) & np.isnan(medians)
    enough = np.where(is_thin | is_blind, math.nan, medians)
    longest = float(np.nanmax(enough)) if not np.isnan(enough).all() else DAY_SECONDS
    waits = np.where(is_unreached & ~is_thin, longest, enough)
    texts = _short_durations(medians)
    hover = _hover(texts, blind, chats)  # before a sign takes the place of what it says in words
    for row, hour in np.argwhere(is_unreached):
        texts[row][hour] = UNREACHED
    _draw(figure, Panel(_logarithm(waits), texts, hover, _time_bar(enough), "y"), is_thin)
    texts = _texts(chats, count)
    shown = np.where(is_blind, math.nan, chats)
    _draw(figure, Panel(shown, texts, _hover(texts, blind), _count_bar(), "y2"), np.zeros_like(is_thin))
    for axis in ("y", "y2"):
        if is_blind.any():
            _grey_out(figure, is_blind, axis, BLIND, 1.0)
    if is_thin.any():
        _grey_out(figure, is_thin, "y", THIN, PALE)
    hours = {
        "tickvals": list(HOURS),
        "ticktext": [f"{hour:02d}" for hour in HOURS],
        "showgrid": False,
        "ticks": "",
    }
    days = {
        "tickvals": list(range(7)),
        "ticktext": list(WEEKDAYS),
        "showgrid": False,
        "ticks": "",
        "range": [6.5, -0.5],
    }
    figure.update_layout(
        xaxis={**hours, "anchor": "y2", "title": {"text": "Hour of the day"}},
        yaxis={**days, "domain": [0.535, 0.95]},
        yaxis2={**days, "domain": [0, 0.415], "anchor": "x"},
    )
    grey = ["grey: not captured all the time"] if is_blind.any() else []
    pale = [f"pale: fewer than {FEW_CHATS} people"] if is_thin.any() else []
    long = [f"{UNREACHED}: under half answered"] if is_unreached.any() else []
    name_panel(figure, f"Median time to the first response{_explained(long + pale + grey)}", 0.95)
    name_panel(figure, f"Engaged conversations{_explained(grey)}", 0.415)
    thin = {"xgap": 1, "ygap": 1}
    few = [0, 6, 12, 18]
    names = [name.to_plotly_json() for name in figure.layout.annotations]
    shorter = names[0]["text"].replace("Median time to the first", "Median first")
    names[0]["text"] = shorter.replace("fewer than", "under")
    narrow = {
        "xaxis.tickvals": few,
        "xaxis.ticktext": [f"{hour:02d}" for hour in few],
        "annotations": names,
    }
    return describe(
        figure,
        narrow=narrow,
        narrow_traces={
            MAP: thin,
            BLIND: thin,
            THIN: thin,
            WORDS: {"visible": False},
            THIN_WORDS: {"visible": False},
        },
    )


def weekday_hour_finding(latency: pd.DataFrame) -> str:
    """Say when most people write, and which of the busy hours answer slowest.

    An hour of the week is busy when it has at least the average number of conversations.
    """
    chats = floats(latency["engaged"])
    if not np.nansum(chats):
        return "Nobody wrote in this period."
    busiest = latency.iloc[int(np.nanargmax(chats))]
    most = f"Most people write on {_hour(busiest)}"
    is_busy = (chats >= np.nansum(chats) / 168) & (chats >= FEW_CHATS)
    if not is_busy.any():
        return f"{most}; not enough data to compare waits by the hour."
    is_known = latency["median_first_response_seconds"].notna().to_numpy()
    unreached = latency[is_busy & ~is_known & ~(floats(latency["blind_seconds"]) > 0)]
    if len(unreached):
        slowest = unreached.iloc[int(np.argmax(floats(unreached["engaged"])))]
        return f"{most}; of the busy hours, they wait longest on {_hour(slowest)} (fewer than half were answered)."
    busy = latency[is_busy & is_known]
    if busy.empty:
        return f"{most}."
    slowest = busy.iloc[int(np.argmax(floats(busy["median_first_response_seconds"])))]
    wait = duration(slowest["median_first_response_seconds"])
    return f"{most}; of the busy hours, they wait longest on {_hour(slowest)} (median {wait})."


def weekday_hour_table(latency: pd.DataFrame) -> pd.DataFrame:
    """Keep the columns that are drawn."""
    return latency[
        ["weekday", "hour", "engaged", "answered", "median_first_response_seconds", "blind_seconds"]
    ]


def _explained(looks: list[str]) -> str:
    return f" ({'; '.join(looks)})" if looks else ""


def _hour(row: "pd.Series[float]") -> str:
    return f"{WEEKDAYS[int(row['weekday']) - 1]} from {int(row['hour']):02d}:00"


def _grid(latency: pd.DataFrame, column: str) -> Floats:
    grid = np.full((7, 24), math.nan)
    for weekday, hour, value in zip(latency["weekday"], latency["hour"], latency[column], strict=True):
        known = number_or_none(value)
        grid[int(weekday) - 1, int(hour)] = math.nan if known is None else known
    return grid


def _logarithm(seconds: Floats) -> Floats:
    return np.log10(np.maximum(seconds, 1.0))


def _texts(grid: Floats, write: Callable[[float], str]) -> list[list[str]]:
    return [["" if math.isnan(value) else write(value) for value in row] for row in grid]


def _short_durations(seconds: Floats) -> list[list[str]]:
    """Write each cell in one unit: a cell has room for four characters."""

    def short(value: float) -> str:
        for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
            if value >= size:
                return f"{value / size:.0f}{unit}"
        return f"{value:.0f}s"

    return _texts(seconds, short)


def _hover(texts: list[list[str]], blind: Floats, people: Floats | None = None) -> list[list[str]]:
    def words(row: int, hour: int) -> str:
        of = "" if people is None or not people[row, hour] > 0 else f" (of {count(people[row, hour])} people)"
        hole = f", not captured for {duration(blind[row, hour])}" if blind[row, hour] > 0 else ""
        unreached = "fewer than half were answered" if of else "nobody wrote"
        value = texts[row][hour] or ("nothing known" if hole else unreached)
        return f"<b>{WEEKDAYS[row]} {hour:02d}:00–{hour + 1:02d}:00</b><br>{value}{of}{hole}"

    return [[words(row, hour) for hour in HOURS] for row in range(7)]


def _draw(figure: go.Figure, panel: Panel, is_thin: Cells) -> None:
    figure.add_trace(
        go.Heatmap(
            z=panel.values,
            customdata=panel.hover,
            hovertemplate="%{customdata}<extra></extra>",
            colorscale="Cividis",
            colorbar=panel.bar,
            xgap=2,
            ygap=2,
            yaxis=panel.axis,
            name=MAP,
        )
    )
    written = [(row, hour) for row in range(7) for hour in HOURS if panel.texts[row][hour]]
    _write(figure, panel, [cell for cell in written if is_thin[cell]], THIN_WORDS)
    cells = [cell for cell in written if not is_thin[cell]]
    known = [float(panel.values[cell]) for cell in cells if not math.isnan(panel.values[cell])]
    middle = min(known) + MIDDLE * (max(known) - min(known)) if known else 0.0
    is_dark = [panel.values[cell] <= middle for cell in cells]  # grey, where nothing is drawn, is light
    _write(figure, panel, cells, WORDS, ["#ffffff" if dark else "#000000" for dark in is_dark])


def _write(
    figure: go.Figure, panel: Panel, cells: list[tuple[int, int]], name: str, colours: list[str] | None = None
) -> None:
    """Write cells' values into them; without colours in that of all text, which follows light and dark."""
    if cells:
        figure.add_trace(
            go.Scatter(
                x=[hour for _, hour in cells],
                y=[row for row, _ in cells],
                text=[panel.texts[row][hour] for row, hour in cells],
                mode="text",
                textfont={"size": 11} if colours is None else {"size": 11, "color": colours},
                hoverinfo="skip",
                showlegend=False,
                yaxis=panel.axis,
                name=name,
            )
        )


def _grey_out(figure: go.Figure, cells: Cells, axis: str, name: str, opacity: float) -> None:
    """Lay grey over hours of which too little is known."""
    figure.add_trace(
        go.Heatmap(
            z=np.where(cells, 1.0, math.nan),
            opacity=opacity,
            hoverinfo="skip",
            colorscale=[[0, GREY], [1, GREY]],
            showscale=False,
            xgap=2,
            ygap=2,
            yaxis=axis,
            name=name,
        )
    )


def _time_bar(seconds: Floats) -> dict[str, object]:
    known = seconds[~np.isnan(seconds)]
    ticks = time_ticks(known.min(), known.max()) if known.size else []
    return {
        "tickvals": [math.log10(tick) for tick in ticks],
        "ticktext": [duration(tick) for tick in ticks],
        **_BAR,
        "y": 0.7425,
    }


def _count_bar() -> dict[str, object]:
    return {**_BAR, "y": 0.2075}


_BAR: dict[str, object] = {"len": 0.415, "lenmode": "fraction", "thickness": 10, "outlinewidth": 0}
