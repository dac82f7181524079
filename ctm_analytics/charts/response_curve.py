"""How fast people get an answer: the share answered after any length of time."""

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.theme import DASHES, ORDER, describe, new_figure, say_nothing_to_draw
from ctm_analytics.formats import count, duration, floats, label, percent, time_ticks

# Steps finer than the eye sees only make the file larger.
POINTS = 500
MEDIAN = "half answered"
SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 86_400.0 * 3


def response_curve(curve: pd.DataFrame) -> go.Figure:
    """Draw the share of engaged conversations answered by time since the first message, with 95 % bands.

    Parameters
    ----------
    curve : frame of ``workbench.response_curve()``: ``group, seconds, answered_share, low, high, at_risk``;
        the first four groups are drawn
    """
    figure = new_figure(response_finding(curve), height=400)
    curve = curve[curve["answered_share"].notna()]
    if curve.empty:
        return say_nothing_to_draw(figure, "Nobody wrote in this period, or nobody was answered.")
    end = min(max(float(np.max(floats(curve["seconds"]))), 3600.0) * 1.1, LONGEST_SECONDS)
    for place, (group, steps) in enumerate(_groups(curve)):
        _draw(figure, label(group), steps, place, end)
    ticks = time_ticks(SHORTEST_SECONDS, end)
    figure.update_xaxes(
        type="log",
        range=[math.log10(SHORTEST_SECONDS), math.log10(end)],
        tickvals=ticks,
        ticktext=[duration(tick) for tick in ticks],
        title_text="Time since the person's first message (logarithmic scale)",
    )
    few = [tick for tick in (10, 60, 900, 14_400, 86_400) if tick in ticks] or ticks
    shares = [0, 0.25, 0.5, 0.75, 1]
    figure.update_yaxes(
        range=[0, 1.02],
        tickvals=shares,
        ticktext=[percent(share) for share in shares],
        title_text="Share answered (band: 95 % interval)",
    )
    narrow = {
        "xaxis.tickvals": few,
        "xaxis.ticktext": [duration(tick) for tick in few],
        "xaxis.title.text": "Time since the first message",
        "yaxis.title.text": "",
    }
    return describe(figure, narrow=narrow, narrow_traces={MEDIAN: {"mode": "markers"}})


def response_finding(curve: pd.DataFrame) -> str:
    r"""Say by when half of each group has been answered.

    Examples
    --------
    >>> response_finding(pd.DataFrame({"group": ["All"] * 2, "seconds": [60, 252],
    ...                                "answered_share": [0.3, 0.5]}))
    'Half are answered within 4\xa0min 12\xa0s.'
    """
    medians = {str(group): median_seconds(steps) for group, steps in _groups(curve)}
    if not medians or curve["answered_share"].notna().sum() == 0:
        return "Nobody wrote in this period, or nobody was answered."
    if len(medians) == 1:
        median = next(iter(medians.values()))
        if median is None:
            return f"Fewer than half are answered ({percent(floats(curve['answered_share']).max())})."
        return f"Half are answered within {duration(median)}."
    parts = [
        f"{'fewer than half' if median is None else duration(median)} ({group})"
        for group, median in medians.items()
    ]
    return f"Half are answered within {', '.join(parts)}."


def response_table(curve: pd.DataFrame) -> pd.DataFrame:
    """Read the curve at round times: ten seconds, a minute, five, and so on.

    Returns
    -------
    frame
        ``group, seconds, answered_share, low, high``: one row per group and round time, up to three days.
    """
    rows = []
    for group, steps in _groups(curve):
        for seconds in time_ticks(SHORTEST_SECONDS, LONGEST_SECONDS):
            reached = steps[floats(steps["seconds"]) <= seconds]
            share = reached.iloc[-1][["answered_share", "low", "high"]] if len(reached) else (0.0, 0.0, 0.0)
            rows.append((group, float(seconds), *share))
    return pd.DataFrame(rows, columns=["group", "seconds", "answered_share", "low", "high"])


def median_seconds(steps: pd.DataFrame) -> float | None:
    """Find when half of one group was answered; ``None`` where that never happened."""
    reached = steps[floats(steps["answered_share"]) >= 0.5 - 1e-12]
    return None if reached.empty else float(reached["seconds"].astype(float).min())


def _groups(curve: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    names = list(dict.fromkeys(curve["group"].astype(str)))[: len(ORDER)]
    return [(name, curve[curve["group"].astype(str) == name].sort_values("seconds")) for name in names]


def _draw(figure: go.Figure, name: str, steps: pd.DataFrame, place: int, end: float) -> None:
    colour = ORDER[place]
    times = np.geomspace(SHORTEST_SECONDS, end, POINTS)
    known = floats(steps["seconds"])
    before = np.searchsorted(known, times, side="right") - 1

    def at(column: str) -> list[float]:
        values = floats(steps[column])
        return [0.0 if index < 0 else float(values[index]) for index in before]

    low, high = at("low"), at("high")
    rgb = ",".join(str(int(colour[start : start + 2], 16)) for start in (1, 3, 5))
    quiet = {"mode": "lines", "line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip", "showlegend": False}
    figure.add_trace(go.Scatter(x=times, y=low, **quiet))
    figure.add_trace(go.Scatter(x=times, y=high, fill="tonexty", fillcolor=f"rgba({rgb},0.16)", **quiet))
    asked = count(floats(steps["at_risk"]).max())
    figure.add_trace(
        go.Scatter(
            x=times,
            y=at("answered_share"),
            mode="lines",
            name=f"{name} ({asked} conversations)",
            line={"color": colour, "width": 2.5, "dash": DASHES[place], "shape": "hv"},
            customdata=[duration(time) for time in times],
            hovertemplate=f"<b>{name}</b><br>%{{y:.0%}} answered within %{{customdata}}<extra></extra>",
        )
    )
    _mark_median(figure, median_seconds(steps), colour)


def _mark_median(figure: go.Figure, median: float | None, colour: str) -> None:
    if median is None or not median >= SHORTEST_SECONDS:
        return
    figure.add_trace(
        go.Scatter(
            name=MEDIAN,
            x=[median],
            y=[0.5],
            mode="markers+text",
            marker={"color": colour, "size": 10, "symbol": "circle"},
            text=[f"half: {duration(median)}"],
            textposition="bottom right",
            textfont={"size": 12},
            hoverinfo="skip",
            showlegend=False,
            cliponaxis=False,
        )
    )
