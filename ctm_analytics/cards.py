"""The card that an opened workbench shows: what was read, how fresh it is, and what to ask next."""

import html
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

NEXT_CALLS = ("workbench.ads()", 'workbench.latency(by="ad")', "workbench.quality()")


@dataclass(frozen=True)
class Card:
    """What an opened data folder holds.

    Attributes
    ----------
    data : Path
    is_sample : bool, whether these are the invented sample data
    contents : the mart ``contents``'s row
    timezone : str, the reporting time zone
    currency : str or None
    as_of : datetime, UTC
    checks : list of str, the data-quality checks that are not ok, in words
    """

    data: Path
    is_sample: bool
    contents: dict[str, Any]
    timezone: str
    currency: str | None
    as_of: datetime
    checks: list[str]


def as_text(card: Card) -> str:
    """Write the card for a terminal."""
    width = max(len(name) for name, _ in _lines(card))
    lines = [f"{name:<{width}}  {words}" for name, words in _lines(card)]
    return "\n".join([_title(card), *lines, "next: " + "   ".join(NEXT_CALLS)])


def as_html(card: Card) -> str:
    """Write the card for a notebook."""
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(words)}</td></tr>'
        for name, words in _lines(card)
    )
    calls = " ".join(f"<code>{html.escape(call)}</code>" for call in NEXT_CALLS)
    return f"<table><caption>{html.escape(_title(card))}</caption><tbody>{rows}</tbody></table><p>Next: {calls}</p>"


def _title(card: Card) -> str:
    return f"Workbench on {card.data.name}" + (" – SAMPLE DATA, invented" if card.is_sample else "")


def _lines(card: Card) -> list[tuple[str, str]]:
    held = card.contents
    return [
        ("Events", f"{held['events']:,}" + _span(held["first_day"], held["last_day"])),
        ("Last event received", _moment(held["last_received_at"])),
        ("Spend", f"{held['ads']:,} ads" + _span(held["first_spend_day"], held["last_spend_day"])),
        ("Sales", f"{held['sales']:,}" + (f", last on {held['last_sale_day']}" if held["sales"] else "")),
        ("Zone and currency", f"{card.timezone}, {card.currency or 'no amounts yet'}"),
        ("As of", _moment(card.as_of)),
        ("Quality", "; ".join(card.checks) or "no warning"),
    ]


def _span(first: object, last: object) -> str:
    return f", {first} to {last}" if first else ""


def _moment(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else "never"
