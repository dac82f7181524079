"""A world that is hard on engines: ties, edges of windows and days, nulls, odd names, and one large group."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
from worlds import World

SETTINGS = """
reporting_timezone = "America/New_York"
reporting_currency = "USD"
target_cac = 40
max_rate_age_days = 7
bot_app_ids = ["900"]
[business_hours]
monday = "09:00-18:00"
sunday = "10:00-12:00"
"""
AS_OF = datetime(2026, 11, 30)
DAY, HOUR, SECOND, TICK = (timedelta(**{unit: 1}) for unit in ("days", "hours", "seconds", "microseconds"))
MONDAY = datetime(2026, 11, 2, 8)
ODD_NAME = """O'Hara \\ "50 %" – 🛍"""
MANY = 9000  # more than the 8,192 rows that an engine may take at once


def hard_world(data: Path) -> Path:
    world = World(data)
    _ties(world)
    _edges(world)
    _numbers_and_user_ids(world)
    _money(world)
    _crowd(world)
    world.uptime(MONDAY - DAY, MONDAY + 2 * HOUR).uptime(MONDAY + 5 * HOUR, MONDAY + 20 * DAY)
    folder = world.write(settings=SETTINGS)
    _write_an_older_file(folder)
    return folder


def _ties(world: World) -> None:
    """Everything at one instant: a referral of two ads, a message, an echo, and the same event twice."""
    for ad in ("101", "102"):
        world.event("tie", MONDAY, "referral", ad_id=ad, referral_source="ADS", ref=ad)
    world.event("tie", MONDAY, event_id="twice").event("tie", MONDAY, event_id="twice")
    world.echo("tie", MONDAY, app_id="900", responder="bot").echo("tie", MONDAY + SECOND, responder="human")
    for contact in ("even", "odd"):
        world.event(contact, MONDAY + HOUR, ad_id="101", referral_source="ADS")
        world.sale(contact, MONDAY + DAY, "10.01", contact_id=contact, customer_id="one buyer")


def _edges(world: World) -> None:
    """Gaps of exactly 24 hours and a tick to either side, lone echoes, midnights, and an hour that comes twice."""
    for contact, gap in {"exact": DAY, "short": DAY - TICK, "long": DAY + TICK}.items():
        world.event(contact, MONDAY, ad_id="101", referral_source="ADS").event(contact, MONDAY + gap)
        world.echo(contact, MONDAY + gap + 30 * HOUR)
        world.sale(f"week-{contact}", MONDAY + 6 * DAY + gap, "7.77", contact_id=contact)
    world.echo("lone", MONDAY).echo("lone", MONDAY + 2 * DAY)
    for number, at in enumerate((datetime(2026, 11, 4, 5), datetime(2026, 11, 4, 4, 59, 59, 999999))):
        world.event(f"midnight-{number}", at, platform="instagram", ad_id="102")
    for number in range(8):
        at = datetime(2026, 11, 1, 4, 30) + number * HOUR / 2
        world.event(f"clock-{number}", at, ad_id="103").echo(f"clock-{number}", at + 90 * SECOND)
    world.event("waiting", AS_OF - HOUR, ad_id="101", referral_source="ADS")


def _numbers_and_user_ids(world: World) -> None:
    """One person on WhatsApp: a phone number in one delivery, a user id in the next, both in the third."""
    phone, user = "16505551234", "US.13491208655302741918"
    both = f'{{"messages":[{{"from":"{phone}","from_user_id":"{user}"}}],"contacts":[{{"wa_id":"{phone}"}}]}}'
    for contact, payload in ((phone, "{}"), (user, "not json"), (phone, both), (user, both)):
        world.event(contact, MONDAY + 3 * HOUR, platform="whatsapp", payload=payload, message_type="text")
    words = f'"body":"User A changed from {phone} to 16505559999","wa_id":"16505559999"'
    moved = f'{{"messages":[{{"system":{{{words}}}}}]}}'
    status = {"message_type": "system", "status": "user_changed_number"}
    world.event(phone, MONDAY + 4 * HOUR, "status", platform="whatsapp", payload=moved, **status)
    updated = '{"value":{"user_id_update":[{"wa_id":"1","user_id":{"previous":"US.1","current":"US.2"}}]}}'
    nobody = {"contact_key": None, "contact_id": None, "message_type": "user_id_update"}
    world.event("", MONDAY + 4 * HOUR, "account", platform="whatsapp", payload=updated, **nobody)
    for twin in ("twin", "other"):
        world.event(twin, MONDAY + 5 * HOUR, contact_key=42)
    world.sale("phone", MONDAY + DAY, "99.00", phone="+1 650 555 1234", email="mixed@example.com")


def _money(world: World) -> None:
    """Spend restated and estimated, three decimals, rates from days ago, refunds."""
    names = {"campaign_id": "9", "campaign_name": ODD_NAME, "adset_id": "11", "adset_name": None}
    for day in range(1, 15):
        at = date(2026, 11, day)
        world.spend(at, "101", f"{day}.005", ad_name=ODD_NAME, impressions=1000 + day, **names)
        world.spend(at, "102", "3.335", currency="KWD", reported_conversations=day)
    world.spend(date(2026, 11, 3), "104", "0.00", is_estimated=True, ad_name="")
    world.spend(date(2026, 11, 4), "106", "0.50", ad_name="starts late")
    later = {"import_id": "import-2", "imported_at": datetime(2026, 11, 20)}
    world.spend(date(2026, 11, 5), "101", "4.50", ad_name="renamed", reported_conversations=4, **later)
    world.rate(date(2026, 11, 1), "KWD", "3.25000001").rate(date(2026, 11, 9), "KWD", "3.255")
    refund = {"refunded_amount": Decimal("19.990")}
    world.sale("refunded", MONDAY + DAY, "19.99", contact_id="tie", **refund)
    world.sale("partly", MONDAY + DAY, "20.00", contact_id="tie", is_new_customer=True, **refund)
    world.sale("cancelled", MONDAY + DAY, "5.00", contact_id="tie", status="cancelled")
    world.sale("foreign", MONDAY + 2 * DAY, "1.235", currency="KWD", ref="101", email=None)
    world.sale("nobody", MONDAY + 3 * DAY, "0.00").sale(
        "either", MONDAY + DAY, "3.00", email="mixed@example.com"
    )
    world.contact("tie", customer_id="C1", email="mixed@example.com").contact(
        "even", email="mixed@example.com"
    )


def _crowd(world: World) -> None:
    """One ad with thousands of conversations, each answered after another time, some never."""
    for number in range(MANY):
        at = MONDAY + 4 * HOUR + number * 7 * SECOND
        world.event(f"crowd-{number}", at, ad_id="105", referral_source="ADS")
        if number % 10:
            world.echo(f"crowd-{number}", at + number * SECOND / 3)
        if number % 25 == 1:
            world.sale(f"crowd-{number}", at + DAY, "12.34", contact_id=f"crowd-{number}")


def _write_an_older_file(folder: Path) -> None:
    """Half of the events, as a release wrote them that did not know two of the columns."""
    events = folder / "events" / "recent" / "g=000001" / "test-1.parquet"
    rows = pq.read_table(events)
    half = rows.num_rows // 2
    pq.write_table(rows.slice(half), events)
    older = rows.slice(0, half).drop_columns(["flow_id", "pricing_category"])
    pq.write_table(older, events.with_name("test-2.parquet"))
