"""How one file writes numbers and dates: settled by the file as a whole, never guessed from one cell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ctm_analytics.errors import InvalidFile
from ctm_analytics.imports.faults import shown

# Two numbers and a year: 3/12/2026, 3-12-2026, 3.12.2026.
AMBIGUOUS_DAY = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
_THREE_DIGITS = re.compile(r"\d,\d{3}(?!\d)")
_LAST_SEPARATOR = re.compile(r"([.,])(\d+)\D*$")


@dataclass(frozen=True)
class Notation:
    """The conventions of one file.

    Attributes
    ----------
    decimal_sign : str, ``"."`` or ``","``
    decimals : int, the most that an amount may have, 2 or 3
    is_day_first : bool, ``3/12/2026`` is 3 December
    zone : ZoneInfo, of local times without an offset
    default_country : str or None, ISO 3166, of phone numbers without a country code
    """

    decimal_sign: str
    decimals: int
    is_day_first: bool
    zone: ZoneInfo
    default_country: str | None = None


def sign_shown(text: str, *, is_whole: bool = False) -> str:
    """Find which sign separates the cents, as far as one number shows it.

    ``1,250`` shows nothing, being 1250 in one country and 1.25 in another; ``12,50`` and ``1.012,34`` do, and so
    does ``1,250`` where it counts something.

    Parameters
    ----------
    text : str, a number
    is_whole : bool, it has no decimals

    Returns
    -------
    str
        ``"."``, ``","``, or ``""`` where it shows nothing.
    """
    match = _LAST_SEPARATOR.search(text)
    if match is None:
        return ""
    sign, other = match[1], "." if match[1] == "," else ","
    if text.count(sign) > 1 or (is_whole and len(match[2]) == 3 and other not in text):
        return other
    return sign if other in text or len(match[2]) != 3 else ""


def settled_sign(shown_signs: Mapping[str, int]) -> str:
    """Take the sign that more numbers show; ``"."`` when none does."""
    return "," if shown_signs.get(",", 0) > shown_signs.get(".", 0) else "."


def has_open_thousandths(text: str) -> bool:
    """Say whether an amount such as ``1,250`` is 1.25 in a currency of three decimals, or 1250."""
    return _THREE_DIGITS.search(text) is not None and not sign_shown(text)


def order_shown(text: str) -> str:
    """Find whether a date has the day before the month.

    Returns
    -------
    str
        ``"day"``, ``"month"``: what comes first; ``"open"`` where it can be either; ``""`` where nothing depends on it.
    """
    match = AMBIGUOUS_DAY.match(text)
    if match is None or match[2] == ".":  # with points it is always the day that comes first
        return ""
    first, second = int(match[1]), int(match[3])
    if first > 12 >= second:
        return "day"
    if second > 12 >= first:
        return "month"
    return "" if first == second else "open"


def day_first(file: str, column: str, examples: Mapping[str, str]) -> bool:
    """Settle whether the file writes the day before the month.

    Parameters
    ----------
    file, column : str, for messages
    examples : mapping of str to str, what ``order_shown`` found in the file, and a date that shows it

    Returns
    -------
    bool
        ``True`` also when nothing depends on it.

    Raises
    ------
    InvalidFile
        If a date can be read in two ways and no other date settles it, or two dates settle it differently.
    """
    if "day" in examples and "month" in examples:
        raise InvalidFile(
            f"{file}: {column} writes dates in two ways: {shown(examples['day'])} has the day first,"
            f" {shown(examples['month'])} the month. Write all dates as YYYY-MM-DD."
        )
    if "open" in examples and "day" not in examples and "month" not in examples:
        raise InvalidFile(
            f"{file}: {column} {shown(examples['open'])} can be day/month or month/day, and no other date of the"
            " file settles it. Say which: --date-format DD/MM/YYYY or MM/DD/YYYY."
        )
    return "month" not in examples
