"""What the workbench answers after imports that overlap: the latest of a day and ad, whatever the order of the rest."""

from datetime import UTC, date, datetime
from itertools import permutations

import pytest

import ctm_analytics as ctm
from ctm_analytics.imports import undo_import

HEADER = "day,ad_id,spend,currency\n"
FIRST = HEADER + "2026-11-01,8,1.00,USD\n2026-11-02,8,2.00,USD\n2026-11-02,9,4.00,USD\n"
RESTATED = HEADER + "2026-11-02,8,2.50,USD\n2026-11-03,8,8.00,USD\n"
LAST = HEADER + "2026-11-01,8,1.00,USD\n2026-11-02,8,2.50,USD\n2026-11-02,9,4.00,USD\n2026-11-03,8,8.00,USD\n"


def spend_by_day(importer):
    later = datetime(2026, 12, 1, tzinfo=UTC)
    since, until = date(2026, 11, 1), date(2026, 11, 3)
    days = ctm.open(importer.data).ads(by="day", since=since, until=until, as_of=later).df
    return [(str(row.day)[:10], str(row.spend)) for row in days.itertuples()]


@pytest.fixture
def shops(importer):
    """Several importers, each with a data folder of its own."""

    def make(name):
        folder = importer.folder / name
        folder.mkdir()
        return type(importer)(folder)

    return make


def test_restating_equals_importing_only_the_last_version(shops):
    restated, last = shops("restated"), shops("last")
    restated.run("spend", FIRST)
    restated.run("spend", RESTATED, minutes=5)
    last.run("spend", LAST, minutes=5)
    expected = [("2026-11-01", "1.00"), ("2026-11-02", "6.50"), ("2026-11-03", "8.00")]
    assert spend_by_day(restated) == spend_by_day(last) == expected


def test_undoing_a_restatement_brings_back_what_it_replaced(shops):
    restated, first = shops("restated"), shops("first")
    restated.run("spend", FIRST)
    import_id = restated.run("spend", RESTATED, minutes=5).import_id
    undo_import("spend", import_id, restated.data)
    first.run("spend", FIRST)
    assert spend_by_day(restated) == spend_by_day(first)


def test_the_order_of_imports_of_different_days_does_not_matter(shops):
    files = [HEADER + f"2026-11-0{day},8,{day}.00,USD\n" for day in (1, 2, 3)]
    answers = set()
    for place, order in enumerate(permutations(files)):
        shop = shops(str(place))
        for minutes, content in enumerate(order):
            shop.run("spend", content, minutes=minutes)
        answers.add(tuple(spend_by_day(shop)))
    assert answers == {(("2026-11-01", "1.00"), ("2026-11-02", "2.00"), ("2026-11-03", "3.00"))}
