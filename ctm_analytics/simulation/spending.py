"""What each ad costs on each day, as Ads Manager first says and as it says a week later."""

from collections import Counter
from random import Random
from typing import NamedTuple

from ctm_analytics.simulation.business import ADS, PERIOD_DAYS, Ad
from ctm_analytics.simulation.world import World

RESTATED_DAYS = 7


class SpendDay(NamedTuple):
    """One ad on one day.

    Attributes
    ----------
    day : int, 0-based day of the period
    ad : Ad
    spend_cents, impressions, reach, link_clicks, reported_conversations : int
    """

    day: int
    ad: Ad
    spend_cents: int
    impressions: int
    reach: int
    link_clicks: int
    reported_conversations: int


def spend_days(world: World) -> list[SpendDay]:
    """Return the final figures, one per ad and day on which the ad ran."""
    random = Random(f"{world.seed}:spend")
    wrote = Counter((chance.ad_id, world.period.day_index(chance.touched_at)) for chance in world.chances)
    return [
        _spend_day(random, world.scale, day, ad, wrote[ad.ad_id, day])
        for day in range(PERIOD_DAYS)
        for ad in ADS
        if ad.spend_per_day_cents and ad.runs_on(day)
    ]


def preliminary(world: World, final: list[SpendDay]) -> list[SpendDay]:
    """Return what the first export says: the last week is not yet complete in it."""
    random = Random(f"{world.seed}:preliminary spend")
    return [
        spend if spend.day < PERIOD_DAYS - RESTATED_DAYS else _not_yet_complete(random, spend)
        for spend in final
    ]


def _spend_day(random: Random, scale: float, day: int, ad: Ad, wrote: int) -> SpendDay:
    spend_cents = round(ad.spend_per_day_cents * scale * random.uniform(0.82, 1.12))
    impressions = round(spend_cents * random.uniform(1.1, 1.6))
    # Meta counts who wrote within its own window and misses a few: never quite what the receiver saw.
    reported = round(wrote * random.uniform(0.96, 1.1))
    return SpendDay(
        day=day,
        ad=ad,
        spend_cents=spend_cents,
        impressions=impressions,
        reach=round(impressions * random.uniform(0.75, 0.95)),
        link_clicks=round(impressions * random.uniform(0.004, 0.012))
        + round(wrote * random.uniform(1.3, 1.9)),
        reported_conversations=reported,
    )


def _not_yet_complete(random: Random, spend: SpendDay) -> SpendDay:
    share = random.uniform(0.9, 0.99)
    return spend._replace(
        spend_cents=round(spend.spend_cents * share),
        impressions=round(spend.impressions * share),
        reach=round(spend.reach * share),
        link_clicks=round(spend.link_clicks * share),
        reported_conversations=round(spend.reported_conversations * share),
    )
