"""Who is meant by an erasure in the imports: the contact's own keys, and nobody who only shares one."""

from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from ctm_analytics.identity import phone_spellings
from ctm_analytics.imports import import_contacts, import_sales
from ctm_analytics.imports.erasing import ErasedContact, erase_contact, find_identities, imports_left
from ctm_analytics.settings import Settings

HEADER = "sale_id,sold_at,gross_amount,currency,contact_id,platform,account_id,customer_id,email,phone\n"
ANNA = ErasedContact(frozenset({"5541988887777"}))


def never(field: str, value: str) -> bool:
    return False


@pytest.fixture
def imported(tmp_path):
    """Import sales and contacts from lines of text; what is stored of a kind, by its first column."""
    settings = Settings()

    def load(sales: list[str], contacts: list[str]):
        for name, take, header, lines in (
            ("sales", import_sales, HEADER, sales),
            ("contacts", import_contacts, "contact_id,platform,customer_id,email,phone\n", contacts),
        ):
            if lines:
                file = tmp_path / f"{name}.csv"
                file.write_text(header + "\n".join(lines) + "\n")
                take(
                    file, tmp_path / "data", settings=settings, imported_at=datetime(2026, 11, 2, tzinfo=UTC)
                )
        return tmp_path / "data"

    return load


def sale(sale_id: str, keys: str) -> str:
    return f"{sale_id},2026-11-01T10:00:00Z,80,USD,{keys}"


def stored(data, kind):
    return [
        row for file in (data / "imports" / kind).glob("*.parquet") for row in pq.read_table(file).to_pylist()
    ]


def keyless(data) -> set[str]:
    """The sales that no longer say whose they were."""
    names = ("contact_id", "email", "phone", "ref")
    return {
        row["sale_id"]
        for row in stored(data, "sales")
        if str(row["customer_id"]).startswith("erased-") and not any(row[name] for name in names)
    }


def erase(data, contact=ANNA, is_known=never):
    own = find_identities(data, contact, is_known).own
    return erase_contact(data, contact, own), own


@pytest.mark.parametrize(
    "keys",
    [
        "5541988887777,,,,,",  # the contact itself
        "5541988887777,whatsapp,,,,",
        ",,,,,+5541988887777",  # their number, in both spellings
        ",,,,,+554188887777",
        ",,,c_1,,",  # what the contacts file ties to them
        ",,,,anna@example.com,",
        ",,,,,+4915112345678",
    ],
)
def test_a_sale_that_the_imports_tie_to_the_contact_loses_its_keys(imported, keys):
    contacts = ["5541988887777,,c_1,anna@example.com,+4915112345678"]
    data = imported([sale("S1", keys), sale("S2", ",,,c_2,ben@example.com,+16505551234")], contacts)
    found, own = erase(data)
    assert found == {"sales": 1, "contacts": 1}
    assert keyless(data) == {"S1"}
    assert stored(data, "contacts") == []
    assert imports_left(data, ANNA, own) == []


def test_what_a_sale_of_the_contact_says_is_theirs_too(imported):
    data = imported(
        [sale("S1", "5541988887777,,,,anna@example.com,"), sale("S2", ",,,,anna@example.com,")], []
    )
    assert erase(data)[0]["sales"] == 2
    assert keyless(data) == {"S1", "S2"}


def test_keys_are_followed_one_step_and_no_further(imported):
    lines = [
        sale("S1", "5541988887777,,,guest,,"),
        sale("S2", ",,,guest,cleo@example.com,"),
        sale("S3", ",,,,cleo@example.com,"),
    ]
    data = imported(lines, [])
    erase(data)
    assert keyless(data) == {"S1", "S2"}


def test_a_key_that_another_contact_has_too_is_nobodys_evidence(imported):
    data = imported(
        [sale("S1", "5541988887777,,,,home@example.com,"), sale("S2", ",,,,home@example.com,")],
        ["7219453208114,messenger,,home@example.com,"],
    )
    identities = find_identities(data, ANNA, never)
    assert identities.shared == {("email", "home@example.com")}
    assert identities.others == {"7219453208114"}
    erase(data)
    assert keyless(data) == {"S1"}
    assert len(stored(data, "contacts")) == 1


@pytest.mark.parametrize(("platform", "goes"), [("whatsapp", True), ("", True), ("messenger", False)])
def test_a_row_of_another_platform_stays_where_one_is_named(imported, platform, goes):
    data = imported([sale("S1", f"5541988887777,{platform},,,,")], [])
    erase(data, ANNA._replace(platform="whatsapp"))
    assert keyless(data) == ({"S1"} if goes else set())


def test_another_account_stays_where_one_is_named(imported):
    data = imported(
        [
            sale("S1", "5541988887777,,1,,,"),
            sale("S2", "5541988887777,,2,,,"),
            sale("S3", "5541988887777,,,,,"),
        ],
        [],
    )
    erase(data, ANNA._replace(account_id="1"))
    assert keyless(data) == {"S1", "S3"}


def test_what_an_interrupted_erasure_was_about_is_taken_up_again(imported):
    data = imported([sale("S1", ",,,,anna@example.com,")], [])
    assert erase(data)[0]["sales"] == 0
    assert (
        erase(data, is_known=lambda field, value: (field, value) == ("email", "anna@example.com"))[0]["sales"]
        == 1
    )
    assert keyless(data) == {"S1"}


def test_what_a_killed_import_has_left_goes_too(imported):
    data = imported([sale("S1", "5541988887777,,,,,")], [])
    (file,) = (data / "imports" / "sales").glob("*.parquet")
    left = file.with_name(".20261103T000000Z-0.parquet.tmp")
    left.write_bytes(file.read_bytes())
    erase(data)
    assert not left.exists()


def test_one_number_stands_for_the_customer_in_all_their_sales(imported):
    data = imported([sale("S1", "5541988887777,,,c_1,,"), sale("S2", ",,,c_1,,")], [])
    erase(data)
    assert len({row["customer_id"] for row in stored(data, "sales")}) == 1


@pytest.mark.parametrize(
    ("number", "other"),
    [("5541988887777", "554188887777"), ("5215512345678", "525512345678"), ("5491112345678", "541112345678")],
)
def test_both_spellings_of_a_number_are_known_from_either(number, other):
    assert phone_spellings(number) == phone_spellings(other) == {f"+{number}", f"+{other}"}


@pytest.mark.parametrize("id_", ["US.13491208655302741918", "7219453208114555", "", "12", "²²²²²²²²"])
def test_what_is_no_phone_number_has_no_spelling(id_):
    assert phone_spellings(id_) == frozenset()
