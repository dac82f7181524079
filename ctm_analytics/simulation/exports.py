"""The CSV files that the shop's people export: spend from Ads Manager, orders from Shopify and from the phone desk."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from ctm_analytics.simulation.business import CURRENCY, PERIOD_DAYS
from ctm_analytics.simulation.period import HOUR, Period
from ctm_analytics.simulation.records import Contact, Sale
from ctm_analytics.simulation.spending import RESTATED_DAYS, SpendDay, preliminary, spend_days
from ctm_analytics.simulation.world import World

_SPEND_COLUMNS = (
    "Day", "Campaign name", "Campaign ID", "Ad set name", "Ad set ID", "Ad name", "Ad ID",
    f"Amount spent ({CURRENCY})", "Impressions", "Reach", "Link clicks", "Messaging conversations started",
    f"Cost per messaging conversation started ({CURRENCY})", "Reporting starts", "Reporting ends",
)  # fmt: skip

# The first columns of a real export in their order, and those behind them that the shop fills.
_SHOPIFY_COLUMNS = (
    "Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Accepts Marketing",
    "Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount", "Shipping Method",
    "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku", "Billing Name",
    "Billing City", "Billing Zip", "Billing Phone", "Notes", "Note Attributes", "Cancelled at", "Payment Method",
    "Refunded Amount", "Vendor", "Id", "Tags", "Source", "Phone",
)  # fmt: skip

_PHONE_ORDER_COLUMNS = (
    "sale_id", "sold_at", "gross_amount", "currency", "refunded_amount", "phone", "ad_id", "status",
)  # fmt: skip
_CONTACT_COLUMNS = ("contact_id", "platform", "account_id", "email")

_PRODUCTS = ("Oak side table", "Linen cushion", "Desk lamp", "Wall shelf", "Rattan basket", "Bar stool")
_OTHER_KNOWN_SHARE = 0.08


class Exports(NamedTuple):
    """Where the files are: each in the order in which it was exported."""

    spend: tuple[Path, Path]
    sales: tuple[Path, Path]
    contacts: Path


def write_exports(world: World, folder: Path) -> Exports:
    """Write the five files into a folder that exists.

    The second spend file restates the last week of the first.
    """
    final = spend_days(world)
    random = Random(f"{world.seed}:exports")
    spend_files = folder / "ads_manager_30_days.csv", folder / "ads_manager_last_7_days_restated.csv"
    last_week = [spend for spend in final if spend.day >= PERIOD_DAYS - RESTATED_DAYS]
    _write(spend_files[0], _SPEND_COLUMNS, _spend_rows(preliminary(world, final), world.period))
    _write(spend_files[1], _SPEND_COLUMNS, _spend_rows(last_week, world.period))
    sales_files = folder / "shopify_orders.csv", folder / "phone_orders.csv"
    # Shopify lists the newest order first.
    web_orders = [sale for sale in reversed(world.sales) if sale.sale_id.startswith("#")]
    phone_orders = [sale for sale in world.sales if not sale.sale_id.startswith("#")]
    shopify_rows = [row for sale in web_orders for row in _shopify_rows(sale, world.period, random)]
    _write(sales_files[0], _SHOPIFY_COLUMNS, shopify_rows)
    _write(
        sales_files[1], _PHONE_ORDER_COLUMNS, [_phone_order_row(sale, world.period) for sale in phone_orders]
    )
    contacts_file = folder / "contacts.csv"
    _write(contacts_file, _CONTACT_COLUMNS, _contact_rows(world, random))
    return Exports(spend_files, sales_files, contacts_file)


def _write(file: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file with the byte-order mark that spreadsheets and Ads Manager put in front."""
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _spend_rows(spend: Sequence[SpendDay], period: Period) -> list[dict[str, object]]:
    """Return the totals first, without a name, then one row per ad and day."""
    days = [period.day_at(one.day).isoformat() for one in spend]
    totals = _spend_numbers(
        sum(one.spend_cents for one in spend),
        sum(one.impressions for one in spend),
        sum(one.link_clicks for one in spend),
        sum(one.reported_conversations for one in spend),
    )
    rows: list[dict[str, object]] = [{**totals, "Reporting starts": min(days), "Reporting ends": max(days)}]
    for one, day in zip(spend, days, strict=True):
        numbers = _spend_numbers(
            one.spend_cents, one.impressions, one.link_clicks, one.reported_conversations
        )
        names = {
            "Campaign name": one.ad.campaign_name,
            "Campaign ID": one.ad.campaign_id,
            "Ad set name": one.ad.adset_name,
            "Ad set ID": one.ad.adset_id,
            "Ad name": one.ad.ad_name,
            "Ad ID": one.ad.ad_id,
        }
        instants = {"Day": day, "Reporting starts": day, "Reporting ends": day}
        rows.append({**instants, **names, **numbers, "Reach": one.reach})
    return rows


def _spend_numbers(
    spend_cents: int, impressions: int, link_clicks: int, reported_conversations: int
) -> dict[str, object]:
    numbers: dict[str, object] = {
        f"Amount spent ({CURRENCY})": _money(spend_cents),
        "Impressions": impressions,
        "Link clicks": link_clicks,
    }
    if reported_conversations:
        # Ads Manager leaves the cell empty where there was no result.
        numbers["Messaging conversations started"] = reported_conversations
        cost = _money(round(spend_cents / reported_conversations))
        numbers[f"Cost per messaging conversation started ({CURRENCY})"] = cost
    return numbers


def _shopify_rows(sale: Sale, period: Period, random: Random) -> list[dict[str, object]]:
    """Return one row per line item; what belongs to the order stands on the first only."""
    created_at = f"{period.local_time(sale.sold_at):%Y-%m-%d %H:%M:%S %z}"
    paid = {} if sale.is_cancelled else {"Paid at": created_at}
    cancelled_at = {}
    if sale.is_cancelled:
        cancelled_at = {"Cancelled at": f"{period.local_time(sale.sold_at + HOUR):%Y-%m-%d %H:%M:%S %z}"}
    order: dict[str, object] = {
        "Name": sale.sale_id,
        "Email": sale.email,
        "Financial Status": _financial_status(sale),
        **paid,
        "Fulfillment Status": "unfulfilled" if sale.is_cancelled else "fulfilled",
        "Accepts Marketing": random.choice(("yes", "no")),
        "Currency": CURRENCY,
        "Subtotal": _money(sale.gross_cents),
        "Shipping": "0.00",
        "Taxes": "0.00",
        "Total": _money(sale.gross_cents),
        "Discount Amount": "0.00",
        "Shipping Method": "Standard",
        "Created at": created_at,
        **_line_item(random),
        "Billing Zip": f"'{random.randrange(10**4):04}",
        "Notes": "Please leave it\nwith the neighbour" if random.random() < 0.03 else "",
        "Note Attributes": _note_attributes(sale),
        **cancelled_at,
        "Payment Method": "Shopify Payments",
        "Refunded Amount": _money(sale.refunded_cents),
        "Vendor": "Kaya Home",
        "Id": f"{6_050_000_000_000 + int(sale.sale_id[1:])}",
        "Source": "web",
        "Phone": sale.contact.phone if sale.contact and random.random() < 0.3 else "",
    }
    if random.random() > 0.2:
        return [order]
    second = {"Name": sale.sale_id, "Email": sale.email, "Created at": created_at, **_line_item(random)}
    return [order, {**second, "Vendor": "Kaya Home"}]


def _line_item(random: Random) -> dict[str, object]:
    product = random.randrange(len(_PRODUCTS))
    return {
        "Lineitem quantity": random.choice((1, 1, 1, 2)),
        "Lineitem name": _PRODUCTS[product],
        "Lineitem price": f"{19 + 15 * product}.00",
        "Lineitem sku": f"KH-{product:03}",
    }


def _financial_status(sale: Sale) -> str:
    if sale.is_cancelled:
        return "voided"
    if sale.refunded_cents == 0:
        return "paid"
    return "refunded" if sale.refunded_cents == sale.gross_cents else "partially_refunded"


def _note_attributes(sale: Sale) -> str:
    lines = [f"contact_id: {sale.written_contact_id}"] if sale.written_contact_id else []
    lines += [f"ref: {sale.ref}"] if sale.ref else []
    return "\n".join([*lines, "checkout: chat link"] if lines else lines)


def _phone_order_row(sale: Sale, period: Period) -> dict[str, object]:
    phone = sale.phone
    return {
        "sale_id": sale.sale_id,
        "sold_at": period.local_time(sale.sold_at).isoformat(),
        "gross_amount": _money(sale.gross_cents),
        "currency": CURRENCY,
        "refunded_amount": _money(sale.refunded_cents),
        "phone": f"{phone[:2]} {phone[2:5]} {phone[5:8]}-{phone[8:]}",
        "ad_id": sale.ad_id,
        "status": "cancelled" if sale.is_cancelled else "won",
    }


def _contact_rows(world: World, random: Random) -> list[dict[str, object]]:
    """Return what the shop knows by e-mail: buyers whom only this file connects, and some who never bought."""
    buyers = {sale.email for sale in world.sales} | {sale.phone for sale in world.sales}
    people = dict.fromkeys(event.contact for event in world.events)
    others = [
        (contact, contact.email)
        for contact in people
        if contact.email not in buyers
        and contact.phone not in buyers
        and random.random() < _OTHER_KNOWN_SHARE
    ]
    return [_contact_row(contact, email) for contact, email in dict.fromkeys([*world.address_book, *others])]


def _contact_row(contact: Contact, email: str) -> dict[str, object]:
    return {
        "contact_id": contact.contact_id,
        "platform": contact.platform,
        "account_id": contact.account_id,
        "email": email,
    }


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
