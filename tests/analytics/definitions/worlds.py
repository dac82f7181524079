"""Small random businesses that meet every edge of the definitions more often than real ones do."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ctm_analytics.settings import ATTRIBUTION_MODELS

from .facts import Person, Row, Rules

MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

PEOPLE: list[Person] = [
    ("messenger", "page-1", "ana"),
    ("messenger", "page-1", "bob"),
    ("messenger", "page-2", "ana"),
    ("instagram", "shop", "cem"),
    ("whatsapp", "number-1", "5521999998888"),
    ("whatsapp", "number-2", "552199998888"),
    ("whatsapp", "number-1", "525512345678"),
    ("whatsapp", "number-1", "BR.1"),
    ("whatsapp", "number-2", "BR.1"),
    ("whatsapp", "number-1", "BR.2"),
    ("whatsapp", "number-1", "5511888887777"),
]
USER_IDS = ["BR.1", "BR.2", "BR.3"]
STARTS = [
    datetime(2026, 10, 31, 22),  # the clocks of New York go back in this night
    datetime(2026, 11, 2, 8),
    datetime(2026, 3, 8, 3),  # and forward in this one
]
SILENCES = [
    timedelta(0), MICROSECOND, timedelta(seconds=1), timedelta(seconds=2) - MICROSECOND, timedelta(seconds=2),
    timedelta(seconds=300), 30 * 60 * timedelta(seconds=1) - MICROSECOND, timedelta(minutes=30),
    timedelta(minutes=30) + MICROSECOND, HOUR, 5 * HOUR, DAY - MICROSECOND, DAY, DAY + MICROSECOND, 3 * DAY,
]  # fmt: skip
SENDERS = [
    {"responder": "human", "app_id": "26390203743090"},
    {"responder": "human", "app_id": None},
    {"responder": "bot", "app_id": None},
    {"responder": "unknown", "app_id": "bot-app"},
    {"responder": "unknown", "app_id": "human-app"},
    {"responder": "unknown", "app_id": "other-app"},
    {"responder": "unknown", "app_id": None},
]
REFERRALS: list[dict[str, str]] = [
    {"ad_id": "ad-1", "referral_source": "ADS", "referral_type": "OPEN_THREAD"},
    {"ad_id": "ad-2", "referral_source": "ADS", "ref": "spring"},
    {"ad_id": "ad-2", "referral_source": "ADS"},
    {"ad_id": "ad-3", "referral_source": "ad", "ctwa_clid": "click"},
    {"referral_source": "SHORTLINK", "ref": "flyer"},
    {"referral_source": "SHORTLINK", "ref": "code-7"},
    {"referral_source": "post", "post_id": "post-1"},
    {"referral_source": "SHOPS", "product_id": "product-1"},
]
CURRENCIES = ["USD", "USD", "JPY", "KWD"]
NOISE = ["read", "delivery", "reaction", "status", "edit", "deletion", "handover", "test"]


@dataclass(frozen=True)
class Business:
    """Everything to be written to disk, and the instant and settings of the question."""

    rows: dict[str, list[Row]]
    rules: Rules
    as_of: datetime


@st.composite
def businesses(draw: st.DrawFn) -> Business:
    start = draw(st.sampled_from(STARTS))
    people = draw(st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=6, unique=True))
    events = draw(_events(start, people))
    instants = sorted({event["occurred_at"] for event in events}) or [start]
    sales = draw(st.lists(_sale(instants, people), max_size=8, unique_by=_sale_key))
    rules = Rules(
        zone=draw(st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"])),
        window=draw(st.sampled_from([7 * DAY, DAY])),
        currency=draw(st.sampled_from(["USD", "USD", "JPY", "KWD"])),
        model=draw(st.sampled_from(sorted(ATTRIBUTION_MODELS))),
    )
    end = instants[-1] + 40 * DAY
    middle = st.builds(
        lambda instant, later: instant + later,
        st.sampled_from(instants),
        st.sampled_from([timedelta(0), HOUR, 7 * DAY]),
    )
    rows = {
        "events": events,
        "sales": sales,
        "spend": draw(st.lists(_spend(start), max_size=8, unique_by=_spend_key)),
        "contacts": draw(st.lists(_contact(start), max_size=4, unique_by=_contact_key)),
        "heartbeats": draw(_heartbeats(start)),
        "rates": draw(_rates(start, end)),
    }
    return Business(rows, rules, draw(st.just(end) | middle))


@st.composite
def _events(draw: st.DrawFn, start: datetime, people: list[Person]) -> list[Row]:
    clocks = dict.fromkeys(people, start)
    rows: list[Row] = []
    for _ in range(draw(st.integers(0, 40))):
        person = draw(st.sampled_from(people))
        clocks[person] += draw(st.sampled_from(SILENCES))
        at = clocks[person]
        row = {
            "contact": person[2], "platform": person[0], "account": person[1],
            "occurred_at": at, "received_at": at + draw(st.sampled_from([timedelta(0), HOUR, 2 * DAY])),
            "event_id": f"event-{len(rows):03}",
        } | draw(_act()) | draw(_told(person))  # fmt: skip
        rows.append(row)
        again = draw(st.sampled_from([None, None, None, "postback", "referral"]))
        if again is not None and row.get("referral_source"):
            rows.append(row | {"event_type": again, "event_id": f"event-{len(rows):03}"})
    return rows


@st.composite
def _act(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["message", "message", "postback", "referral", "echo", "echo", "noise"]))
    if kind == "echo":
        return {"event_type": "echo", **draw(st.sampled_from(SENDERS))}
    if kind == "noise":
        direction = draw(st.sampled_from([None, "inbound", "outbound"]))
        return {"event_type": draw(st.sampled_from(NOISE)), "direction": direction}
    referral = draw(st.sampled_from(REFERRALS)) if kind == "referral" or draw(st.booleans()) else {}
    return {"event_type": kind, **referral}


@st.composite
def _told(draw: st.DrawFn, person: Person) -> dict[str, Any]:
    """Let some events of WhatsApp name both ids of a person, or a new number."""
    platform, _, contact = person
    told = draw(st.sampled_from(["one id", "one id", "pair", "change"])) if platform == "whatsapp" else ""
    if told == "pair" and "." not in contact:
        ids = {"wa_id": contact, "user_id": draw(st.sampled_from(USER_IDS))}
        return {"payload": json.dumps({"contacts": [ids]}, separators=(",", ":"))}
    if told == "change" and "." not in contact and draw(st.booleans()):
        system = {"type": "user_changed_number", "wa_id": "5511888887777", "body": "changed from 1 to 2"}
        payload = {"messages": [{"from": contact, "system": system}]}
        fields = dict.fromkeys(("ad_id", "ref", "post_id", "product_id", "referral_source", "referral_type"))
        notice = {"event_type": "status", "direction": None, "status": system["type"], "responder": None}
        return fields | notice | {"payload": json.dumps(payload)}
    return {}


@st.composite
def _sale(draw: st.DrawFn, instants: list[datetime], people: list[Person]) -> Row:
    sold_at = draw(st.sampled_from(instants)) + draw(
        st.sampled_from([-HOUR, -MICROSECOND, timedelta(0), MICROSECOND, HOUR, DAY, 3 * DAY, 7 * DAY,
                         DAY + MICROSECOND, 7 * DAY + MICROSECOND])
    )  # fmt: skip
    gross = draw(st.sampled_from(["0.01", "10.00", "99.99", "100.00"]))
    row: Row = {
        "sale_id": f"sale-{draw(st.integers(1, 6))}",
        "sold_at": sold_at,
        "gross_amount": Decimal(gross),
        "currency": draw(st.sampled_from(CURRENCIES)),
        "refunded_amount": draw(st.sampled_from([Decimal("0.00")] * 4 + [Decimal("0.01"), Decimal(gross)])),
        "status": draw(st.sampled_from(["won"] * 6 + ["cancelled"])),
        "imported_at": sold_at
        + draw(st.sampled_from([HOUR, DAY]))
        + MICROSECOND * draw(st.integers(0, 10**6)),
        "is_new_customer": draw(st.sampled_from([None] * 5 + [True, False])),
    }
    evidence = draw(st.sampled_from(["person", "contact", "other", "other", "other"]))
    if evidence != "other":
        platform, account, contact = draw(st.sampled_from(people))
        row["contact_id"] = contact
        if evidence == "person":
            row |= {"platform": platform, "account_id": account}
    choices = {
        "customer_id": ["customer-1", "customer-2"],
        "email": ["ana@example.com", "bob@example.com"],
        "phone": ["+5521999998888", "+552199998888", "+5215512345678", "+4917012345678"],
        "ref": ["spring", "flyer", "code-7", "unused"],
        "ad_id": ["ad-1", "ad-9"],
    }
    for column, values in choices.items():
        row[column] = draw(st.sampled_from([None, None, *values]))
    return row


@st.composite
def _spend(draw: st.DrawFn, start: datetime) -> Row:
    day = start.date() + DAY * draw(st.integers(-1, 4))
    imported_at = datetime(day.year, day.month, day.day) + draw(st.sampled_from([2 * DAY, 5 * DAY]))
    row: Row = {
        "day": day,
        "ad_id": draw(st.sampled_from(["ad-1", "ad-2", "ad-9"])),
        "spend": Decimal(draw(st.sampled_from(["0.00", "0.01", "12.34", "1000.00"]))),
        "currency": draw(st.sampled_from(CURRENCIES)),
        "imported_at": imported_at,
    }
    for column in ("impressions", "link_clicks", "reported_conversations"):
        row[column] = draw(st.sampled_from([None, 0, 1, 50]))
    return row


def _sale_key(row: Row) -> tuple[Any, ...]:
    return (row["sale_id"], row["imported_at"])


def _spend_key(row: Row) -> tuple[Any, ...]:
    return (row["day"], row["ad_id"], row["imported_at"])


@st.composite
def _contact(draw: st.DrawFn, start: datetime) -> Row:
    platform, account, contact = draw(st.sampled_from(PEOPLE))
    row: Row = {"contact_id": contact, "imported_at": start + draw(st.sampled_from([timedelta(0), 2 * DAY]))}
    if draw(st.booleans()):
        row |= {"platform": platform, "account_id": account}
    row["customer_id"] = draw(st.sampled_from([None, "customer-1", "customer-2"]))
    row["email"] = draw(st.sampled_from([None, "ana@example.com", "bob@example.com"]))
    row["phone"] = draw(st.sampled_from([None, "+4917012345678", "+5511988887777", "+552199998888"]))
    return row


def _contact_key(row: Row) -> tuple[Any, ...]:
    return (row["contact_id"], row.get("platform"), row.get("account_id"), row["imported_at"])


@st.composite
def _rates(draw: st.DrawFn, start: datetime, end: datetime) -> list[Row]:
    """Rates of every third day, some corrected later, some days more: each day has one of the last three days."""
    rows: list[Row] = []
    days = [start.date() + DAY * offset for offset in range(-5, (end - start).days + 9)]
    chance = draw(st.randoms(use_true_random=False))  # a draw of its own for each rate would take seconds
    offset = chance.randrange(3)
    for number, day in enumerate(days):
        for currency in ("USD", "JPY", "KWD"):
            rate = Decimal(chance.choice(["0.00652", "1.08555", "3.2512345", "150"]))
            known = {"day": day, "currency": currency, "rate": rate, "imported_at": datetime(2026, 1, 1)}
            if number % 3 == offset or chance.random() < 0.1:
                rows.append(known)
                if chance.random() < 0.1:
                    rows.append(known | {"rate": rate * 2, "imported_at": start + 2 * DAY})
    return rows


@st.composite
def _heartbeats(draw: st.DrawFn, start: datetime) -> list[Row]:
    at, rows = start - DAY, []
    for _ in range(draw(st.integers(0, 4))):
        started_at = at + draw(st.sampled_from([timedelta(0), HOUR, 8 * HOUR, 2 * DAY]))
        at = started_at + draw(st.sampled_from([HOUR, 12 * HOUR, DAY]))
        rows.append({"started_at": started_at, "beat_at": at})
    return rows
