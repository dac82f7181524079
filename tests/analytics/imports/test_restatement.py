"""What the workbench answers after imports that overlap: the latest of a day and ad, whatever the order of the rest."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

import ctm_analytics as ctm
from ctm_analytics.imports import undo_import
from ctm_analytics.imports.erasing import ErasedContact, erase_contact

from .conftest import IMPORTED_AT

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


def test_a_file_that_a_later_one_replaced_counts_again_when_it_is_imported_again(importer):
    first = importer.run("spend", FIRST)
    importer.run("spend", RESTATED, minutes=5)
    again = importer.run("spend", FIRST, minutes=9)
    assert spend_by_day(importer) == [("2026-11-01", "1.00"), ("2026-11-02", "6.00"), ("2026-11-03", "8.00")]
    assert (again.already_imported_at, again.rows_imported) == (None, first.rows_imported)
    assert str(again).splitlines()[-1] == (
        f"  import    {again.import_id}: later imports have replaced 1 row of this file, which counts again now."
        f" Not meant? ctm import spend --undo {again.import_id}"
    )


def test_once_it_counts_again_a_third_time_changes_nothing(importer):
    importer.run("spend", FIRST)
    importer.run("spend", RESTATED, minutes=5)
    again = importer.run("spend", FIRST, minutes=9)
    files = importer.files("spend")
    third = importer.run("spend", FIRST, minutes=12)
    assert (third.import_id, third.already_imported_at) == (
        again.import_id,
        IMPORTED_AT + timedelta(minutes=9),
    )
    assert importer.files("spend") == files


def test_undoing_what_counts_again_lets_the_later_file_count(importer):
    importer.run("spend", FIRST)
    importer.run("spend", RESTATED, minutes=5)
    before = spend_by_day(importer)
    undo_import("spend", importer.run("spend", FIRST, minutes=9).import_id, importer.data)
    assert spend_by_day(importer) == before


def test_a_dry_run_says_that_a_file_would_count_again_and_writes_nothing(importer):
    importer.run("spend", FIRST)
    importer.run("spend", RESTATED, minutes=5)
    files = importer.files("spend")
    assert str(importer.run("spend", FIRST, minutes=9, dry_run=True)).endswith(
        "dry run: nothing written; later imports have replaced 1 row of this file, which would count again"
    )
    assert importer.files("spend") == files


def test_a_file_of_which_later_ones_say_the_same_is_already_imported(importer):
    first = importer.run("spend", FIRST)
    importer.run("spend", LAST.replace("8,2.50", "8,2.00"), minutes=5)
    files = importer.files("spend")
    again = importer.run("spend", FIRST, minutes=9)
    assert (again.import_id, again.already_imported_at) == (first.import_id, IMPORTED_AT)
    assert importer.files("spend") == files


def test_a_file_of_other_days_replaces_nothing(importer):
    importer.run("spend", FIRST)
    importer.run("spend", HEADER + "2026-11-05,8,8.00,USD\n", minutes=5)
    assert importer.run("spend", FIRST, minutes=9).already_imported_at == IMPORTED_AT


def test_in_the_same_second_the_first_import_stays_beside_the_one_that_counts_again(importer):
    first = importer.run("spend", FIRST)
    importer.run("spend", RESTATED, minutes=0.001)
    again = importer.run("spend", FIRST, minutes=0.002)
    assert again.import_id == f"{first.import_id}-2"
    assert len(importer.files("spend")) == 6


@pytest.mark.parametrize(
    ("kind", "first", "other"),
    [
        ("sales", "sale_id,sold_at,gross_amount,currency\nA,2026-11-01T10:00Z,{},USD\n", ("5.00", "7.00")),
        ("rates", "day,currency,rate\n2026-11-01,EUR,{}\n", ("1.10", "1.20")),
        ("contacts", "contact_id,customer_id\n24,{}\n", ("c-1", "c-2")),
        ("contacts", "contact_id,customer_id\n24,{}\n", ("c-1", "c-1\n24,c-2")),
        ("contacts", "contact_id,customer_id\n24,{}\n", ("c-1\n24,c-2", "c-1")),
    ],
)
def test_sales_rates_and_contacts_count_again_too(importer, kind, first, other):
    files = [first.format(value) for value in other]
    for minutes, content in enumerate([*files, files[0]]):
        importer.run(kind, content, minutes=minutes)
    once = type(importer)(importer.folder / "once")
    once.folder.mkdir()
    once.run(kind, files[0], minutes=2)
    expected = once.rows(kind)
    assert [
        row for row in importer.rows(kind) if row["imported_at"] == expected[0]["imported_at"]
    ] == expected


def test_who_was_erased_from_a_file_does_not_come_back_when_it_counts_again(importer):
    sales = "sale_id,sold_at,gross_amount,currency,contact_id\nA,2026-11-01T10:00Z,5.00,USD,24\n"
    importer.run("sales", sales)
    importer.run("sales", sales.replace("5.00", "7.00"), minutes=5)
    erase_contact(importer.data, ErasedContact(frozenset(["24"])), frozenset())
    assert importer.run("sales", sales, minutes=9).counted_again == 1
    assert importer.column("sales", "contact_id") == [None, None, None]


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
