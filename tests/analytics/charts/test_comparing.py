import pytest

from ctm_analytics.charts import (
    models_by_ad,
    models_finding,
    models_table,
    speed_effects,
    speed_finding,
    two_ads,
    two_ads_finding,
    two_ads_table,
)

from . import frames


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_a_dot_per_model_and_a_line_over_all_models_and_windows():
    figure = models_by_ad(frames.attribution(["Reel"]), window_days=7)
    drawn = traces(figure)
    assert list(drawn["First touch"].x) == [12.5]
    assert list(drawn["Time decay"].x) == [20.0]
    assert list(drawn["All models and windows"].x)[:2] == [12.5, 20.0]


def test_models_that_agree_stand_below_each_other_and_hide_none():
    figure = models_by_ad(frames.attribution(["Reel"]), window_days=7)
    places = [trace.y[0] for trace in figure.data if trace.mode == "markers"]
    assert len(set(places)) == 7
    assert all(abs(place) < 0.5 for place in places)


def test_only_the_asked_window_has_dots():
    compared = frames.attribution(["Reel"])
    compared.loc[compared["window_days"] == 7, "cac"] = 1.0
    assert list(traces(models_by_ad(compared, window_days=1))["First touch"].x) == [12.5]
    assert list(traces(models_by_ad(compared, window_days=7))["First touch"].x) == [1.0]


def test_the_ad_that_the_model_moves_most_is_named():
    compared = frames.attribution(["Reel", "Static"])
    compared.loc[compared["ad_name"] == "Reel", "cac"] = 10.0
    assert models_finding(compared, window_days=7) == (
        "The choice of model moves the CAC of 1 of 2 ads with new customers by more than 10\xa0% (window of 7 days);"
        " most of all “Static”, from $12.50 to $20."
    )


def test_where_models_agree_the_finding_says_so():
    compared = frames.attribution(["Reel"]).assign(cac=10.0)
    assert models_finding(compared, window_days=7) == (
        "The choice of model hardly matters: it moves the CAC of none of 1 ad with new customers by more than 10\xa0%"
        " (window of 7 days)."
    )


def test_a_model_that_gives_an_ad_no_customer_is_named_beside_its_row():
    compared = frames.attribution(["Reel"])
    compared.loc[compared["model"] == "markov", "cac"] = None
    figure = models_by_ad(compared, window_days=7)
    assert [words.text for words in figure.layout.annotations] == ["→ no customer: Markov"]
    assert "to no customer at all" in figure.layout.meta["finding"]


def test_the_table_lays_the_models_beside_each_other():
    (row,) = models_table(frames.attribution(["Reel"]), window_days=7).to_dict("records")
    assert (row["cac_first_touch"], row["cac_time_decay"]) == (12.5, 20.0)


def test_two_ads_are_drawn_with_their_intervals_cheaper_on_top():
    figure = two_ads(frames.pair(p_value=0.01), currency="USD")
    assert figure.layout.yaxis.ticktext == ("Reel", "Static")
    cheaper = traces(figure)["Cheaper"]
    assert (cheaper.x[0], cheaper.error_x.arrayminus[0]) == (10.0, pytest.approx(4.6))
    assert "0.40, 95 % 0.09 to 1.40" in figure.layout.xaxis.title.text


def test_two_ads_that_chance_may_tell_apart_are_not_called_cheaper_and_dearer():
    figure = two_ads(frames.pair())
    assert set(traces(figure)) == {"Cannot be told apart"}
    assert two_ads_finding(frames.pair()) == (
        "Not enough data to tell “Reel” and “Static” apart (p\xa0=\xa00.180): if the difference is as large as it"
        " looks, about 20 days more would tell."
    )


def test_an_ad_without_a_customer_costs_at_least_and_is_the_dearer_one():
    nobody = {"other_new_customers": 0.0, "other_cac": None, "other_cac_low": 27.1, "other_cac_high": None}
    compared = frames.pair(**nobody, cac_ratio=None, cac_ratio_low=0.0, cac_ratio_high=0.6, p_value=0.01)
    assert two_ads_finding(compared).startswith("A customer of “Reel” costs less than one of “Static”")
    mark = traces(two_ads(compared))["No new customer yet: costs at least"]
    assert list(mark.x) == [27.1]
    assert 27.1 + mark.error_x.array[0] == pytest.approx(10 ** two_ads(compared).layout.xaxis.range[1])


def test_ads_that_cannot_be_compared_are_not():
    nothing = dict.fromkeys(("cac", "cac_low", "cac_high", "other_cac", "other_cac_low", "other_cac_high"))
    compared = frames.pair(**nothing, p_value=None)
    assert "cannot be compared" in two_ads_finding(compared)
    assert two_ads(compared).layout.meta["nothing"] is True


def test_the_two_ads_stand_below_each_other_in_the_table():
    table = two_ads_table(frames.pair())
    assert list(table["ad_name"]) == ["Reel", "Static"]
    assert list(table["cac_high"]) == [20.9, 91.8]


FASTER = frames.effects((5, 0.08, 0.02, 0.14, 200, 300), (15, 0.01, -0.04, 0.06, 300, 200))


def test_a_settled_difference_is_said_with_its_interval_and_as_an_association():
    assert speed_finding(FASTER) == (
        "People answered within 5\xa0min bought 8 points more often than those still waiting (95 % 2 to 14 points):"
        " association, not proof."
    )


def test_each_landmark_is_a_row_with_its_people_and_its_interval():
    figure = speed_effects(FASTER)
    assert figure.layout.yaxis.ticktext == (
        "5\xa0min  (200 answered, 300 waiting)",
        "15\xa0min  (300 answered, 200 waiting)",
    )
    drawn = traces(figure)
    assert list(drawn["Answered people buy more often"].x) == [0.08]
    assert drawn["Answered people buy more often"].error_x.arrayminus[0] == pytest.approx(0.06)
    assert list(drawn["Not settled"].x) == [0.01]
    assert list(drawn["No difference"].x) == [0, 0]


def test_too_few_on_either_side_is_not_enough_data_whatever_the_interval():
    few = frames.effects((5, 0.5, 0.3, 0.7, 500, 19))
    assert speed_finding(few).startswith("Not enough data")
    assert "Fewer than 20 people on one side" in traces(speed_effects(few))


def test_intervals_that_include_no_difference_claim_nothing():
    assert speed_finding(frames.effects((5, 0.1, -0.1, 0.3, 50, 50))) == (
        "That a fast answer sells more cannot be told from these data: every interval includes no difference."
    )


def test_a_landmark_that_cannot_be_compared_is_left_out():
    frame = frames.effects((5, None, None, None, None, None), (15, 0.1, -0.1, 0.3, 50, 50))
    assert len(speed_effects(frame).layout.yaxis.ticktext) == 1
    assert speed_effects(frame.iloc[:1]).layout.meta["nothing"] is True
