"""A year of conversations, drawn as columns of numbers: who wrote when, who answered, from which ad, and what was sold.

Each day has a random stream of its own, so the same seed gives the same year, and a day more does not change it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

FIRST_DAY = date(2025, 1, 1)
DAYS = 365
ADS = 2_000
DAY_MICROS = 86_400_000_000
SECOND = 1_000_000
EVENTS_PER_CONVERSATION = 8.81  # what the shares below give, so that a size that is asked for is met
SALES_PER_EVENT = 0.015
NEW_CONTACTS = 0.6  # of the conversations of a day, so many are the first of their person

MESSAGE, POSTBACK, REFERRAL, ECHO, READ, DELIVERY = range(6)
NOBODY, UNKNOWN, HUMAN, BOT = range(4)
MESSENGER, INSTAGRAM, WHATSAPP = range(3)

Numbers = NDArray[np.int64]


@dataclass
class Events:
    """Columns of the same length; ``ad`` is -1 without a referral, and ``ADS`` where a link brought somebody."""

    contact: Numbers
    occurred_at: Numbers
    received_at: Numbers
    kind: Numbers
    responder: Numbers
    ad: Numbers

    def __len__(self) -> int:
        return len(self.contact)

    def where(self, chosen: NDArray[np.bool_] | Numbers) -> "Events":
        """Give some of the rows."""
        return Events(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def then(self, others: "Events") -> "Events":
        """Give these rows and others."""
        return Events(
            *(
                np.concatenate([getattr(self, field.name), getattr(others, field.name)])
                for field in fields(self)
            )
        )


@dataclass
class Sales:
    """Columns of the same length; ``ad`` is -1 where the buyer's conversation came from no ad."""

    contact: Numbers
    sold_at: Numbers
    ad: Numbers
    cents: Numbers


def platform_of(contact: Numbers) -> Numbers:
    return np.searchsorted([45, 65], _mixed(contact, 1) % 100, side="right")


def account_of(contact: Numbers) -> Numbers:
    """Five pages, three Instagram accounts or four WhatsApp numbers."""
    return _mixed(contact, 2) % np.array([5, 3, 4])[platform_of(contact)]


def hides_number(contact: Numbers, occurred_at: Numbers) -> NDArray[np.bool_]:
    """Of WhatsApp's people one in twenty hides the phone number, and one in a hundred begins to at midsummer."""
    share = _mixed(contact, 3) % 100
    is_late = occurred_at >= midnight(DAYS // 2)
    return (platform_of(contact) == WHATSAPP) & ((share < 5) | ((share == 5) & is_late))


def midnight(day: int) -> int:
    start = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC) + timedelta(days=day)
    return int(start.timestamp()) * SECOND


def draw_days(events: int, days: int, seed: int) -> Iterator[tuple[Events, Sales]]:
    """Yield, day by day, what was received on it, and what was sold to those who came on it.

    Parameters
    ----------
    events : int, in ``DAYS`` days, about
    days : int, how many are drawn, from ``FIRST_DAY`` on
    """
    waiting = None
    first_new = 0
    for day in range(days):
        dice = np.random.default_rng([seed, day])
        conversations = _conversations_on(day, events)
        new = round(conversations * NEW_CONTACTS) if day else conversations
        contacts = _contacts(dice, first_new, new, conversations - new)
        first_new += new
        drawn, sales = _draw_day(dice, day, contacts)
        waiting = drawn if waiting is None else waiting.then(drawn)
        is_here = waiting.received_at < midnight(day + 1)
        yield waiting.where(is_here), sales
        waiting = waiting.where(~is_here)


def _conversations_on(day: int, events: int) -> int:
    """Weekends are quieter, and the business grows by half over the year."""
    weekday = (FIRST_DAY + timedelta(days=day)).weekday()
    swing = (1.06, 1.08, 1.07, 1.05, 1.04, 0.9, 0.8)[weekday]
    growth = 0.8 + 0.4 * min(day, DAYS) / DAYS
    return max(1, round(events / DAYS / EVENTS_PER_CONVERSATION * swing * growth))


def _contacts(dice: np.random.Generator, first_new: int, new: int, known: int) -> Numbers:
    """Of those who have been here, most came first within the last weeks."""
    ages = dice.exponential(35 * new, known).astype(np.int64)
    return np.concatenate([np.arange(first_new, first_new + new), first_new - 1 - ages % max(1, first_new)])


def _draw_day(dice: np.random.Generator, day: int, contact: Numbers) -> tuple[Events, Sales]:
    count = len(contact)
    hour = np.clip(dice.normal(14.5, 4.6, count), 0, 23.999)
    start = midnight(day) + (hour * 3600 * SECOND).astype(np.int64)
    ad = _openers(dice, count)
    is_silent = (ad >= 0) & (ad < ADS) & (dice.random(count) < 0.06)
    turns = np.where(is_silent, 1, np.minimum(1 + dice.geometric(0.42, count), 15) - 1)
    turn_conversation = np.repeat(np.arange(count), turns)
    is_first_turn = _first(turn_conversation)
    silent_turn = is_silent[turn_conversation]
    size = len(turn_conversation)

    inbound = np.where(silent_turn, 1, np.minimum(dice.geometric(0.68, size), 6))
    is_answered = ~silent_turn & (dice.random(size) < 0.9)
    outbound = np.where(is_answered, np.minimum(dice.geometric(0.72, size), 6), 0)
    receipts = np.where(is_answered, (dice.random((2, size)) < 0.62).sum(axis=0), 0)
    length = inbound + outbound + receipts

    turn = np.repeat(np.arange(size), length)
    place = np.arange(len(turn)) - np.repeat(np.cumsum(length) - length, length)
    is_inbound = place < inbound[turn]
    is_echo = ~is_inbound & (place < (inbound + outbound)[turn])
    is_first_echo = is_echo & (place == inbound[turn])
    is_turn_start = place == 0
    is_start = is_turn_start & is_first_turn[turn]
    is_bot = is_echo & is_first_turn[turn] & (dice.random(size) < 0.35)[turn]

    pause = dice.exponential(25.0, len(turn))
    between = np.exp(dice.normal(np.log(900), 2.0, size))[turn]
    answering = np.exp(dice.normal(np.log(540), 1.7, size))[turn]
    pause = np.where(is_turn_start, between, pause)
    pause = np.where(is_first_echo, np.where(is_bot, dice.uniform(0.3, 1.7, len(turn)), answering), pause)
    micros = np.where(is_start, 0, pause * SECOND).astype(np.int64)
    conversation = turn_conversation[turn]
    since_start = np.cumsum(micros)
    occurred = start[conversation] + since_start - since_start[np.flatnonzero(is_start)][conversation]
    grain = np.where(platform_of(contact[conversation]) == WHATSAPP, SECOND, 1_000)
    occurred -= occurred % grain

    clicks_again = is_turn_start & ~is_start & (dice.random(size) < 0.03)[turn]
    touched = np.where(is_start, ad[conversation], np.where(clicks_again, _ads(dice, len(turn)), -1))
    return (
        Events(
            contact=contact[conversation],
            occurred_at=occurred,
            received_at=occurred + _delays(dice, len(turn)),
            kind=_kinds(dice, is_inbound, is_echo, is_start & (touched >= 0), silent_turn[turn]),
            responder=np.where(
                is_echo, np.where(is_bot, BOT, np.where(_mixed(turn, 4) % 5 < 3, HUMAN, UNKNOWN)), NOBODY
            ),
            ad=touched,
        ),
        _draw_sales(dice, contact, start, ad, is_silent),
    )  # fmt: skip


def _openers(dice: np.random.Generator, count: int) -> Numbers:
    share = dice.random(count)
    return np.where(share < 0.7, _ads(dice, count), np.where(share < 0.75, ADS, -1))


def _ads(dice: np.random.Generator, count: int) -> Numbers:
    """Draw ads, of which a few bring most people."""
    return (ADS * dice.random(count) ** 2.2).astype(np.int64)


def _kinds(
    dice: np.random.Generator,
    is_inbound: NDArray[np.bool_],
    is_echo: NDArray[np.bool_],
    is_click: NDArray[np.bool_],
    is_silent: NDArray[np.bool_],
) -> Numbers:
    share = dice.random(len(is_inbound))
    kind = np.where(share < 0.5, READ, DELIVERY)
    kind[is_echo] = ECHO
    kind[is_inbound] = MESSAGE
    kind[is_click & (share < 0.12)] = POSTBACK
    kind[is_click & is_silent] = REFERRAL
    return kind


def _delays(dice: np.random.Generator, count: int) -> Numbers:
    """Deliveries come within seconds; two in a thousand are hours late."""
    seconds = dice.uniform(0.3, 2.5, count)
    return (np.where(dice.random(count) < 0.002, dice.uniform(60, 40_000, count), seconds) * SECOND).astype(
        np.int64
    )


def _draw_sales(
    dice: np.random.Generator, contact: Numbers, start: Numbers, ad: Numbers, is_silent: NDArray[np.bool_]
) -> Sales:
    rate = SALES_PER_EVENT * EVENTS_PER_CONVERSATION
    is_sold = ~is_silent & (dice.random(len(contact)) < rate / 0.958)
    lag = np.exp(dice.normal(np.log(20 * 3600), 1.3, int(is_sold.sum())))
    return Sales(
        contact=contact[is_sold],
        sold_at=start[is_sold] + (lag * SECOND).astype(np.int64),
        ad=np.where(ad[is_sold] < ADS, ad[is_sold], -1),
        cents=np.exp(dice.normal(np.log(6_000), 0.7, len(lag))).astype(np.int64),
    )


def _first(values: Numbers) -> NDArray[np.bool_]:
    return np.concatenate([[True], values[1:] != values[:-1]])


def _mixed(numbers: Numbers, stream: int) -> Numbers:
    """Give numbers that look drawn, and are always the same for the same ones (splitmix64)."""
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(
        stream * 0x632BE59BD9B4E019 % 2**64
    )
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(2)).astype(np.int64)
