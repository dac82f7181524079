"""Where the money would go if the verdicts were followed: spend now, spend suggested, and what that may bring."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.interval_rows import NAME_WIDTH, left_out
from ctm_analytics.charts.theme import (
    GREEN,
    GREY,
    VERMILION,
    above_row,
    describe,
    folded,
    new_figure,
    say_nothing_to_draw,
    set_height,
)
from ctm_analytics.formats import amount_ticks, count, currency_of, floats, label, money, shorten

MOST_ROWS = 20
ROW_HEIGHT, NARROW_ROW_HEIGHT = 34, 58
NAMES = ("ad_name", "ad_id", "adset_name", "adset_id", "campaign_name", "campaign_id")
NO_VERDICT = "No verdict yet: set target_cac in ctm.toml, and let every ad's cohort ripen."
NO_MOVE = "No move is suggested: no ad is sure enough to be worth more money, and none to be cut."
NOBODY_TAKES = "no ad is sure enough to take it"
LOOKS = {
    "more": ("Suggested: more", {"symbol": "triangle-right", "color": GREEN}),
    "less": ("Suggested: less", {"symbol": "triangle-left", "color": VERMILION}),
}


def spend_moves(outlook: pd.DataFrame, *, effect: tuple[float, float, float] | None = None) -> go.Figure:
    """Draw spend now and spend suggested for each ad that is to be cut or scaled.

    Parameters
    ----------
    outlook : frame of ``workbench.outlook()``: ``spend``, ``suggested_spend``, ``expected_effect`` with its interval
    effect : tuple of float or None: new customers that all moves together may bring, with their 90 % interval
    """
    currency = currency_of(outlook)
    figure = new_figure(moves_finding(outlook, effect=effect), height=240)
    moved = _moved(outlook)
    if moved.empty:
        return say_nothing_to_draw(figure, NO_MOVE if outlook["verdict"].notna().any() else NO_VERDICT)
    drawn = moved.head(MOST_ROWS).sort_values("change", ascending=False)
    rows = [row for _, row in drawn.iterrows()]
    _draw_changes(figure, rows)
    places = list(range(len(rows)))
    figure.add_trace(_marks([row["now"] for row in rows], places, rows, currency, "Spend now", _NOW))
    for kind, (words, mark) in LOOKS.items():
        of = [place for place in places if (rows[place]["change"] > 0) == (kind == "more")]
        if of:
            wanted = [rows[place]["wanted"] for place in of]
            figure.add_trace(_marks(wanted, of, [rows[place] for place in of], currency, words, mark))
    for place, row in enumerate(rows):
        figure.add_annotation(
            text=_effect(row), x=1.02, xref="paper", xanchor="left", y=place, showarrow=False, align="left"
        )
    highest = max(*drawn["now"], *drawn["wanted"])
    ticks = amount_ticks(highest)
    kept = int((floats(outlook["suggested_spend"]) == floats(outlook["spend"])).sum())
    more = left_out(len(drawn), len(moved), "change")
    more += f"<br>Not drawn: {count(kept)} that keep what they have" if kept else ""
    figure.update_yaxes(
        tickvals=places,
        ticktext=[label(shorten(row["name"], NAME_WIDTH)) for row in rows],
        range=[len(rows) - 0.4, -0.6],
        ticksuffix="  ",
    )
    figure.update_xaxes(
        range=[-0.03 * highest, highest * 1.06],
        tickvals=ticks,
        ticktext=[money(tick, currency, 0) for tick in ticks],
        title_text=f"Ad spend in a period as long as this one{f' ({currency})' if currency else ''}{more}",
    )
    set_height(figure.update_layout(margin_r=230), 130 + ROW_HEIGHT * max(len(rows), 2))
    return describe(figure, narrow=_narrow(rows, folded(f"Ad spend in such a period{more}")))


def moves_finding(outlook: pd.DataFrame, *, effect: tuple[float, float, float] | None = None) -> str:
    """Say how much would move, and what that may bring if every ad keeps its CAC."""
    moved = _moved(outlook)
    if moved.empty:
        return NO_MOVE if outlook["verdict"].notna().any() else NO_VERDICT
    currency = currency_of(outlook)
    cut, scaled = moved[moved["change"] < 0], moved[moved["change"] > 0]
    freed, taken = -float(cut["change"].sum()), float(scaled["change"].sum())
    if scaled.empty:
        return f"Cutting {_ads(len(cut))} frees {money(freed, currency, 0)}; {NOBODY_TAKES}."
    found = f"Moving {money(taken, currency, 0)} from {_ads(len(cut))} to {_ads(len(scaled))}"
    unspent = freed - taken
    if round(unspent) > 0:
        found += f", and keeping {money(unspent, currency, 0)} back,"
    if effect is None:
        return f"{found} follows the verdicts."
    value, low, high = effect
    more = f"{_signed(abs(value)).removeprefix('+')} new customers {'more' if value > 0 else 'fewer'}"
    return (
        f"{found} may bring about {more} (90 % {_signed(low)} to {_signed(high)}), if every ad keeps its CAC."
    )


def moves_table(outlook: pd.DataFrame) -> pd.DataFrame:
    """Keep what is drawn, and the ads that keep what they have."""
    names = [name for name in NAMES if name in outlook.columns and name.endswith("_name")][:1]
    judged = outlook[outlook["suggested_spend"].notna()]
    return judged[
        [
            *(*names, "verdict", "spend", "suggested_spend"),
            *("expected_effect", "expected_effect_low", "expected_effect_high"),
        ]
    ]


_NOW = {"symbol": "circle-open", "color": GREY}


def _moved(outlook: pd.DataFrame) -> pd.DataFrame:
    """Keep the ads whose spend would change, the largest change first."""
    now, wanted = floats(outlook["spend"]), floats(outlook["suggested_spend"])
    rows = outlook.assign(now=now, wanted=wanted, change=wanted - now)
    rows = rows[rows["change"].notna() & (rows["change"].round(6) != 0)]
    rows = rows.assign(name=[_name(row) for _, row in rows.iterrows()])
    for name in ("expected_effect", "expected_effect_low", "expected_effect_high"):
        rows[name] = floats(rows[name])
    order = rows["change"].abs().sort_values(ascending=False, kind="stable").index
    return rows.loc[order]


def _name(row: "pd.Series[Any]") -> str:
    names = [row[name] for name in NAMES if name in row.index and not pd.isna(row[name])]
    return next((str(name) for name in names if str(name).strip()), "")


def _ads(number: int) -> str:
    return "1 ad" if number == 1 else f"{number} ads"


def _signed(customers: float) -> str:
    text = count(customers, 0 if abs(customers) >= 9.95 else 1)
    return f"+{text}" if customers > 0 else text


def _effect(row: "pd.Series[Any]", what: str = " customers") -> str:
    low, high = (_signed(row[f"expected_effect_{end}"]) for end in ("low", "high"))
    return f"<b>{_signed(row['expected_effect'])}</b>{what} ({low} to {high})"


def _draw_changes(figure: go.Figure, rows: "list[pd.Series[Any]]") -> None:
    x: list[float | None] = []
    y: list[int | None] = []
    for place, row in enumerate(rows):
        x += [row["now"], row["wanted"], None]
        y += [place, place, None]
    line = {"color": GREY, "width": 2}
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False))


def _marks(
    values: list[float],
    places: list[int],
    rows: "list[pd.Series[Any]]",
    currency: str | None,
    words: str,
    mark: dict[str, str],
) -> go.Scatter:
    return go.Scatter(
        x=values,
        y=places,
        mode="markers",
        name=words,
        marker={**mark, "size": 12, "line": {"width": 2, "color": mark["color"]}},
        customdata=[
            f"<b>{label(shorten(row['name'], 200))}</b><br>{money(row['now'], currency)} now,"
            f" {money(row['wanted'], currency)} suggested<br>{_effect(row)}"
            for row in rows
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _narrow(rows: "list[pd.Series[Any]]", axis_title: str) -> dict[str, Any]:
    """Put each ad's name and effect above its row: beside it a phone leaves no room."""
    return {
        "annotations": [
            above_row(f"{label(shorten(row['name'], 24))}  {_effect(row, '')}", place, 19)
            for place, row in enumerate(rows)
        ],
        "yaxis.showticklabels": False,
        "yaxis.range": [len(rows) - 0.4, -0.9],
        "xaxis.title.text": axis_title,
        "margin.l": 6,
        "margin.r": 10,
        "height": 200 + NARROW_ROW_HEIGHT * len(rows),
    }
