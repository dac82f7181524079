"""Currencies without decimals, with two and with three."""

from decimal import Decimal

import pytest

SPEND = "day,ad_id,spend,currency\n"


@pytest.mark.parametrize("currency", ["KWD", "BHD", "JOD", "OMR", "TND"])
def test_three_decimals_are_kept_in_a_currency_that_has_them(importer, currency):
    summary = importer.run(
        "spend", SPEND + f'2026-11-01,8,"1,250.125",{currency}\n2026-11-02,8,0.005,{currency}\n'
    )
    assert importer.column("spend", "spend") == [Decimal("1250.125"), Decimal("0.005")]
    assert f"  amount    1,250.130 {currency}\n" in str(summary)


def test_three_decimals_are_a_bad_row_in_another_currency_of_the_same_file(importer):
    assert importer.error("spend", SPEND + "2026-11-01,8,1.125,KWD\n2026-11-02,8,1.125,USD\n") == (
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 3  spend  "1.125"  more than 2 decimals'
    )


def test_four_decimals_are_a_bad_row_in_every_currency(importer):
    message = importer.error("spend", SPEND + "2026-11-01,8,1.1255,KWD\n")
    assert message.endswith('  line 2  spend  "1.1255"  more than 3 decimals')


def test_three_digits_behind_a_comma_are_refused_where_they_can_be_decimals(importer):
    assert importer.error("spend", SPEND + '2026-11-01,8,"1,250",KWD\n2026-11-02,8,12.500,KWD\n') == (
        'file.csv: spend "1,250" can be a thousand times as much in a currency of three decimals, and no other'
        " amount of the file settles it. Write amounts as 1250.000."
    )


def test_another_amount_settles_what_three_digits_behind_a_comma_are(importer):
    importer.run("spend", SPEND + '2026-11-01,8,"1,250",KWD\n2026-11-02,8,"2,5",KWD\n')
    assert importer.column("spend", "spend") == [Decimal("1.25"), Decimal("2.5")]


def test_a_period_is_spread_to_the_smallest_unit(importer):
    content = "Reporting starts,Reporting ends,Ad ID,Amount spent (KWD)\n2026-11-01,2026-11-03,8,1.000\n"
    importer.run("spend", content, spread_evenly=True)
    assert importer.column("spend", "spend") == [Decimal("0.334"), Decimal("0.333"), Decimal("0.333")]
