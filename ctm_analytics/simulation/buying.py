"""Who buys, when, and what the order tells of the conversation behind it."""

import math
from random import Random

from ctm_analytics.simulation.answering import lognormal
from ctm_analytics.simulation.business import WHATSAPP, Ad
from ctm_analytics.simulation.people import hides_phone
from ctm_analytics.simulation.period import DAY, HOUR, MINUTE, SECOND, Period
from ctm_analytics.simulation.records import Chance, Contact, Sale
from ctm_analytics.simulation.thread import Thread

_ATTRIBUTION_WINDOW = 7 * DAY

# From the click to the sale: half within 14 hours, one in sixteen after the window.
_MEDIAN_DELAY = 14 * HOUR
_DELAY_SIGMA = 1.6
_SHORTEST_DELAY = 10 * MINUTE

_REPEAT_SHARE = 0.18
_CANCELLED_SHARE = 0.025
_REFUNDED_SHARE = 0.025
_PARTLY_REFUNDED_SHARE = 0.05
_SHIPPING_NOTICE_SHARE = 0.4
_UNANSWERED_BUYING_FACTOR = 0.3
_ORGANIC_BUYING_PROBABILITY = 0.06
_ORGANIC_AVERAGE_SALE_CENTS = 88_00

# What an order tells of its conversation, with the share of orders that tell it.
_EVIDENCE = {
    "contact_id": 34,
    "identity": 26,
    "phone": 30,
    "ref": 14,
    "ad_id": 4,
    "ambiguous": 2,
    "unmatched": 10,
}
_LEADS_TO_CONTACT = ("contact_id", "identity", "phone", "ref")


class Till:
    """Decides who buys and writes the orders down.

    Parameters
    ----------
    random : Random
    period : Period

    Attributes
    ----------
    address_book : list of (Contact, str), what the shop knows by e-mail
    chances : list of Chance
    """

    def __init__(self, random: Random, period: Period) -> None:
        self.address_book: list[tuple[Contact, str]] = []
        self.chances: list[Chance] = []
        self._random = random
        self._period = period
        self._sales: list[Sale] = []
        self._buyers: list[Contact] = []

    def sales(self) -> list[Sale]:
        """Return all orders by instant, numbered as the web shop and the phone desk number theirs."""
        numbers = {"#": 1000, "T-": 0}
        numbered = []
        for sale in sorted(self._sales, key=lambda sale: sale.sold_at):
            numbers[sale.sale_id] += 1
            numbered.append(sale._replace(sale_id=f"{sale.sale_id}{numbers[sale.sale_id]:04}"))
        return numbered

    def decide(self, thread: Thread, ad: Ad, touched_at: int, waited: int | None) -> None:
        """Let the person buy, or not, after the last ad that they click.

        Parameters
        ----------
        thread : Thread
        ad : Ad
        touched_at : int, when the ad was clicked
        waited : int or None, microseconds until a person answered; ``None`` when nobody did
        """
        probability = min(0.9, ad.buying_probability * _speed_factor(waited))
        weights = _evidence_weights(thread.contact)
        matched = sum(weights.get(evidence, 0) for evidence in _LEADS_TO_CONTACT) / sum(weights.values())
        kept = 1 - _CANCELLED_SHARE - _REFUNDED_SHARE
        in_time = _probability_of_delay_below(min(_ATTRIBUTION_WINDOW, self._period.end - touched_at))
        credited = probability * matched * kept * in_time
        self.chances.append(Chance(thread.contact, touched_at, ad.ad_id, probability, credited))
        if self._random.random() < probability:
            self._sell(thread, touched_at, ad.average_sale_cents, ad.ad_id)

    def leave_to_a_later_click(self, contact: Contact, ad: Ad, touched_at: int) -> None:
        """Note that the person clicks again before deciding: under last touch this click earns nothing."""
        self.chances.append(Chance(contact, touched_at, ad.ad_id, 0.0, 0.0))

    def decide_without_ad(self, thread: Thread, asked_at: int, *, is_answered: bool) -> None:
        """Let a person who came by themselves, or by a link, buy or not."""
        factor = 1 if is_answered else _UNANSWERED_BUYING_FACTOR
        if self._random.random() < _ORGANIC_BUYING_PROBABILITY * factor:
            self._sell(thread, asked_at, _ORGANIC_AVERAGE_SALE_CENTS, "")

    def walk_in(self, at: int, stranger: Contact, shared_refs: list[str]) -> None:
        """Sell to somebody who never wrote, perhaps after a link that many people followed."""
        ref = ""
        if shared_refs and self._random.random() < 0.06:
            ref = self._random.choice(shared_refs)
        self._order(
            at,
            _ORGANIC_AVERAGE_SALE_CENTS,
            Sale("#", 0, 0, 0, False, "ambiguous" if ref else "unmatched", None, stranger.email, "", ref=ref),
        )

    def _sell(self, thread: Thread, since: int, average_cents: int, ad_id: str) -> None:
        contact = thread.contact
        at = since + lognormal(self._random, _MEDIAN_DELAY, _DELAY_SIGMA, at_least=_SHORTEST_DELAY)
        weights = _evidence_weights(contact)
        evidence = self._random.choices(list(weights), list(weights.values()))[0]
        if (evidence == "ad_id" and not ad_id) or (evidence == "ambiguous" and not self._buyers):
            evidence = "unmatched"
        personal_link_at = at - self._random.randrange(2 * MINUTE, 20 * MINUTE)
        if evidence == "ref" and not thread.is_silent_before(personal_link_at):
            evidence = "contact_id"
        order = self._blank_order(contact, evidence, ad_id)
        if evidence == "ref" and personal_link_at < self._period.end:
            thread.open_from_link(order.ref, personal_link_at)
        order = self._order(at, average_cents, order)
        self._send_shipping_notice(thread, order)
        self._buyers.append(contact)
        while evidence != "ref" and order.is_counted and self._random.random() < _REPEAT_SHARE:
            at += self._random.randrange(3 * DAY, 16 * DAY)
            self._order(at, average_cents, order)

    def _blank_order(self, contact: Contact, evidence: str, ad_id: str) -> Sale:
        by_phone = evidence in ("phone", "ad_id")
        order = Sale(
            sale_id="T-" if by_phone else "#",
            sold_at=0,
            gross_cents=0,
            refunded_cents=0,
            is_cancelled=False,
            evidence=evidence,
            contact=contact if evidence in _LEADS_TO_CONTACT else None,
            email="" if by_phone else contact.email,
            phone=contact.phone if by_phone else "",
        )
        if evidence == "contact_id":
            return order._replace(written_contact_id=contact.contact_id)
        if evidence == "ref":
            return order._replace(ref=f"quote-{self._random.randrange(16**6):06x}")
        if evidence == "ad_id":
            return order._replace(ad_id=ad_id)
        if evidence in ("identity", "ambiguous"):
            self.address_book.append((contact, contact.email))
        if evidence == "ambiguous":
            # Two people of one household share the address; nobody can tell which of them bought.
            self.address_book.append((self._buyers[-1], contact.email))
        return order

    def _order(self, at: int, average_cents: int, order: Sale) -> Sale:
        """Price the order and write it down, if the period still sees it."""
        dollars = max(9, round(average_cents / 100 * self._random.lognormvariate(-0.08, 0.4)))
        gross = dollars * 100 + self._random.choice((0, 50, 95, 99))
        fate = self._random.random()
        refunded = 0
        if fate < _REFUNDED_SHARE:
            refunded = gross
        elif fate < _REFUNDED_SHARE + _PARTLY_REFUNDED_SHARE:
            refunded = round(gross * self._random.uniform(0.1, 0.6))
        priced = order._replace(
            sold_at=at - at % SECOND,
            gross_cents=gross,
            refunded_cents=refunded,
            is_cancelled=fate > 1 - _CANCELLED_SHARE,
        )
        if priced.sold_at < self._period.end:
            self._sales.append(priced)
        return priced

    def _send_shipping_notice(self, thread: Thread, order: Sale) -> None:
        if order.is_counted and self._random.random() < _SHIPPING_NOTICE_SHARE:
            responder = "unknown" if thread.contact.platform == WHATSAPP else "bot"
            at = order.sold_at + self._random.randrange(20 * HOUR, 30 * HOUR)
            thread.reply(at, responder, shape="utility")


def _evidence_weights(contact: Contact) -> dict[str, int]:
    """Return what the orders of such a contact can tell, each with its weight."""
    weights = dict(_EVIDENCE)
    # Where the order's phone is the contact's id, it is better evidence than an ad declared beside it.
    is_known_by_phone = contact.platform == WHATSAPP and not hides_phone(contact)
    del weights["ad_id" if is_known_by_phone else "phone"]
    if contact.platform == WHATSAPP:
        del weights["ref"]
    return weights


def _speed_factor(waited: int | None) -> float:
    """Return how much likelier than usual a person buys who waited that long for an answer."""
    if waited is None:
        return _UNANSWERED_BUYING_FACTOR
    for at_most, factor in ((5 * MINUTE, 1.25), (HOUR, 1.1), (12 * HOUR, 0.9)):
        if waited <= at_most:
            return factor
    return 0.75


def _probability_of_delay_below(longest: int) -> float:
    """Return the lognormal distribution function of the time from click to sale."""
    if longest < _SHORTEST_DELAY:
        return 0.0
    deviations = math.log(longest / _MEDIAN_DELAY) / _DELAY_SIGMA
    return 0.5 * (1 + math.erf(deviations / math.sqrt(2)))
