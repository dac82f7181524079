"""The card that an opened workbench shows: what was read, how fresh it is, and what to ask next."""

import html
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

from ctm_analytics.formats import NO_FORMULA, NOT_KNOWN, duration

NEXT_CALLS = ("workbench.ads()", 'workbench.latency(by="platform")', "workbench.quality()")
INVENTED = "DEMO DATA, invented"
MOST_CHECKS = 2

Source = tuple[str, str, str, str]


@dataclass(frozen=True)
class Card:
    """What an opened data folder holds.

    Attributes
    ----------
    data : Path
    is_invented : bool, whether these are the data of the demo or of the sample
    contents : the mart ``contents``'s row
    zone : tzinfo, the reporting time zone
    currency : str or None
    as_of : datetime, UTC
    checks : list of (str, str), status and words of every data-quality check
    """

    data: Path
    is_invented: bool
    contents: dict[str, Any]
    zone: tzinfo
    currency: str | None
    as_of: datetime
    checks: list[tuple[str, str]]


def as_text(card: Card) -> str:
    """Write the card for a terminal."""
    sources = _sources(card)
    widths = [max(len(source[place]) for source in sources) for place in range(4)]
    widths[0] = len("Quality")
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(source, widths, strict=True)).rstrip()
        for source in sources
    ]
    facts = [f"{name:<{widths[0]}}  {words}" for name, words in _facts(card)]
    title = f"Workbench on {card.data}" + (f" – {INVENTED}" if card.is_invented else "")
    return "\n".join([title, *lines, *facts, f"{'Next':<{widths[0]}}  {'   '.join(NEXT_CALLS)}"])


def as_html(card: Card) -> str:
    """Write the card for a notebook, in the colours of the page around it."""
    mark = (
        f' <span style="border:1px solid currentColor;border-radius:3px;padding:0 .5em">{INVENTED}</span>'
        if card.is_invented
        else ""
    )
    rows = [_row(source, span=1) for source in _sources(card)]
    rows += [_row(fact, span=3) for fact in _facts(card)]
    calls = " ".join(f"<code>{html.escape(call)}</code>" for call in NEXT_CALLS)
    return (
        f"<table {NO_FORMULA}><caption style='text-align:left;padding:.3em .5em'><strong>Workbench on"
        f" {html.escape(str(card.data))}</strong>{mark}</caption>"
        f"<tbody>{''.join(rows)}</tbody></table><p>Next: {calls}</p>"
    )


def _row(cells: tuple[str, ...], *, span: int) -> str:
    left = 'style="text-align:left"'
    name, *others = (html.escape(cell) for cell in cells)
    written = "".join(f'<td {left} colspan="{span}">{cell}</td>' for cell in others)
    return f'<tr><th {left} scope="row">{name}</th>{written}</tr>'


def _sources(card: Card) -> list[Source]:
    """Say of each source how much there is, of which days, and how fresh it is."""
    held = card.contents
    today = card.as_of.astimezone(card.zone).date()
    received = held["last_received_at"]
    last_received = (
        f"last received {duration((card.as_of.replace(tzinfo=None) - received).total_seconds())} ago"
        if received
        else "none received yet: ctm receive"
    )
    return [
        ("Events", f"{held['events']:,}", _span(held["first_day"], held["last_day"]), last_received),
        (
            "Spend",
            f"{held['ads']:,} ads",
            _span(held["first_spend_day"], held["last_spend_day"]),
            _freshness(held["last_spend_day"], today, "spend"),
        ),
        (
            "Sales",
            f"{held['sales']:,}",
            f"until {held['last_sale_day']}" if held["sales"] else NOT_KNOWN,
            _freshness(held["last_sale_day"], today, "sales"),
        ),
    ]


def _facts(card: Card) -> list[tuple[str, str]]:
    as_of = f"as of {card.as_of.astimezone(card.zone):%Y-%m-%d %H:%M}"
    facts = " · ".join([str(card.zone), card.currency or "no amounts yet", as_of])
    return [("Zone", facts), ("Quality", _quality(card.checks))]


def _quality(checks: list[tuple[str, str]]) -> str:
    """Say in one line how many checks want a look, and name the first, failures before warnings."""
    found = sorted(check for check in checks if check[0] != "ok")
    fine = f"{len(checks) - len(found)} of {len(checks)} checks ok"
    named = "; ".join(words for _, words in found[:MOST_CHECKS])
    more = f"; {len(found) - MOST_CHECKS} more" if len(found) > MOST_CHECKS else ""
    return f"{fine} – {named}{more}" if found else fine


def _span(first: object, last: object) -> str:
    return f"{first} to {last}" if first else NOT_KNOWN


def _freshness(last: date | None, today: date, kind: str) -> str:
    if last is None:
        return f"none yet: ctm import {kind} FILE"
    days = (today - last).days
    return f"last day {'today' if days == 0 else f'{days} d ago' if days > 0 else 'to come'}"
