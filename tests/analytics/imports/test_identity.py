import doctest
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from ctm_analytics import identity
from ctm_analytics.identity import normalise_email, normalise_phone
from ctm_analytics.imports import import_sales
from ctm_analytics.settings import Settings


def test_the_examples_of_the_documentation_run():
    assert doctest.testmod(identity).failed == 0


@pytest.mark.parametrize("text", ["a@b", "@b.co", "a b@c.co", "a@b.co,c@d.co", "none", ""])
def test_what_is_not_one_address_is_no_key(text):
    assert normalise_email(text) is None


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+1 (415) 555-0123", "+14155550123"),
        ("0044 20 7946 0958", "+442079460958"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("'+14155550123", "+14155550123"),
        ("p:+15551234567", "+15551234567"),
        ("5521999998888", "+5521999998888"),
        ("+1 415 555 0123 ext. 4", "+14155550123"),
        ("+1 415 555 0123 x4", "+14155550123"),
        ("01711 234567", "01711234567"),
        ("", None),
        ("n/a", None),
        ("12345", None),
        ("call +14155550123", None),
        ("1234567890123456", None),
    ],
)
def test_a_phone_is_brought_to_e164(text, phone):
    assert normalise_phone(text) == phone


# Numbers of the national examples that the regulators publish or that operators print; E.164 by hand.
@pytest.mark.parametrize(
    ("text", "country", "phone"),
    [
        ("01711 234567", "DE", "+491711234567"),
        ("1711234567", "DE", "+491711234567"),  # Excel has eaten the zero
        ("0049 1711 234567", "DE", "+491711234567"),
        ("(021) 99999-8888", "BR", "+5521999998888"),
        ("21 99999-8888", "BR", "+5521999998888"),
        ("011 15-5555-5555", "AR", "+5491155555555"),  # 15 inside the country is 9 outside
        ("55 1234 5678", "MX", "+525512345678"),
        ("(415) 555-0123", "US", "+14155550123"),
        ("011 44 7911 123456", "US", "+447911123456"),  # dialled abroad from there
        ("(432) 534-8894", "US", "+14325348894"),  # Texas, though +43 2534 8894 would be in Austria
        ("06 69812345", "IT", "+390669812345"),  # Italy keeps its zero
        ("+44 7911 123456", "BR", "+447911123456"),
        ("+44 07911 123456", None, "+447911123456"),
    ],
)
def test_a_national_form_is_read_as_the_default_country_dials_it(text, country, phone):
    assert normalise_phone(text, country) == phone


@pytest.mark.parametrize(
    ("text", "country"), [("491711234567", "DE"), ("5521999998888", "DE"), ("5521999998888", "BR")]
)
def test_a_mobile_number_with_its_country_code_is_no_landline_of_the_default_country(text, country):
    assert normalise_phone(text, country) == f"+{text}"


def test_what_no_country_has_stays_as_it_is():
    assert normalise_phone("999 9999 9999", "DE") == "+99999999999"
    assert normalise_phone("0100 0000000000", "DE") == "01000000000000"


def test_the_setting_reaches_the_file(tmp_path):
    file = tmp_path / "sales.csv"
    file.write_text(
        "sale_id,sold_at,gross_amount,currency,phone\n1,2026-11-02T08:00:00Z,5,EUR,01711 234567\n"
    )
    chosen = {"settings": Settings(default_country="DE"), "imported_at": datetime(2026, 11, 3, tzinfo=UTC)}
    import_sales(file, tmp_path / "data", **chosen)
    (path,) = (tmp_path / "data").glob("imports/sales/*.parquet")
    assert pq.read_table(path)["phone"].to_pylist() == ["+491711234567"]
