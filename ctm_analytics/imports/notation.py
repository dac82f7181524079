"""How one file writes numbers and dates: settled by the file as a whole, never guessed from one cell."""

import re
from collections.abc import Iterable
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


def decimal_sign(amounts: Iterable[str], whole_numbers: Iterable[str] = ()) -> str:
    """Find which sign separates the cents.

    ``1,250`` proves nothing, being 1250 in one country and 1.25 in another; ``12,50`` and ``1.012,34`` do, and
    so does ``1,250`` where it counts something.

    Parameters
    ----------
    amounts : iterable of str, all distinct amounts of the file
    whole_numbers : iterable of str, all distinct numbers of the file that have no decimals

    Returns
    -------
    str
        The sign that more amounts prove; ``"."`` when none does.
    """
    proofs = [sign for text in amounts if (sign := _proven_sign(text))]
    proofs += [sign for text in whole_numbers if (sign := _proven_sign(text, is_whole=True))]
    return "," if proofs.count(",") > proofs.count(".") else "."


def refuse_open_thousandths(file: str, column: str, amounts: Iterable[str]) -> None:
    """Refuse ``1,250`` in a currency of three decimals, where it can be 1250 as well as 1.25.

    Raises
    ------
    InvalidFile
        If no amount proves a sign, and one has three digits behind a comma.
    """
    texts = list(amounts)
    open_question = next((text for text in texts if _THREE_DIGITS.search(text)), None)
    if open_question and not any(map(_proven_sign, texts)):
        raise InvalidFile(
            f"{file}: {column} {shown(open_question)} can be a thousand times as much in a currency of three"
            " decimals, and no other amount of the file settles it. Write amounts as 1250.000."
        )


def _proven_sign(text: str, *, is_whole: bool = False) -> str | None:
    match = _LAST_SEPARATOR.search(text)
    if match is None:
        return None
    sign, other = match[1], "." if match[1] == "," else ","
    if text.count(sign) > 1 or (is_whole and len(match[2]) == 3 and other not in text):
        return other
    return sign if other in text or len(match[2]) != 3 else None


def day_first(file: str, column: str, texts: Iterable[str]) -> bool:
    """Find whether the file writes the day before the month.

    Parameters
    ----------
    file, column : str, for messages
    texts : iterable of str, all distinct dates of the file

    Returns
    -------
    bool
        ``True`` also when nothing depends on it.

    Raises
    ------
    InvalidFile
        If a date can be read in two ways and no other date settles it, or two dates settle it differently.
    """
    day_first_proof = month_first_proof = open_question = None
    for text in texts:
        match = AMBIGUOUS_DAY.match(text.strip())
        if match is None or match[2] == ".":  # with points it is always the day that comes first
            continue
        first, second = int(match[1]), int(match[3])
        if first > 12 >= second:
            day_first_proof = day_first_proof or text
        elif second > 12 >= first:
            month_first_proof = month_first_proof or text
        elif first != second:
            open_question = open_question or text
    if day_first_proof and month_first_proof:
        raise InvalidFile(
            f"{file}: {column} writes dates in two ways: {shown(day_first_proof)} has the day first,"
            f" {shown(month_first_proof)} the month. Write all dates as YYYY-MM-DD."
        )
    if open_question and not day_first_proof and not month_first_proof:
        raise InvalidFile(
            f"{file}: {column} {shown(open_question)} can be day/month or month/day, and no other date of the"
            " file settles it. Say which: --date-format DD/MM/YYYY or MM/DD/YYYY."
        )
    return not month_first_proof
