import doctest

import pytest

from ctm_analytics import identity
from ctm_analytics.identity import normalise_email, normalise_phone


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
