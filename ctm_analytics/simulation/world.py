"""Thirty days of the shop: who clicks what, what they say, and what they buy."""

from dataclasses import dataclass, field
from datetime import date
from random import Random

from ctm_analytics.simulation.business import (
    ADS,
    LINK_PER_DAY,
    ORGANIC_PER_DAY,
    PERIOD_DAYS,
    SHARED_REFS,
    WALK_IN_SALES_PER_DAY,
    WHATSAPP,
    Ad,
)
from ctm_analytics.simulation.buying import Till
from ctm_analytics.simulation.people import People
from ctm_analytics.simulation.period import DAY, HOUR, MINUTE, Period
from ctm_analytics.simulation.records import Chance, Contact, Event, Sale
from ctm_analytics.simulation.thread import Thread

# How many of a day's people arrive in each hour, from midnight.
_ARRIVALS_BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 12, 14, 12, 10, 10, 11, 13, 15, 17, 18, 15, 9, 5)
_ARRIVALS_BY_WEEKDAY = (1.0, 0.95, 0.95, 1.0, 1.0, 1.15, 1.2)

_ANOTHER_CLICK_SHARE = 0.13
_CLICK_AGAIN_SHARE = 0.02
_LATER_QUESTION_SHARE = 0.06


@dataclass(frozen=True)
class World:
    """Everything that happened in the period, each thing once.

    Attributes
    ----------
    seed : int
    scale : float, of arrivals and spend; 1 is some 3,500 conversations
    period : Period
    events : list of Event, by instant
    sales : list of Sale, by instant
    address_book : list of (Contact, str), what contacts.csv says: a contact and an e-mail address
    chances : list of Chance, one per conversation that an ad opened and in which the person wrote
    """

    seed: int
    scale: float
    period: Period
    events: list[Event] = field(repr=False)
    sales: list[Sale] = field(repr=False)
    address_book: list[tuple[Contact, str]] = field(repr=False)
    chances: list[Chance] = field(repr=False)


def simulate(seed: int, until: date, scale: float = 1.0) -> World:
    """Play thirty days that end with ``until``.

    Parameters
    ----------
    seed : int; with the weekday of ``until`` it decides everything but the instants themselves
    until : date, the last day
    scale : float, > 0, of arrivals and spend
    """
    days = _Days(Random(f"{seed}:world"), Period.ending(until), scale)
    days.play()
    till = days.till
    events = sorted((event for thread in days.threads for event in thread.events), key=lambda event: event.at)
    return World(seed, scale, days.period, events, till.sales(), till.address_book, till.chances)


class _Days:
    def __init__(self, random: Random, period: Period, scale: float) -> None:
        self.random = random
        self.period = period
        self.scale = scale
        self.people = People(random)
        self.till = Till(random, period)
        self.threads: list[Thread] = []

    def play(self) -> None:
        for day in range(PERIOD_DAYS):
            for ad in ADS:
                if ad.runs_on(day):
                    for at in self._arrivals(day, ad.clicks_per_day):
                        self._follow_ads(ad, at)
            for platform, per_day in ORGANIC_PER_DAY.items():
                for at in self._arrivals(day, per_day):
                    self._ask_without_ad(platform, at)
            for platform, per_day in LINK_PER_DAY.items():
                for at in self._arrivals(day, per_day):
                    self._follow_link(platform, at)
            for at in self._arrivals(day, WALK_IN_SALES_PER_DAY):
                self.till.walk_in(at, self.people.meet(WHATSAPP), self._links_of_many())

    def _follow_ads(self, first_ad: Ad, first_at: int) -> None:
        platform = self.random.choices(list(first_ad.platforms), list(first_ad.platforms.values()))[0]
        thread = self._thread(platform)
        clicks = [(first_ad, first_at)]
        while self.random.random() < _ANOTHER_CLICK_SHARE:
            at = clicks[-1][1] + self.random.randrange(5 * HOUR, 6 * DAY)
            ad = self._another_ad(platform, at)
            if ad is not None:
                clicks.append((ad, at))
        for ad, at in clicks:
            if at >= self.period.end:
                break
            asked_at = thread.open_from_ad(ad, at)
            if self.random.random() < _CLICK_AGAIN_SHARE:
                thread.click_again(ad, at + self.random.randrange(5 * MINUTE, 25 * MINUTE))
            if asked_at is None:
                continue
            answered_at = thread.talk(asked_at)
            if (ad, at) == clicks[-1]:
                self.till.decide(thread, ad, at, None if answered_at is None else answered_at - asked_at)
            else:
                self.till.leave_to_a_later_click(thread.contact, ad, at)
        self._ask_later(thread)

    def _another_ad(self, platform: str, at: int) -> Ad | None:
        day = self.period.day_index(at)
        running = [ad for ad in ADS if ad.runs_on(day) and platform in ad.platforms and ad.clicks_per_day]
        if not running:
            return None
        return self.random.choices(running, [ad.clicks_per_day * ad.platforms[platform] for ad in running])[0]

    def _ask_without_ad(self, platform: str, at: int) -> None:
        thread = self._thread(platform)
        answered_at = thread.talk(thread.write(at))
        self.till.decide_without_ad(thread, at, is_answered=answered_at is not None)
        self._ask_later(thread)

    def _follow_link(self, platform: str, at: int) -> None:
        thread = self._thread(platform)
        asked_at = thread.open_from_link(self.random.choice(SHARED_REFS[platform]), at)
        if asked_at is not None:
            answered_at = thread.talk(asked_at)
            self.till.decide_without_ad(thread, at, is_answered=answered_at is not None)

    def _ask_later(self, thread: Thread) -> None:
        if thread.events and self.random.random() < _LATER_QUESTION_SHARE:
            last_at = max(event.at for event in thread.events)
            thread.talk(thread.write(last_at + self.random.randrange(2 * DAY, 14 * DAY)))

    def _thread(self, platform: str) -> Thread:
        thread = Thread(self.people.meet(platform), self.random, self.period)
        self.threads.append(thread)
        return thread

    def _links_of_many(self) -> list[str]:
        """Shared refs that at least two contacts have used."""
        users: dict[str, set[Contact]] = {}
        for thread in self.threads:
            for event in thread.events:
                if event.ref is not None and event.ad_id is None:
                    users.setdefault(event.ref, set()).add(event.contact)
        return sorted(ref for ref, contacts in users.items() if len(contacts) > 1)

    def _arrivals(self, day: int, per_day: float) -> list[int]:
        """Instants of a Poisson process with the day's curve."""
        midnight = self.period.start + day * DAY
        mean = per_day * self.scale * _ARRIVALS_BY_WEEKDAY[self.period.weekday(midnight)]
        arrivals: list[int] = []
        if mean == 0:
            return arrivals
        waited = self.random.expovariate(mean)
        while waited < 1:
            hour = self.random.choices(range(24), _ARRIVALS_BY_HOUR)[0]
            arrivals.append(midnight + hour * HOUR + self.random.randrange(HOUR))
            waited += self.random.expovariate(mean)
        return arrivals
