import doctest
import pkgutil
from datetime import date
from importlib import import_module

import pytest

import ctm_analytics.charts
import ctm_analytics.report
from ctm_analytics.formats import (
    count,
    duration,
    label,
    money,
    money_ticks,
    percent,
    period,
    time_ticks,
)

MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (ctm_analytics.charts, ctm_analytics.report)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_a_docstring_gives_what_it_says(name):
    assert doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS).failed == 0


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (33.4, "USD", "$33"),
        (2.94, "USD", "$2.94"),
        (19.996, "USD", "$20"),
        (7, "EUR", "€7"),
        (61259.51, "GBP", "£61,260"),
        (1200, "ZAR", "ZAR\xa01,200"),
        (-5.5, "USD", "−$5.50"),
        (-0.001, "USD", "$0.00"),
        (12, None, "12"),
        (None, "USD", "–"),
        (float("nan"), "USD", "–"),
    ],
)
def test_money_carries_its_currency_and_cents_only_below_twenty(amount, currency, written):
    assert money(amount, currency) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0\xa0s"),
        (0.4, "<\xa01\xa0s"),
        (38.2, "38\xa0s"),
        (59.9, "1\xa0min"),
        (252, "4\xa0min 12\xa0s"),
        (3599.8, "1\xa0h"),
        (3900, "1\xa0h 5\xa0min"),
        (86_390, "1\xa0d"),
        (97_200, "1\xa0d 3\xa0h"),
        (None, "–"),
    ],
)
def test_a_duration_has_at_most_two_units_and_never_sixty_of_one(seconds, written):
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.281, "28\xa0%"), (0.077, "7.7\xa0%"), (0.0999, "10\xa0%"), (None, "–"), (1.1, "110\xa0%")],
)
def test_a_share_has_a_decimal_only_below_ten_percent(share, written):
    assert percent(share) == written


def test_a_missing_count_is_a_dash_and_not_zero():
    assert (count(None), count(0)) == ("–", "0")


def test_a_period_over_new_year_names_both_years():
    assert period(date(2025, 12, 29), date(2026, 1, 4)) == "29 Dec 2025 – 4 Jan 2026"


def test_a_label_shows_markup_as_it_is_written():
    assert label("<script>alert(1)</script> & co") == "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co"


@pytest.mark.parametrize(("low", "high"), [(1, 3), (8, 130), (0.2, 90_000), (31, 34)])
def test_a_money_axis_has_round_ticks_inside_its_range_and_at_most_six(low, high):
    ticks = money_ticks(low, high)
    assert len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)


def test_a_time_axis_has_ticks_that_people_say():
    assert [duration(tick) for tick in time_ticks(5, 90_000)] == [
        "10\xa0s",
        "1\xa0min",
        "5\xa0min",
        "15\xa0min",
        "1\xa0h",
        "4\xa0h",
        "1\xa0d",
    ]
