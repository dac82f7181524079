"""Sales from Stripe, WooCommerce, HubSpot and Salesforce: real headers, invented rows."""

from datetime import datetime
from decimal import Decimal

import pytest

STRIPE = (
    "id,Description,Seller Message,Created (UTC),Amount,Amount Refunded,Currency,Converted Amount,Fee,Mode,Status,"
    "Statement Descriptor,Customer ID,Customer Description,Customer Email,Captured,Card ID,PaymentIntent ID,"
    "psid (metadata),ref (metadata)\n"
    "ch_1,Order 1,Payment complete.,2026-03-12 09:14,30.00,0.00,usd,30.00,1.17,Live,Paid,SHOP,cus_1,Ana,"
    "Ana@example.com,true,card_1,pi_1,24123456789012345,\n"
    "ch_2,Order 2,Payment complete.,2026-03-12 23:30,50.00,20.50,usd,50.00,1.17,Live,Refunded,SHOP,,,b@example.com,"
    "true,card_2,pi_2,,SPRING-26\n"
    "ch_3,Order 3,The bank declined the payment.,2026-03-13 10:00,99.00,0.00,usd,99.00,0.00,Live,Failed,SHOP,,,,"
    "false,card_3,pi_3,,\n"
)
WOOCOMMERCE = (
    "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s),Net Sales,"
    "Attribution\n"
    '2026-03-12 09:14:02,1001,"$1,030.00",Completed,Ana B,new,"2× Mug, blue",2,,1020,Direct\n'
    "2026-03-12 10:00:00,1002,$50.00,on-hold,Ben C,returning,1× Mug,1,SPRING,45,Organic\n"
    "2026-03-13 10:00:00,1003,$20.00,cancelled,Cleo D,new,1× Mug,1,,20,\n"
)
PLUGIN = (
    "Order Number;Order Status;Order Date;Email (Billing);Phone (Billing);Order Refund Amount;Order Total Amount;"
    "Order Currency;Item Name\n"
    "7;Processing;2026-03-12 09:14;ana@example.com;+49 170 1234567;0,00;1.030,00;EUR;Mug\n"
    "7;Processing;2026-03-12 09:14;ana@example.com;+49 170 1234567;0,00;1.030,00;EUR;Plate\n"
    "8;Completed;2026-03-12 10:14;;;0,00;5,00;EUR;Plate\n"
)
HUBSPOT = (
    "Record ID,Deal Name,Deal Stage,Amount,Deal owner,Close Date,Create Date,Pipeline,Associated Contact IDs,wa_id\n"
    '201,"Ana, kitchen",Closed Won,"1,500.00",Eve,2026-03-12 14:05,2026-03-01 10:00,Sales,51;52,5521999998888\n'
    "202,Ben,Appointment scheduled,,Eve,,2026-03-02 10:00,Sales,53,\n"
    "203,Cleo,Closed Lost,900,Eve,2026-03-13 14:05,2026-03-02 10:00,Sales,54,\n"
    "204,Dora,,900,Eve,2026-03-13 14:05,2026-03-02 10:00,Sales,54,\n"
)
SALESFORCE = (
    "Opportunity Owner,Account Name,Account ID,Opportunity Name,Opportunity ID,Stage,Amount Currency,Amount,"
    "Close Date,Fiscal Period,Type\n"
    'Eve,Ana Ltd,001A,Kitchen,006A,Closed Won,USD,"$1,234,567",3/31/2026,Q1-2026,New Business\n'
    "Eve,Ben Ltd,001B,Bath,006B,Negotiation,USD,$10,4/1/2026,Q2-2026,New Business\n"
)


def found(importer, *names):
    return [tuple(row[name] for name in names) for row in importer.rows("sales")]


def test_stripe_payments_that_were_paid_are_sales_at_their_utc_time(importer):
    importer.zone = "America/Lima"
    summary = importer.run("sales", STRIPE)
    names = ("sale_id", "sold_at", "gross_amount", "refunded_amount", "currency", "status")
    assert found(importer, *names) == [
        ("ch_1", datetime(2026, 3, 12, 9, 14), Decimal("30.00"), Decimal("0.00"), "USD", "won"),
        ("ch_2", datetime(2026, 3, 12, 23, 30), Decimal("50.00"), Decimal("20.50"), "USD", "won"),
    ]
    assert found(importer, "customer_id", "email", "contact_id", "ref") == [
        ("cus_1", "ana@example.com", "24123456789012345", None),
        (None, "b@example.com", None, "SPRING-26"),
    ]
    assert (summary.preset, summary.left_out) == ("stripe", ((1, 'row whose Status is no sale: "Failed"'),))


def test_woocommerce_orders_need_only_their_currency_said(importer):
    assert '  no column "Order Currency" (field currency). Say it for the whole file: --currency USD.' in (
        importer.error("sales", WOOCOMMERCE)
    )
    summary = importer.run("sales", WOOCOMMERCE, currency="USD")
    assert found(importer, "sale_id", "gross_amount", "currency", "status", "is_new_customer") == [
        ("1001", Decimal("1030.00"), "USD", "won", True),
        ("1002", Decimal("50.00"), "USD", "won", False),
        ("1003", Decimal("20.00"), "USD", "cancelled", True),
    ]
    assert (summary.preset, summary.notes) == ("woocommerce", ("1 order not paid yet, counted as sold",))


def test_items_of_a_woocommerce_order_are_folded(importer):
    summary = importer.run("sales", PLUGIN)
    assert found(importer, "sale_id", "gross_amount", "email", "phone", "source_line") == [
        ("7", Decimal("1030.00"), "ana@example.com", "+491701234567", 2),
        ("8", Decimal("5.00"), None, None, 4),
    ]
    assert summary.left_out == ((1, "row with a further line item of its order"),)


def test_two_woocommerce_orders_with_one_number_are_a_bad_row(importer):
    content = PLUGIN + "8;Completed;2026-03-12 10:14;;;0,00;6,00;EUR;Plate\n"
    assert importer.error("sales", content).endswith('  line 5  Order Number  "8"  the same sale as line 4')


def test_only_hubspot_deals_that_were_won_are_sales(importer):
    summary = importer.run("sales", HUBSPOT, currency="USD")
    assert found(importer, "sale_id", "sold_at", "gross_amount", "contact_id", "status") == [
        ("201", datetime(2026, 3, 12, 14, 5), Decimal("1500.00"), "5521999998888", "won")
    ]
    assert (summary.preset, summary.left_out) == (
        "hubspot",
        ((3, 'rows whose Deal Stage is no sale: "", "Appointment scheduled", "Closed Lost"'),),
    )


def test_a_hubspot_file_without_a_won_deal_names_its_stages(importer):
    content = "Record ID,Deal Stage,Amount,Close Date,Currency\n1,Sale agreed,5,2026-03-12 10:00,USD\n"
    assert importer.error("sales", content) == (
        'file.csv: no row to import: 1 row whose Deal Stage is no sale: "Sale agreed".'
    )


def test_only_salesforce_opportunities_that_were_won_are_sales(importer):
    summary = importer.run("sales", SALESFORCE)
    assert found(importer, "sale_id", "sold_at", "gross_amount", "currency", "customer_id") == [
        ("006A", datetime(2026, 3, 31, 23, 59, 59), Decimal("1234567.00"), "USD", "001A")
    ]
    assert (summary.preset, summary.left_out) == (
        "salesforce",
        ((1, 'row whose Stage is no sale: "Negotiation"'),),
    )


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "Opportunity Name,Stage,Amount Currency,Amount,Close Date,Fiscal Period,Account ID",
            'no column "Opportunity ID" (field sale_id). Names are not unique: add the column Opportunity ID to the'
            " report and export again.",
        ),
        (
            "Record ID,Deal Name,Amount,Close Date,Currency",
            'no column "Deal Stage" (field status). Only deals that were won are sales: add the property Deal Stage'
            " and export again.",
        ),
    ],
)
def test_a_column_that_a_report_lacks_is_named_with_the_way_to_get_it(importer, header, message):
    assert message in importer.error("sales", f"{header}\n{',' * header.count(',')}x\n")
