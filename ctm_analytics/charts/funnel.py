"""From a click to a customer: how many go on at each step, and where the others are lost."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.theme import BLUE, GREY, describe, new_figure, say_nothing_to_draw
from ctm_analytics.formats import (
    NOT_KNOWN,
    count,
    currency_of,
    floats,
    label,
    money,
    number_or_none,
    percent,
    shorten,
)


def funnel(stages: pd.DataFrame, *, currency: str | None = None) -> go.Figure:
    """Draw one bar per stage; the pale rest of a bar is what the step before it lost.

    Bars, not Plotly's funnel trace: partial bundles of plotly.js draw that one as a line, silently.

    Parameters
    ----------
    stages : frame of ``workbench.funnel()``: one row per stage, in order
    currency : str or None, ISO 4217, of ``cost_each``
    """
    figure = new_figure(
        funnel_finding(stages, currency=currency), height=96 + 52 * max(len(stages), 2), legend_lines=0
    )
    counts = [number_or_none(value) for value in stages["count"]]
    if not any(counts):
        return say_nothing_to_draw(figure, "Nothing happened in this period.")
    names = [label(str(name)) for name in stages["stage"]]
    rows = [stage for _, stage in stages.iterrows()]
    figure.add_bar(
        x=_previous(counts), y=names, orientation="h", marker_color=GREY, opacity=0.2, hoverinfo="skip"
    )
    figure.add_bar(
        x=counts,
        y=names,
        orientation="h",
        marker_color=BLUE,
        customdata=[_hover(stage, currency or currency_of(stages)) for stage in rows],
        hovertemplate="%{customdata}<extra></extra>",
    )
    for place, stage in enumerate(rows):
        figure.add_annotation(
            text=_beside(stage, currency or currency_of(stages)),
            x=1.02,
            xref="paper",
            xanchor="left",
            y=place,
            align="left",
            showarrow=False,
        )
    figure.update_xaxes(range=[0, max(value or 0 for value in counts)], visible=False)
    figure.update_yaxes(autorange="reversed", tickfont_size=13, ticksuffix="  ")
    figure.update_layout(barmode="overlay", bargap=0.28, showlegend=False, margin_r=340)
    return describe(figure, narrow=_narrow(rows, names, currency or currency_of(stages)))


def funnel_finding(stages: pd.DataFrame, *, currency: str | None = None) -> str:
    r"""Say how many get through, what each of them cost, and at which step the largest share is lost.

    Examples
    --------
    >>> funnel_finding(pd.DataFrame({"stage": ["Clicks", "Conversations", "Sales"], "count": [400, 200, 20],
    ...     "share_of_previous": [None, 0.5, 0.1], "share_of_first": [1, 0.5, 0.05], "cost_each": [1, 2, 20]}))
    '20 of 400 clicks (5\xa0%) get as far as “Sales”, at 20 each; the largest loss comes just before “Sales”: 90\xa0%.'
    """
    known = stages[stages["count"].notna()]
    if len(known) < 2 or not known["count"].iloc[0]:
        return "Nothing happened in this period."
    first, last = known.iloc[0], known.iloc[-1]
    reached = percent(last["count"] / first["count"])
    start = f"{count(last['count'])} of {count(first['count'])} {_lower(first)} ({reached})"
    start = f"{start} get as far as “{last['stage']}”"
    if number_or_none(last.get("cost_each")) is not None and last["count"]:
        start = f"{start}, at {money(last['cost_each'], currency or currency_of(stages))} each"
    steps = known.iloc[1:][known.iloc[1:]["share_of_previous"].notna()]
    if steps.empty:
        return f"{start}."
    worst = steps.iloc[int(floats(steps["share_of_previous"]).argmin())]
    stopped = percent(1 - float(worst["share_of_previous"]))
    return f"{start}; the largest loss comes just before “{worst['stage']}”: {stopped}."


def funnel_table(stages: pd.DataFrame) -> pd.DataFrame:
    """Keep everything: all of it is drawn."""
    return stages


def _lower(stage: "pd.Series[Any]") -> str:
    return str(stage["stage"])[:1].lower() + str(stage["stage"])[1:]


def _narrow(rows: "list[pd.Series[Any]]", names: list[str], currency: str | None) -> dict[str, Any]:
    """Put the words above the bars: beside them a phone leaves no room."""
    above = {"x": 0, "xref": "paper", "xanchor": "left", "align": "left", "yshift": 42, "showarrow": False}
    texts = [_beside(stage, currency) for stage in rows]
    words = [
        {"text": f"{name}<br>{text}", "y": place, **above}
        for place, (name, text) in enumerate(zip(names, texts, strict=True))
    ]
    return {
        "annotations": words,
        "yaxis.visible": False,
        "yaxis.autorange": False,
        "yaxis.range": [len(rows) - 0.75, -0.9],
        "margin.l": 4,
        "margin.r": 4,
        "bargap": 0.7,
        "height": 104 * len(rows),
    }


def _previous(counts: list[float | None]) -> list[float | None]:
    return [None, *counts[:-1]]


def _beside(stage: "pd.Series[Any]", currency: str | None) -> str:
    """Write what stands beside a bar: count, shares and cost; below that what was lost, on the first what was spent."""
    each = number_or_none(stage.get("cost_each"))
    share = number_or_none(stage["share_of_previous"])
    parts = [f"<b>{count(stage['count'])}</b>"]
    if share is not None:
        parts += [f"{percent(share)} of previous", f"{percent(stage['share_of_first'])} of all"]
    if each is not None:
        parts.append(f"{money(each, currency)} each")
    lost = number_or_none(stage.get("lost"))
    below = _lost(stage, lost) if lost else ""
    if share is None and each is not None:
        below = f"for {money(each * float(stage['count']), currency, 0)} of ad spend"
    text = "  ".join(parts)
    return f"{text}<br><span style='font-size:11px'>{below}</span>" if below else text


def _lost(stage: "pd.Series[Any]", lost: float) -> str:
    if lost < 0:
        return f"{count(-lost)} more than before: other rules"
    why = stage.get("loss")
    return f"{count(lost)} lost" + (f": {label(shorten(why, 38))}" if isinstance(why, str) and why else "")


def _hover(stage: "pd.Series[Any]", currency: str | None) -> str:
    lines = [f"<b>{label(str(stage['stage']))}</b>", count(stage["count"])]
    for column, words in (
        ("share_of_previous", "of the step before"),
        ("share_of_first", "of the first step"),
    ):
        if percent(stage[column]) != NOT_KNOWN:
            lines.append(f"{percent(stage[column])} {words}")
    if number_or_none(stage.get("cost_each")) is not None:
        lines.append(f"{money(stage['cost_each'], currency)} of ad spend each")
    return "<br>".join(lines)
