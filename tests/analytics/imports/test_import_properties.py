"""Rules that hold for every file."""

import csv
import random
import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import example, given, settings
from hypothesis import strategies as some

from ctm_analytics.imports import import_sales, import_spend, undo_import
from ctm_analytics.settings import Settings
from ctm_analytics.workbench import open_workbench

IMPORTED_AT = datetime(2026, 11, 23, tzinfo=UTC)
cents = some.integers(0, 10**12)
days = some.integers(0, 60).map(lambda number: date(2026, 10, 1) + timedelta(days=number))
ads = some.sampled_from(["120226305854810123", "120226305854810124", "8"])
spend_rows = some.lists(some.tuples(days, ads, cents, some.integers(0, 10**9)), min_size=1, max_size=40)
notations = some.sampled_from(["{:.2f}", "{:,.2f}", "${:,.2f}", "comma"])


def written(amount_cents: int, notation: str) -> str:
    amount = Decimal(amount_cents) / 100
    if notation == "comma":
        return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
    return notation.format(amount)


def spend_file(rows: list[tuple[date, str, int, int]], notation: str) -> str:
    lines = [
        f'{day},{ad},"{written(amount, notation)}",USD,{place}'
        for place, (day, ad, amount, _) in enumerate(rows)
    ]
    return "\n".join(["day,ad_id,spend,currency,part", *lines])


def stored(folder: Path, kind: str) -> list[dict[str, object]]:
    return [
        row
        for path in (folder / "imports" / kind).glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]


def bring_in(folder: str, content: str, day: int = 0) -> None:
    file = Path(folder) / "spend.csv"
    file.write_text(content)
    import_spend(file, Path(folder), settings=Settings(), imported_at=IMPORTED_AT + timedelta(days=day))


def counted(folder: str) -> list[tuple[str, ...]]:
    """What the analysis takes for spend: of each day and ad the latest import."""
    spend = open_workbench(folder, as_of=IMPORTED_AT + timedelta(days=400)).sql("from spend").df
    return sorted(spend.astype(str).itertuples(index=False, name=None))


@settings(max_examples=60, deadline=None)
@given(spend_rows, notations)
def test_money_in_is_money_out_to_the_cent_however_it_is_written(rows, notation):
    with tempfile.TemporaryDirectory() as folder:
        bring_in(folder, spend_file(rows, notation))
        found = {(row["day"], row["ad_id"]): row["spend"] for row in stored(Path(folder), "spend")}
    expected: dict[tuple[date, str], Decimal] = {}
    for day, ad, amount, _ in rows:
        expected[day, ad] = expected.get((day, ad), Decimal(0)) + Decimal(amount) / 100
    assert found == expected


@settings(max_examples=40, deadline=None)
@given(spend_rows, some.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, shuffler: random.Random):
    def outcome(content: str) -> list[tuple[object, ...]]:
        with tempfile.TemporaryDirectory() as folder:
            bring_in(folder, content)
            return sorted((row["day"], row["ad_id"], row["spend"]) for row in stored(Path(folder), "spend"))

    header, *lines = spend_file(rows, "{:.2f}").splitlines()
    shuffled = shuffler.sample(lines, len(lines))
    assert outcome("\n".join([header, *lines])) == outcome("\n".join([header, *shuffled]))


@settings(max_examples=20, deadline=None)
@given(spend_rows)
def test_an_import_is_idempotent(rows):
    with tempfile.TemporaryDirectory() as folder:
        bring_in(folder, spend_file(rows, "{:.2f}"))
        once = stored(Path(folder), "spend")
        bring_in(folder, spend_file(rows, "{:.2f}"), day=1)
        assert stored(Path(folder), "spend") == once


@settings(max_examples=40, deadline=None)
@given(some.lists(some.tuples(cents, some.integers(0, 3)), min_size=1, max_size=20))
def test_every_row_read_is_imported_or_accounted_for(orders):
    lines = ["Name,Created at,Total,Currency"]
    for number, (amount, line_items) in enumerate(orders):
        lines.append(f"#{number},2026-11-01 10:00:00 +0000,{Decimal(amount) / 100:.2f},USD")
        lines += [f"#{number},,,"] * line_items
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "orders.csv"
        file.write_text("\n".join(lines))
        summary = import_sales(file, Path(folder), settings=Settings(), imported_at=IMPORTED_AT)
    assert (
        summary.rows_read
        == len(lines) - 1
        == summary.rows_imported + sum(count for count, _ in summary.left_out)
    )
    assert summary.total_amount == sum(Decimal(amount) / 100 for amount, _ in orders)


@settings(max_examples=20, deadline=None)
@given(some.lists(spend_rows, min_size=1, max_size=4), some.data())
def test_undoing_is_as_if_the_file_had_never_been_imported(files, data):
    contents = list(dict.fromkeys(spend_file(rows, "{:.2f}") for rows in files))
    undone = data.draw(some.sets(some.sampled_from(range(len(contents)))))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        for day, content in enumerate(contents):
            bring_in(folder, content, day)
            if day not in undone:
                bring_in(other, content, day)
        import_ids = sorted(path.stem for path in Path(folder).glob("imports/spend/*.parquet"))
        for day in undone:
            undo_import("spend", import_ids[day], Path(folder))
        kept, never = (
            {path.name: path.read_bytes() for path in Path(where).glob("imports/spend/*")}
            for where in (folder, other)
        )
    assert kept == never


@settings(max_examples=40, deadline=None)
@given(some.lists(some.tuples(days, ads, cents, some.booleans()), min_size=1, max_size=30))
def test_money_in_is_money_out_and_money_rejected(rows):
    lines = [
        f"{'2026-02-30' if is_bad else day},{ad},{Decimal(amount) / 100:.2f},USD,{place}"
        for place, (day, ad, amount, is_bad) in enumerate([*rows, (date(2026, 10, 1), "8", 1, False)])
    ]
    with tempfile.TemporaryDirectory() as folder:
        file, rejects = Path(folder) / "spend.csv", Path(folder) / "rejects.csv"
        file.write_text("\n".join(["day,ad_id,spend,currency,part", *lines]))
        summary = import_spend(
            file,
            Path(folder),
            settings=Settings(),
            imported_at=IMPORTED_AT,
            max_errors=len(rows),
            rejects=rejects,
        )
        bad = list(csv.DictReader(rejects.read_text().splitlines())) if rejects.exists() else []
    assert summary.total_amount is not None
    assert (
        summary.total_amount + sum(Decimal(row["spend"]) for row in bad)
        == Decimal(1 + sum(amount for _, _, amount, _ in rows)) / 100
    )


@settings(max_examples=30, deadline=None)
@given(cents, some.integers(1, 400), some.sampled_from(["USD", "JPY"]))
def test_a_period_that_is_spread_adds_up_to_what_the_file_says(amount, length, currency):
    amount = amount // 100 * 100 if currency == "JPY" else amount
    last = date(2026, 1, 1) + timedelta(days=length - 1)
    content = (
        f"Reporting starts,Reporting ends,Ad ID,Amount spent ({currency})\n"
        f"2026-01-01,{last},8,{Decimal(amount) / 100:.2f}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spend.csv"
        file.write_text(content)
        summary = import_spend(
            file, Path(folder), settings=Settings(), imported_at=IMPORTED_AT, spread_evenly=True
        )
        shares = [row["spend"] for row in stored(Path(folder), "spend")]
    assert (len(shares), summary.days, summary.total_amount) == (length, length, Decimal(amount) / 100)
    assert max(shares) - min(shares) <= (1 if currency == "JPY" else Decimal("0.01"))


@settings(max_examples=8, deadline=None)
@given(spend_rows, some.randoms(use_true_random=False))
def test_the_order_in_which_different_days_are_imported_does_not_matter(rows, shuffler: random.Random):
    by_day: dict[date, list[tuple[date, str, int, int]]] = {}
    for row in rows:
        by_day.setdefault(row[0], []).append(row)
    files = [spend_file(rows_of_day, "{:.2f}") for rows_of_day in by_day.values()]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        for place, content in enumerate(files):
            bring_in(folder, content, place)
        for place, content in enumerate(shuffler.sample(files, len(files))):
            bring_in(other, content, place)
        assert counted(folder) == counted(other)


@settings(max_examples=12, deadline=None)
@given(
    some.dictionaries(
        some.tuples(days, ads), some.lists(cents, min_size=2, max_size=2), min_size=1, max_size=12
    ),
    some.lists(some.sampled_from([0, 1]), min_size=1, max_size=5),
)
@example({(date(2026, 10, 1), "8"): [100, 200], (date(2026, 10, 2), "8"): [300, 300]}, [0, 1, 0])
@example({(date(2026, 10, 1), "8"): [100, 200]}, [0, 1, 0, 0, 1])
def test_restated_spend_is_as_if_only_the_last_version_had_been_imported(versions, order):
    files = [
        spend_file([(day, ad, amounts[version], 0) for (day, ad), amounts in versions.items()], "{:.2f}")
        for version in (0, 1)
    ]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        for place, version in enumerate(order):
            bring_in(folder, files[version], place)
        bring_in(other, files[order[-1]])
        assert counted(folder) == counted(other)
        assert sum(int(row[2]) for row in counted(folder)) == sum(
            amounts[order[-1]] for amounts in versions.values()
        )
