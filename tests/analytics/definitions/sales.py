"""Customers, matches and credit: sections 5 and 6 of the definitions, in plain loops."""

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from .conversations import ACTIVITY
from .facts import Facts, Person, Row, Rules

WHOLE = 10**9  # a sale hands out a thousand million of them


def is_counted(sale: Row) -> bool:
    """Say whether a sale is neither cancelled nor fully refunded."""
    is_refunded = sale["refunded_amount"] == sale["gross_amount"] > 0
    return sale["status"] != "cancelled" and not is_refunded


def net_cents(sale: Row) -> int:
    """Return what is left of a sale after refunds; nothing when it was cancelled."""
    if sale["status"] == "cancelled":
        return 0
    net: int = sale["gross_units"] - sale["refunded_units"]
    return net


def new_customers(facts: Facts) -> dict[str, bool | None]:
    """Say of each sale whether it is its buyer's first; null where no buyer is known."""
    answer: dict[str, bool | None] = {}
    seen: set[tuple[str, Any]] = set()
    for sale in sorted(facts.sales, key=lambda sale: (sale["sold_at"], sale["sale_id"])):
        buyer = _buyer(sale, facts)
        is_first = None if buyer is None else buyer not in seen
        if buyer is not None:
            seen.add(buyer)
        flag = sale.get("is_new_customer")
        answer[sale["sale_id"]] = is_first if flag is None else flag
    return answer


def _buyer(sale: Row, facts: Facts) -> tuple[str, Any] | None:
    for column in ("customer_id", "email", "phone"):
        if sale.get(column) is not None:
            return (column, sale[column])
    contact = match(sale, facts)[1] or sale.get("contact_id")
    return None if contact is None else ("contact", contact)


def match(sale: Row, facts: Facts) -> tuple[str, Person | None, str | None]:
    """Return the evidence, the contact and the declared ad of a sale."""
    for evidence, people in (
        ("contact_id", _by_contact(sale, facts)),
        ("identity", _by_identity(sale, facts)),
        ("phone", _by_phone(sale, facts)),
    ):
        if len(people) == 1:
            return evidence, people.pop(), None
        if len(people) > 1:
            return "ambiguous", None, None
    people = _by_ref(sale, facts)
    if len(people) == 1:
        return "ref", people.pop(), None
    if sale.get("ad_id") is not None:
        return "ad_id", None, sale["ad_id"]
    return ("ambiguous" if people else "unmatched"), None, None


def _known(facts: Facts, row: Row) -> set[Person]:
    return {
        person
        for person in facts.events
        if person[2] == row.get("contact_id")
        and row.get("platform") in (None, person[0])
        and row.get("account_id") in (None, person[1])
    }


def _by_contact(sale: Row, facts: Facts) -> set[Person]:
    return _known(facts, sale)


def _by_identity(sale: Row, facts: Facts) -> set[Person]:
    people: set[Person] = set()
    for row in facts.contacts:
        for column in ("customer_id", "email", "phone"):
            if sale.get(column) is not None and row.get(column) == sale[column]:
                people |= _known(facts, row)
    return people


def _by_phone(sale: Row, facts: Facts) -> set[Person]:
    if sale.get("phone") is None:
        return set()
    return {
        person
        for person in facts.events
        if person[0] == "whatsapp" and folded(person[2]) == folded(sale["phone"])
    }


def folded(phone: str) -> str:
    """Return a number's digits without Brazil's ninth digit and Mexico's 1."""
    digits = re.sub(r"\D", "", phone)
    if len(digits) == 13 and digits.startswith("55") and digits[4] == "9":
        return digits[:4] + digits[5:]
    if len(digits) == 13 and digits.startswith("521"):
        return "52" + digits[3:]
    return digits


def _by_ref(sale: Row, facts: Facts) -> set[Person]:
    return {
        person
        for person, events in facts.events.items()
        for event in events
        if event["event_type"] in ACTIVITY and sale.get("ref") is not None and event.get("ref") == sale["ref"]
    }


def credit(facts: Facts, rules: Rules, arrivals: list[Row]) -> list[Row]:
    """Hand out each counted sale over its eligible touches; without any, one row that no touch is on."""
    first_sales = new_customers(facts)
    rows = []
    for sale in facts.sales:
        if not is_counted(sale):
            continue
        matched_by, person, declared_ad_id = match(sale, facts)
        eligible = [
            touch
            for touch in arrivals
            if touch["person"] == person
            and touch["touch_type"] == "ad"  # a link is no ad: totals are ads + unattributed
            and sale["sold_at"] - rules.window <= touch["touched_at"] <= sale["sold_at"]
        ]
        eligible.sort(key=lambda touch: (touch["touched_at"], touch["ad_id"] or "", touch["ref"] or ""))
        common = {
            "sale_id": sale["sale_id"],
            "sold_at": sale["sold_at"],
            "matched_by": matched_by,
            "person": person,
            "is_new_customer": first_sales[sale["sale_id"]],
        }
        if not eligible:
            nobody = {"touched_at": None, "ad_id": declared_ad_id, "touch_type": None}
            rows.append(common | nobody | {"credit_billionths": WHOLE, "credited_cents": net_cents(sale)})
            continue
        weights = _weights(rules.model, len(eligible))
        shares = zip(
            eligible, apportioned(WHOLE, weights), apportioned(net_cents(sale), weights), strict=True
        )
        for touch, billionths, money in shares:
            if billionths:
                rows.append(common | touch | {"credit_billionths": billionths, "credited_cents": money})
    return rows


def _weights(model: str, touches: int) -> list[Fraction]:
    if model == "linear":
        return [Fraction(1, touches)] * touches
    chosen = 0 if model == "first_touch" else touches - 1
    return [Fraction(int(number == chosen)) for number in range(touches)]


def apportioned(whole: int, weights: Iterable[Fraction]) -> list[int]:
    """Share out whole units by largest remainder, the earliest first among equals."""
    quotas = [whole * weight for weight in weights]
    shares = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda number: (shares[number] - quotas[number], number))
    for number in by_remainder[: whole - sum(shares)]:
        shares[number] += 1
    return shares
