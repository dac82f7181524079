"""The whole way: signed deliveries over HTTP, imports, models, against what the simulation knows to be true.

The truth is written by the generator from its own records (ctm_analytics/simulation/truth.py): it has never seen
the SQL, the Parquet or the CSV files.
"""

import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import ctm_analytics as ctm
from ctm_analytics.simulation.demo import run_demo
from ctm_analytics.simulation.truth import as_json, truth_of
from ctm_analytics.simulation.world import simulate
from ctm_analytics.statistics.intervals import wilson_interval

UNTIL = date(2026, 11, 15)
MODELS = ("last_touch", "first_touch", "linear")


class Demo(NamedTuple):
    workbench: ctm.Workbench
    truth: dict[str, Any]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    data: Path = tmp_path_factory.mktemp("demo") / "data"
    result = run_demo(data, until=UNTIL, seed=11, scale=0.5, progress=lambda _: None)
    return Demo(ctm.open(data, environ={}), json.loads(result.truth.read_text(encoding="utf-8")))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_conversations_are_those_that_happened(demo: Demo) -> None:
    columns = (
        *("platform", "account_id", "contact_id", "opened_at", "opened_by", "ad_id", "engaged", "answered"),
        *("first_response_seconds", "first_human_response_seconds", "messages_in", "messages_out"),
    )
    happened = [{**row, "opened_at": instant(row["opened_at"])} for row in demo.truth["conversations"]]
    found = demo.workbench.conversations().table.to_pylist()
    assert len(found) > 1000
    assert Counter(tuple(row[name] for name in columns) for row in found) == Counter(
        tuple(row[name] for name in columns) for row in happened
    )


def test_touches_are_those_that_happened(demo: Demo) -> None:
    query = """
        select platform, account_id, contact_id, ad_id, touched_at
        from touches join contacts using (contact_key) where touch_type = 'ad'
    """
    found = [tuple(row.values()) for row in demo.workbench.sql(query).table.to_pylist()]
    happened = [
        (row["platform"], row["account_id"], row["contact_id"], row["ad_id"], instant(row["touched_at"]))
        for row in demo.truth["touches"]
    ]
    assert Counter(found) == Counter(happened)


def test_each_sale_is_matched_by_its_best_evidence(demo: Demo) -> None:
    found = demo.workbench.sql("select sale_id, matched_by from sale_matches").table.to_pylist()
    assert {row["sale_id"]: row["matched_by"] for row in found} == {
        row["sale_id"]: row["matched_by"] for row in demo.truth["sales"]
    }


@pytest.mark.parametrize("model", MODELS)
def test_ads_are_credited_with_exactly_what_they_brought(demo: Demo, model: str) -> None:
    found = {row["ad_id"]: row for row in demo.workbench.ads(model=model).table.to_pylist()}
    assert set(found) == {ad["ad_id"] for ad in demo.truth["ads"]}
    for ad in demo.truth["ads"]:
        row, credit = found[ad["ad_id"]], ad["credits"][model]
        assert row["sales"] == pytest.approx(credit["sales"], abs=1e-6)
        assert row["new_customers"] == pytest.approx(credit["new_customers"], abs=1e-6)
        assert int(row["revenue"] * 100) == credit["revenue_cents"]
        if ad["ad_id"] is not None:
            assert row["conversions"] == credit["conversions"]
        for name in ("conversations", "opened_silently", "engaged", "answered"):
            assert row[name] == ad[name]
        assert int((row["spend"] or 0) * 100) == ad["spend_cents"]


@pytest.mark.parametrize("model", MODELS)
def test_ads_and_the_uncredited_together_make_all_sales(demo: Demo, model: str) -> None:
    rows = demo.workbench.ads(model=model).table.to_pylist()
    counted = [sale for sale in demo.truth["sales"] if sale["is_counted"]]
    assert sum(row["sales"] for row in rows) == pytest.approx(len(counted), abs=1e-6)
    assert int(sum(row["revenue"] for row in rows) * 100) == sum(sale["net_cents"] for sale in counted)


def test_the_interval_of_the_conversion_rate_covers_the_true_rate_as_often_as_it_says() -> None:
    covered = trials = 0
    for seed in range(24):
        for ad in as_json(truth_of(simulate(seed, UNTIL, 0.25)))["ads"]:
            rate, counts = ad["expected_conversion_rate"], ad["credits"]["last_touch"]
            interval = wilson_interval(counts["conversions"], ad["engaged"]) if ad["ad_id"] else None
            if interval is not None and ad["engaged"] >= 10:
                trials += 1
                covered += interval.low <= rate <= (interval.high or 1)
    # 95 % of some 250 intervals: fewer than 91 % or more than 99 % would happen once in a thousand times.
    assert trials > 200
    assert 0.91 <= covered / trials <= 0.99
