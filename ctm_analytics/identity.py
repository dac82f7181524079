"""Keys that name the same person in a sale and in a conversation: e-mail and phone.

Pure functions. What they return is what imports store and what SQL compares.
"""

import re

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+")
_PHONE = re.compile(r"(?:[a-z]+:)?\s*(\+|00)?([\d\s().\-/]+?)(?:\s*(?:x|ext\.?)\s*\d+)?", re.IGNORECASE)
# A zero right behind what may be the country code is perhaps one for callers inside the country: +44 020 …
_PERHAPS_TRUNK_ZERO = re.compile(r"\d{1,3}0")


def normalise_email(text: str) -> str | None:
    """Bring an e-mail address to the form in which two are compared.

    Returns
    -------
    str or None
        Without surrounding blanks, in lower case; ``None`` when it is not one address.

    Examples
    --------
    >>> normalise_email(" Ana@Example.com ")
    'ana@example.com'
    """
    email = text.strip().lower()
    return email if _EMAIL.fullmatch(email) else None


def normalise_phone(text: str, default_country: str | None = None) -> str | None:
    """Bring a phone number to E.164: ``+``, country code, number.

    A number without ``+`` or ``00`` is read as one of ``default_country`` where that is given, and as one that
    begins with its country code, as WhatsApp writes it. Where both could be, a mobile number is meant: people who
    chat have one; else the national one. Without a ``default_country``, a number with a trunk zero (``01711…``)
    names no country, stays as it is and equals no WhatsApp number.

    Parameters
    ----------
    text : str, as people write it
    default_country : str or None, ISO 3166 code of the country whose national forms are understood

    Returns
    -------
    str or None
        ``None`` when the text holds no number of 7 to 15 digits.

    Examples
    --------
    >>> normalise_phone("0055 (21) 99999-8888"), normalise_phone("5215512345678"), normalise_phone("n/a")
    ('+5521999998888', '+5215512345678', None)
    >>> normalise_phone("(021) 99999-8888", "BR"), normalise_phone("01711 234567", "DE")
    ('+5521999998888', '+491711234567')
    """
    match = _PHONE.fullmatch(text.strip().lstrip("'"))
    if match is None:
        return None
    # "+44 (0)20 …": the zero is for callers inside the country.
    number = match[2].replace("(0)", "") if match[1] else match[2]
    digits = re.sub(r"\D", "", number)
    if not 7 <= len(digits) <= 15:
        return None
    if match[1]:
        return _international(digits)
    if default_country is None:
        return digits if digits.startswith("0") else f"+{digits}"
    return _national(digits, default_country)


def phone_spellings(contact_id: str) -> frozenset[str]:
    """List the phone numbers that a WhatsApp contact's id may stand for, as imports store them.

    Brazil's mobile numbers are written with and without their ninth digit, Mexico's with and without a 1, Argentina's
    with and without a 9, as ``sql/intermediate/phone_numbers.sql`` has it.

    Returns
    -------
    frozenset of str
        Empty where the id is no phone number.

    Examples
    --------
    >>> sorted(phone_spellings("5521999998888")), sorted(phone_spellings("US.13491208655302741918"))
    (['+552199998888', '+5521999998888'], [])
    """
    if not (contact_id.isascii() and contact_id.isdecimal() and 7 <= len(contact_id) <= 15):
        return frozenset()
    other = contact_id
    if contact_id.startswith("55") and len(contact_id) == 13 and contact_id[4] == "9":
        other = contact_id[:4] + contact_id[5:]
    elif contact_id.startswith("55") and len(contact_id) == 12:
        other = contact_id[:4] + "9" + contact_id[4:]
    elif contact_id.startswith(("521", "549")) and len(contact_id) == 13:
        other = contact_id[:2] + contact_id[3:]
    elif contact_id.startswith(("52", "54")) and len(contact_id) == 12:
        other = contact_id[:2] + {"52": "1", "54": "9"}[contact_id[:2]] + contact_id[2:]
    return frozenset((f"+{contact_id}", f"+{other}"))


def _international(digits: str) -> str | None:
    if not _PERHAPS_TRUNK_ZERO.match(digits):
        return f"+{digits}"  # what the library would say too, a hundred times as fast
    return _read(f"+{digits}", None)[0] or f"+{digits}"


def _national(digits: str, country: str) -> str:
    inside, is_mobile_inside = _read(digits, country)
    abroad, is_mobile_abroad = (None, False) if digits.startswith("0") else _read(f"+{digits}", None)
    if inside and abroad:
        return abroad if is_mobile_abroad and not is_mobile_inside else inside
    return inside or abroad or (digits if digits.startswith("0") else f"+{digits}")


def _read(text: str, country: str | None) -> tuple[str | None, bool]:
    """Return the E.164 form of a number that exists, and whether it can be a mobile one."""
    import phonenumbers  # late: a megabyte of rules that most commands need not load

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None, False
    kind = phonenumbers.number_type(number)
    if kind == phonenumbers.PhoneNumberType.UNKNOWN:
        return None, False
    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), kind in mobile
