"""How much of an ad's CAC is a matter of the attribution model: a dot per model, ad by ad."""

import math
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.interval_rows import NAME_WIDTH, draw_reference, left_out
from ctm_analytics.charts.theme import (
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    above_row,
    describe,
    new_figure,
    say_nothing_to_draw,
    set_height,
)
from ctm_analytics.formats import ad_name, currency_of, floats, label, money, money_ticks, number_or_none

MOST_ADS = 20
ROW_HEIGHT, NARROW_ROW_HEIGHT = 48, 66
# A smaller spread than this is no matter of choice.
SAME = 0.1
LIFETIME = 36_500
NOTHING = "No ad spent anything in this period."
MODELS = {
    "last_touch": ("Last touch", {"symbol": "circle", "color": BLUE}),
    "first_touch": ("First touch", {"symbol": "square", "color": VERMILION}),
    "linear": ("Linear", {"symbol": "diamond", "color": GREEN}),
    "position_based": ("Position-based", {"symbol": "triangle-up", "color": PURPLE}),
    "time_decay": ("Time decay", {"symbol": "triangle-down-open", "color": BLUE}),
    "markov": ("Markov", {"symbol": "x-open", "color": VERMILION}),
    "shapley": ("Shapley", {"symbol": "star-open", "color": GREEN}),
}


class Ad(NamedTuple):
    """One ad with its CAC by model, in the window that is drawn, and over all models and windows."""

    row: "pd.Series[Any]"
    costs: dict[str, float]
    lowest: float
    highest: float
    without: int


def models_by_ad(compared: pd.DataFrame, *, window_days: int, target_cac: float | None = None) -> go.Figure:
    """Draw each ad's CAC by model as dots, and over all models and windows as a thin line.

    Parameters
    ----------
    compared : frame of ``workbench.attribution()``: one row per ad, window and model
    window_days : int, the window whose models are drawn as dots
    target_cac : float or None, in the currency of ``compared``

    Returns
    -------
    Figure
        At most ``MOST_ADS`` ads are drawn: those that spent most.
    """
    currency = currency_of(compared)
    figure = new_figure(models_finding(compared, window_days=window_days), height=240, legend_lines=3)
    ads = _ads(compared, window_days)
    if not ads:
        return say_nothing_to_draw(figure, NOTHING)
    drawn = [ad for ad in ads[:MOST_ADS] if ad.costs]
    if not drawn:
        return say_nothing_to_draw(figure, "No model gives any ad a new customer.")
    drawn.sort(key=lambda ad: min(ad.costs.values()))
    _draw_ranges(figure, drawn)
    for model, (words, mark) in MODELS.items():
        _draw_model(figure, drawn, model, words, mark, currency)
    names = [label(ad_name(ad.row, NAME_WIDTH)) for ad in drawn]
    ends = [_end(ad, place) for place, ad in enumerate(drawn) if ad.without]
    figure.update_layout(annotations=ends)
    figure.update_yaxes(
        tickvals=list(range(len(drawn))), ticktext=names, range=[len(drawn) - 0.4, -0.6], ticksuffix="  "
    )
    if target_cac is not None:
        draw_reference(figure, target_cac, f"Target {money(target_cac, currency)}", dash="7px,4px")
    costs = [cost for ad in drawn for cost in (ad.lowest, ad.highest)] + ([target_cac] if target_cac else [])
    low, high = min(costs) / 1.25, max(costs) * 1.25
    ticks = money_ticks(low, high)
    customerless = sum(not ad.costs for ad in ads[:MOST_ADS])
    more = left_out(len(drawn) + customerless, len(ads), "spend")
    more += f"<br>Not drawn: {customerless} without a new customer in any model" if customerless else ""
    unit = f"{currency}, logarithmic scale" if currency else "logarithmic scale"
    figure.update_xaxes(
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[money(tick, currency) for tick in ticks],
        title_text=f"Ad spend per new customer ({unit})<br>Dots: {_window(window_days)}; line: all models and windows"
        + more,
    )
    set_height(figure, 190 + ROW_HEIGHT * max(len(drawn), 2))
    narrow = _narrow(names, ends, figure.layout.xaxis.title.text)
    return describe(figure, narrow=narrow)


def models_finding(compared: pd.DataFrame, *, window_days: int) -> str:
    """Say for how many ads the choice of the model matters, and for which most."""
    ads = _ads(compared, window_days)
    if not ads:
        return NOTHING
    with_customers = [ad for ad in ads if ad.costs]
    if not with_customers:
        return "No model gives any ad a new customer."
    currency = currency_of(compared)
    moved = [ad for ad in with_customers if ad.without or _spread(ad) > 1 + SAME]
    of = f"{len(with_customers)} {'ad' if len(with_customers) == 1 else 'ads'} with new customers"
    window = _window(window_days)
    if not moved:
        return f"The choice of model hardly matters: it moves the CAC of none of {of} by more than 10\xa0% ({window})."
    most = max(moved, key=_spread)
    low, high = (money(pick(most.costs.values()), currency) for pick in (min, max))
    reach = f"from {low} to {high}"
    if most.without:
        reach = f"from {low} to no customer at all"
    return (
        f"The choice of model moves the CAC of {len(moved)} of {of} by more than 10\xa0% ({window});"
        f" most of all “{ad_name(most.row, 40)}”, {reach}."
    )


def models_table(compared: pd.DataFrame, *, window_days: int) -> pd.DataFrame:
    """Lay the models side by side: one row per ad, CAC by model in the window that is drawn."""
    rows = [
        {
            "ad_name": ad_name(ad.row),
            "spend": ad.row["spend"],
            **{f"cac_{model}": ad.costs.get(model) for model in MODELS},
            "cac_lowest": ad.row["cac_lowest"],
            "cac_highest": ad.row["cac_highest"],
        }
        for ad in _ads(compared, window_days)
    ]
    names = ["ad_name", "spend", *(f"cac_{model}" for model in MODELS), "cac_lowest", "cac_highest"]
    return pd.DataFrame(rows, columns=names)


def _ads(compared: pd.DataFrame, window_days: int) -> list[Ad]:
    """Collect the ads that spent, most spend first."""
    own = compared[compared["ad_id"].notna().to_numpy() & (floats(compared["spend"]) > 0)]
    ads = []
    for _, rows in own.groupby("ad_id", sort=False):
        of_window = rows[floats(rows["window_days"]) == window_days]
        costs = {
            str(model): cost
            for model, value in zip(of_window["model"], of_window["cac"], strict=True)
            if (cost := number_or_none(value)) is not None
        }
        known = [cost for value in rows["cac"] if (cost := number_or_none(value)) is not None]
        lowest, highest = (min(known), max(known)) if known else (math.nan, math.nan)
        ads.append(Ad(rows.iloc[0], costs, lowest, highest, len(of_window) - len(costs)))
    return sorted(ads, key=lambda ad: -float(ad.row["spend"]))


def _spread(ad: Ad) -> float:
    return math.inf if ad.without or not ad.costs else max(ad.costs.values()) / min(ad.costs.values())


def _window(window_days: int) -> str:
    if window_days >= LIFETIME:
        return "window of a lifetime"
    return f"window of {window_days} {'day' if window_days == 1 else 'days'}"


def _draw_ranges(figure: go.Figure, ads: list[Ad]) -> None:
    x: list[float | None] = []
    y: list[int | None] = []
    for place, ad in enumerate(ads):
        x += [ad.lowest, ad.highest, None]
        y += [place, place, None]
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            name="All models and windows",
            line={"color": GREY, "width": 2},
            hoverinfo="skip",
        )
    )


def _draw_model(
    figure: go.Figure, ads: list[Ad], model: str, words: str, mark: dict[str, str], currency: str | None
) -> None:
    places = [place for place, ad in enumerate(ads) if model in ad.costs]
    if not places:
        return
    figure.add_trace(
        go.Scatter(
            x=[ads[place].costs[model] for place in places],
            y=[place + _shift(model) for place in places],
            mode="markers",
            name=words,
            marker={**mark, "size": 8, "line": {"width": 1.75, "color": mark["color"]}},
            customdata=[
                f"<b>{label(ad_name(ads[place].row))}</b><br>{words}: {money(ads[place].costs[model], currency)}"
                for place in places
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


def _shift(model: str) -> float:
    """Stand models that agree below each other, in shares of a row."""
    return (list(MODELS).index(model) - len(MODELS) // 2) * 0.1


def _end(ad: Ad, place: int) -> dict[str, Any]:
    """Say of an ad which models give it no new customer: those have no dot."""
    without = [words for model, (words, _) in MODELS.items() if model not in ad.costs]
    names = without[0] if len(without) == 1 else f"{len(without)} models"
    return {
        "text": f"→ no customer: {names}", "x": 1, "xref": "paper", "xanchor": "right", "y": place, "yshift": 14,
        "showarrow": False, "font": {"size": 11},
    }  # fmt: skip


def _narrow(names: list[str], ends: list[dict[str, Any]], axis_title: str) -> dict[str, Any]:
    return {
        "annotations": [above_row(name, place, 15) for place, name in enumerate(names)]
        + [end | {"yshift": -14} for end in ends],
        "yaxis.showticklabels": False,
        "yaxis.range": [len(names) - 0.4, -0.75],
        "xaxis.title.text": axis_title.replace(", logarithmic scale", "").replace("; line: ", "<br>Line: "),
        "margin.l": 6,
        "margin.r": 10,
        "height": 300 + NARROW_ROW_HEIGHT * len(names),
    }
