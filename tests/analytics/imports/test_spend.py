from datetime import date
from decimal import Decimal

SPEND = "Day,Ad name,Ad ID,Amount spent (USD)\n"


def test_a_table_export_gives_one_row_per_day_and_ad(importer, sample):
    importer.run("spend", sample("meta_table_export.csv"))
    first = importer.rows("spend")[0]
    assert first | {"import_id": None, "imported_at": None} == {
        "day": date(2026, 11, 1),
        "ad_id": "120226305854810123",
        "spend": Decimal("1012.34"),
        "currency": "USD",
        "ad_name": "Spring, first",
        "adset_id": "120226305854800123",
        "adset_name": "Broad",
        "campaign_id": "120226305854790123",
        "campaign_name": "Chats",
        "impressions": 40000,
        "link_clicks": 1100,
        "reported_conversations": 88,
        "is_estimated": False,
        "import_id": None,
        "imported_at": None,
        "source_file": "meta_table_export.csv",
        "source_line": 3,
    }
    assert importer.column("spend", "spend") == [Decimal("1012.34"), Decimal("152.29"), Decimal("0.00")]


def test_an_empty_cell_is_not_zero(importer, sample):
    importer.run("spend", sample("meta_table_export.csv"))
    assert importer.column("spend", "impressions") == [40000, 8120, None]


def test_the_summary_names_all_that_was_left_out(importer, sample):
    assert str(importer.run("spend", sample("meta_table_export.csv"))) == (
        "meta_table_export.csv → spend\n"
        "  preset    meta_ads_manager: knows 12 of 19 columns (Reporting starts, Reporting ends, Ad name and 9 more)\n"
        "  format    utf-8, comma\n"
        "  rows      5 read, 3 imported\n"
        "            1 row of an ad without any number\n"
        "            1 totals row (line 2)\n"
        "  period    2026-11-01 to 2026-11-02 (2 days)\n"
        "  amount    1,164.63 USD\n"
        "  not used  Ad delivery, Objective, Reach, Frequency, CTR (link click-through rate),"
        " CPM (cost per 1,000 impressions) (USD), Cost per messaging conversation started (USD)\n"
        "  import    " + importer.files("spend")[0].stem
    )


def test_rows_of_one_day_and_ad_are_added_up_and_said(importer, sample):
    summary = importer.run("spend", sample("ads_reporting_daily.csv"))
    assert [(row["day"].day, row["spend"], row["impressions"]) for row in importer.rows("spend")] == [
        (1, Decimal("250.50"), 3900),
        (2, Decimal("1.25"), 11),
    ]
    assert (summary.currency, summary.total_amount) == ("PHP", Decimal("251.75"))
    assert summary.left_out == (
        (1, "row added to another of the same day and ad (result types or breakdowns)"),
    )


def test_old_title_case_headers_with_a_byte_order_mark_are_known(importer):
    content = (
        "Reporting Starts,Reporting Ends,Ad Set ID,Ad ID,Amount Spent (USD)\n2015-11-01,2015-11-01,7,8,1.50\n"
    )
    importer.run("spend", content.encode("utf-8-sig"))
    assert [(row["ad_id"], row["adset_id"], row["spend"]) for row in importer.rows("spend")] == [
        ("8", "7", Decimal("1.50"))
    ]


def test_utf_16_with_tabs_is_read(importer):
    content = 'Day\tAd name\tAd ID\tAmount spent (EUR)\n2026-11-01\t"Größe ""M"""\t8\t1,012.50\n'
    summary = importer.run("spend", content.encode("utf-16"))
    assert summary.format == "utf-16, tab"
    assert [(row["ad_name"], row["spend"]) for row in importer.rows("spend")] == [
        ('Größe "M"', Decimal("1012.50"))
    ]


def test_windows_1252_is_read(importer):
    importer.run("spend", (SPEND + "2026-11-01,Größe – “M”,8,1.50\n").encode("cp1252"))
    assert importer.column("spend", "ad_name") == ["Größe – “M”"]


def test_semicolons_and_decimal_commas_are_read(importer):
    importer.run(
        "spend",
        "Day;Ad ID;Amount spent (EUR);Impressions\n"
        "01.11.2026;8;1.012,34;1.500\n"
        "02.11.2026;8;2.000;12\n"
        "03.11.2026;8;12,5;\n",
    )
    assert importer.column("spend", "spend") == [Decimal("1012.34"), Decimal("2000.00"), Decimal("12.50")]
    assert importer.column("spend", "impressions") == [1500, 12, None]
    assert importer.column("spend", "day") == [date(2026, 11, day) for day in (1, 2, 3)]


def test_a_thousands_sign_twice_settles_the_notation(importer):
    importer.run("spend", "day;ad_id;spend;currency\n2026-11-01;8;1.012.345;IDR\n2026-11-02;8;1.250;IDR\n")
    assert importer.column("spend", "spend") == [Decimal("1012345.00"), Decimal("1250.00")]


def test_blank_lines_are_no_rows(importer):
    summary = importer.run("spend", SPEND + "\n2026-11-01,Spring,8,1.50\n,,,\n\n")
    assert (summary.rows_read, importer.column("spend", "source_line")) == (1, [3])


def test_a_row_after_a_cell_with_a_line_break_keeps_its_true_line(importer):
    importer.run("spend", SPEND + '2026-11-01,"Two\nlines",8,1.50\n2026-11-02,"Two\r\nlines",8,1.50\n')
    assert importer.column("spend", "source_line") == [2, 4]


def test_a_total_at_the_end_by_its_name_is_left_out(importer):
    summary = importer.run("spend", SPEND + "2026-11-01,Spring,8,1.50\n,Total,,1.50\n")
    assert summary.left_out == ((1, "totals row (line 3)"),)
    assert importer.column("spend", "spend") == [Decimal("1.50")]


def test_a_total_that_disagrees_with_its_rows_is_said(importer):
    summary = importer.run("spend", SPEND + ",,,3.00\n2026-11-01,Spring,8,1.50\n")
    assert summary.notes == (
        "the totals row (line 2) says 3.00, the rows add up to 1.50: is the export complete?",
    )


def test_a_total_may_differ_by_a_cent_per_row(importer):
    assert importer.run("spend", SPEND + ",,,1.51\n2026-11-01,Spring,8,1.50\n").notes == ()


def test_without_names_only_a_row_that_adds_up_is_a_total(importer):
    header = "Day,Ad ID,Amount spent (USD)\n"
    assert "1 of 2 rows fit" in importer.error("spend", header + "2026-11-01,,3.00\n2026-11-01,8,1.50\n")
    assert importer.run("spend", header + ",,1.50\n2026-11-01,8,1.50\n").rows_imported == 1


def test_a_row_without_ad_and_numbers_is_left_out(importer):
    summary = importer.run("spend", SPEND + "2026-11-01,,,0.00\n2026-11-01,Spring,8,1.50\n2026-11-02,,,0\n")
    assert summary.left_out == ((2, "rows without an ad and without numbers"),)


def test_spend_without_an_ad_that_is_no_total_is_a_bad_row(importer):
    content = SPEND + "2026-11-01,Spring,8,1.50\n2026-11-01,,,0.50\n2026-11-02,Spring,8,1.50\n"
    assert importer.error("spend", content) == (
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  Ad ID  ""  empty'
    )


def test_the_same_row_twice_is_a_bad_row_and_not_added(importer):
    content = SPEND + "2026-11-01,Spring,8,1.50\n" * 2
    assert importer.error("spend", content) == (
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  Ad ID  "8"  the same row as line 2'
    )


def test_rows_that_differ_only_in_a_column_we_do_not_use_are_parts(importer):
    importer.run(
        "spend", "Day,Ad ID,Age,Amount spent (USD)\n2026-11-01,8,18-24,1.50\n2026-11-01,8,25-34,1.50\n"
    )
    assert importer.column("spend", "spend") == [Decimal("3.00")]


def test_two_currencies_for_one_day_and_ad_are_refused(importer):
    content = (
        "day,ad_id,spend,currency\n2026-11-01,8,1.50,USD\n2026-11-01,8,1.00,EUR\n2026-11-02,8,1.00,EUR\n"
    )
    assert importer.error("spend", content) == (
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  currency  "EUR"  line 2 has USD for the same day and ad'
    )


def test_two_currencies_in_one_file_are_summed_apart(importer):
    content = "day,ad_id,spend,currency\n2026-11-01,8,1.50,usd\n2026-11-02,8,1.00,EUR\n"
    summary = importer.run("spend", content)
    assert summary.amounts == {"EUR": Decimal("1.00"), "USD": Decimal("1.50")}
    assert (summary.currency, summary.total_amount) == (None, None)


def test_two_amount_columns_are_refused(importer):
    assert importer.error(
        "spend", "Day,Ad ID,Amount spent (USD),Amount spent (EUR)\n2026-11-01,8,1.00,\n"
    ) == (
        'file.csv: 2 columns hold the field spend: "Amount spent (USD)" and "Amount spent (EUR)".'
        " Export one account and one currency at a time, or say which counts: --map COLUMN=spend."
    )


def test_a_row_over_several_days_is_refused_with_the_way_out(importer):
    content = "Reporting starts,Reporting ends,Ad ID,Amount spent (USD)\n2026-11-01,2026-11-30,8,1.50\n"
    assert importer.error("spend", content) == (
        "file.csv: 1 row covers several days (line 2: 2026-11-01 to 2026-11-30), and spend is kept by day."
        " Break the report down by day (Breakdown → By time → Day) and export again."
        " Or give each day the same share: --spread-evenly (marked as estimated)."
    )


def test_day_wins_over_the_range_of_the_report(importer):
    content = (
        "Reporting starts,Reporting ends,Day,Ad ID,Amount spent (USD)\n"
        "2026-11-01,2026-11-30,2026-11-05,8,1.50\n"
    )
    importer.run("spend", content)
    assert importer.column("spend", "day") == [date(2026, 11, 5)]


def test_days_without_a_row_show_in_the_period(importer):
    content = "day,ad_id,spend,currency\n2026-11-01,8,1.50,USD\n2026-11-30,8,1.00,USD\n"
    assert "2026-11-01 to 2026-11-30 (2 of 30 days)" in str(importer.run("spend", content))


def test_an_empty_day_is_named_by_the_column_that_stands_for_it(importer):
    content = (
        "Reporting starts,Reporting ends,Ad ID,Amount spent (USD)\n,,8,1.50\n2026-11-01,2026-11-01,8,1.50\n"
    )
    assert importer.error("spend", content).endswith('\n  line 2  Reporting starts  ""  empty')
