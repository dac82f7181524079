import csv
import io

import pandas as pd

from ctm_analytics.columns import COLUMNS, NOT_CREDITED, PRESETS, column_of
from ctm_analytics.report.ads_table import ads_table
from ctm_analytics.report.tables import MOST_ROWS, data_table, write_csv


def cells(table, row):
    return {column.label: cell.text for column, cell in zip(table.columns, table.rows[row], strict=True)}


def test_most_spend_comes_first_and_what_no_ad_is_credited_with_last(ads):
    names = [row[0].text for row in ads_table(ads, None, "USD").rows]
    assert names[1:] == ["Reel – Loyalty", NOT_CREDITED]
    assert names[0].startswith("</script>")


def test_cells_are_written_for_people_and_sort_by_their_value(ads):
    table = ads_table(ads, None, "USD")
    loyalty = cells(table, 1)
    assert loyalty["Spend"] == "$629"
    assert loyalty["Conversion"] == "8.5\xa0%"
    assert loyalty["CAC, 95 %"] == "$23 – $64"
    assert loyalty["Median response"] == "4\xa0min 12\xa0s"
    assert loyalty["ROAS"] == "2.00×"
    assert {cell.value for cell in table.rows[1]} >= {"628.90", "36.99", "252.0"}


def test_an_ad_without_a_customer_costs_at_least(ads):
    without = cells(ads_table(ads, None, "USD"), 0)
    assert (without["CAC"], without["CAC, 95 %"]) == ("–", "at least $429")


def test_an_unknown_number_is_a_dash_and_sorts_as_nothing(ads):
    table = ads_table(ads, None, "USD")
    spend = [column.label for column in table.columns].index("Spend")
    assert (table.rows[2][spend].text, table.rows[2][spend].value) == ("–", "")


def test_totals_are_a_row_of_their_own_and_no_record(ads, total):
    table = ads_table(ads, total, "USD")
    assert len(table.rows) == 3
    assert table.total is not None
    written = {column.label: cell.text for column, cell in zip(table.columns, table.total, strict=True)}
    assert (written["Ad"], written["Spend"], written["CAC"], written["Campaign"]) == (
        "All ads (2)",
        "$2,210",
        "$130",
        "",
    )


def test_every_preset_shows_the_ad_and_its_spend_and_ids_are_text(ads):
    columns = {column.label: column for column in ads_table(ads, None, "USD").columns}
    for preset in PRESETS[:-1]:
        assert preset in columns["Ad"].presets.split()
        assert preset in columns["Spend"].presets.split()
    assert columns["Ad id"].unit == "text"


def test_an_interval_stands_beside_its_estimate(ads):
    labels = [column.label for column in ads_table(ads, None, "USD").columns]
    assert labels.index("CAC, 95 %") == labels.index("CAC") + 1


def test_no_label_is_a_raw_column_name():
    assert not [column.label for column in COLUMNS.values() if "_" in column.label]
    assert "_" not in column_of("shop_city_of_birth").label


def test_no_ads_give_an_empty_table(ads):
    assert ads_table(ads.iloc[:0], None, None).rows == []


def test_three_hundred_rows_are_cut_and_the_rest_is_counted():
    table = data_table(pd.DataFrame({"stage": ["Bought"] * 300, "count": range(300)}), None)
    assert (len(table.rows), table.left_out) == (MOST_ROWS, 300 - MOST_ROWS)


def test_a_csv_keeps_no_formula_and_no_number_is_touched():
    rows = pd.DataFrame(
        {"ad_name": ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", 'a "b", c'], "change": [-1.5] * 6}
    )
    read = list(csv.reader(io.StringIO(write_csv(rows))))
    assert [row[0] for row in read[1:]] == ["'=HYPERLINK(1)", "'+1", "'-1", "'@x", "'\tx", 'a "b", c']
    assert {row[1] for row in read[1:]} == {"-1.5"}


def test_a_csv_writes_a_day_as_a_day():
    assert write_csv(pd.DataFrame({"day": pd.to_datetime(["2026-11-16"])})).splitlines()[1] == "2026-11-16"


def test_a_csv_writes_missing_as_nothing():
    assert write_csv(pd.DataFrame({"cac": [None, 3.5]})).splitlines()[1:] == ['""', "3.5"]


def test_a_campaign_stands_in_the_columns_of_an_ad(ads):
    campaigns = pd.DataFrame(
        [{"campaign_id": "7", "campaign_name": "Prospecting", "spend": 10.0, "sales": 2.0}]
    )
    table = ads_table(ads, None, "USD", levels={"campaign": campaigns})
    assert list(table.levels) == ["ad", "campaign"]
    (row,) = table.levels["campaign"]
    written = {column.label: cell.text for column, cell in zip(table.columns, row, strict=True)}
    assert (written["Ad"], written["Spend"], written["Sales"], written["CAC"]) == (
        "Prospecting",
        "$10",
        "2",
        "–",
    )
    assert row[0].key == "7"


def test_a_verdict_says_why_and_every_heading_what_it_means(ads):
    judged = ads.assign(verdict=["scale", None, "cut"], p_below_target=[0.95, None, 0.02])
    table = ads_table(judged, None, "USD", target_cac=45.0)
    place = [column.label for column in table.columns].index("Verdict")
    assert [row[place].reason for row in table.rows] == ["2\xa0% likely < $45", "95\xa0% likely < $45", ""]
    assert dict(table.meanings)["Verdict"].startswith("scale (")
