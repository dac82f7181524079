"""What a new customer costs, ad by ad, with what chance alone could have done."""

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.interval_rows import MOST_ROWS, NAME_WIDTH, Row, draw_reference, draw_rows, left_out
from ctm_analytics.charts.theme import folded, new_figure, say_nothing_to_draw
from ctm_analytics.formats import (
    ad_name,
    count,
    currency_of,
    floats,
    label,
    money,
    money_ticks,
    number_or_none,
)

# With fewer new customers an ad's CAC says next to nothing: its interval spans a factor of seven.
LEGEND_LINE_HEIGHT = 22
FEW_CUSTOMERS = 5
# What money is spent on, the finest first: its columns begin with this, and it is called so.
LEVELS = {"ad": "ad", "adset": "ad set", "campaign": "campaign"}
# The axis ends at this many times the dearest ad or line; a whisker that goes on is cut and marked.
HEADROOM = 2.5
# A dot's area grows with the spend behind it, from a smallest one that can still be seen and told by its shape.
SMALLEST, LARGEST = 7.0, 17.0


def cac_by_ad(ads: pd.DataFrame, *, target_cac: float | None = None) -> go.Figure:
    """Draw CAC with its 95 % interval for each ad, ad set or campaign that spent, the cheapest on top.

    Ads without a new customer stand below, at the least that one can cost ("at least").

    Parameters
    ----------
    ads : frame of ``workbench.ads()``, also by ad set or campaign; the row of what no ad is credited with is left out
    target_cac : float or None, in the currency of ``ads``

    Returns
    -------
    Figure
        Its title is ``cac_finding``. At most ``MOST_ROWS`` ads are drawn: those that spent most.
    """
    currency = currency_of(ads)
    figure = new_figure(cac_finding(ads, target_cac=target_cac), height=200, legend_lines=2)
    spenders = _spenders(ads)
    if spenders.empty:
        return say_nothing_to_draw(figure, _nothing(ads))
    overall = _overall(spenders)
    drawn = spenders.nlargest(MOST_ROWS, "spend").sort_values(["cac", "spend"], ascending=[True, False])
    lines = [line for line in (overall, target_cac) if line is not None]
    low, high = _range(drawn, lines)
    verdicts = _groups(drawn, _reference(overall, target_cac))
    largest = float(drawn["spend"].max())
    rows = [
        replace(_row(ad, group, (low, high), currency), size=_size(ad["spend"] / largest))
        for (_, ad), group in zip(drawn.iterrows(), verdicts, strict=True)
    ]
    noun = _noun(ads)
    against = "target" if target_cac is not None else f"all {noun}s together"
    draw_rows(
        figure,
        rows,
        {
            "better": f"Clearly below {against}",
            "unsettled": "Not settled",
            "worse": f"Clearly above {against}",
            "few": f"Fewer than {FEW_CUSTOMERS} new customers",
            "at least": "No new customer yet: costs at least",
        },
    )
    if overall is not None:
        draw_reference(figure, overall, f"All {noun}s {money(overall, currency)}", dash="2px,3px")
    if target_cac is not None:
        draw_reference(figure, target_cac, f"Target {money(target_cac, currency)}", dash="7px,4px")
    # A notebook is narrower than the report: there the legend takes a second line, which would meet the title.
    figure.update_layout(
        margin_t=figure.layout.margin.t + LEGEND_LINE_HEIGHT,
        height=figure.layout.height + LEGEND_LINE_HEIGHT,
        title={"y": 1, "yref": "container", "yanchor": "top", "pad": {"l": 4, "t": 10}},
    )
    ticks = money_ticks(low, high)
    unit = f"{currency}, logarithmic scale" if currency else "logarithmic scale"
    others = left_out(len(drawn), len(spenders), "spend", f"{noun}s") + _others(
        spenders.drop(drawn.index), currency
    )
    figure.layout.meta["narrow"]["xaxis.title.text"] = folded(
        f"{currency or 'Spend'} per new customer{others}"
    )
    return figure.update_xaxes(
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[money(tick, currency) for tick in ticks],
        title_text=f"Ad spend per new customer ({unit}; bar: 95 % interval; size: spend){others}",
    )


def cac_finding(ads: pd.DataFrame, *, target_cac: float | None = None) -> str:
    """Say how many ads are clearly cheaper or dearer than the target, or than all ads together.

    Examples
    --------
    >>> nothing = ["ad_id", "ad_name", "spend", "new_customers", "cac", "cac_low", "cac_high"]
    >>> cac_finding(pd.DataFrame({name: [] for name in nothing}))
    'No ad spent anything in this period.'
    """
    spenders = _spenders(ads)
    if spenders.empty:
        return _nothing(ads)
    overall = _overall(spenders)
    reference = _reference(overall, target_cac)
    if reference is None:
        return f"No {_noun(ads)} has brought a new customer yet."
    groups = _groups(spenders, reference)
    better, worse = groups.count("better"), groups.count("worse")
    line, noun = money(reference, currency_of(ads)), _noun(ads)
    against = (
        f"the target of {line} per new customer"
        if target_cac is not None
        else f"the {line} per new customer of all {noun}s together"
    )
    if not better and not worse:
        return f"No {noun} costs clearly more or less than {against}."
    cheaper = f"{better or 'None'} of {len(groups)} {noun}s cost clearly less than {against}"
    return f"{cheaper}, {worse or 'none'} clearly more."


def cac_table(ads: pd.DataFrame) -> pd.DataFrame:
    """Keep the ads and the columns that are drawn, all of them and not only those that spent most."""
    columns = [f"{_level(ads)}_name", "spend", "new_customers", "cac", "cac_low", "cac_high"]
    return ads.loc[_spenders(ads).index, columns]


def _others(ads: pd.DataFrame, currency: str | None) -> str:
    """Say what the ads that are not drawn cost and brought."""
    if ads.empty:
        return ""
    spent, customers = money(ads["spend"].sum(), currency, 0), ads["new_customers"].sum()
    each = f", {money(ads['spend'].sum() / customers, currency)} each" if customers > 0 else ""
    return f"<br>The others: {spent} for {count(customers)} new customers{each}"


def _level(ads: pd.DataFrame) -> str:
    return next(level for level in LEVELS if f"{level}_id" in ads.columns)


def _noun(ads: pd.DataFrame) -> str:
    return LEVELS[_level(ads)]


def _nothing(ads: pd.DataFrame) -> str:
    """Say why no ad is drawn: campaigns and ad sets may be in no column of the imported spend."""
    if _level(ads) != "ad" and (floats(ads["spend"]) > 0).any():
        return f"The spend of this period names no {_noun(ads)}."
    return f"No {_noun(ads)} spent anything in this period."


def _spenders(ads: pd.DataFrame) -> pd.DataFrame:
    """Keep what spent, with floats in place of decimals; ad sets and campaigns under an ad's names."""
    level = _level(ads)
    rows = ads[ads[f"{level}_id"].notna()].copy()
    rows = rows.assign(ad_id=rows[f"{level}_id"], ad_name=rows[f"{level}_name"])
    for column in ("spend", "new_customers", "cac", "cac_low", "cac_high"):
        rows[column] = floats(rows[column])
    return rows[rows["spend"] > 0]


def _overall(spenders: pd.DataFrame) -> float | None:
    customers = spenders["new_customers"].sum()
    return float(spenders["spend"].sum() / customers) if customers > 0 else None


def _reference(overall: float | None, target_cac: float | None) -> float | None:
    return target_cac if target_cac is not None else overall


def _groups(spenders: pd.DataFrame, reference: float | None) -> list[str]:
    return [_group(ad, reference) for _, ad in spenders.iterrows()]


def _group(ad: "pd.Series[Any]", reference: float | None) -> str:
    if math.isnan(ad["cac"]):
        return "at least"
    if ad["new_customers"] < FEW_CUSTOMERS:
        return "few"
    if reference is not None and ad["cac_high"] < reference:
        return "better"
    if reference is not None and ad["cac_low"] > reference:
        return "worse"
    return "unsettled"


def _range(drawn: pd.DataFrame, lines: list[float]) -> tuple[float, float]:
    """Span what has a CAC; the least that an ad without customers can cost stretches no axis that others are on."""
    sold = drawn[drawn["cac"].notna()]
    shown = drawn if sold.empty else sold
    known = [value for value in (*shown["cac_low"], *shown["cac"], *lines) if value > 0]
    if not known:
        return 1.0, 100.0
    return min(known) / 1.2, max(known) * HEADROOM


def _size(share: float) -> float:
    return SMALLEST + (LARGEST - SMALLEST) * math.sqrt(share)


def _row(ad: "pd.Series[Any]", group: str, axis: tuple[float, float], currency: str | None) -> Row:
    axis_low, axis_high = axis
    name = label(ad_name(ad))
    spent = f"{money(ad['spend'], currency)} spent, {count(ad['new_customers'])} new customers"
    low = number_or_none(ad["cac_low"]) or 0.0
    if group == "at least":
        hover = f"<b>{name}</b><br>at least {money(low, currency)} per new customer<br>{spent}"
        start = min(max(low, axis_low), axis_high)
        return Row(_short(ad), hover, start, start, axis_high, group)
    high = ad["cac_high"]
    known_high = high if not math.isnan(high) else math.inf
    interval = f"95 % between {money(low, currency)} and {money(number_or_none(high), currency)}"
    hover = f"<b>{name}</b><br>{money(ad['cac'], currency)} per new customer<br>{interval}<br>{spent}"
    clipped = money(high, currency) if axis_high < known_high < math.inf else None
    return Row(_short(ad), hover, low, ad["cac"], min(known_high, axis_high), group, clipped)


def _short(ad: "pd.Series[Any]") -> str:
    return label(ad_name(ad, NAME_WIDTH))
