"""Writes a year of an invented business into a data folder, fast: millions of events, with sales and spend beside them.

Only the HTTP and the journal are left out. Each day's rows are sorted, cut into row groups and written by the code and
the limits of the receiver's compaction, and the CSV files go through the importer, so what lies on disk is what a
receiver and `ctm import` leave behind. The same size and seed give the same rows. With `--days 366` a folder that has
365 gets the day that is missing, and only that.

    python benchmarks/generation.py FOLDER [--millions 2] [--days 365] [--seed 1]
"""

import argparse
import math
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv
from drawn_year import (
    ADS,
    DAYS,
    FIRST_DAY,
    WHATSAPP,
    Events,
    Sales,
    account_of,
    draw_days,
    hides_number,
    platform_of,
)
from event_rows import PLATFORMS, account_id, ad_id, contact_id, event_rows

from ctm_analytics.imports import import_contacts, import_sales, import_spend
from ctm_analytics.settings import Settings
from receiver.store.folder import DataFolder, sha256_of, sync_folder
from receiver.store.heartbeat import write_heartbeat
from receiver.store.manifest import (
    Manifest,
    SettledFile,
    current_manifest,
    prepare_events,
    prepare_generation,
    write_manifest,
)
from receiver.store.merging import FILE_ROWS, SLOT_ROWS, SORT_KEYS
from receiver.store.parquet import write_events

IMPORTED_AT = datetime(2026, 1, 2, tzinfo=UTC)
SETTINGS = Settings()


def generate(data: Path, events: int, days: int, seed: int) -> int:
    """Write the days that the folder does not have yet; how many events that were."""
    folder = DataFolder(data)
    folder.create()
    prepare_events(folder)
    first_missing = len({entry.day for entry in current_manifest(folder).settled})
    sales: list[Sales] = []
    new: list[SettledFile] = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as workers:
        for each in _in_turn(
            workers, folder, _missing(draw_days(events, days, seed), first_missing, sales), seed
        ):
            new.extend(each)
    _commit(folder, new)
    start = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
    write_heartbeat(folder, "20250101T000000-generated", start, start + timedelta(days=days))
    _import(data, sales[first_missing:], first_missing, days, seed)
    return sum(file.rows for file in new)


def _missing(
    drawn: Iterable[tuple[Events, Sales]], first_missing: int, sales: list[Sales]
) -> Iterator[tuple[int, Events]]:
    """Yield the events of the missing days, and put aside the sales of all."""
    for day, (events, sold) in enumerate(drawn):
        sales.append(sold)
        if day >= first_missing:
            yield day, events


def _in_turn(
    workers: ProcessPoolExecutor, folder: DataFolder, drawn: Iterator[tuple[int, Events]], seed: int
) -> Iterator[list[SettledFile]]:
    """Let processes write days, a few ahead of the one that is waited for."""
    ahead: deque[Future[list[SettledFile]]] = deque()
    for day, events in drawn:
        ahead.append(workers.submit(settle_day, folder, day, events, seed))
        if len(ahead) > 4:
            yield ahead.popleft().result()
    yield from (each.result() for each in ahead)


def settle_day(folder: DataFolder, day: int, events: Events, seed: int) -> list[SettledFile]:
    """Write a day's events as compaction would: sorted by contact, in row groups by the key's highest bits.

    To compact such a file again gives the same bytes: ``tests/test_generation.py`` does so.
    """
    rows = event_rows(events, np.random.default_rng([seed, day, 1])).sort_by(SORT_KEYS)
    generation = current_manifest(folder).live[0]
    name = f"day={FIRST_DAY + timedelta(days=day)}"
    place = folder.events / "settled" / name
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    settled: list[SettledFile] = []
    groups = _row_groups(rows)
    while groups:
        size = 0
        chosen: list[pa.Table] = []
        while groups and size < FILE_ROWS:
            chosen.append(groups.pop(0))
            size += len(chosen[-1])
        temporary = folder.staging / f"{name}-{len(settled)}.parquet.tmp"
        write_events(temporary, rows.schema, chosen)
        path = temporary.rename(place / f"g{generation:06}-{len(settled)}.parquet")
        settled.append(SettledFile(str(path.relative_to(folder.events)), size, sha256_of(path), generation))
    sync_folder(place)
    return settled


def _row_groups(rows: pa.Table) -> list[pa.Table]:
    bits = math.ceil(math.log2(max(1, len(rows) / SLOT_ROWS)))
    keys = rows.column("contact_key").to_numpy()
    parts = np.arange(-(1 << bits) >> 1, (1 << bits) >> 1)[1:] if bits else np.array([], np.int64)
    edges = [0, *np.searchsorted(keys, parts << (64 - bits)), len(rows)] if bits else [0, len(rows)]
    return [rows.slice(start, end - start) for start, end in pairwise(edges) if end > start]


def _commit(folder: DataFolder, new: list[SettledFile]) -> None:
    """Let readers see the new files, in one step."""
    manifest = current_manifest(folder)
    _, following = manifest.live
    prepare_generation(folder, following + 1)
    settled = tuple(sorted((*manifest.settled, *new)))
    write_manifest(folder, Manifest(settled, (following, following + 1)))


def _import(data: Path, sales: list[Sales], first_missing: int, days: int, seed: int) -> None:
    """Import what was sold and spent since the first missing day, and who the customers are."""
    words = {"settings": SETTINGS, "imported_at": IMPORTED_AT + timedelta(days=days - DAYS)}
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "file.csv"
        orders, customers = _orders(sales, first_missing, np.random.default_rng([seed, first_missing, 2]))
        for importing, rows in (
            (import_sales, orders),
            (import_contacts, customers),
            (import_spend, _spend(first_missing, days, seed)),
        ):
            pc_csv.write_csv(rows, file)
            importing(file, data, **words)


def _orders(sold: list[Sales], first_day: int, dice: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Give the orders, and the contacts file that says whose e-mail is whose.

    Of ten orders six name the contact, one an e-mail of the contacts file, one WhatsApp's phone number, one the ad,
    and one nothing that leads to anybody.
    """
    contact, sold_at, ad, cents = (
        np.concatenate([getattr(each, column) for each in sold])
        for column in ("contact", "sold_at", "ad", "cents")
    )
    count = len(contact)
    platform = platform_of(contact)
    person = contact_id(contact, platform, hides_number(contact, sold_at))
    account = account_id(platform, account_of(contact))
    tenth = dice.integers(0, 10, count)
    names_contact, names_email = pa.array(tenth < 6), pa.array(tenth == 6)
    names_phone = pa.array((tenth == 7) & (platform == WHATSAPP))
    number = pc.cast(pa.array(contact), pa.string())
    email = pc.binary_join_element_wise("customer", number, "@example.com", "")
    phone = pc.binary_join_element_wise("+", contact_id(contact, platform, np.zeros(count, bool)), "")
    instants = pc.strftime(pa.array(sold_at // 1_000_000, pa.timestamp("s")), "%Y-%m-%dT%H:%M:%SZ")
    names = pa.array(PLATFORMS).take(pa.array(platform))
    none = pa.scalar(None, pa.string())
    orders = {
        "sale_id": pc.binary_join_element_wise(
            f"{first_day}-", pc.cast(pa.array(np.arange(count)), pa.string()), ""
        ),
        "sold_at": instants,
        "gross_amount": _amounts(cents),
        "currency": pa.array(["USD"]).take(pa.array(np.zeros(count, np.int64))),
        "customer_id": pc.binary_join_element_wise("c", number, ""),
        "platform": pc.if_else(names_contact, names, none),
        "account_id": pc.if_else(names_contact, account, none),
        "contact_id": pc.if_else(names_contact, person, none),
        "email": pc.if_else(names_email, email, none),
        "phone": pc.if_else(names_phone, phone, none),
        "ad_id": pc.if_else(pa.array(tenth == 8), ad_id(ad), none),
    }
    customers = {"contact_id": person, "platform": names, "account_id": account, "email": email}
    return pa.table(orders), pa.table(customers).filter(names_email)


def _spend(first_day: int, days: int, seed: int) -> pa.Table:
    """Give a row per ad and day."""
    ads = np.tile(np.arange(ADS), days - first_day)
    dice = np.random.default_rng([seed, first_day, 3])
    cents = (dice.gamma(2.0, 900.0, len(ads)) * (1.5 - ads / ADS)).astype(np.int64)
    since = np.repeat(np.arange(first_day, days), ADS)
    dates = np.datetime64(FIRST_DAY) + since
    numbered = {
        "ad_name": pc.cast(pa.array(ads), pa.string()),
        "adset_id": pc.cast(pa.array(ads // 8), pa.string()),
        "campaign_id": pc.cast(pa.array(ads // 80), pa.string()),
    }
    return pa.table(
        {
            "day": pa.array(dates),
            "ad_id": ad_id(ads),
            "spend": _amounts(cents),
            "currency": pa.array(["USD"]).take(pa.array(np.zeros(len(ads), np.int64))),
            "ad_name": pc.binary_join_element_wise("Ad ", numbered["ad_name"], ""),
            "adset_id": pc.binary_join_element_wise("7", numbered["adset_id"], ""),
            "adset_name": pc.binary_join_element_wise("Set ", numbered["adset_id"], ""),
            "campaign_id": pc.binary_join_element_wise("8", numbered["campaign_id"], ""),
            "campaign_name": pc.binary_join_element_wise("Campaign ", numbered["campaign_id"], ""),
            "impressions": pa.array(cents // 2),
            "link_clicks": pa.array(cents // 90),
        }
    )


def _amounts(cents: np.ndarray) -> pa.Array:
    whole, rest = (pc.cast(pa.array(part), pa.string()) for part in (cents // 100, cents % 100))
    return pc.binary_join_element_wise(whole, pc.utf8_lpad(rest, 2, "0"), ".")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--millions", type=float, default=2.0)
    arguments.add_argument("--days", type=int, default=DAYS)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    started, cpu = time.perf_counter(), time.process_time()
    written = generate(chosen.folder, round(chosen.millions * 1e6), chosen.days, chosen.seed)
    size = sum(path.stat().st_size for path in chosen.folder.rglob("*.parquet"))
    print(
        f"{written:,} events, {size / 1e6:,.0f} MB in {chosen.folder}:"
        f" {time.perf_counter() - started:.0f} s, {time.process_time() - cpu:.0f} CPU s"
    )


if __name__ == "__main__":
    main()
