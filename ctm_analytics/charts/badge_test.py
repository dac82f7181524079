"""Meta's badge "Very responsive to messages": how far each account is from it."""

import math
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.theme import (
    GREEN,
    GREY,
    VERMILION,
    describe,
    name_panel,
    new_figure,
    say_nothing_to_draw,
    set_height,
)
from ctm_analytics.formats import count, duration, label, number_or_none, percent, shorten, time_ticks

# As Meta asks, and as ``workbench.badge()`` judges.
LEAST_RATE, LONGEST_SECONDS = 0.9, 900.0
NOTHING = "Nobody wrote in these 7 days."
MARKS = {
    True: ("Passes the test", {"symbol": "circle", "color": GREEN}),
    False: ("Fails the test", {"symbol": "x", "color": VERMILION}),
}
PLATFORMS = {"messenger": "Messenger", "instagram": "Instagram", "whatsapp": "WhatsApp"}
NAME_WIDTH = 22
ROW_HEIGHT = 30


class Panel(NamedTuple):
    """One of the two measures: its column, its words, what the badge asks, and its panel's place."""

    column: str
    words: str
    limit: float
    axis: str
    domain: tuple[float, float]


PANELS = (
    Panel("response_rate", "Share of new messages answered: 90 % or more", LEAST_RATE, "", (0.62, 0.94)),
    Panel(
        "response_time_seconds", "Mean time of the fastest 90 % of answers: 15 min or less", LONGEST_SECONDS, "2",
        (0.08, 0.40),
    ),
)  # fmt: skip


def badge_test(accounts: pd.DataFrame) -> go.Figure:
    """Draw each account's response rate and response time against what the badge asks.

    Parameters
    ----------
    accounts : frame of ``workbench.badge()``: one row per account
    """
    figure = new_figure(badge_finding(accounts), height=240)
    if accounts.empty:
        return say_nothing_to_draw(figure, NOTHING)
    rows = [account for _, account in accounts.iterrows()]
    span = [len(rows) - 0.4, -0.6]
    for panel in PANELS:
        _draw(figure, rows, panel)
        line = {"color": GREY, "width": 1.75, "dash": "7px,4px"}
        axes = {"xaxis": f"x{panel.axis}", "yaxis": f"y{panel.axis}"}
        figure.add_trace(
            go.Scatter(
                x=[panel.limit, panel.limit], y=span, mode="lines", line=line, hoverinfo="skip",
                name="What the badge asks", showlegend=not panel.axis, **axes,
            )
        )  # fmt: skip
        names = {
            "tickvals": list(range(len(rows))),
            "ticktext": [_name(account) for account in rows],
            "range": span,
            "domain": panel.domain,
            "anchor": f"x{panel.axis}",
            "ticksuffix": "  ",
        }
        figure.update_layout(
            {f"yaxis{panel.axis}": names, f"xaxis{panel.axis}": {"anchor": f"y{panel.axis}"}}
        )
        name_panel(figure, panel.words, panel.domain[1])
    shares = [0, 0.25, 0.5, 0.75, 0.9, 1]
    low, high = _reach(rows)
    times = time_ticks(low, high)
    figure.update_layout(
        xaxis={"range": [-0.02, 1.04], "tickvals": shares, "ticktext": [percent(share) for share in shares]},
        xaxis2={
            "type": "log",
            "range": [math.log10(low), math.log10(high)],
            "tickvals": times,
            "ticktext": [duration(time) for time in times],
            "title": {"text": "Response time (logarithmic scale)"},
        },
    )
    return describe(set_height(figure, 250 + 2 * ROW_HEIGHT * len(rows)), narrow=_narrow(rows))


def badge_finding(accounts: pd.DataFrame) -> str:
    r"""Say which accounts pass, and what the others lack.

    Examples
    --------
    >>> badge_finding(pd.DataFrame({"response_rate": [0.5], "response_time_seconds": [60.0],
    ...                             "is_very_responsive": [False]}))
    'The account fails the test of Meta’s badge: 50\xa0% answered, where 90\xa0% are asked.'
    """
    if accounts.empty:
        return NOTHING
    passed = sum(bool(passes) for passes in accounts["is_very_responsive"])
    if len(accounts) > 1:
        verb = "passes" if passed == 1 else "pass"
        return f"{passed or 'None'} of {len(accounts)} accounts {verb} the test of Meta’s badge."
    account = accounts.iloc[0]
    if passed:
        return (
            f"The account passes the test of Meta’s badge: {percent(account['response_rate'])} answered,"
            f" in {duration(account['response_time_seconds'])}."
        )
    lacks = []
    if account["response_rate"] < LEAST_RATE:
        lacks.append(f"{percent(account['response_rate'])} answered, where 90\xa0% are asked")
    seconds = number_or_none(account["response_time_seconds"])
    if seconds is not None and seconds > LONGEST_SECONDS:
        lacks.append(f"answers take {duration(seconds)}, where 15\xa0min are asked")
    return f"The account fails the test of Meta’s badge: {'; '.join(lacks)}."


def badge_table(accounts: pd.DataFrame) -> pd.DataFrame:
    """Keep everything: all of it is drawn."""
    return accounts


def _draw(figure: go.Figure, rows: "list[pd.Series[Any]]", panel: Panel) -> None:
    for passes, (words, mark) in MARKS.items():
        places = [
            place for place, account in enumerate(rows) if bool(account["is_very_responsive"]) == passes
        ]
        if places:
            figure.add_trace(
                go.Scatter(
                    x=[number_or_none(rows[place][panel.column]) for place in places],
                    y=places,
                    xaxis=f"x{panel.axis}",
                    yaxis=f"y{panel.axis}",
                    mode="markers",
                    name=words,
                    showlegend=not panel.axis,
                    marker={**mark, "size": 12},
                    cliponaxis=False,
                    customdata=[_hover(rows[place]) for place in places],
                    hovertemplate="%{customdata}<extra></extra>",
                )
            )


def _reach(rows: "list[pd.Series[Any]]") -> tuple[float, float]:
    times = [number_or_none(account["response_time_seconds"]) for account in rows]
    known = [time for time in times if time is not None and time > 0]
    return min([*known, 60.0]) / 1.5, max([*known, LONGEST_SECONDS]) * 1.5


def _name(account: "pd.Series[Any]") -> str:
    platform = str(account["platform"])
    return label(f"{PLATFORMS.get(platform, platform)} {shorten(account['account_id'], NAME_WIDTH)}")


def _hover(account: "pd.Series[Any]") -> str:
    return (
        f"<b>{_name(account)}</b>"
        f"<br>{count(account['replied'])} of {count(account['new_messages'])} new messages answered"
        f" ({percent(account['response_rate'])})"
        f"<br>response time {duration(account['response_time_seconds'])}"
    )


def _narrow(rows: "list[pd.Series[Any]]") -> dict[str, Any]:
    words = {"x": 0, "xref": "paper", "xanchor": "left", "showarrow": False}
    names = [
        {
            "text": _name(account),
            "y": place,
            "yref": f"y{panel.axis}",
            "yshift": 15,
            "font": {"size": 12},
            **words,
        }
        for panel in PANELS
        for place, account in enumerate(rows)
    ]
    titles = [
        {"text": f"<b>{panel.words.split(':')[0]}</b>", "y": panel.domain[1], "yref": "paper", "yanchor": "bottom",
         "yshift": 6, **words}
        for panel in PANELS
    ]  # fmt: skip
    return {
        "annotations": [*titles, *names],
        "yaxis.showticklabels": False,
        "yaxis2.showticklabels": False,
        "xaxis.tickvals": [0, 0.5, 0.9],
        "xaxis.ticktext": [percent(share) for share in (0, 0.5, 0.9)],
        "xaxis2.tickangle": 0,
        "margin.l": 6,
        "height": 280 + 2 * 44 * len(rows),
    }
