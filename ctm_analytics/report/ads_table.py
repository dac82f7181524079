"""The per-ad table: views of columns, levels of rows, intervals as bars, and verdicts with their reason."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ctm_analytics.answers.tables import glossary
from ctm_analytics.charts.advice import verdict_reason
from ctm_analytics.columns import COLUMNS, INTERVALS, Column, write_ad, write_cell, write_interval
from ctm_analytics.formats import NOT_KNOWN, floats, number_or_none
from ctm_analytics.report.tables import Cell, Table, described

# What a row can be: the words for it; its columns lend their names to those of an ad.
LEVELS = {"ad": "Ad", "adset": "Ad set", "campaign": "Campaign"}
VERDICTS = {"scale": "to scale", "cut": "to cut", "watch": "to watch", "too_early": "too early to judge"}
# An interval that begins above this is read without cents.
_CENTS_BELOW = 5
_BAR_WIDTH, _BAR_HEIGHT = 56, 12

Scales = dict[str, tuple[float, float]]


def ads_table(
    ads: pd.DataFrame,
    total: "pd.Series[Any] | None",
    currency: str | None,
    *,
    target_cac: float | None = None,
    levels: Mapping[str, pd.DataFrame] | None = None,
) -> Table:
    """Write all ads: most spend on top, what no ad is credited with last, totals below.

    Parameters
    ----------
    ads : frame of ``workbench.ads()``
    total : the row of ``workbench.ads(by="total")``, or ``None`` for no row of totals
    currency : str or None, ISO 4217
    target_cac : float or None, that the verdicts are about
    levels : mapping of ``adset`` or ``campaign`` to the frame of ``workbench.ads(by=…)``
    """
    frames = {"ad": _ordered(ads)} | {
        level: _ordered(_at_level(frame, level, ads)) for level, frame in (levels or {}).items()
    }
    names = [
        name for name in _ads_columns() if name in ads.columns or (name in INTERVALS and _has(ads, name))
    ]
    columns = [_ads_column(name, frames["ad"]) for name in names]
    scales = {name: _scale(ads, name) for name in names if name in INTERVALS}

    def written(record: "pd.Series[Any]") -> list[Cell]:
        return [
            _ads_cell(record, name, column, currency, scales, target_cac)
            for name, column in zip(names, columns, strict=True)
        ]

    rows = {level: [written(record) for _, record in frame.iterrows()] for level, frame in frames.items()}
    totals = None
    if total is not None:
        label = Cell(f"All ads ({int(ads['ad_id'].notna().sum())})")
        numbers = [
            cell if column.is_number else Cell("")
            for cell, column in zip(written(total)[1:], columns[1:], strict=True)
        ]
        totals = [label, *numbers]
    meanings = [
        (column.label, glossary()[name])
        for name, column in zip(names, columns, strict=True)
        if name in glossary()
    ]
    return Table(columns, rows["ad"], totals, levels=rows, meanings=meanings)


def verdict_counts(ads: pd.DataFrame) -> str:
    """Say how many ads have which verdict; empty where none has one.

    Examples
    --------
    >>> verdict_counts(pd.DataFrame({"verdict": ["cut", "too_early", "too_early", None]}))
    'Of 3 ads that spent, 1 is to cut and 2 are too early to judge.'
    """
    if "verdict" not in ads.columns:
        return ""
    counts = {words: int((ads["verdict"] == verdict).sum()) for verdict, words in VERDICTS.items()}
    parts = [
        f"{number} {'is' if number == 1 else 'are'} {words}" for words, number in counts.items() if number
    ]
    if not parts:
        return ""
    *first, last = parts
    listed = f"{', '.join(first)} and {last}" if first else last
    judged = sum(counts.values())
    return f"Of {judged} {'ad' if judged == 1 else 'ads'} that spent, {listed}."


def _ordered(ads: pd.DataFrame) -> pd.DataFrame:
    order = pd.DataFrame({"credited": ads["ad_id"].notna().to_numpy(), "spend": floats(ads["spend"])})
    return ads.iloc[order.sort_values(["credited", "spend"], ascending=False, kind="stable").index]


def _at_level(frame: pd.DataFrame, level: str, ads: pd.DataFrame) -> pd.DataFrame:
    """Give a group's row the columns of an ad's, its own name and id being the first."""
    named = frame.rename(columns={f"{level}_name": "ad_name", f"{level}_id": "ad_id"})
    rows = named.reindex(columns=ads.columns)
    # Spend of which no ad set or campaign was imported is an ad's all the same.
    is_known = rows["ad_id"].notna() | rows["ad_name"].notna()
    return rows.assign(ad_name=rows["ad_name"].astype(object).where(is_known, f"{LEVELS[level]} not known"))


def _ads_columns() -> list[str]:
    names = list(COLUMNS)
    for interval, (estimate, _, _) in INTERVALS.items():
        names.insert(names.index(estimate) + 1, interval)
    return [names[0], *names[2:], names[1]]


def _has(ads: pd.DataFrame, interval: str) -> bool:
    return all(name in ads.columns for name in INTERVALS[interval])


def _ads_column(name: str, ads: pd.DataFrame) -> Column:
    if name not in INTERVALS:
        return described(name, ads[name])
    of = COLUMNS[INTERVALS[name][0]]
    # Where an estimate stands in two views, its interval stands in the one that is about it.
    presets = of.presets.split()[0]
    return Column(f"{of.label}, 95 %", of.unit, presets, f"95 % interval of {of.label}")


def _ads_cell(
    record: "pd.Series[Any]",
    name: str,
    column: Column,
    currency: str | None,
    scales: Scales,
    target_cac: float | None,
) -> Cell:
    if name in INTERVALS:
        return _interval_cell(record, name, column.unit, currency, scales[name])
    value = record.get(name)
    if name == "ad_name":
        ad_id = record.get("ad_id")
        return Cell(write_ad(value, ad_id), key="" if ad_id is None or pd.isna(ad_id) else str(ad_id))
    text = write_cell(value, column.unit, currency)
    if name == "verdict":
        return Cell(text, reason=verdict_reason(record, target_cac, currency))
    return Cell(text, "" if text == NOT_KNOWN else str(value)) if column.is_number else Cell(text)


def _interval_cell(
    record: "pd.Series[Any]", name: str, unit: str, currency: str | None, scale: tuple[float, float]
) -> Cell:
    estimate, low, high = (number_or_none(record.get(column)) for column in INTERVALS[name])
    if low is None:
        return Cell(NOT_KNOWN)
    if unit == "cents" and low >= _CENTS_BELOW:
        unit = "money"
    high = None if estimate is None else high
    bar = _bar(low, estimate, scale[1], scale) if high is None else _bar(low, estimate, high, scale)
    return Cell(write_interval(low, high, unit, currency), str(low), bar)


def _scale(ads: pd.DataFrame, name: str) -> tuple[float, float]:
    """Find the range of a column's bars; money on a logarithmic scale, ends cut like the chart's."""
    numbers = [number_or_none(value) for column in INTERVALS[name] for value in ads[column]]
    known = [value for value in numbers if value]
    if not known or name != "cac_interval":
        return 0.0, max(known, default=1.0)
    estimates = [value for value in map(number_or_none, ads[INTERVALS[name][0]]) if value]
    return min(known), max([*estimates, min(known) * 1.1]) * 2.5


def _bar(low: float, estimate: float | None, high: float, scale: tuple[float, float]) -> dict[str, float]:
    def place(value: float) -> float:
        start, end = scale
        share = math.log(max(value, start) / start) / math.log(end / start) if start else value / end
        return round(4 + min(max(share, 0), 1) * (_BAR_WIDTH - 8), 1)

    bar = {"low": place(low), "high": place(high), "width": _BAR_WIDTH, "height": _BAR_HEIGHT}
    return bar if estimate is None else {**bar, "dot": place(estimate)}
