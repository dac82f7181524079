from datetime import datetime
from decimal import Decimal

import pytest

SALES = "sale_id,sold_at,gross_amount,currency\n"


def test_a_shopify_order_is_one_sale_whatever_its_line_items(importer, sample):
    importer.run("sales", sample("shopify_orders.csv"))
    first = importer.rows("sales")[0]
    assert {name: value for name, value in first.items() if name not in ("import_id", "imported_at")} == {
        "sale_id": "#1001",
        "sold_at": datetime(2026, 3, 12, 9, 14, 2),
        "gross_amount": Decimal("30.00"),
        "refunded_amount": Decimal("0.00"),
        "currency": "USD",
        "customer_id": None,
        "email": "ana@example.com",
        "phone": "+14155550123",
        "platform": None,
        "account_id": None,
        "contact_id": "24123456789012345",
        "ref": None,
        "ad_id": "120226305854810123",
        "status": "won",
        "is_new_customer": None,
        "source_file": "shopify_orders.csv",
        "source_line": 2,
    }


def test_cancelled_and_voided_orders_stay_as_cancelled(importer, sample):
    importer.run("sales", sample("shopify_orders.csv"))
    assert importer.column("sales", "status") == ["won", "won", "cancelled", "cancelled", "won"]


def test_refunds_stand_beside_the_gross_amount(importer, sample):
    importer.run("sales", sample("shopify_orders.csv"))
    assert (
        importer.rows("sales")[1] | {"gross_amount": Decimal("1050.00"), "refunded_amount": Decimal("20.50")}
        == (importer.rows("sales")[1])
    )


def test_a_sale_of_the_future_is_stored_and_the_summary_says_that_it_does_not_count_yet(importer):
    header = "sale_id,sold_at,gross_amount,currency\n"
    summary = importer.run("sales", f"{header}S1,2027-01-05,1.00,USD\nS2,2026-11-22,1.00,USD\n")
    assert summary.notes[-1].startswith("1 sale is dated after this import: not counted until then.")
    summary = importer.run("sales", f"{header}S3,2026-11-23 07:15,1.00,USD\n")
    assert "dated after" not in "".join(summary.notes)


def test_tags_carry_a_ref(importer, sample):
    importer.run("sales", sample("shopify_orders.csv"))
    assert importer.column("sales", "ref") == [None, "SPRING-26", None, None, None]


def test_an_offset_is_brought_to_utc(importer, sample):
    importer.run("sales", sample("shopify_orders.csv"))
    assert importer.column("sales", "sold_at")[1] == datetime(2026, 3, 14, 4, 30)


def test_the_first_phone_that_is_filled_counts(importer, sample):
    importer.run("sales", sample("shopify_orders.csv"))
    assert importer.column("sales", "phone")[:2] == ["+14155550123", "+5521999998888"]


def test_the_summary_tells_line_items_unpaid_orders_and_what_is_no_phone(importer, sample):
    summary = importer.run("sales", sample("shopify_orders.csv"))
    assert (summary.rows_read, summary.rows_imported) == (6, 5)
    assert summary.left_out == ((1, "row with a further line item of its order"),)
    assert summary.notes == (
        "Phone (line 9): not a phone number, left out",
        "1 order not paid yet, counted as sold",
    )
    assert summary.total_amount == Decimal("1104.98")


def test_line_items_above_their_order_are_folded_too(importer):
    content = "Name,Created at,Total,Currency\n#1,,,\n#1,2026-11-01 10:00:00 +0000,5.00,USD\n"
    importer.run("sales", content)
    assert importer.column("sales", "source_line") == [3]


def test_a_line_item_without_its_order_is_a_bad_row(importer):
    content = "Name,Created at,Total,Currency\n#1,2026-11-01 10:00:00 +0000,5.00,USD\n#2,,,\n"
    assert importer.error("sales", content) == (
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  Created at  ""  empty; also Currency "" empty; also Total "" empty'
    )


def test_an_order_with_a_total_twice_is_a_bad_row(importer):
    content = (
        SALES + "#1,2026-11-01 10:00,5.00,USD\n#2,2026-11-01 10:00,5.00,USD\n#1,2026-11-01 11:00,6.00,USD\n"
    )
    assert importer.error("sales", content) == (
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 4  sale_id  "#1"  the same sale as line 2'
    )


def test_a_refund_above_the_sale_is_a_bad_row(importer):
    content = "sale_id,sold_at,gross_amount,refunded_amount,currency\n#1,2026-11-01 10:00,5.00,5.01,USD\n"
    assert importer.error("sales", content).endswith(
        '  line 2  refunded_amount  "5.01"  more than the sale itself, 5.00'
    )


def test_an_unknown_status_is_a_bad_row(importer):
    content = "sale_id,sold_at,gross_amount,status,currency\n#1,2026-11-01 10:00,5.00,lost,USD\n"
    assert importer.error("sales", content).endswith(
        '  line 2  status  "lost"  not a status: expected won, cancelled, canceled'
    )


def test_every_plain_column_is_stored(importer):
    importer.run(
        "sales",
        "is_new_customer,ad_id,ref,contact_id,account_id,platform,phone,email,customer_id,currency,status,"
        "refunded_amount,gross_amount,sold_at,sale_id\n"
        "yes,7,r-1,24,1,WhatsApp,5521999998888,A@B.co,c-1,eur,canceled,1.00,2.50,2026-11-01T10:00:00Z,s-1\n",
    )
    row = importer.rows("sales")[0]
    assert [row[name] for name in ("is_new_customer", "ad_id", "ref", "contact_id", "account_id", "platform")] == [
        True, "7", "r-1", "24", "1", "whatsapp",
    ]  # fmt: skip
    assert [row[name] for name in ("phone", "email", "customer_id", "currency", "status", "refunded_amount")] == [
        "+5521999998888", "a@b.co", "c-1", "EUR", "cancelled", Decimal("1.00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-12 09:14:02 +0000", datetime(2026, 3, 12, 9, 14, 2)),
        ("2026-03-12T09:14:02.5-03:00", datetime(2026, 3, 12, 12, 14, 2, 500_000)),
        ("2026-03-12T09:14Z", datetime(2026, 3, 12, 9, 14)),
        ("2026-03-12 09:14", datetime(2026, 3, 12, 8, 14)),
        ("2026-07-12 09:14", datetime(2026, 7, 12, 7, 14)),
        ("13/03/2026 9:14 PM", datetime(2026, 3, 13, 20, 14)),
        ("3/13/2026 12:14 am", datetime(2026, 3, 12, 23, 14)),
        ("12.3.2026 09:14", datetime(2026, 3, 12, 8, 14)),
    ],
)
def test_an_instant_is_read_with_its_offset_or_else_in_the_reporting_time_zone(importer, text, moment):
    importer.zone = "Europe/Berlin"
    importer.run("sales", SALES + f"1,{text},5.00,USD\n")
    assert importer.column("sales", "sold_at") == [moment]


def test_a_sale_with_a_day_only_is_at_its_end_and_said(importer):
    importer.zone = "Europe/Berlin"
    summary = importer.run("sales", SALES + "1,2026-03-12,5.00,USD\n2,2026-03-13,5.00,USD\n")
    assert importer.column("sales", "sold_at")[0] == datetime(2026, 3, 12, 22, 59, 59)
    assert summary.notes == (
        "sold_at (line 2 and 1 more row): no time of day, taken as the end of the day in Europe/Berlin",
    )


def test_a_time_that_the_clock_skips_is_a_bad_row(importer):
    importer.zone = "Europe/Berlin"
    assert importer.error("sales", SALES + "1,2026-03-29 02:30,5.00,USD\n") == (
        "file.csv: 0 of 1 row fit, 1 does not (nothing imported).\n"
        '  line 2  sold_at  "2026-03-29 02:30"  no such time in Europe/Berlin, where the clocks go forward:'
        " add an offset"
    )


def test_a_time_that_the_clock_shows_twice_is_the_first_and_said(importer):
    importer.zone = "Europe/Berlin"
    summary = importer.run("sales", SALES + "1,2026-10-25 02:30,5.00,USD\n")
    assert importer.column("sales", "sold_at") == [datetime(2026, 10, 25, 0, 30)]
    assert summary.notes == (
        "sold_at (line 2): the clocks of Europe/Berlin show this time twice, taken as the first",
    )


def test_the_period_of_sales_is_in_the_reporting_time_zone(importer):
    importer.zone = "America/Lima"
    summary = importer.run("sales", SALES + "1,2026-11-02T03:00:00Z,5.00,USD\n")
    assert str(summary.first_day) == "2026-11-01"
