"""The ledger in time: an answer as of an instant is the one that was given then, whatever was imported since."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import ctm_analytics as ctm
from ctm_analytics.imports import undo_import

from .conftest import IMPORTED_AT, Importer

SPEND = "day,ad_id,spend,currency\n2026-11-01,8,{},EUR\n2026-11-02,8,2.00,EUR\n"
SALES = "sale_id,sold_at,gross_amount,currency,ad_id,refunded_amount\nA,2026-11-02T10:00:00Z,{},USD,8,{}\n"
RATES = "day,currency,rate\n2026-11-01,EUR,{}\n2026-11-02,EUR,1.10\n"
STEPS = [
    ("rates", RATES.format("1.10")),
    ("spend", SPEND.format("1.00")),
    ("sales", SALES.format("20.00", "0.00")),
    ("spend", SPEND.format("1.50")),
    ("sales", SALES.format("20.00", "5.00")),
    ("rates", RATES.format("1.20")),
]


@pytest.fixture
def shop(importer: Importer) -> Importer:
    importer.data.mkdir()
    (importer.data / "ctm.toml").write_text('reporting_currency = "USD"\n')
    return importer


def answers(shop: Importer, minutes: int) -> list[list[dict[str, Any]]]:
    """Everything that can be asked about money, as of so many minutes after the first import."""
    workbench = ctm.open(shop.data, as_of=IMPORTED_AT + timedelta(minutes=minutes), environ={})
    questions = [workbench.ads(), workbench.ads(by="day"), workbench.quality(), workbench.quality(by="ad")]
    return [question.table.to_pylist() for question in questions]


def test_an_answer_as_of_an_instant_is_the_one_that_was_given_then(shop: Importer) -> None:
    given = {}
    for minutes, (kind, content) in enumerate(STEPS):
        shop.run(kind, content, minutes=minutes)
        if minutes >= 1:
            given[minutes] = answers(shop, minutes)
    assert {minutes: answers(shop, minutes) for minutes in given} == given
    spend = {minutes: str(ads[0]["spend"]) for minutes, (ads, *_) in given.items()}
    # (1.00 + 2.00) EUR at 1.10; restated to 1.50; and 1.50 at the corrected 1.20.
    assert spend == {1: "3.30", 2: "3.30", 3: "3.85", 4: "3.85", 5: "4.00"}
    assert [str(given[minutes][0][0]["revenue"]) for minutes in (2, 4)] == ["20.00", "15.00"]


def test_the_same_file_twice_changes_no_answer(shop: Importer) -> None:
    for minutes, (kind, content) in enumerate(STEPS):
        shop.run(kind, content, minutes=minutes)
    before = answers(shop, 30)
    for kind, content in STEPS[3:]:
        assert shop.run(kind, content, minutes=20).already_imported_at is not None
    assert answers(shop, 30) == before


def test_a_restatement_that_is_undone_never_was(shop: Importer) -> None:
    for minutes, (kind, content) in enumerate(STEPS[:3]):
        shop.run(kind, content, minutes=minutes)
    before = answers(shop, 30)
    undone = shop.run("spend", SPEND.format("9.00"), minutes=5)
    assert answers(shop, 30) != before
    undo_import("spend", undone.import_id, shop.data)
    assert answers(shop, 30) == before


def test_the_quality_of_an_ad_tells_from_what_to_what_its_spend_was_restated_and_when(shop: Importer) -> None:
    for minutes, (kind, content) in enumerate(STEPS):
        shop.run(kind, content, minutes=minutes)
    workbench = ctm.open(shop.data, as_of=datetime(2026, 12, 1, tzinfo=UTC), environ={})
    (row,) = workbench.quality(by="ad", since=date(2026, 11, 1), until=date(2026, 11, 1)).table.to_pylist()
    told = (str(row["first_spend"]), str(row["spend"]), row["restated_days"], row["restated_at"])
    assert told == ("1.20", "1.80", 1, IMPORTED_AT + timedelta(minutes=3))
