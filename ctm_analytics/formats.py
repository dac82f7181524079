"""Numbers as people read them: money, percent, durations, days; and the ticks of the axes that carry them."""

import html
import math
from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ctm_analytics.currencies import decimals_of

Floats = npt.NDArray[np.float64]

NOT_KNOWN = "–"
# JupyterLab takes what stands between two dollar signs for a formula, unless the element's class says that it is none.
NO_FORMULA = 'class="tex2jax_ignore mathjax_ignore"'
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "BRL": "R$"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

# What a person calls a round time, in seconds.
ROUND_TIMES = (1, 10, 60, 300, 900, 3600, 4 * 3600, 86_400, 3 * 86_400, 7 * 86_400)
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def floats(values: Iterable[Any]) -> Floats:
    """Read a column of any numeric kind (decimal, nullable, text of nulls) as float64, missing as NaN."""
    return np.array([math.nan if _missing(value) else float(value) for value in values], dtype=np.float64)


def number_or_none(value: Any) -> float | None:
    """Read one cell as a finite float; ``None`` where it is missing or not finite."""
    if _missing(value):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def money(amount: Any, currency: str | None, decimals: int | None = None) -> str:
    r"""Write an amount with its currency: cents only where they matter.

    Parameters
    ----------
    amount : number or missing
    currency : str or None, ISO 4217
    decimals : int or None; ``None`` gives those of the currency below 20 and none above

    Examples
    --------
    >>> money(61259.4, "USD"), money(2.941, "EUR"), money(1200, "ZAR"), money(2.9, "JPY"), money(0.1234, "KWD")
    ('$61,259', '€2.94', 'ZAR\xa01,200', '¥3', 'KWD\xa00.123')
    """
    number = number_or_none(amount)
    if number is None:
        return NOT_KNOWN
    if decimals is None:
        decimals = decimals_of(currency or "") if abs(number) < 19.995 and not number.is_integer() else 0
    sign = "−" if round(number, decimals) < 0 else ""
    symbol = SYMBOLS.get(currency or "", f"{currency}\xa0" if currency else "")
    return f"{sign}{symbol}{abs(number):,.{decimals}f}"


def count(value: Any, decimals: int = 0) -> str:
    """Write a count with thousands separators.

    Examples
    --------
    >>> count(19409), count(12.5, 1), count(None)
    ('19,409', '12.5', '–')
    """
    number = number_or_none(value)
    return NOT_KNOWN if number is None else f"{number:,.{decimals}f}".replace("-", "−")


def percent(share: Any, decimals: int | None = None) -> str:
    r"""Write a share of 1 as percent; one decimal below 10 % where it says something.

    Examples
    --------
    >>> percent(0.2814), percent(0.0766), percent(0.09), percent(0)
    ('28\xa0%', '7.7\xa0%', '9\xa0%', '0\xa0%')
    """
    number = number_or_none(share)
    if number is None:
        return NOT_KNOWN
    if decimals is None:
        tenths = round(abs(number) * 1000)
        decimals = 1 if tenths < 100 and tenths % 10 else 0
    return f"{number * 100:,.{decimals}f}\xa0%".replace("-", "−")


def duration(seconds: Any) -> str:
    r"""Write a length of time in its two largest units.

    Examples
    --------
    >>> duration(252), duration(38.2), duration(3600), duration(90_000), duration(0.4)
    ('4\xa0min 12\xa0s', '38\xa0s', '1\xa0h', '1\xa0d 1\xa0h', '<\xa01\xa0s')
    """
    number = number_or_none(seconds)
    if number is None:
        return NOT_KNOWN
    if 0 < number < 1:
        return "<\xa01\xa0s"
    rest = round(number) if number < 3600 else round(number / 60) * 60
    rest = rest if number < 86_400 else round(number / 3600) * 3600
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        amount, rest = divmod(rest, size)
        if amount or parts:
            parts.append((amount, unit))
    return " ".join(f"{amount}\xa0{unit}" for amount, unit in parts[:2] if amount) or "0\xa0s"


def period(since: date, until: date) -> str:
    """Write a period of whole days, both ends included.

    Examples
    --------
    >>> period(date(2026, 11, 16), date(2026, 11, 22)), period(date(2025, 12, 29), date(2026, 1, 4))
    ('16–22 Nov 2026', '29 Dec 2025 – 4 Jan 2026')
    """
    last = f"{until.day} {MONTHS[until.month - 1]} {until.year}"
    if since == until:
        return last
    if (since.year, since.month) == (until.year, until.month):
        return f"{since.day}–{last}"
    first = f"{since.day} {MONTHS[since.month - 1]}"
    return f"{first} – {last}" if since.year == until.year else f"{first} {since.year} – {last}"


def shorten(text: Any, width: int) -> str:
    """Cut a text to ``width`` characters, blanks folded.

    Examples
    --------
    >>> shorten("Carousel  with a long name", 12)
    'Carousel wi…'
    """
    words = " ".join(str(text).split())
    return words if len(words) <= width else words[: width - 1].rstrip() + "…"


def ad_name(ad: "pd.Series[Any]", width: int = 200) -> str:
    """Name an ad: by its name, by its id where it has none."""
    name = ad.get("ad_name")
    return shorten(ad["ad_id"] if _missing(name) or not str(name).strip() else name, width)


def label(text: str) -> str:
    """Write a text so that Plotly shows it as it is: what Plotly reads as markup, escaped.

    Examples
    --------
    >>> label("<b>Spring</b> sale")
    '&lt;b&gt;Spring&lt;/b&gt; sale'
    """
    return html.escape(text, quote=False)


def currency_of(rows: pd.DataFrame) -> str | None:
    """Find the currency that the money columns of a frame are in; ``None`` where it does not say."""
    known = list(rows["currency"].dropna().unique()) if "currency" in rows.columns else []
    return str(known[0]) if len(known) else None


def money_ticks(low: float, high: float) -> list[float]:
    """Choose round amounts for a logarithmic axis: 1, 2, 5, 10, …, at most six.

    Examples
    --------
    >>> money_ticks(8, 130)
    [10.0, 20.0, 30.0, 50.0, 100.0]
    """
    if not (0 < low < high):
        return []
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**exponent for exponent in exponents for step in steps]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= 6:
            return inside
    return inside[:: math.ceil(len(inside) / 6)]


def time_ticks(low: float, high: float) -> list[int]:
    """Choose the round times inside a range of seconds.

    Examples
    --------
    >>> time_ticks(5, 4000)
    [10, 60, 300, 900, 3600]
    """
    return [tick for tick in ROUND_TIMES if low <= tick <= high]


def percent_ticks(high: float) -> list[float]:
    """Choose round shares for an axis that begins at 0: at most eight.

    Examples
    --------
    >>> percent_ticks(0.19)
    [0.0, 0.05, 0.1, 0.15]
    """
    for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25):
        if high / step < 7:
            break
    return [round(place * step, 6) for place in range(int(high / step) + 1)]


def percent_points(difference: float) -> str:
    """Write a difference of two shares in percentage points, with its sign.

    Examples
    --------
    >>> percent_points(0.082), percent_points(-0.1), percent_points(0)
    ('+8.2', '−10', '0')
    """
    points = round(difference * 100, 1)
    return f"{points:+,.1f}".removesuffix(".0").replace("-", "−") if points else "0"


def point_ticks(low: float, high: float) -> list[float]:
    """Choose round differences of shares for an axis around 0: at most eight.

    Examples
    --------
    >>> point_ticks(-0.1, 0.26)
    [-0.1, 0.0, 0.1, 0.2]
    """
    for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5):
        if (high - low) / step < 7:
            break
    return [
        round(place * step, 6)
        for place in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


def amount_ticks(high: float) -> list[float]:
    """Choose round amounts for an axis that begins at 0: at most seven.

    Examples
    --------
    >>> amount_ticks(1900)
    [0.0, 500.0, 1000.0, 1500.0]
    """
    if not 0 < high < math.inf:
        return [0.0]
    size = 10.0 ** math.floor(math.log10(high) - 1)
    step = next(step * size for step in (1, 2, 5, 10, 20, 50) if high / (step * size) < 6.5)
    return [round(place * step, 6) for place in range(int(high / step) + 1)]
