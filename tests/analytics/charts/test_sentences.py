import pandas as pd

from ctm_analytics.charts import (
    best_ad_sentence,
    cost_sentence,
    idle_ads_sentence,
    maturity_notice,
    speed_sentence,
)

TOTAL = {
    "spend": 990.0,
    "currency": "USD",
    "new_customers": 30.0,
    "cac": 33.0,
    "cac_low": 23.1,
    "cac_high": 48.9,
}
LATENCY = {"engaged": 200, "median_first_response_seconds": 252.0, "answered_within_24h": 0.91}


def total(**changes):
    return pd.Series(TOTAL | changes, dtype=object)


def latency(**changes):
    return pd.Series(LATENCY | changes, dtype=object)


def curve(**medians):
    return pd.DataFrame(
        [(group, seconds, share) for group, median in medians.items() for seconds, share in ((median, 0.5),)],
        columns=["group", "seconds", "answered_share"],
    )


def test_the_cost_has_its_interval_and_its_change():
    assert cost_sentence(total(), total(cac=34.4)) == (
        "A new customer cost $33 of ad spend (95 % between $23 and $49), 4.1\xa0% less than in the period before,"
        " which may be chance."
    )


def test_a_change_beyond_the_interval_is_not_called_chance():
    assert cost_sentence(total(), total(cac=66.0)).endswith("50\xa0% less than in the period before.")


def test_a_change_below_two_percent_is_none():
    assert cost_sentence(total(), total(cac=33.3)).endswith(", as in the period before.")


def test_without_data_before_nothing_is_compared():
    assert cost_sentence(total(), total(cac=None)).endswith("$49).")
    assert cost_sentence(total()).endswith("$49).")


def test_spend_without_a_customer_is_not_called_a_cost():
    assert cost_sentence(total(cac=None, new_customers=0.0)) == (
        "$990 of ad spend brought no new customer yet."
    )


def test_customers_without_known_spend_are_said():
    assert cost_sentence(total(cac=None, spend=None, currency=None)) == (
        "No ad spend is known for this period; ads brought 30 new customers."
    )


def test_the_best_ad_is_the_one_whose_interval_ends_lowest(ads):
    frame = ads(
        {"ad_id": "1", "ad_name": "Lucky", "new_customers": 1.0, "cac": 2.0, "cac_high": 19.0},
        {"ad_id": "2", "ad_name": "Wide", "cac": 8.0, "cac_high": 30.0},
        {"ad_id": "3", "ad_name": "Solid", "cac": 9.0, "cac_high": 20.0},
    )
    assert best_ad_sentence(frame) == ("The safest choice is “Solid”: $9 per new customer, at most $20.")


def test_without_enough_customers_no_ad_is_called_best(ads):
    assert best_ad_sentence(ads({"new_customers": 4.0})) == (
        "No ad has brought 5 new customers yet: too few to name the best."
    )


def test_money_spent_without_a_customer_is_added_up(ads, nothing_sold):
    assert idle_ads_sentence(ads({}, {"ad_id": "2", **nothing_sold})) == (
        "1 ad has spent $100 without a new customer yet."
    )
    assert idle_ads_sentence(ads({})) == "Every ad that spent brought at least one new customer."
    assert idle_ads_sentence(ads({"spend": None})) == ""


def test_speed_says_the_median_and_who_waits_longer_than_a_day():
    assert speed_sentence(latency()) == (
        "Half of the people who wrote had an answer within 4\xa0min 12\xa0s; 9\xa0% had none within a day."
    )


def test_a_group_that_waits_longer_is_named():
    assert speed_sentence(latency(), curve(Office=60, Nights=840)).endswith(
        "9\xa0% had none within a day. Nights: 14\xa0min, 14× as long as Office."
    )


def test_groups_that_hardly_differ_are_not():
    assert speed_sentence(latency(), curve(Office=60, Nights=80)).endswith("within a day.")


def test_where_fewer_than_half_are_answered_there_is_no_median_to_quote():
    assert speed_sentence(latency(median_first_response_seconds=None)) == (
        "Fewer than half of 200 people who wrote have been answered."
    )
    assert speed_sentence(latency(engaged=0)) == "Nobody wrote in this period."


def test_a_mature_period_has_no_warning():
    assert maturity_notice(pd.Series({"immature": 0, "conversations": 50}), 7) == ""


def test_spend_of_which_nothing_was_captured_is_not_said_to_have_brought_nobody():
    assert cost_sentence(total(cac=None, conversations=0, sales=0.0)).endswith(
        "was spent on ads; what it brought is not known, since nothing was captured."
    )
