"""What really happened, told by the generator's own records: no SQL, no Parquet, no CSV.

`write_truth` writes ``truth.json``, one JSON object. Instants are ISO 8601 in UTC, money is whole cents,
counts are integers, unknown is null. Everything is as of the end of the period: nothing happens later.

``seed, scale, since, until, end, reporting_timezone, reporting_currency, window_days``
    the period (both days included) and ``end``, the midnight after it.
``events``
    ``distinct`` (how many events must be stored, tests and unknown shapes included) and ``by_type``.
``ads``
    one record per ad, and one with ``ad_id`` null for what no ad is credited with:
    ``ad_id, ad_name, adset_id, adset_name, campaign_id, campaign_name`` (names null where the spend export
    does not know the ad), ``spend_cents, impressions, link_clicks, reported_conversations``,
    ``touches, conversations, opened_silently, engaged, answered``,
    ``credits`` (see below), and what only the simulation knows: ``buying_probability`` (as set for an average
    answer), ``expected_buying_rate`` (mean, over the ad's conversations in which somebody wrote, of the
    probability that decided) and ``expected_conversion_rate`` (mean probability of a sale that counts, is matched and
    falls into window and period: what ``conversion_rate`` under last touch estimates), null without conversations.
``ads[].credits.<model>``, for ``last_touch``, ``first_touch`` and ``linear``
    ``sales, new_customers`` (credit over sales that count, fractional in ``linear``), ``conversions`` (engaged
    conversations with at least one credited sale that counts), ``revenue_cents`` (net).
``touches``
    ``platform, account_id, contact_id, ad_id, touched_at``.
``conversations``
    ``platform, account_id, contact_id, opened_at, opened_by, ad_id, engaged, answered, first_response_seconds,
    first_human_response_seconds`` (null while unanswered), ``messages_in, messages_out`` (postbacks included in
    ``messages_in``).
``sales``
    ``sale_id, sold_at, gross_cents, refunded_cents, net_cents, is_cancelled, is_counted, is_new_customer, matched_by,
    platform, account_id, contact_id`` (null where no contact is known) and
    ``credits.<model>``: a list of ``{ad_id, touched_at, share, revenue_cents}``; empty when no touch is eligible;
    ``touched_at`` is null where the order itself declares the ad.

Readings that `definitions.md` leaves open: only ad touches earn credit, link touches do not. A cancelled or fully
refunded sale hands out its credit with no money and is counted in no ``sales``, ``new_customers``
or ``conversions``. Of equal remainders the earliest touch gets the cent.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from ctm_analytics.simulation.business import ADS, CURRENCY, TIMEZONE, Ad
from ctm_analytics.simulation.deliveries import odd_deliveries
from ctm_analytics.simulation.period import DAY, HOUR, MINUTE, SECOND, utc
from ctm_analytics.simulation.records import ACTIVITY, Chance, Contact, Event, Sale
from ctm_analytics.simulation.spending import SpendDay, spend_days
from ctm_analytics.simulation.world import World

MODELS = ("last_touch", "first_touch", "linear")
WINDOW_DAYS = 7

_CONVERSATION_GAP = 24 * HOUR
_TOUCH_GAP = 30 * MINUTE


class Touch(NamedTuple):
    """A person arrived from an ad."""

    contact: Contact
    touched_at: int
    ad_id: str


class Conversation(NamedTuple):
    """A contact's activity from an opening to the next; instants in microseconds since 1970 UTC."""

    contact: Contact
    opened_at: int
    opened_by: str
    ad_id: str | None
    messages_in: int
    messages_out: int
    first_inbound_at: int | None
    first_response_at: int | None
    first_human_response_at: int | None


class Credit(NamedTuple):
    """A share of one sale."""

    ad_id: str | None
    touched_at: int | None
    share: Fraction
    revenue_cents: int


def touches_of(activity: Sequence[Event]) -> list[Touch]:
    """Return the touches of one contact, whose activity is in order.

    Referrals of one ad, each at most 30 minutes after the one before, are one touch at the first instant.
    """
    touches = []
    last_at: dict[str, int] = {}
    for event in activity:
        if event.ad_id is None:
            continue
        if event.at - last_at.get(event.ad_id, -_TOUCH_GAP * 2) > _TOUCH_GAP:
            touches.append(Touch(event.contact, event.at, event.ad_id))
        last_at[event.ad_id] = event.at
    return touches


def conversations_of(activity: Sequence[Event], touches: Sequence[Touch]) -> list[Conversation]:
    """Return the conversations of one contact, whose activity is in order."""
    instants = [event.at for event in activity]
    openings = {instants[0], *(touch.touched_at for touch in touches)}
    openings.update(later for earlier, later in pairwise(instants) if later - earlier > _CONVERSATION_GAP)
    opened_at = sorted(openings)
    parts: list[list[Event]] = [[] for _ in opened_at]
    for event in activity:
        parts[bisect_right(opened_at, event.at) - 1].append(event)
    ads = {touch.touched_at: touch.ad_id for touch in touches}
    return [_conversation(part, ads.get(part[0].at)) for part in parts]


def _conversation(part: Sequence[Event], ad_id: str | None) -> Conversation:
    opening = part[0]
    first_inbound_at = next((event.at for event in part if event.is_inbound), None)
    replies: list[Event] = []
    if first_inbound_at is not None:
        replies = [event for event in part if event.event_type == "echo" and event.at >= first_inbound_at]
    if ad_id is not None:
        opened_by = "ad"
    elif opening.event_type == "referral":
        opened_by = "link"
    else:
        opened_by = "contact" if opening.is_inbound else "business"
    return Conversation(
        contact=opening.contact,
        opened_at=opening.at,
        opened_by=opened_by,
        ad_id=ad_id,
        messages_in=sum(event.is_inbound for event in part),
        messages_out=sum(event.event_type == "echo" for event in part),
        first_inbound_at=first_inbound_at,
        first_response_at=min((reply.at for reply in replies), default=None),
        first_human_response_at=min(
            (reply.at for reply in replies if reply.responder == "human"), default=None
        ),
    )


def credits_of(sale: Sale, touches: Iterable[Touch]) -> dict[str, list[Credit]]:
    """Return what each model credits for a sale, given the touches of its contact."""
    if sale.evidence == "ad_id":
        declared = [Credit(sale.ad_id, None, Fraction(1), sale.net_cents)]
        return dict.fromkeys(MODELS, declared)
    earliest = sale.sold_at - WINDOW_DAYS * DAY
    eligible = [touch for touch in touches if earliest <= touch.touched_at <= sale.sold_at]
    return {
        "last_touch": _shared(sale, eligible[-1:]),
        "first_touch": _shared(sale, eligible[:1]),
        "linear": _shared(sale, eligible),
    }


def _shared(sale: Sale, touches: Sequence[Touch]) -> list[Credit]:
    if not touches:
        return []
    cents, left_over = divmod(sale.net_cents, len(touches))
    share = Fraction(1, len(touches))
    return [
        Credit(touch.ad_id, touch.touched_at, share, cents + (index < left_over))
        for index, touch in enumerate(touches)
    ]


@dataclass(frozen=True)
class Truth:
    """Everything that an answer can be compared with.

    Attributes
    ----------
    world : World
    touches : list of Touch
    conversations : list of Conversation
    credits : list of dict of model to list of Credit, one per sale of ``world.sales``
    new_customer_sales : set of str, ids of each customer's first sale
    """

    world: World
    touches: list[Touch]
    conversations: list[Conversation]
    credits: list[dict[str, list[Credit]]]
    new_customer_sales: set[str]


def truth_of(world: World) -> Truth:
    """Apply the definitions to what happened."""
    touches: list[Touch] = []
    conversations: list[Conversation] = []
    touches_by_contact: dict[Contact, list[Touch]] = {}
    for contact, activity in _activity_by_contact(world.events).items():
        touches_by_contact[contact] = touches_of(activity)
        touches += touches_by_contact[contact]
        conversations += conversations_of(activity, touches_by_contact[contact])
    sale_credits = [
        credits_of(sale, touches_by_contact[sale.contact] if sale.contact else []) for sale in world.sales
    ]
    return Truth(world, touches, conversations, sale_credits, _first_sales(world.sales))


def _activity_by_contact(events: Iterable[Event]) -> dict[Contact, list[Event]]:
    activity: dict[Contact, list[Event]] = {}
    for event in events:
        if event.event_type in ACTIVITY:
            activity.setdefault(event.contact, []).append(event)
    for one_contact in activity.values():
        # At one instant the person comes first.
        one_contact.sort(key=lambda event: (event.at, event.event_type == "echo"))
    return activity


def _first_sales(sales: Iterable[Sale]) -> set[str]:
    first: dict[str, str] = {}
    for sale in sales:
        first.setdefault(sale.customer, sale.sale_id)
    return set(first.values())


def write_truth(world: World, file: Path) -> None:
    """Write ``truth.json``, in the format that this module's docstring gives."""
    file.write_text(
        json.dumps(as_json(truth_of(world)), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def as_json(truth: Truth) -> dict[str, Any]:
    """Return the content of ``truth.json``, in the format that this module's docstring gives."""
    world = truth.world
    by_type = Counter(event.event_type for event in world.events)
    by_type.update(odd.event_type for odd in odd_deliveries(world.period))
    return {
        "seed": world.seed,
        "scale": world.scale,
        "since": world.period.since.isoformat(),
        "until": world.period.until.isoformat(),
        "end": _iso(world.period.end),
        "reporting_timezone": TIMEZONE,
        "reporting_currency": CURRENCY,
        "window_days": WINDOW_DAYS,
        "events": {"distinct": by_type.total(), "by_type": dict(sorted(by_type.items()))},
        "ads": [_ad_record(truth, ad, spend_days(world)) for ad in (*ADS, None)],
        "touches": [
            {**_whose(touch.contact), "ad_id": touch.ad_id, "touched_at": _iso(touch.touched_at)}
            for touch in truth.touches
        ],
        "conversations": [_conversation_record(conversation) for conversation in truth.conversations],
        "sales": [
            _sale_record(sale, shares, is_new_customer=sale.sale_id in truth.new_customer_sales)
            for sale, shares in zip(world.sales, truth.credits, strict=True)
        ],
    }


def _ad_record(truth: Truth, ad: Ad | None, spend: Iterable[SpendDay]) -> dict[str, Any]:
    ad_id = ad.ad_id if ad else None
    days = [day for day in spend if day.ad is ad]
    opened = [conversation for conversation in truth.conversations if conversation.ad_id == ad_id]
    engaged = [conversation for conversation in opened if conversation.messages_in]
    return {
        "ad_id": ad_id,
        **_names(ad if days else None),
        "spend_cents": sum(day.spend_cents for day in days),
        "impressions": sum(day.impressions for day in days),
        "link_clicks": sum(day.link_clicks for day in days),
        "reported_conversations": sum(day.reported_conversations for day in days),
        "touches": sum(touch.ad_id == ad_id for touch in truth.touches),
        "conversations": len(opened),
        "opened_silently": len(opened) - len(engaged),
        "engaged": len(engaged),
        "answered": sum(conversation.first_response_at is not None for conversation in engaged),
        "credits": {model: _credited(truth, model, ad_id) for model in MODELS},
        "buying_probability": ad.buying_probability if ad else None,
        **_expected_rates([chance for chance in truth.world.chances if chance.ad_id == ad_id]),
    }


def _names(ad: Ad | None) -> dict[str, str | None]:
    columns = ("ad_name", "adset_id", "adset_name", "campaign_id", "campaign_name")
    return {column: getattr(ad, column) if ad else None for column in columns}


def _expected_rates(chances: Sequence[Chance]) -> dict[str, float | None]:
    return {
        "expected_buying_rate": fmean(chance.buying_probability for chance in chances) if chances else None,
        "expected_conversion_rate": fmean(chance.credited_probability for chance in chances)
        if chances
        else None,
    }


def _credited(truth: Truth, model: str, ad_id: str | None) -> dict[str, Any]:
    engaged = {
        (conversation.contact, conversation.opened_at)
        for conversation in truth.conversations
        if conversation.messages_in
    }
    sales = new_customers = Fraction(0)
    revenue_cents = 0
    converted = set()
    for sale, shares_by_model in zip(truth.world.sales, truth.credits, strict=True):
        # What no touch is eligible for is credited to no ad, whole.
        shares = shares_by_model[model] or [Credit(None, None, Fraction(1), sale.net_cents)]
        for credit in shares:
            if credit.ad_id != ad_id:
                continue
            revenue_cents += credit.revenue_cents
            if not sale.is_counted:
                continue
            sales += credit.share
            if sale.sale_id in truth.new_customer_sales:
                new_customers += credit.share
            conversation = (sale.contact, credit.touched_at)
            if conversation in engaged and credit.ad_id is not None:
                converted.add(conversation)
    return {
        "sales": float(sales),
        "new_customers": float(new_customers),
        "conversions": len(converted),
        "revenue_cents": revenue_cents,
    }


def _conversation_record(conversation: Conversation) -> dict[str, Any]:
    return {
        **_whose(conversation.contact),
        "opened_at": _iso(conversation.opened_at),
        "opened_by": conversation.opened_by,
        "ad_id": conversation.ad_id,
        "engaged": conversation.messages_in > 0,
        "answered": conversation.first_response_at is not None,
        "first_response_seconds": _seconds_until(conversation, conversation.first_response_at),
        "first_human_response_seconds": _seconds_until(conversation, conversation.first_human_response_at),
        "messages_in": conversation.messages_in,
        "messages_out": conversation.messages_out,
    }


def _seconds_until(conversation: Conversation, at: int | None) -> float | None:
    if at is None or conversation.first_inbound_at is None:
        return None
    return (at - conversation.first_inbound_at) / SECOND


def _sale_record(
    sale: Sale, shares_by_model: Mapping[str, Sequence[Credit]], *, is_new_customer: bool
) -> dict[str, Any]:
    return {
        "sale_id": sale.sale_id,
        "sold_at": _iso(sale.sold_at),
        "gross_cents": sale.gross_cents,
        "refunded_cents": sale.refunded_cents,
        "net_cents": sale.net_cents,
        "is_cancelled": sale.is_cancelled,
        "is_counted": sale.is_counted,
        "is_new_customer": is_new_customer,
        "matched_by": sale.evidence,
        **_whose(sale.contact),
        "credits": {
            model: [
                {
                    "ad_id": credit.ad_id,
                    "touched_at": None if credit.touched_at is None else _iso(credit.touched_at),
                    "share": float(credit.share),
                    "revenue_cents": credit.revenue_cents,
                }
                for credit in shares
            ]
            for model, shares in shares_by_model.items()
        },
    }


def _whose(contact: Contact | None) -> dict[str, str | None]:
    return {
        "platform": contact.platform if contact else None,
        "account_id": contact.account_id if contact else None,
        "contact_id": contact.contact_id if contact else None,
    }


def _iso(at: int) -> str:
    return utc(at).isoformat()
