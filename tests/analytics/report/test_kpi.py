import pytest

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.report.kpi import tile


def test_a_cost_that_falls_is_better():
    fallen = tile("CAC", 33.0, 36.0, unit="money", down_is_good=True, currency="USD")
    assert (fallen.value, fallen.change, fallen.verdict) == ("$33", "▼\xa08.3\xa0%", "better")


def test_a_count_that_falls_is_worse():
    assert tile("Conversations", 90, 100).verdict == "worse"


def test_spend_is_neither_good_nor_bad():
    spent = tile("Spend", 110, 100, unit="money", down_is_good=None)
    assert (spent.change, spent.verdict) == ("▲\xa010\xa0%", "")


@pytest.mark.parametrize("previous", [None, float("nan"), 0])
def test_without_data_before_there_is_no_change(previous):
    assert tile("Conversations", 90, previous).change == ""


def test_a_share_changes_in_points():
    assert tile("Answered", 0.91, 0.89, unit="percent").change == "▲\xa02\xa0points"


def test_a_change_inside_the_interval_is_called_chance_and_not_judged():
    wide = tile("CAC", 47, 42, unit="money", down_is_good=True, interval=(34, 66), currency="USD")
    assert (wide.interval, wide.verdict) == ("95 %: $34 – $66", "within chance")


def test_an_open_interval_reads_at_least():
    assert (
        tile("CAC", None, unit="money", interval=(27.1, None), currency="USD").interval
        == "95 %: at least $27"
    )


def test_both_ends_of_an_interval_are_written_alike():
    assert tile("Rate", 0.051, unit="percent", interval=(0.043, 0.06)).interval == "95 %: 4.3\xa0% – 6.0\xa0%"


def test_an_unknown_value_is_a_dash_without_a_change():
    unknown = tile("Median", None, 200, unit="seconds")
    assert (unknown.value, unknown.change) == ("–", "")


def test_the_small_line_spans_the_tile_and_needs_every_day():
    assert tile("Sales", 3, trend=[0, 4, 2]).line == "0.0,26.0 60.0,2.0 120.0,14.0"
    assert tile("Sales", 3, trend=[0, None, 2]).line == ""


def test_a_unit_that_does_not_exist_is_refused_with_a_suggestion():
    with pytest.raises(InvalidArgument) as caught:
        tile("CAC", 1, unit="mony")
    assert str(caught.value) == (
        "unit: 'mony' is not a unit. Did you mean 'money'? Use one of count, money, percent, seconds, ratio."
    )


def test_a_worse_number_whose_sales_are_still_to_come_may_still_improve():
    young = {"unit": "money", "down_is_good": True, "is_ripening": True}
    assert tile("CAC", 50, 40, **young).verdict == "may still improve"
    assert tile("CAC", 30, 40, **young).verdict == "better"
