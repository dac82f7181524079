"""How many decimals each currency has, and amounts written with them."""

from decimal import Decimal

# ISO 4217: these have no smaller unit …
WHOLE_CURRENCIES = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
# … and these have one of a thousandth.
THOUSANDTHS_CURRENCIES = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")


def decimals_of(currency: str) -> int:
    """Count the decimals of a currency, by its ISO 4217 code: 0, 2 or 3."""
    if currency in WHOLE_CURRENCIES:
        return 0
    return 3 if currency in THOUSANDTHS_CURRENCIES else 2


def smallest_unit(currency: str) -> Decimal:
    """Give the smallest amount of a currency.

    Examples
    --------
    >>> [str(smallest_unit(currency)) for currency in ("JPY", "USD", "KWD")]
    ['1', '0.01', '0.001']
    """
    return Decimal(1).scaleb(-decimals_of(currency))


def written(amount: Decimal, currency: str) -> str:
    """Write an amount with thousands signs and at least two decimals.

    Examples
    --------
    >>> written(Decimal("1250.500"), "USD"), written(Decimal("1250.500"), "KWD")
    ('1,250.50', '1,250.500')
    """
    return f"{amount:,.{max(2, decimals_of(currency))}f}"
