from datetime import date
from decimal import Decimal

import pytest


def test_a_contact_is_stored_with_the_keys_of_its_customer(importer):
    importer.run("contacts", "contact_id,platform,email,phone\n24,messenger, ANA@B.co ,+1 (415) 555-0123\n")
    row = importer.rows("contacts")[0]
    assert [row[name] for name in ("contact_id", "platform", "account_id", "customer_id", "email", "phone")] == [
        "24", "messenger", None, None, "ana@b.co", "+14155550123",
    ]  # fmt: skip


def test_a_contact_without_a_key_and_a_repeated_one_are_left_out(importer):
    summary = importer.run(
        "contacts", "contact_id,customer_id,email\n24,c-1,\n25,,nothing\n24,c-1,\n24,c-2,\n"
    )
    assert [(row["contact_id"], row["customer_id"]) for row in importer.rows("contacts")] == [
        ("24", "c-1"),
        ("24", "c-2"),
    ]
    assert summary.left_out == (
        (1, "row without customer_id, email or phone"),
        (1, "row that repeats another"),
    )


def test_no_address_is_kept_in_what_is_said_about_it(importer):
    importer.run("contacts", "contact_id,customer_id,email\n24,c-1,ana at example\n")
    record = next(path for path in importer.files("contacts") if path.suffix == ".json").read_text()
    assert "email (line 2): not an e-mail address, left out" in record
    assert "ana at example" not in record


@pytest.mark.parametrize("phone", ["Phone", "phone_number"])
def test_columns_that_everybody_has_are_no_program_of_conversations(importer, phone):
    content = f"Email,{phone}\nana@example.com,+5521999998888\n"
    assert importer.error("contacts", content) == (
        "file.csv: read as plain contacts, but 1 required column is missing.\n"
        '  no column "contact_id" (field contact_id). Add each person\'s id at Meta: PSID, IGSID, BSUID or wa_id.'
        " Where the phone is that of a WhatsApp conversation it is the id:"
        " --preset manychat reads it so from Phone, --preset chatwoot from phone_number.\n"
        f'  found: "Email", "{phone}"'
    )
    preset = {"Phone": "manychat", "phone_number": "chatwoot"}[phone]
    assert importer.run("contacts", content, preset=preset).preset == preset
    assert importer.column("contacts", "contact_id") == ["5521999998888"]


def test_nor_are_they_where_sales_lack_a_column(importer):
    message = importer.error("sales", "sale_id,Email,Phone\n1,ana@example.com,+5521999998888\n")
    assert "ManyChat" not in message


@pytest.mark.parametrize(
    ("header", "preset"),
    [
        ("Subscriber ID,Phone,Email", "manychat"),
        ("Email,WhatsApp Phone", "manychat"),
        ("id,name,email,phone_number", "chatwoot"),
        ("source_id,phone_number", "chatwoot"),
        ("PSID,Email,Phone", "plain"),
        ("wa_id,Email", "plain"),
    ],
)
def test_a_program_is_known_by_headers_of_its_own(importer, header, preset):
    cells = {"email": "ana@example.com", "phone": "+5521999998888", "name": "Ana"}
    row = ",".join(
        next((cell for word, cell in cells.items() if word in column.lower()), "24123")
        for column in header.split(",")
    )
    assert importer.run("contacts", f"{header}\n{row}\n").preset == preset


def test_rates_are_kept_to_eight_decimals(importer):
    importer.run("rates", "day,currency,rate\n2026-11-01,EUR,1.08123456\n2026-11-01,IDR,0.00006\n")
    assert [(row["day"], row["currency"], row["rate"]) for row in importer.rows("rates")] == [
        (date(2026, 11, 1), "EUR", Decimal("1.08123456")),
        (date(2026, 11, 1), "IDR", Decimal("0.00006000")),
    ]


def test_a_second_rate_for_a_day_is_a_bad_row(importer):
    assert importer.error("rates", "day,currency,rate\n2026-11-01,EUR,1.08\n2026-11-01,eur,1.09\n") == (
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  currency  "EUR"  line 2 has a rate for 2026-11-01 too'
    )


def test_a_rate_of_zero_is_a_bad_row(importer):
    assert importer.error("rates", "day,currency,rate\n2026-11-01,EUR,0\n").endswith(
        '  line 2  rate  "0"  not a rate above 0 with at most 8 decimals'
    )
