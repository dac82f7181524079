"""What a user can choose beyond the file itself."""

import gzip
import io
from datetime import date
from decimal import Decimal

import pytest

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.imports import undo_import

SPEND = "day,ad_id,spend,currency\n"
FAULTY = (
    SPEND + "2026-11-01,8,1.50,USD\n2026-11-31,9,x,USD\n2026-11-02,8,2.50,USD\n2026-11-03,8,1,000.00,USD\n"
)
PERIODS = "Reporting starts,Reporting ends,Ad name,Ad ID,Amount spent (USD),Impressions\n"


def test_so_many_bad_rows_as_are_allowed_are_left_out_and_named(importer):
    summary = importer.run("spend", FAULTY, max_errors=2)
    assert importer.column("spend", "source_line") == [2, 4]
    assert summary.left_out == ((2, "rows that do not fit"),)
    assert str(summary).endswith(
        f"  import    {summary.import_id}\n"
        '  line 3  day  "2026-11-31"  no such day; also spend "x" not a number\n'
        '  line 5  –                  5 fields, header has 4: unquoted comma in "1,000.00"?'
    )


def test_one_bad_row_more_than_allowed_refuses_the_file(importer):
    assert (
        "2 of 4 rows fit, 2 do not (nothing imported; --max-errors 2 to import the others)."
        in importer.error("spend", FAULTY, max_errors=1)
    )


def test_the_values_of_bad_rows_are_not_kept(importer):
    importer.run("spend", FAULTY, max_errors=2)
    record = next(path for path in importer.files("spend") if path.suffix == ".json").read_text()
    assert "2026-11-31" not in record
    assert '"rows that do not fit"' in record


def test_a_file_without_a_row_that_fits_is_refused_whatever_is_allowed(importer):
    assert importer.error("spend", SPEND + "2026-11-31,9,1.00,USD\nx\n", max_errors=9) == (
        "file.csv: 0 of 2 rows fit, 2 do not (nothing imported).\n"
        '  line 2  day  "2026-11-31"  no such day\n'
        "  line 3  –                  1 field, header has 4: is the row cut off?"
    )


@pytest.mark.parametrize("allowed", [0, 2])
def test_rejects_are_the_original_lines_with_the_reason_before_them(importer, allowed):
    rejects = importer.folder / "rejects.csv"
    content = FAULTY + '2026-11-04,"8\n8",-1.00,USD\r\n2026-11-05,"9,1.00,USD\n'
    if allowed:
        importer.run("spend", content, rejects=rejects, max_errors=4)
    else:
        importer.error("spend", content, rejects=rejects)
    assert rejects.read_bytes().decode() == (
        "reason,day,ad_id,spend,currency\n"
        '"day ""2026-11-31"" no such day; spend ""x"" not a number",2026-11-31,9,x,USD\n'
        '"– 5 fields, header has 4: unquoted comma in ""1,000.00""?",2026-11-03,8,1,000.00,USD\n'
        '"spend ""-1.00"" an amount below 0",2026-11-04,"8\n8",-1.00,USD\n'
        '– a quote is opened here and never closed,2026-11-05,"9,1.00,USD\n'
    )


def test_a_reject_below_the_header_or_a_blank_line_is_that_row_only(importer):
    rejects = importer.folder / "rejects.csv"
    content = SPEND + "2026-11-31,9,1.00,USD\n\n,,,\n2026-11-31,8,1.00,USD\n2026-11-01,7,1.00,USD\n"
    importer.run("spend", content, rejects=rejects, max_errors=2)
    assert rejects.read_text() == (
        "reason,day,ad_id,spend,currency\n"
        '"day ""2026-11-31"" no such day",2026-11-31,9,1.00,USD\n'
        '"day ""2026-11-31"" no such day",2026-11-31,8,1.00,USD\n'
    )


def test_mended_rejects_are_imported_as_they_are(importer):
    rejects = importer.folder / "rejects.csv"
    importer.run("spend", FAULTY, rejects=rejects, max_errors=2)
    mended = (
        rejects.read_text().replace(",2026-11-31,9,x", ",2026-11-30,9,3.00").replace(",1,000.00", ",1000.00")
    )
    importer.run("spend", mended, minutes=5)
    assert sum(importer.column("spend", "spend")) == Decimal("1007.00")


def test_a_mended_reject_of_a_file_with_a_delimiter_at_the_end_of_every_row_is_imported(importer):
    rejects = importer.folder / "rejects.csv"
    content = SPEND + "2026-11-01,8,1.00,USD,\n2026-11-31,8,2.00,USD,\n"
    importer.run("spend", content, rejects=rejects, max_errors=1)
    importer.run("spend", rejects.read_text().replace(",2026-11-31", ",2026-11-30"), minutes=5)
    assert sum(importer.column("spend", "spend")) == Decimal("3.00")


def test_rejects_that_all_have_a_comma_too_many_are_refused_again_until_they_are_mended(importer):
    rejects = importer.folder / "rejects.csv"
    header, row = "day,spend,currency,ad_id,ad_name,campaign_id\n", "2026-11-0{0},1.00,USD,{0},{1},\n"
    content = header + "".join(row.format(day, "Spring, new") for day in (1, 2)) + row.format(3, "Spring")
    importer.error("spend", content, rejects=rejects)
    assert importer.error("spend", rejects).startswith("rejects.csv: 0 of 2 rows fit, 2 do not")


def test_rejects_keep_the_delimiter_of_the_file(importer):
    rejects = importer.folder / "rejects.csv"
    content = "day;ad_id;spend;currency\n2026-11-01;8;1,50;USD\n2026-11-31;8;1,50;USD\n"
    importer.run("spend", content.encode("utf-16"), rejects=rejects, max_errors=1)
    assert rejects.read_text() == (
        'reason;day;ad_id;spend;currency\n"day ""2026-11-31"" no such day";2026-11-31;8;1,50;USD\n'
    )


def test_without_bad_rows_no_rejects_are_written(importer):
    rejects = importer.folder / "rejects.csv"
    importer.run("spend", SPEND + "2026-11-01,8,1.50,USD\n", rejects=rejects)
    assert not rejects.exists()


def test_a_file_compressed_with_gzip_is_read_and_is_the_same_as_unpacked(importer):
    content = SPEND + "2026-11-01,8,1.50,USD\n"
    summary = importer.run("spend", gzip.compress(content.encode()), name="spend.csv.gz")
    assert (summary.format, summary.file) == ("utf-8, comma, gzip", "spend.csv.gz")
    assert importer.column("spend", "spend") == [Decimal("1.50")]
    assert importer.run("spend", content, minutes=5).already_imported_at is not None


def test_a_stream_is_read_as_standard_input(importer):
    stream = io.BytesIO((SPEND + "2026-11-01,8,1.50,USD\n").encode("utf-8-sig"))
    assert importer.run("spend", stream).file == "standard input"
    assert importer.column("spend", "source_file") == ["standard input"]


@pytest.mark.parametrize(("date_format", "month"), [("DD/MM/YYYY", 2), ("MM/DD/YYYY", 3)])
def test_the_user_says_what_the_file_leaves_open(importer, date_format, month):
    importer.run("spend", SPEND + "03/02/2026,8,1.00,USD\n", date_format=date_format)
    assert importer.column("spend", "day") == [date(2026, month, 5 - month)]


def test_a_date_that_contradicts_what_the_user_says_is_a_bad_row(importer):
    content = SPEND + "02/13/2026,8,1.00,USD\n01/02/2026,8,1.00,USD\n"
    assert importer.error("spend", content, date_format="DD/MM/YYYY").endswith(
        '  line 2  day  "02/13/2026"  no such day'
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (
            {"date_format": "mm/dd/yyy"},
            "date_format: 'mm/dd/yyy' is no date format. Did you mean 'MM/DD/YYYY'?"
            " Use DD/MM/YYYY or MM/DD/YYYY; any separator fits.",
        ),
        ({"max_errors": -1}, "max_errors: -1 is below 0."),
        ({"currency": "usd"}, "currency: 'usd' is not a currency. Use three capital letters such as USD."),
    ],
)
def test_a_choice_that_makes_no_sense_is_named(importer, choices, message):
    assert importer.error("spend", SPEND + "2026-11-01,8,1.00,USD\n", **choices) == message


def test_the_user_says_the_currency_where_the_file_does_not(importer):
    content = "day,ad_id,spend\n2026-11-01,8,1.00\n"
    assert importer.error("spend", content).splitlines()[1] == (
        '  no column "currency" (field currency). Say it for the whole file: --currency USD.'
    )
    importer.run("spend", content, currency="EUR")
    assert importer.column("spend", "currency") == ["EUR"]


@pytest.mark.parametrize(
    ("content", "currency"),
    [
        ("day,ad_id,spend,currency\n2026-11-01,8,1.00,USD\n", "USD"),
        ("Day,Ad ID,Amount spent (PHP)\n2026-11-01,8,1.00\n", "PHP"),
    ],
)
def test_the_currency_of_the_file_wins(importer, content, currency):
    importer.run("spend", content, currency="EUR")
    assert importer.column("spend", "currency") == [currency]


def test_a_period_is_spread_to_the_cent_and_marked_as_estimated(importer):
    content = PERIODS + "2026-11-01,2026-11-03,Spring,8,10.00,7\n2026-11-04,2026-11-04,Spring,8,1.50,\n"
    summary = importer.run("spend", content, spread_evenly=True)
    names = ("spend", "impressions", "is_estimated", "source_line")
    assert [(row["day"].day, *(row[name] for name in names)) for row in importer.rows("spend")] == [
        (4, Decimal("1.50"), None, False, 3),
        (1, Decimal("3.34"), 3, True, 2),
        (2, Decimal("3.33"), 2, True, 2),
        (3, Decimal("3.33"), 2, True, 2),
    ]
    assert summary.total_amount == Decimal("11.50")
    assert summary.notes == ("1 row over several days spread evenly over 3 days: these are estimates",)


def test_a_totals_row_is_left_out_before_periods_are_spread(importer):
    content = PERIODS + "2026-11-01,2026-11-03,,,10.00,7\n2026-11-01,2026-11-03,Spring,8,10.00,7\n"
    assert importer.run("spend", content, spread_evenly=True).total_amount == Decimal("10.00")


def test_a_currency_without_decimals_is_spread_in_whole_units(importer):
    content = PERIODS.replace("USD", "JPY") + "2026-11-01,2026-11-03,Spring,8,100,\n"
    importer.run("spend", content, spread_evenly=True)
    assert importer.column("spend", "spend") == [Decimal(34), Decimal(33), Decimal(33)]


def test_breakdowns_of_one_period_are_spread_and_added_up(importer):
    rows = "2026-11-01,2026-11-02,Spring,8,3.00,18-24\n2026-11-01,2026-11-02,Spring,8,1.00,25-34\n"
    importer.run("spend", PERIODS.replace("Impressions", "Age") + rows, spread_evenly=True)
    assert [(row["spend"], row["is_estimated"]) for row in importer.rows("spend")] == [
        (Decimal("2.00"), True)
    ] * 2


def test_periods_of_one_ad_that_overlap_are_bad_rows(importer):
    content = PERIODS + (
        "2026-11-01,2026-11-30,Spring,8,30.00,\n2026-11-10,2026-11-10,Spring,8,1.00,\n"
        "2026-11-20,2026-12-02,Spring,8,1.00,\n2026-11-10,2026-11-12,Spring,9,1.00,\n"
        "2026-11-12,2026-11-10,Spring,10,1.00,\n"
    )
    assert importer.error("spend", content, spread_evenly=True) == (
        "file.csv: 2 of 5 rows fit, 3 do not (nothing imported; --max-errors 3 to import the others).\n"
        '  line 3  Reporting starts  "2026-11-10"  overlaps 2026-11-01 to 2026-11-30 of the same ad, line 2\n'
        '  line 4  Reporting starts  "2026-11-20"  overlaps 2026-11-01 to 2026-11-30 of the same ad, line 2\n'
        '  line 6  Reporting ends    "2026-11-10"  before the period begins, 2026-11-12'
    )


def test_spreading_changes_nothing_in_a_daily_file(importer):
    importer.run("spend", SPEND + "2026-11-01,8,1.50,USD\n", spread_evenly=True)
    assert importer.column("spend", "is_estimated") == [False]


def test_undone_is_as_if_it_had_never_been_imported(importer):
    importer.run("spend", SPEND + "2026-11-01,8,1.50,USD\n")
    before = {path: path.read_bytes() for path in importer.files("spend")}
    second = importer.run("spend", SPEND + "2026-11-01,8,2.50,USD\n", minutes=5)
    gone = undo_import("spend", second.import_id, importer.data)
    assert {path: path.read_bytes() for path in importer.files("spend")} == before
    assert str(gone).endswith(f"  import    {second.import_id} is undone: these rows are gone")
    assert importer.run("spend", SPEND + "2026-11-01,8,2.50,USD\n", minutes=6).already_imported_at is None


@pytest.mark.parametrize("import_id", ["20261123T071501Z", "../../x", "*", ""])
def test_what_is_no_import_cannot_be_undone(importer, import_id):
    there = importer.run("spend", SPEND + "2026-11-01,8,1.50,USD\n").import_id
    for path in importer.files("spend"):
        (importer.data / f"x{path.suffix}").write_bytes(path.read_bytes())
    with pytest.raises(InvalidArgument, match=f"is no import of spend..*There are {there}.$"):
        undo_import("spend", import_id, importer.data)
    assert len(importer.files("spend")) == 2


def test_where_nothing_was_imported_nothing_can_be_undone(importer):
    with pytest.raises(InvalidArgument, match=r"'x' is no import of sales\. There is none at all\."):
        undo_import("sales", "x", importer.data)
    with pytest.raises(InvalidArgument, match=r"kind: 'sale' is not one of sales, spend, contacts, rates\."):
        undo_import("sale", "x", importer.data)
