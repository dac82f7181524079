"""Text to values: the one place that says what a cell of each type may be."""

import re
from collections.abc import Callable
from decimal import Decimal

from ctm_analytics.identity import normalise_email, normalise_phone
from ctm_analytics.imports.faults import Remarked, Unfit
from ctm_analytics.imports.moments import day, instant
from ctm_analytics.imports.notation import Notation

EXCEL_ADVICE = (
    "Excel has rounded ids: export the file again as CSV and do not open it in Excel before the import."
)

_SYMBOL = r"(?:[A-Z]{0,3}[$€£¥₹₫₱฿₩₪₺₦₴৳]|[A-Z]{3}|zł|Rp)\.?"
_NUMBER = {
    ".": r"(\d{1,3}(?:[, '’]\d{3})+|\d+)(?:\.(\d+))?",
    ",": r"(\d{1,3}(?:[. '’]\d{3})+|\d+)(?:,(\d+))?",
}
_AMOUNT = {
    sign: re.compile(rf"(-?)(?:{_SYMBOL} ?)?(-?){number}(?: ?{_SYMBOL})?") for sign, number in _NUMBER.items()
}
# Signs that stand for one currency only; "$" and "¥" are those of many.
_SIGNED = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₫": "VND",
    "₱": "PHP",
    "฿": "THB",
    "₩": "KRW",
    "₪": "ILS",
    "₺": "TRY",
    "₦": "NGN",
    "₴": "UAH",
    "৳": "BDT",
    "R$": "BRL",
    "US$": "USD",
    "zł": "PLN",
    "Rp": "IDR",
}

_SIGN_NAMES = {".": "point", ",": "comma"}
_BLANKS = str.maketrans(dict.fromkeys("\u00a0\u2009\u202f", " "))
_MONEY_DIGITS = 15
_COUNT_DIGITS = 18
_RATE_DIGITS = 10

_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
# An id of 17 or 18 digits that ends in three zeros, as Excel leaves it.
ROUNDED_ID = r"^\d{14,15}000$"
_CURRENCY = re.compile("[A-Z]{3}")
# "new" and "returning" are what shops write about a customer.
_FLAGS = dict.fromkeys(("true", "yes", "1", "new"), True) | dict.fromkeys(
    ("false", "no", "0", "returning"), False
)
_PLATFORMS = ("messenger", "instagram", "whatsapp")


def amount(text: str, notation: Notation) -> Decimal:
    """Read money: at least 0, as many decimals as the file's currencies have, with or without signs."""
    number = _decimal(text, notation)
    if number < 0:
        raise Unfit("an amount below 0")
    if _decimals(number) > notation.decimals:
        raise Unfit(f"more than {notation.decimals} decimals")
    if number.adjusted() >= _MONEY_DIGITS:
        raise Unfit("larger than any amount")
    return number


def signed_currency(text: str) -> str | None:
    """Name the currency that is written beside an amount, where the sign says it.

    Examples
    --------
    >>> signed_currency("€ 12.50"), signed_currency("12.50 USD"), signed_currency("$12.50")
    ('EUR', 'USD', None)
    """
    sign = "".join(character for character in text if character.isalpha() or character in "$€£₹₫₱฿₩₪₺₦₴৳")
    return _SIGNED.get(sign) or (sign if _CURRENCY.fullmatch(sign) else None)


def count(text: str, notation: Notation) -> int:
    """Read a whole number of at least 0, with or without thousands signs."""
    number = _decimal(text, notation)
    if number < 0 or number != number.to_integral_value() or number.adjusted() >= _COUNT_DIGITS:
        raise Unfit("not a whole number of at least 0")
    return int(number)


def tally(text: str, notation: Notation) -> int | Remarked:
    """Read a count that is nice to have; something else is left out."""
    try:
        return count(text, notation)
    except Unfit as error:
        return Remarked(None, f"{error}, left out")


def rate(text: str, notation: Notation) -> Decimal:
    """Read an exchange rate: above 0, at most 8 decimals."""
    number = _decimal(text, notation)
    if number <= 0 or _decimals(number) > 8 or number.adjusted() >= _RATE_DIGITS:
        raise Unfit("not a rate above 0 with at most 8 decimals")
    return number


def _decimal(text: str, notation: Notation) -> Decimal:
    written = text.translate(_BLANKS)
    match = _AMOUNT[notation.decimal_sign].fullmatch(written)
    if match is None:
        if any(pattern.fullmatch(written) for pattern in _AMOUNT.values()):
            raise Unfit(f"this file writes decimals with a {_SIGN_NAMES[notation.decimal_sign]}")
        raise Unfit("not a number")
    before, after, whole, decimals = match.groups()
    digits = "".join(character for character in whole if character.isdecimal())
    return Decimal(f"{before or after}{digits}.{decimals or ''}")


def _decimals(number: Decimal) -> int:
    return -int(number.as_tuple().exponent)


def identifier(text: str, _notation: Notation) -> str:
    """Read an id as text; one that Excel has turned into a number is refused."""
    if _SCIENTIFIC.fullmatch(text):
        raise Unfit("rounded by Excel", EXCEL_ADVICE)
    return text.removeprefix("'")


def name(text: str, _notation: Notation) -> str:
    """Read text that people gave: as it is."""
    return text


def currency(text: str, _notation: Notation) -> str:
    """Read an ISO 4217 code."""
    if not _CURRENCY.fullmatch(text.upper()):
        raise Unfit("not a currency: expected three letters such as USD")
    return text.upper()


def platform(text: str, _notation: Notation) -> str:
    """Read the name of a messaging platform."""
    if text.lower() not in _PLATFORMS:
        raise Unfit(f"not a platform: expected {', '.join(_PLATFORMS)}")
    return text.lower()


def flag(text: str, _notation: Notation) -> bool:
    """Read yes or no."""
    if text.lower() not in _FLAGS:
        raise Unfit("neither true nor false")
    return _FLAGS[text.lower()]


def email(text: str, _notation: Notation) -> str | Remarked:
    """Read an e-mail address; something else is left out, for a sale without it is still a sale."""
    return normalise_email(text) or Remarked(None, "not an e-mail address, left out")


def phone(text: str, notation: Notation) -> str | Remarked:
    """Read a phone number; something else is left out, for a sale without it is still a sale."""
    if _SCIENTIFIC.fullmatch(text):
        raise Unfit("rounded by Excel", EXCEL_ADVICE)
    number = normalise_phone(text, notation.default_country)
    if number is None:
        return Remarked(None, "not a phone number, left out")
    if not number.startswith("+"):
        return Remarked(
            number, "no country code, so it matches nobody: write + and the code, or set default_country"
        )
    return number


CASTS: dict[str, Callable[[str, Notation], object]] = {
    "amount": amount,
    "count": count,
    "tally": tally,
    "rate": rate,
    "day": day,
    "instant": instant,
    "id": identifier,
    "name": name,
    "currency": currency,
    "platform": platform,
    "flag": flag,
    "email": email,
    "phone": phone,
}
