"""The one currency that an answer is in."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ctm_analytics.errors import InvalidArgument


def chosen(amounts: Iterable[Mapping[str, Any]], wanted: str | None, data: Path) -> str | None:
    """Choose the reporting currency, and see that every foreign amount has a rate.

    Parameters
    ----------
    amounts : rows of the mart ``amounts``: ``currency``, ``day``, ``has_rate``
    wanted : str or None, the setting ``reporting_currency``
    data : Path, the data folder, for the sentence

    Returns
    -------
    str or None
        ISO 4217; ``None`` where nothing was spent or sold and none is set.

    Raises
    ------
    InvalidArgument
        If there are several currencies and none is set, or a rate is missing: naming currency and days.
    """
    days: dict[str, list[str]] = {}
    missing: dict[str, list[str]] = {}
    for row in amounts:
        days.setdefault(row["currency"], []).append(str(row["day"]))
        if not row["has_rate"]:
            missing.setdefault(row["currency"], []).append(str(row["day"]))
    currency = wanted or (next(iter(days)) if len(days) == 1 else None)
    if currency is None and days:
        raise InvalidArgument(
            f"{data}: amounts are in {', '.join(sorted(days))}. Set reporting_currency in ctm.toml to one of"
            " them and import the others' rates with `ctm import rates`."
        )
    missing.pop(currency or "", None)
    if missing:
        named = "; ".join(
            f"{foreign} on {_few(sorted(unrated))}" for foreign, unrated in sorted(missing.items())
        )
        raise InvalidArgument(
            f"{data}: no rate to {currency} for {named}."
            " Import them: `ctm import rates FILE` with the columns day, currency, rate;"
            " max_rate_age_days in ctm.toml lets the last known rate stand for some days."
        )
    return currency


def _few(days: list[str]) -> str:
    return ", ".join(days[:3]) + (f" and {len(days) - 3} more days" if len(days) > 3 else "")
