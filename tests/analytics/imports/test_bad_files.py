import gzip
from decimal import Decimal

import pytest

from ctm_analytics.imports import faults, text_rows

SPEND = "day,ad_id,spend,currency\n"


def test_every_bad_row_is_named_with_line_column_value_and_what_was_expected(importer, sample):
    assert importer.error("spend", sample("faulty_spend.csv")) == (
        "faulty_spend.csv: 2 of 13 rows fit, 11 do not (nothing imported; --max-errors 11 to import the others).\n"
        '  line 3   Day                 "2026-11-31"          no such day\n'
        '  line 4   Amount spent (USD)  "twelve"              not a number;'
        ' also Impressions "1.5" not a whole number of at least 0\n'
        '  line 6   –                                         6 fields, header has 5: unquoted comma in "Too, many"?\n'
        "  line 7   –                                         6 fields, header has 5:"
        ' unquoted comma in "1,012.00"?\n'
        "  line 8   –                                         2 fields, header has 5: is the row cut off?\n"
        '  line 9   Ad ID               "1.20226E+17"         rounded by Excel\n'
        '  line 10  Ad ID               "120226305854810000"  rounded by Excel;'
        ' also Amount spent (USD) "12.345" more than 2 decimals\n'
        '  line 11  Ad ID               ""                    empty\n'
        '  line 12  Amount spent (USD)  "-5.00"               an amount below 0\n'
        '  line 13  Ad ID               "120226305854810123"  the same row as line 2\n'
        "  line 15  –                                         a quote that is never closed,"
        ' or stands inside a quoted cell and is not doubled ("")\n'
        "Excel has rounded ids: export the file again as CSV and do not open it in Excel before the import."
    )


def test_a_long_list_of_bad_rows_is_cut_and_counted(importer):
    message = importer.error("spend", SPEND + "".join(f"2026-11-01,{ad},x,USD\n" for ad in range(25)))
    assert message.startswith("file.csv: 0 of 25 rows fit, 25 do not (nothing imported).")
    assert message.endswith(
        '  line 21  spend  "x"  not a number\n  … and 5 more rows: --rejects FILE writes them all'
    )


def test_a_file_of_bad_rows_is_given_up_before_they_fill_the_memory(importer, monkeypatch):
    monkeypatch.setattr(faults, "_FLOOD", 23)
    content = SPEND + "".join(f"2026-11-01,{ad},x,USD\n" for ad in range(25))
    message = importer.error("spend", content)
    assert message.startswith(
        "file.csv: more than 23 rows do not fit (nothing imported). The first of them:\n"
        '  line 2   spend  "x"  not a number\n'
    )
    assert "0 of 25 rows fit" in importer.error("spend", content, max_errors=30)


def test_so_is_a_file_of_rows_of_another_length(importer, monkeypatch):
    monkeypatch.setattr(faults, "_FLOOD", 23)
    monkeypatch.setattr(text_rows, "_BLOCK_ROWS", 8)
    message = importer.error("spend", SPEND + "2026-11-01,8\n" * 48)
    assert message.startswith(
        "file.csv: more than 23 rows do not fit (nothing imported). The first of them:\n"
    )
    assert message.splitlines()[1].endswith("2 fields, header has 4: is the row cut off?")
    assert "… and 4 more rows" in message, "the other half was never read"


def test_a_long_value_is_cut_and_its_line_breaks_escaped(importer):
    message = importer.error("spend", SPEND + f'2026-11-01,8,"a\n{"b" * 60}",USD\n')
    assert message.splitlines()[1] == f'  line 2  spend  "a\\n{"b" * 37}…"  not a number'


def test_an_id_that_ends_in_zeros_by_chance_is_let_pass(importer):
    ids = [f"1202263058548{number:05}" for number in range(1900, 2101)]
    importer.run("spend", SPEND + "".join(f"2026-11-01,{ad},1.00,USD\n" for ad in ids))
    assert "120226305854802000" in importer.column("spend", "ad_id")


def test_an_id_is_kept_as_text_to_the_letter(importer):
    importer.run("spend", SPEND + "2026-11-01,007,1.00,USD\n2026-11-01,'120226305854810123,1.00,USD\n")
    assert importer.column("spend", "ad_id") == ["007", "120226305854810123"]


def test_an_unclosed_quote_is_named_where_it_opens(importer):
    assert importer.error(
        "spend", SPEND + '2026-11-01,8,1.00,USD\n2026-11-01,"9,1.00,USD\n2026-11-02,9,1.00,USD\n'
    ) == (
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        "  line 3  –    a quote is opened here and never closed"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file.csv: the file is empty."),
        (b"\xef\xbb\xbf", "file.csv: the file is empty."),
        (b" \n\n", "file.csv: the file is empty."),
        (SPEND.encode(), "file.csv: no row to import: there is only a header."),
        (
            b"PK\x03\x04\x14\x00",
            "file.csv: this is an Excel workbook or a zip archive. Save or unpack it as CSV first.",
        ),
        (gzip.compress(SPEND.encode()), "file.csv: no row to import: there is only a header."),
        (gzip.compress(b""), "file.csv: the file is empty."),
        (
            gzip.compress(gzip.compress(SPEND.encode())),
            "file.csv: this is compressed with gzip twice. Unpack it first.",
        ),
        (
            gzip.compress(SPEND.encode())[:-9],
            "file.csv: the gzip archive is damaged or cut off. Pack it again.",
        ),
        (b"\x1f\x8bsomething", "file.csv: the gzip archive is damaged or cut off. Pack it again."),
        (
            b"\x00\x01\x02\xff,",
            "file.csv: this is not a text file in UTF-8, UTF-16 or Windows-1252. Export it as CSV.",
        ),
        (
            b"day,ad_id\x81\n",
            "file.csv: this is not a text file in UTF-8, UTF-16 or Windows-1252. Export it as CSV.",
        ),
        (b'"day,ad_id\n1', "file.csv: the header (line 2) cannot be read: unexpected end of data."),
    ],
)
def test_what_is_no_csv_is_refused_in_one_sentence(importer, content, message):
    assert importer.error("spend", content) == message


def test_a_missing_file_and_a_folder_are_named(importer, tmp_path):
    assert importer.error("spend", tmp_path / "no.csv") == f"{tmp_path}/no.csv: there is no such file."
    assert importer.error("spend", tmp_path) == f"{tmp_path}: this is a folder. Name the CSV files in it."


def test_a_path_that_cannot_be_read_is_named_with_the_reason(importer):
    path = importer.write(SPEND) / "inside"
    assert importer.error("spend", path) == f"{path}: cannot be read: Not a directory."


def test_dates_that_can_be_read_in_two_ways_are_refused(importer):
    assert importer.error(
        "spend", SPEND + "03/03/2026,8,1.00,USD\n03/02/2026,8,1.00,USD\n04/02/2026,8,1.00,USD\n"
    ) == (
        'file.csv: day "03/02/2026" can be day/month or month/day, and no other date of the file settles it.'
        " Say which: --date-format DD/MM/YYYY or MM/DD/YYYY."
    )


def test_dates_written_in_two_ways_are_refused(importer):
    rows = [
        "13/02/2026,8,1.00,USD",
        "02/13/2026,8,1.00,USD",
        "14/02/2026,8,1.00,USD",
        "02/14/2026,8,1.00,USD",
    ]
    assert importer.error("spend", SPEND + "\n".join(rows)) == (
        'file.csv: day writes dates in two ways: "13/02/2026" has the day first, "02/13/2026" the month.'
        " Write all dates as YYYY-MM-DD."
    )


@pytest.mark.parametrize(("proof", "month"), [("25/12/2026", 2), ("12/25/2026", 3)])
def test_one_day_past_the_12th_settles_the_file(importer, proof, month):
    importer.run("spend", SPEND + f"03/02/2026,8,1.00,USD\n{proof},8,1.00,USD\n")
    assert [day.month for day in importer.column("spend", "day")] == [month, 12]


def test_an_amount_in_the_other_notation_is_a_bad_row(importer):
    content = SPEND + '2026-11-01,8,1.50,USD\n2026-11-02,8,2.50,USD\n2026-11-03,8,"3,50",USD\n'
    assert importer.error("spend", content).endswith(
        '  line 4  spend  "3,50"  this file writes decimals with a point'
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12,3,4", "6 fields, header has 4: an unquoted comma?"),
        ("(12.00)", 'spend  "(12.00)"  not a number'),
        ("1e3", 'spend  "1e3"  not a number'),
        ("1.250", 'spend  "1.250"  more than 2 decimals'),
        ("NaN", 'spend  "NaN"  not a number'),
        ("12345678901234567", 'spend  "12345678901234567"  larger than any amount'),
    ],
)
def test_what_is_no_amount_is_refused(importer, text, reason):
    assert importer.error("spend", SPEND + f"2026-11-01,8,{text},USD\n").endswith(reason)


ENDING = pytest.mark.parametrize("ending", ["\n", "\n\n"], ids=["read by Arrow", "read row by row"])


@ENDING
def test_a_comma_too_many_before_an_empty_last_cell_is_a_bad_row(importer, ending):
    content = "day,spend,currency,ad_id,ad_name,campaign_id\n2026-11-01,1.00,USD,8,Spring,\n"
    assert importer.error("spend", content + "2026-11-02,1.00,USD,8,Spring, new," + ending) == (
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  –    7 fields, header has 6: unquoted comma in "Spring, new"?'
    )


@ENDING
def test_it_is_one_also_where_it_is_the_only_row(importer, ending):
    content = f"day,spend,currency,ad_id,ad_name,campaign_id\n2026-11-02,1.00,USD,8,Spring, new,{ending}"
    assert "line 2  –    7 fields, header has 6" in importer.error("spend", content)


@ENDING
@pytest.mark.parametrize("end_of_header", ["", ";"])
def test_a_delimiter_at_the_end_of_every_row_says_nothing(importer, end_of_header, ending):
    header = f"day;ad_id;spend;currency;ad_name{end_of_header}\n"
    importer.run("spend", f"{header}2026-11-01;8;1,50;USD;;\n2026-11-02;8;2,50;USD;Spring;{ending}")
    assert importer.column("spend", "ad_name") == [None, "Spring"]
    assert importer.column("spend", "spend") == [Decimal("1.50"), Decimal("2.50")]


@ENDING
def test_a_row_that_lacks_the_delimiter_of_all_others_is_named(importer, ending):
    rows = "".join(f"2026-11-01,{ad},1.00,USD,\n" for ad in range(100))
    assert importer.error("spend", f"{SPEND}{rows}2026-11-02,8,2.00,USD{ending}").endswith(
        "  line 102  –    4 fields, other rows have 5: is the row cut off?"
    )


@ENDING
def test_a_row_with_a_comma_too_many_beside_the_delimiter_of_all_is_named_alone(importer, ending):
    rows = "2026-11-01,8,1.00,USD,\n2026-11-02,8,1,000.00,USD,\n2026-11-03,8,1.00,USD,"
    assert importer.error("spend", SPEND + rows + ending) == (
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  –    6 fields, other rows have 5: unquoted comma in "1,000.00"?'
    )


@ENDING
def test_a_row_that_lacks_the_delimiter_of_the_header_is_named(importer, ending):
    content = "day,ad_id,spend,currency,\n2026-11-01,8,1.00,USD,\n2026-11-02,8,2.00,USD" + ending
    assert importer.error("spend", content).endswith(
        "  line 3  –    4 fields, header has 5: is the row cut off?"
    )


@ENDING
def test_a_value_below_no_header_is_named(importer, ending):
    content = "day,ad_id,spend,currency,\n2026-11-01,8,1.00,USD,\n2026-11-02,8,2.00,USD,x" + ending
    assert importer.error("spend", content).endswith(
        "  line 3  –    5 fields, header has 4: an unquoted comma?"
    )


@pytest.mark.parametrize(
    "day",
    [
        "2026-11-31",
        "2026-13-01",
        "13/13/2026",
        "1926-11-01",
        "26-11-01",
        "46000",
        "2026-11-01 10:00",
        "today",
    ],
)
def test_what_is_no_day_is_refused(importer, day):
    assert f'line 2  day  "{day}"' in importer.error("spend", SPEND + f"{day},8,1.00,USD\n")


@pytest.mark.parametrize(
    "text", ["$1,012.34", "1012.34", "USD 1,012.34", "1 012.34", "1,012.34 $", "1'012.34", "US$1012.34"]
)
def test_amounts_are_read_with_their_signs(importer, text):
    importer.run("spend", SPEND + f'2026-11-01,8,"{text}",USD\n')
    assert importer.column("spend", "spend") == [Decimal("1012.34")]


@pytest.mark.parametrize("text", ["€12.50", "12.50 EUR", "EUR 12.50", "£12.50"])
def test_an_amount_whose_sign_contradicts_its_currency_is_a_bad_row(importer, text):
    assert importer.error(
        "spend", f"Day,Ad ID,Amount spent (USD)\n2026-11-01,8,1.00\n2026-11-02,8,{text}\n"
    ) == (
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        f'  line 3  Amount spent (USD)  "{text}"  not USD, the currency of this row'
    )
