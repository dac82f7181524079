"""What a report says, in short: the numbers that a mail, a chat or the index of all reports shows."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from ctm_analytics.columns import column_of, write_ad, write_cell, write_interval
from ctm_analytics.formats import floats, number_or_none

if TYPE_CHECKING:
    from ctm_analytics.report.page import Report

MOST_ADS = 8
_AD_COLUMNS = ("spend", "new_customers", "cac", "verdict")


def summarise(report: "Report") -> dict[str, Any]:
    """Write a report's title, sentences, tiles and first ads as text.

    Returns
    -------
    dict
        ``title, since, until, zone, as_of, headlines, notices, tiles, ads, quality``: text, lists and dicts of text,
        fit for JSON. ``ads`` has ``columns``, ``rows`` (most spend first) and ``left_out``; empty without such a table.
    """
    source = report.workbench
    sections = {section.kind: section for section in report.sections}
    ads = sections["ads"].rows if "ads" in sections else None
    return {
        "title": report.title,
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "zone": source.settings.reporting_timezone if source else "",
        "as_of": source.as_of.isoformat() if source else "",
        "headlines": list(report.headlines),
        "notices": list(report.notices),
        "tiles": [
            {name: getattr(tile, name) for name in ("label", "value", "interval", "change", "verdict")}
            for tile in report.tiles
        ],
        "ads": {} if ads is None else _first_ads(ads, report.currency),
        "quality": sections["quality"].finding if "quality" in sections else "",
    }


def _first_ads(ads: pd.DataFrame, currency: str | None) -> dict[str, Any]:
    credited = ads[ads["ad_id"].notna().to_numpy()]
    order = pd.Series(floats(credited["spend"])).sort_values(ascending=False, kind="stable").index
    names = [name for name in _AD_COLUMNS if name in ads.columns and not ads[name].isna().all()]
    rows = [
        [write_ad(ad.get("ad_name"), ad["ad_id"]), *(_cell(ad, name, currency) for name in names)]
        for _, ad in credited.iloc[order].head(MOST_ADS).iterrows()
    ]
    columns = ["Ad", *(column_of(name).label for name in names)]
    return {"columns": columns, "rows": rows, "left_out": len(credited) - len(rows)}


def _cell(ad: "pd.Series[Any]", name: str, currency: str | None) -> str:
    """Write a cell, money without cents; a CAC that is not known yet by the end that is."""
    unit = column_of(name).unit.replace("cents", "money")
    if name == "cac" and number_or_none(ad["cac"]) is None:
        return write_interval(number_or_none(ad.get("cac_low")), None, unit, currency)
    return write_cell(ad[name], unit, currency)
