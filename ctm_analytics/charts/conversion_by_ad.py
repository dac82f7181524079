"""How many of the people that an ad brings into a chat buy, with Wilson's interval."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ctm_analytics.charts.interval_rows import MOST_ROWS, NAME_WIDTH, Row, draw_reference, draw_rows, left_out
from ctm_analytics.charts.theme import new_figure, say_nothing_to_draw
from ctm_analytics.formats import ad_name, count, floats, label, percent, percent_ticks

# Fewer chats than this leave an interval wider than any decision needs.
FEW_CHATS = 20


def conversion_by_ad(ads: pd.DataFrame) -> go.Figure:
    """Draw each ad's conversion rate with its 95 % interval, the best on top.

    Parameters
    ----------
    ads : frame of ``workbench.ads()``: one row per ad; the row of what no ad is credited with is left out

    Returns
    -------
    Figure
        Its title is ``conversion_finding``. At most ``MOST_ROWS`` ads are drawn: those with most chats.
    """
    figure = new_figure(conversion_finding(ads), height=200, legend_lines=2)
    chatted = _with_chats(ads)
    if chatted.empty:
        return say_nothing_to_draw(figure, "No ad brought anyone into a chat in this period.")
    overall = _overall(chatted)
    drawn = chatted.nlargest(MOST_ROWS, "engaged").sort_values(
        ["conversion_rate", "engaged"], ascending=False
    )
    draw_rows(
        figure,
        [_row(ad, overall) for _, ad in drawn.iterrows()],
        {
            "better": "Clearly above all ads together",
            "unsettled": "Not settled",
            "worse": "Clearly below all ads together",
            "few": f"Fewer than {FEW_CHATS} chats",
        },
    )
    draw_reference(figure, overall, f"All ads {percent(overall, 1)}", dash="2px,3px")
    highest = max(*drawn["conversion_rate_high"], overall)
    ticks = percent_ticks(highest)
    figure.layout.meta["narrow"]["xaxis.title.text"] = "Share with a credited sale"
    return figure.update_xaxes(
        range=[-0.02 * highest, highest * 1.04],
        tickvals=ticks,
        ticktext=[percent(tick) for tick in ticks],
        title_text="Share of engaged conversations with a credited sale (bar: 95 % interval)"
        + left_out(len(drawn), len(chatted), "chats"),
    )


def conversion_finding(ads: pd.DataFrame) -> str:
    """Say how many ads convert clearly better or worse than all ads together.

    Examples
    --------
    >>> conversion_finding(pd.DataFrame({"ad_id": [], "engaged": [], "conversions": [], "conversion_rate": [],
    ...                                  "conversion_rate_low": [], "conversion_rate_high": []}))
    'No ad brought anyone into a chat in this period.'
    """
    chatted = _with_chats(ads)
    if chatted.empty:
        return "No ad brought anyone into a chat in this period."
    overall = _overall(chatted)
    groups = [_group(ad, overall) for _, ad in chatted.iterrows()]
    better, worse = groups.count("better"), groups.count("worse")
    verb = "is" if better == 1 else "are"
    chats = f"{percent(overall, 1)} of engaged conversations from ads end in a sale"
    if not better and not worse:
        return f"{chats}; no ad is clearly better or worse."
    return f"{chats}; {better or 'none'} of {len(groups)} ads {verb} clearly better, {worse or 'none'} clearly worse."


def conversion_table(ads: pd.DataFrame) -> pd.DataFrame:
    """Keep the ads and the columns that are drawn, all of them and not only those with most chats."""
    return ads.loc[_with_chats(ads).index, ["ad_name", "engaged", "conversions", *_RATE]]


def _with_chats(ads: pd.DataFrame) -> pd.DataFrame:
    rows = ads[ads["ad_id"].notna()].copy()
    for column in ("engaged", "conversions", *_RATE):
        rows[column] = floats(rows[column])
    return rows[(rows["engaged"] > 0) & rows["conversion_rate"].notna()]


_RATE = ("conversion_rate", "conversion_rate_low", "conversion_rate_high")


def _overall(chatted: pd.DataFrame) -> float:
    return float(chatted["conversions"].sum() / chatted["engaged"].sum())


def _group(ad: "pd.Series[Any]", overall: float) -> str:
    if ad["engaged"] < FEW_CHATS:
        return "few"
    if ad["conversion_rate_low"] > overall:
        return "better"
    if ad["conversion_rate_high"] < overall:
        return "worse"
    return "unsettled"


def _row(ad: "pd.Series[Any]", overall: float) -> Row:
    low, rate, high = ad["conversion_rate_low"], ad["conversion_rate"], ad["conversion_rate_high"]
    hover = (
        f"<b>{label(ad_name(ad))}</b><br>{percent(rate, 1)} buy"
        f"<br>95 % between {percent(low, 1)} and {percent(high, 1)}"
        f"<br>{count(ad['conversions'])} of {count(ad['engaged'])} engaged conversations"
    )
    return Row(label(ad_name(ad, NAME_WIDTH)), hover, low, rate, high, _group(ad, overall))
