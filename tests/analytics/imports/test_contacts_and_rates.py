from datetime import date
from decimal import Decimal


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
