"""Keys that name the same person in a sale and in a conversation: e-mail and phone.

Pure functions. What they return is what imports store and what SQL compares.
"""

import re

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+")
_PHONE = re.compile(r"(?:[a-z]+:)?\s*(\+|00)?([\d\s().\-/]+?)(?:\s*(?:x|ext\.?)\s*\d+)?", re.IGNORECASE)


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


def normalise_phone(text: str) -> str | None:
    """Bring a phone number to E.164: ``+``, country code, number.

    A number without ``+`` or ``00`` is taken to begin with its country code, as WhatsApp writes it; one with
    a trunk zero (``01711…``) names no country, stays as it is and equals no WhatsApp number.

    Returns
    -------
    str or None
        ``None`` when the text holds no number of 7 to 15 digits.

    Examples
    --------
    >>> normalise_phone("0055 (21) 99999-8888"), normalise_phone("5215512345678"), normalise_phone("n/a")
    ('+5521999998888', '+5215512345678', None)
    """
    match = _PHONE.fullmatch(text.strip().lstrip("'"))
    if match is None:
        return None
    # "+44 (0)20 …": the zero is for callers inside the country.
    number = match[2].replace("(0)", "") if match[1] else match[2]
    digits = re.sub(r"\D", "", number)
    if not 7 <= len(digits) <= 15:
        return None
    return digits if digits.startswith("0") else f"+{digits}"
