"""A sample of every preset's export, and its awkward twins: invented rows below real headers."""

import csv
import gzip
import io
from decimal import Decimal

import pytest

from ctm_analytics.imports.kinds import KINDS
from ctm_analytics.imports.presets import presets_of

EUR, USD = {"currency": "EUR"}, {"currency": "USD"}
# file, kind, preset, options; rows stored, and what their amounts add up to
SAMPLES = [
    ("meta_table_export.csv", "spend", "meta_ads_manager", {}, 3, {"USD": "1164.63"}),
    ("ads_reporting_daily.csv", "spend", "meta_ads_manager", {}, 2, {"PHP": "251.75"}),
    ("plain_spend.csv", "spend", "plain", {}, 2, {"EUR": "1164.63"}),
    ("shopify_orders.csv", "sales", "shopify", {}, 5, {"USD": "1104.98"}),
    ("woocommerce_analytics.csv", "sales", "woocommerce", USD, 3, {"USD": "1100.00"}),
    ("woocommerce_plugin.csv", "sales", "woocommerce", {}, 2, {"EUR": "1035.00"}),
    ("stripe_payments.csv", "sales", "stripe", {}, 2, {"USD": "80.00"}),
    ("hubspot_deals.csv", "sales", "hubspot", {}, 1, {"BRL": "1500.00"}),
    ("salesforce_opportunities.csv", "sales", "salesforce", {}, 1, {"USD": "1234567.00"}),
    ("plain_sales.csv", "sales", "plain", {}, 2, {"EUR": "1129.50"}),
    ("manychat_contacts.csv", "contacts", "manychat", {}, 3, {}),
    ("chatwoot_contacts.csv", "contacts", "chatwoot", {}, 2, {}),
    ("plain_contacts.csv", "contacts", "plain", {}, 2, {}),
    ("plain_rates.csv", "rates", "plain", {}, 2, {}),
]
CSV_SAMPLES = [(name, kind, options) for name, kind, _, options, _, _ in SAMPLES]


def rewritten(text, delimiter):
    """Write the same cells with another delimiter."""
    lines = io.StringIO()
    csv.writer(lines, delimiter=delimiter, lineterminator="\r\n").writerows(csv.reader(io.StringIO(text)))
    return lines.getvalue()


TWINS = {
    "a byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16 and tabs, as from Excel": lambda text: rewritten(text, "\t").encode("utf-16"),
    "UTF-16, high byte first": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "Windows-1252": lambda text: text.replace("×", "x").encode("cp1252"),
    "semicolons and Windows line ends": lambda text: rewritten(text, ";").encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "blank lines": lambda text: ("\n" + text + "\n\n").encode(),
}


def essence(importer, kind):
    origin = ("import_id", "imported_at", "source_file", "source_line")
    return [{name: row[name] for name in row if name not in origin} for row in importer.rows(kind)]


def test_every_preset_has_a_sample():
    presets = {(kind, preset.name) for kind in KINDS for preset in presets_of(kind)}
    assert presets - {(kind, preset) for _, kind, preset, *_ in SAMPLES} == {("spend", "meta_insights")}
    # … which is JSON, and tested in test_insights.py.


@pytest.mark.parametrize(
    ("name", "kind", "preset", "options", "rows", "amounts"), SAMPLES, ids=lambda value: str(value)[:20]
)
def test_each_sample_is_recognised_and_imported(importer, sample, name, kind, preset, options, rows, amounts):
    summary = importer.run(kind, sample(name), **options)
    assert (summary.preset, summary.rows_imported) == (preset, rows)
    assert summary.amounts == {currency: Decimal(amount) for currency, amount in amounts.items()}
    assert summary.rows_read == rows + sum(count for count, _ in summary.left_out)
    assert summary.why in str(summary)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize(("name", "kind", "options"), CSV_SAMPLES, ids=lambda value: str(value)[:20])
def test_a_twin_in_another_encoding_is_the_same_import(importer, sample, name, kind, options, twin):
    text = sample(name).read_text(encoding="utf-8")
    if twin == "Windows-1252":
        text = text.replace("×", "x")
    importer.run(kind, text, **options)
    plain = essence(importer, kind)
    other = type(importer)(importer.folder / "other")
    other.folder.mkdir()
    other.run(kind, TWINS[twin](text), **options)
    assert essence(other, kind) == plain


# file, kind, options, what is written instead of what, and what is said
FAULTY = [
    (
        *("meta_table_export.csv", "spend", {}, "120226305854810123", "1.20226E+17"),
        "file.csv: 4 of 5 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  Ad ID  "1.20226E+17"  rounded by Excel\n'
        "Excel has rounded ids: export the file again as CSV and do not open it in Excel before the import.",
    ),
    (
        *("ads_reporting_daily.csv", "spend", {}, "2026-11-02,Tocino", "2026-11-31,Tocino"),
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 4  Day  "2026-11-31"  no such day',
    ),
    (
        *("plain_spend.csv", "spend", {}, "1012.34,EUR", "1,012.34,EUR"),
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 2  –    9 fields, header has 8: unquoted comma in "1,012.34"?',
    ),
    (
        *("shopify_orders.csv", "sales", {}, '"1,050.00"', "$1.050,00"),
        "file.csv: 5 of 6 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        "  line 6  –    42 fields, header has 41: an unquoted comma?",
    ),
    (
        *("woocommerce_analytics.csv", "sales", USD, "$50.00", "€50.00"),
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  N. Revenue (formatted)  "€50.00"  not USD, the currency of this row',
    ),
    (
        *("woocommerce_plugin.csv", "sales", {}, "8,Completed", "8,Done"),
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 4  Order Status  "Done"  not a status: expected completed, processing, on-hold, on hold, refunded,'
        " cancelled, failed, pending, pending payment, draft, checkout-draft, trash",
    ),
    (
        *("stripe_payments.csv", "sales", {}, "50.00,20.50,usd", "50.00,60.50,usd"),
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  Amount Refunded  "60.50"  more than the sale itself, 50.00',
    ),
    (
        *("hubspot_deals.csv", "sales", {}, "2026-03-12 14:05,", "2026-03-12 25:05,"),
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 2  Close Date  "2026-03-12 25:05"  no such time',
    ),
    (
        *("salesforce_opportunities.csv", "sales", {}, '"3/31/2026"', '"3/3/2026"'),
        'file.csv: Close Date "4/1/2026" can be day/month or month/day, and no other date of the file settles it.'
        " Say which: --date-format DD/MM/YYYY or MM/DD/YYYY.",
    ),
    (
        *("plain_sales.csv", "sales", {}, "S-2", "S-1"),
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  sale_id  "S-1"  the same sale as line 2',
    ),
    (
        *("manychat_contacts.csv", "contacts", {}, "24123456789012345", "2.41235E+16"),
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 2  PSID  "2.41235E+16"  rounded by Excel\n'
        "Excel has rounded ids: export the file again as CSV and do not open it in Excel before the import.",
    ),
    (
        *("chatwoot_contacts.csv", "contacts", {}, "+5521999998888", "5.522E+12"),
        "file.csv: 2 of 3 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 2  phone_number  "5.522E+12"  rounded by Excel\n'
        "Excel has rounded ids: export the file again as CSV and do not open it in Excel before the import.",
    ),
    (
        *("plain_contacts.csv", "contacts", {}, "whatsapp", "whatsap"),
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  platform  "whatsap"  not a platform: expected messenger, instagram, whatsapp',
    ),
    (
        *("plain_rates.csv", "rates", {}, "0.00662", "0"),
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  rate  "0"  not a rate above 0 with at most 8 decimals',
    ),
]


@pytest.mark.parametrize(
    ("name", "kind", "options", "old", "new", "message"), FAULTY, ids=[case[0] for case in FAULTY]
)
def test_a_faulty_twin_is_refused_in_these_words(importer, sample, name, kind, options, old, new, message):
    text = sample(name).read_text(encoding="utf-8")
    assert old in text
    assert importer.error(kind, text.replace(old, new, 1), **options) == message


def test_contacts_without_an_id_at_meta_are_known_by_their_whatsapp_number(importer, sample):
    summary = importer.run("contacts", sample("chatwoot_contacts.csv"))
    found = [
        tuple(row[name] for name in ("contact_id", "platform", "customer_id", "phone"))
        for row in importer.rows("contacts")
    ]
    assert found == [
        ("5521999998888", "whatsapp", "shop-1", "+5521999998888"),
        ("14155550123", "whatsapp", None, "+14155550123"),
    ]
    assert summary.notes == (
        "phone_number (line 2 and 1 more row): no id of the person at Meta, the number is taken as that of WhatsApp",
    )


def test_an_id_at_meta_wins_over_the_number(importer, sample):
    importer.run("contacts", sample("manychat_contacts.csv"))
    found = [(row["contact_id"], row["platform"], row["customer_id"]) for row in importer.rows("contacts")]
    assert found == [
        ("24123456789012345", None, "8812345671"),
        ("14155550123", "whatsapp", "8812345672"),
        ("24123456789012347", None, "8812345673"),
    ]


def test_contacts_without_any_id_say_what_is_missing(importer):
    assert importer.error("contacts", "id,name,identifier,email\n1,Ana,shop-1,ana@example.com\n") == (
        "file.csv: read as Chatwoot contacts, but 1 required column is missing.\n"
        "  no column \"source_id\" (field contact_id). Chatwoot's own id is not the person's id at Meta: add source_id"
        " of the contact's inbox, or phone_number.\n"
        '  found: "id", "name", "identifier", "email"'
    )
