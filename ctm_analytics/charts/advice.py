"""What to change, from the verdicts; and why an ad has the verdict that it has."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from ctm_analytics.charts.sentences import best_ad_sentence, idle_ads_sentence
from ctm_analytics.formats import ad_name, count, currency_of, money, number_or_none, percent, period

# More names than these make no sentence that anybody acts on.
MOST_NAMES = 3
# Below this share of young conversations, and its opposite, a chance is not worth its decimals.
CERTAIN = 0.01


def advice_sentence(ads: pd.DataFrame, target_cac: float | None) -> str:
    """Say which ads to give more, which to stop, and how many to leave alone for now.

    Parameters
    ----------
    ads : frame of ``workbench.ads()``
    target_cac : float or None; without one there are no verdicts, and the safest ad is named instead

    Returns
    -------
    str
        Names at most ``MOST_NAMES`` ads of a kind: those that spent most. Empty where there is no ad.
    """
    rows = ads[ads["ad_id"].notna()]
    if rows.empty:
        return ""
    if target_cac is None:
        return f"{best_ad_sentence(ads)} {idle_ads_sentence(ads)}".strip()
    judged = {verdict: rows[rows["verdict"] == verdict] for verdict in ("scale", "cut", "watch", "too_early")}
    spenders = sum(len(group) for group in judged.values())
    if not spenders:
        return "Change nothing yet: no ad can be judged, since nothing that it may have brought was captured."
    parts = [
        f"{verb} {_names(judged[verdict], verdict)}"
        for verdict, verb in (("scale", "give more to"), ("cut", "stop"))
        if len(judged[verdict])
    ]
    advice = "; ".join(parts) if parts else "nothing yet"
    return f"What to change: {advice}.{_rest(judged, bool(parts))}"


def verdict_reason(ad: "pd.Series[Any]", target_cac: float | None, currency: str | None) -> str:
    r"""Say why an ad has its verdict.

    Examples
    --------
    >>> verdict_reason(pd.Series({"verdict": "cut", "p_below_target": 0.004}), 45, "USD")
    'under 1\xa0% likely < $45'
    >>> verdict_reason(pd.Series({"verdict": "too_early", "immature": 43, "conversations": 60}), 45, "USD")
    '43 of 60 chats young'
    """
    verdict = ad.get("verdict")
    if verdict is None or pd.isna(verdict) or target_cac is None:
        return ""
    if verdict == "too_early":
        young, everybody = (number_or_none(ad.get(name)) or 0.0 for name in ("immature", "conversations"))
        if young > everybody / 2:
            return f"{count(young)} of {count(everybody)} chats young"
        return "too little spent"
    return f"{_likely(number_or_none(ad.get('p_below_target')))} likely < {money(target_cac, currency)}"


def _likely(chance: float | None) -> str:
    if chance is not None and chance < CERTAIN:
        return f"under {percent(CERTAIN)}"
    if chance is not None and chance > 1 - CERTAIN:
        return f"over {percent(1 - CERTAIN)}"
    return percent(chance, 0)


def _names(rows: pd.DataFrame, verdict: str) -> str:
    named = [_named(ad, verdict, currency_of(rows)) for _, ad in rows.head(MOST_NAMES).iterrows()]
    more = len(rows) - len(named)
    return _and([*named, *([f"{more} more"] if more else [])])


def _named(ad: "pd.Series[Any]", verdict: str, currency: str | None) -> str:
    cac = number_or_none(ad["cac"])
    cost = (
        f"{money(cac, currency)} per new customer"
        if cac is not None
        else f"{money(ad['spend'], currency)} spent, no new customer"
    )
    chance = number_or_none(ad["p_below_target"]) or 0.0
    side, sure = ("below", chance) if verdict == "scale" else ("above", 1 - chance)
    return f"“{ad_name(ad, 60)}” ({cost}; {_likely(sure)} sure to be {side} the target)"


def _rest(judged: dict[str, pd.DataFrame], is_rest: bool) -> str:
    early, watched = len(judged["too_early"]), len(judged["watch"])
    words = [
        *(
            [f"{early} {'is' if early == 1 else 'are'} too early to judge{_ripe(judged['too_early'])}"]
            if early
            else []
        ),
        *([f"{watched} could go either way"] if watched else []),
    ]
    if not words:
        return ""
    return f" Of the {'others' if is_rest else 'ads'}, {_and(words)}."


def _ripe(rows: pd.DataFrame) -> str:
    """Name the day on which the last of them can be judged, where their conversations are what is young."""
    days = rows["verdict_on"].dropna()
    if not len(days):
        return ""
    last = pd.Timestamp(days.max()).date()
    return f" (all ripe on {period(last, last)})"


def _and(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
