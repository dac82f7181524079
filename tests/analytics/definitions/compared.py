"""The same business twice: on disk for the workbench, in loops for the definitions; and what differs between them."""

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, Phase, settings
from worlds import World

import ctm_analytics as ctm
from ctm_analytics.errors import NoData

from .answers import Period, Reading
from .facts import Row, facts_known
from .worlds import Business

NewWorld = Callable[[str], World]
NUMBERS: Iterator[int] = itertools.count()


def examples(count: int) -> settings:
    # new_world gives every example a folder of its own; shrinking one of a second each would take minutes.
    phases = [Phase.explicit, Phase.generate]
    return settings(max_examples=count, phases=phases, suppress_health_check=list(HealthCheck))


# --- the same business, on disk and in loops ---


def built(new_world: NewWorld, business: Business) -> World:
    world = new_world(f"world-{next(NUMBERS)}")
    rows = {kind: [dict(row) for row in business.rows[kind]] for kind in business.rows}
    for row in rows["events"]:
        world.event(row.pop("contact"), row.pop("occurred_at"), row.pop("event_type"), **row)
    for row in rows["sales"]:
        world.sale(row.pop("sale_id"), row.pop("sold_at"), str(row.pop("gross_amount")), **row)
    for row in rows["spend"]:
        world.spend(row.pop("day"), row.pop("ad_id"), str(row.pop("spend")), **row)
    for row in rows["contacts"]:
        world.contact(row.pop("contact_id"), **row)
    for row in rows["heartbeats"]:
        world.uptime(**row)
    for row in rows["rates"]:
        world.rate(row.pop("day"), row.pop("currency"), str(row.pop("rate")), **row)
    return world


def opened(world: World, business: Business) -> ctm.Workbench:
    return world.open(settings=business.rules.toml(), as_of=business.as_of.replace(tzinfo=UTC))


def read_twice(new_world: NewWorld, business: Business) -> tuple[ctm.Workbench, Reading]:
    world = built(new_world, business)
    facts = facts_known(world._rows, business.as_of, business.rules)
    return opened(world, business), Reading(facts, business.rules)


# --- rows as plain Python, and what differs between two tables ---


def relations(workbench: ctm.Workbench, *names: str) -> list[list[Row]]:
    """Whole relations in one query, instants as naive UTC."""
    query = " union all ".join(
        f"select '{name}' as relation, cast(to_json({name}) as varchar) as content from {name}"
        for name in names
    )
    found: dict[str, list[Row]] = {name: [] for name in names}
    for relation, content in workbench.sql(query).df.itertuples(index=False):
        found[relation].append({name: _instant(name, value) for name, value in json.loads(content).items()})
    return list(found.values())


def _instant(column: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if value is not None and column.endswith("_at") else value


def answer(ask: Callable[..., Any], **filters: Any) -> list[Row]:
    """An answer's rows, null as None; no rows where there is no data."""
    try:
        frame = ask(**filters).df
    except NoData:
        return []
    return [
        {column: None if pd.isna(value) else _plain(column, value) for column, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _plain(column: str, value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.date() if column in ("day", "week") else value.to_pydatetime().replace(tzinfo=None)
    return value


def by(rows: Iterable[Row], *key: str) -> dict[Any, Row]:
    table = {}
    for row in rows:
        name = tuple(row[column] for column in key)
        assert name not in table, f"two rows for {name}"
        table[name] = row
    return table


def differences(expected: dict[Any, Row], got: dict[Any, Row]) -> list[str]:
    """Every key that only one table has, and every column of the product that differs."""
    found = [f"missing {key}: {expected[key]}" for key in expected.keys() - got.keys()]
    found += [f"too many {key}: {got[key]}" for key in got.keys() - expected.keys()]
    for key in expected.keys() & got.keys():
        found += [
            f"{column} of {key}: expected {value}, got {got[key][column]}"
            for column, value in expected[key].items()
            if column in got[key] and not is_same(value, got[key][column])
        ]
    return found


def is_same(expected: Any, got: Any) -> bool:
    if isinstance(expected, float) and got is not None:
        return math.isclose(expected, float(got), rel_tol=1e-9, abs_tol=1e-9)
    return bool(expected == got)


def periods(reading: Reading) -> list[Period]:
    """All days, and two spans that share their middle day, so that both ends are seen to be included."""
    days = sorted(
        {row["day"] for row in (*reading.conversations, *reading.facts.spend)}
        | {row["sale_day"] for row in reading.credits}
    )
    middle = days[len(days) // 2] if days else None
    return [Period(), Period(days[0], middle), Period(middle, days[-1])] if days else [Period()]
