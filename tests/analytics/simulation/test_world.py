import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from ctm_analytics.simulation.business import ADS, PERIOD_DAYS
from ctm_analytics.simulation.people import People, hides_phone
from ctm_analytics.simulation.period import DAY, Period
from ctm_analytics.simulation.records import ACTIVITY
from ctm_analytics.simulation.world import World, simulate

UNTIL = date(2026, 11, 15)

DIGEST_OF_ALL_OUTPUT = """
import hashlib, sys
from datetime import date
from pathlib import Path
from random import Random
from ctm_analytics.simulation.deliveries import deliveries_of
from ctm_analytics.simulation.exports import write_exports
from ctm_analytics.simulation.truth import write_truth
from ctm_analytics.simulation.world import simulate

world = simulate(seed=5, until=date(2026, 11, 15), scale=0.1)
folder = Path(sys.argv[1])
write_exports(world, folder)
write_truth(world, folder / "truth.json")
digest = hashlib.sha256(b"".join(deliveries_of(world)))
for file in sorted(folder.iterdir()):
    digest.update(file.read_bytes())
print(digest.hexdigest())
"""


def digest_in_a_new_process(folder: Path, hash_seed: str) -> str:
    folder.mkdir()
    script = [sys.executable, "-c", DIGEST_OF_ALL_OUTPUT, str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(script, env=environment, capture_output=True, text=True, check=True).stdout


def test_one_seed_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    first = digest_in_a_new_process(tmp_path / "first", "1")
    assert first == digest_in_a_new_process(tmp_path / "second", "2")
    assert len(first.strip()) == hashlib.sha256().digest_size * 2


def test_another_seed_gives_another_world(small_shop: World) -> None:
    assert simulate(seed=4, until=UNTIL, scale=0.1).events != small_shop.events


@pytest.mark.parametrize("weeks", [1, -60])
def test_moving_the_period_by_weeks_moves_the_instants_and_nothing_else(
    small_shop: World, weeks: int
) -> None:
    moved = simulate(seed=3, until=UNTIL + timedelta(weeks=weeks), scale=0.1)
    shift = weeks * 7 * DAY
    assert moved.events == [event._replace(at=event.at + shift) for event in small_shop.events]
    assert moved.sales == [sale._replace(sold_at=sale.sold_at + shift) for sale in small_shop.sales]
    assert moved.chances == [
        chance._replace(touched_at=chance.touched_at + shift) for chance in small_shop.chances
    ]
    assert moved.address_book == small_shop.address_book


def test_nothing_happens_outside_the_period(shop: World) -> None:
    instants = [event.at for event in shop.events] + [sale.sold_at for sale in shop.sales]
    assert shop.period.start <= min(instants)
    assert max(instants) < shop.period.end


def test_a_period_is_thirty_days_of_the_shops_clock() -> None:
    period = Period.ending(date(2026, 11, 15))
    assert period.since == date(2026, 10, 17)
    assert period.local_time(period.start).isoformat() == "2026-10-17T00:00:00+02:00"
    assert period.local_time(period.end).isoformat() == "2026-11-16T00:00:00+02:00"
    assert period.weekday(period.end - 1) == 6


def test_an_ad_is_clicked_only_while_it_runs(shop: World) -> None:
    ads = {ad.ad_id: ad for ad in ADS}
    for event in shop.events:
        if event.ad_id is not None:
            # A second click on the same ad may come minutes after midnight.
            days = {shop.period.day_index(event.at), shop.period.day_index(event.at - DAY // 48)}
            assert any(ads[event.ad_id].runs_on(day) for day in days)


def test_the_shop_has_everything_that_a_real_one_has(shop: World) -> None:
    """Each line is a case that the analysis has to get right; without it the demo would prove less."""
    platforms_by_ad: dict[str, set[str]] = {}
    for event in shop.events:
        if event.ad_id is not None:
            platforms_by_ad.setdefault(event.ad_id, set()).add(event.contact.platform)
    assert {"messenger", "instagram", "whatsapp"} in platforms_by_ad.values()
    assert any(ad.ad_id not in platforms_by_ad and ad.spend_per_day_cents for ad in ADS)
    assert any(ad.ad_id in platforms_by_ad and not ad.spend_per_day_cents for ad in ADS)
    assert any(ad.first_day == PERIOD_DAYS - 7 and ad.ad_id in platforms_by_ad for ad in ADS)
    assert any(hides_phone(event.contact) for event in shop.events)
    assert {event.responder for event in shop.events} == {None, "human", "bot", "unknown"}
    kinds = Counter(event.event_type for event in shop.events)
    assert {*ACTIVITY, "read", "delivery", "reaction", "edit", "deletion", "status"} == set(kinds)
    assert 20_000 < len(shop.events) < 40_000
    assert {sale.evidence for sale in shop.sales} == {
        "contact_id", "identity", "phone", "ref", "ad_id", "ambiguous", "unmatched",
    }  # fmt: skip
    assert any(sale.is_cancelled for sale in shop.sales)
    assert any(sale.refunded_cents == sale.gross_cents for sale in shop.sales)
    assert any(0 < sale.refunded_cents < sale.gross_cents for sale in shop.sales)
    assert max(Counter(sale.customer for sale in shop.sales).values()) > 1


def test_however_small_the_shop_somebody_hides_their_phone() -> None:
    assert hides_phone(People(Random(1)).meet("whatsapp"))
