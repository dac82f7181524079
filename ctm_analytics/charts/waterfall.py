"""From the conversations that Meta reports to those with a sale that was kept: where each one went."""

from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.theme import (
    BLUE,
    GREEN,
    VERMILION,
    above_row,
    describe,
    new_figure,
    say_nothing_to_draw,
    set_height,
)
from ctm_analytics.formats import count, floats, percent

NOTHING = "Nothing to reconcile in this period."
# Each stage with its words, the column of what is lost on the way to the next, and what that loss is called.
STAGES = (
    ("reported_conversations", "Reported by Meta", "not_captured", "Reported, but not captured"),
    ("conversations", "Captured", "opened_silently", "Opened, nothing written"),
    ("engaged", "Engaged", "without_sale", "No sale in the window"),
    ("with_matched_sale", "With a matched sale", "sale_not_kept", "Cancelled or refunded"),
    ("with_kept_sale", "With a sale that was kept", None, None),
)
MORE = "Captured beyond Meta's count"
UNREPORTED = "Captured where Meta reports nothing"
STEP_HEIGHT, BAR_WIDTH, NARROW_BAR_WIDTH = 34, 0.72, 0.42
LOOKS = {
    "stage": ("Stage", {"color": BLUE}),
    "loss": ("Lost", {"color": VERMILION, "pattern": {"shape": "/", "size": 5, "solidity": 0.4}}),
    "gain": ("Added", {"color": GREEN, "pattern": {"shape": "x", "size": 5, "solidity": 0.4}}),
}


class Step(NamedTuple):
    """A bar of the waterfall: a stage from 0, or a loss or gain that hangs between two stages."""

    words: str
    kind: str
    start: float
    length: float


def waterfall(reconciled: pd.DataFrame) -> go.Figure:
    """Draw every stage and, between two, what was lost or came in addition.

    Bars, not Plotly's waterfall trace, for the reason that the funnel has them.

    Parameters
    ----------
    reconciled : frame of ``workbench.reconciliation()``, by whatever: its rows are added up
    """
    figure = new_figure(waterfall_finding(reconciled), height=240)
    steps = _steps(reconciled)
    if not steps:
        return say_nothing_to_draw(figure, NOTHING)
    for kind, (name, marker) in LOOKS.items():
        places = [place for place, step in enumerate(steps) if step.kind == kind]
        if places:
            figure.add_bar(
                x=[steps[place].length for place in places],
                y=places,
                base=[steps[place].start for place in places],
                orientation="h",
                width=BAR_WIDTH,
                name=name,
                marker=marker,
                customdata=[_hover(steps[place]) for place in places],
                hovertemplate="%{customdata}<extra></extra>",
            )
    for place, step in enumerate(steps):
        figure.add_annotation(
            text=_length(step),
            x=step.start + step.length,
            xanchor="left",
            xshift=6,
            y=place,
            showarrow=False,
        )
    longest = max(step.start + step.length for step in steps)
    figure.update_xaxes(
        range=[0, longest * 1.14], title_text="Conversations from ads", tickformat=",~d", nticks=7
    )
    figure.update_yaxes(
        tickvals=list(range(len(steps))),
        ticktext=[step.words for step in steps],
        range=[len(steps) - 0.4, -0.6],
        ticksuffix="  ",
        showgrid=False,
    )
    set_height(figure.update_layout(barmode="overlay"), 120 + STEP_HEIGHT * len(steps))
    thin = {name: {"width": NARROW_BAR_WIDTH} for name, _ in LOOKS.values()}
    return describe(figure, narrow=_narrow(steps), narrow_traces=thin)


def waterfall_finding(reconciled: pd.DataFrame) -> str:
    r"""Say how much of what Meta reports was captured and ended in a sale that was kept.

    Examples
    --------
    >>> names = [name for stage in STAGES for name in (stage[0], stage[2]) if name]
    >>> waterfall_finding(pd.DataFrame([dict(zip(names, (100, 10, 90, 9, 81, 78, 3, 1, 2)))]))
    'Of 100 conversations that Meta reports, 90 were captured; 2 of 81 engaged ones (2.5\xa0%) have a kept sale.'
    """
    total = _total(reconciled)
    if not any(total.values()):
        return NOTHING
    reported, engaged = total["reported_conversations"], total["engaged"]
    sold = f"{count(total['with_kept_sale'])} of {count(engaged)} engaged ones"
    end = (
        f"{sold} ({percent(total['with_kept_sale'] / engaged)}) have a kept sale"
        if engaged
        else "nobody wrote in any"
    )
    if not reported:
        captured = count(total["conversations"])
        return f"Meta reports no conversations to compare with; {captured} were captured; {end}."
    captured = count(reported - total["not_captured"])
    if total["not_captured"] < 0:
        return f"Meta reports {count(reported)} conversations, {captured} were captured; {end}."
    return f"Of {count(reported)} conversations that Meta reports, {captured} were captured; {end}."


def waterfall_table(reconciled: pd.DataFrame) -> pd.DataFrame:
    """Keep what is drawn: the stages and losses, each row of the answer apart."""
    names = [name for name in reconciled.columns if name.endswith("_name") or name == "day"][:2]
    drawn = [name for stage in STAGES for name in (stage[0], stage[2]) if name]
    return reconciled[[*names, *drawn]]


def _total(reconciled: pd.DataFrame) -> dict[str, float]:
    names = [name for stage in STAGES for name in (stage[0], stage[2]) if name]
    return {name: float(pd.Series(floats(reconciled[name])).sum()) for name in names}


def _steps(reconciled: pd.DataFrame) -> list[Step]:
    total = _total(reconciled)
    if not any(total.values()):
        return []
    steps: list[Step] = []
    for column, words, loss, loss_words in STAGES:
        here = total[column]
        if column != "reported_conversations" or here:
            steps.append(Step(words, "stage", 0.0, here))
        if loss is None or loss_words is None:
            continue
        lost = total[loss]
        if lost:
            is_more = lost < 0
            words = MORE if is_more else loss_words
            steps.append(Step(words, "gain" if is_more else "loss", min(here, here - lost), abs(lost)))
        if column == "reported_conversations" and (unreported := total["conversations"] - (here - lost)):
            steps.append(Step(UNREPORTED, "gain", here - lost, unreported))
    return steps


def _length(step: Step) -> str:
    if step.kind == "stage":
        return f"<b>{count(step.length)}</b>"
    return f"{'−' if step.kind == 'loss' else '+'}{count(step.length)}"


def _hover(step: Step) -> str:
    return f"<b>{step.words}</b><br>{_length(step)} conversations"


def _narrow(steps: list[Step]) -> dict[str, Any]:
    """Put the words above the bars: beside them a phone leaves no room."""
    return {
        "annotations": [
            above_row(f"{step.words}: {_length(step)}", place, 18) for place, step in enumerate(steps)
        ],
        "yaxis.showticklabels": False,
        "yaxis.range": [len(steps) - 0.5, -0.95],
        "xaxis.nticks": 4,
        "margin.l": 6,
        "margin.r": 10,
        "height": 110 + 46 * len(steps),
    }
