"""Customers, matches and credit: sections 5 and 6 of the definitions, in plain loops."""

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from .conversations import ACTIVITY
from .facts import Facts, Person, Row, Rules
from .markov import removal_effects

MILLION = 10**6
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
            return (column, folded(sale[column]) if column == "phone" else sale[column])
    contact = match(sale, facts)[1] or sale.get("contact_id")
    return None if contact is None else ("contact", contact)


def match(sale: Row, facts: Facts) -> tuple[str, Person | None, str | None, str | None]:
    """Return by what a sale is matched, its contact, its declared ad, and the kind of key that decided."""
    for evidence, people in (
        ("contact_id", _by_contact(sale, facts)),
        ("identity", _by_identity(sale, facts)),
        ("phone", _by_phone(sale, facts)),
    ):
        if len(people) == 1:
            return evidence, people.pop(), None, evidence
        if len(people) > 1:
            return "ambiguous", None, None, evidence
    people = _by_ref(sale, facts)
    if len(people) == 1:
        return "ref", people.pop(), None, "ref"
    if sale.get("ad_id") is not None:
        return "ad_id", None, sale["ad_id"], "ad_id"
    return ("ambiguous", None, None, "ref") if people else ("unmatched", None, None, None)


def _is_about(row: Row, person: Person, contact_id: str) -> bool:
    return (
        row.get("contact_id") == contact_id
        and row.get("platform") in (None, person[0])
        and row.get("account_id") in (None, person[1])
    )


def _by_contact(sale: Row, facts: Facts) -> set[Person]:
    return {
        person
        for person in facts.events
        if any(_is_about(sale, person, contact_id) for contact_id in facts.ids(person))
    }


def _by_identity(sale: Row, facts: Facts) -> set[Person]:
    people: set[Person] = set()
    for person in facts.events:
        for contact_id in facts.ids(person):
            stated = [row for row in facts.contacts if _is_about(row, person, contact_id)]
            latest = max((row["imported_at"] for row in stated), default=None)
            if any(_shares_a_key(row, sale) for row in stated if row["imported_at"] == latest):
                people.add(person)
    return people


def _shares_a_key(row: Row, sale: Row) -> bool:
    phones = [each.get("phone") for each in (row, sale)]
    if None not in phones and folded(phones[0]) == folded(phones[1]):
        return True
    return any(sale.get(key) is not None and row.get(key) == sale[key] for key in ("customer_id", "email"))


def _by_phone(sale: Row, facts: Facts) -> set[Person]:
    if sale.get("phone") is None:
        return set()
    return {
        person
        for person in facts.events
        if person[0] == "whatsapp"
        and any(folded(contact_id) == folded(sale["phone"]) for contact_id in facts.ids(person))
    }


def folded(phone: str) -> str:
    """Return a number's digits without Brazil's ninth digit, Mexico's 1 and Argentina's 9; a user id as it is."""
    if "." in phone:
        return phone
    digits = re.sub(r"\D", "", phone)
    if len(digits) == 13 and digits.startswith("55") and digits[4] == "9":
        return digits[:4] + digits[5:]
    if len(digits) == 13 and digits.startswith("521"):
        return "52" + digits[3:]
    if len(digits) == 13 and digits.startswith("549"):
        return "54" + digits[3:]
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
    ways = {
        sale["sale_id"]: eligible(sale, match(sale, facts)[1], rules, arrivals)
        for sale in facts.sales
        if is_counted(sale)
    }
    effects = removal_effects(_journeys(list(ways.values()), arrivals)) if rules.model == "markov" else {}
    for sale in facts.sales:
        if not is_counted(sale):
            continue
        matched_by, person, declared_ad_id, _ = match(sale, facts)
        way = ways[sale["sale_id"]]
        common = {
            "sale_id": sale["sale_id"],
            "sold_at": sale["sold_at"],
            "matched_by": matched_by,
            "person": person,
            "is_new_customer": first_sales[sale["sale_id"]],
        }
        if not way:
            nobody = {"touched_at": None, "ad_id": declared_ad_id, "touch_type": None}
            rows.append(common | nobody | {"credit_billionths": WHOLE, "credited_cents": net_cents(sale)})
            continue
        weights = _weights(rules.model, way, effects)
        shares = zip(way, apportioned(WHOLE, weights), apportioned(net_cents(sale), weights), strict=True)
        for touch, billionths, money in shares:
            if billionths:
                rows.append(common | touch | {"credit_billionths": billionths, "credited_cents": money})
    return rows


def eligible(sale: Row, person: Person | None, rules: Rules, arrivals: list[Row]) -> list[Row]:
    """Return the ad touches of a sale's contact within the window before it, both ends included."""
    found = [
        touch
        for touch in arrivals
        if touch["person"] == person
        and touch["touch_type"] == "ad"  # a link is no ad: totals are ads + unattributed
        and sale["sold_at"] - rules.window <= touch["touched_at"] <= sale["sold_at"]
    ]
    return sorted(found, key=lambda touch: (touch["touched_at"], touch["ad_id"] or "", touch["ref"] or ""))


def _journeys(sold: list[list[Row]], arrivals: list[Row]) -> list[tuple[tuple[str, ...], bool]]:
    """Tell journeys that led to a sale from those of people whose touches earned no credit."""
    used = {(touch["person"], touch["touched_at"], touch["ad_id"]) for way in sold for touch in way}
    others: dict[Person, list[Row]] = {}
    for touch in sorted(arrivals, key=lambda touch: (touch["touched_at"], touch["ad_id"] or "")):
        if touch["touch_type"] == "ad" and (touch["person"], touch["touched_at"], touch["ad_id"]) not in used:
            others.setdefault(touch["person"], []).append(touch)
    ways = [(way, True) for way in sold if way] + [(way, False) for way in others.values()]
    return [(tuple(touch["ad_id"] for touch in way), is_sold) for way, is_sold in ways]


def _weights(model: str, eligible: list[Row], effects: dict[str, Fraction]) -> list[Fraction]:
    count = len(eligible)
    ads = [touch["ad_id"] for touch in eligible]
    match model:
        case "first_touch":
            parts = [Fraction(int(number == 0)) for number in range(count)]
        case "last_touch":
            parts = [Fraction(int(number == count - 1)) for number in range(count)]
        case "linear":
            parts = [Fraction(1)] * count
        case "position_based" if count > 2:
            between = Fraction(20, count - 2)
            parts = [Fraction(40), *[between] * (count - 2), Fraction(40)]
        case "position_based":
            parts = [Fraction(1)] * count
        case "time_decay":
            # Whole millionths of the last touch's part, as everything on disk is whole.
            last = eligible[-1]["touched_at"]
            ages = [(last - touch["touched_at"]).total_seconds() / 86_400 for touch in eligible]
            parts = [Fraction(round(MILLION * 0.5 ** (age / 7))) for age in ages]
        case "markov":
            greatest = max(effects.values())
            parts = [Fraction(max(1, round(MILLION * effects[ad] / greatest))) for ad in ads]
        case "shapley":
            parts = [Fraction(1, ads.count(ad)) for ad in ads]
    return [part / sum(parts) for part in parts]


def apportioned(whole: int, weights: Iterable[Fraction]) -> list[int]:
    """Share out whole units by largest remainder, the earliest first among equals."""
    quotas = [whole * weight for weight in weights]
    shares = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda number: (shares[number] - quotas[number], number))
    for number in by_remainder[: whole - sum(shares)]:
        shares[number] += 1
    return shares
