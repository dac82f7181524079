from ctm_analytics.charts import moves_finding, moves_table, spend_moves

from . import frames


def traces(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


def test_each_ad_that_moves_is_drawn_as_it_is_and_as_suggested():
    figure = spend_moves(frames.outlook(["Good", "Bad"]))
    drawn = traces(figure)
    assert list(figure.layout.yaxis.ticktext) == ["Good", "Bad"]
    assert list(drawn["Spend now"].x) == [100.0, 100.0]
    assert list(drawn["Suggested: more"].x) == [200.0]
    assert list(drawn["Suggested: less"].x) == [0.0]
    assert [words.text for words in figure.layout.annotations] == [
        "<b>+8.0</b> customers (+5.0 to +12)",
        "<b>−2.0</b> customers (−4.0 to −1.0)",
    ]


def test_the_finding_says_how_much_moves_and_that_it_rests_on_cac_as_it_is():
    assert moves_finding(frames.outlook(["Good", "Bad"]), effect=(6.0, 2.0, 9.0)) == (
        "Moving $100 from 1 ad to 1 ad may bring about 6.0 new customers more (90 % +2.0 to +9.0),"
        " if every ad keeps its CAC."
    )


def test_money_that_nobody_can_take_is_said_to_stay():
    outlook = frames.outlook(["Good", "Bad", "Good too", "Bad too"])
    outlook.loc[2, "suggested_spend"] = 100.0
    assert "Moving $100 from 2 ads to 1 ad, and keeping $100 back, may" in moves_finding(
        outlook, effect=(6.0, 2.0, 9.0)
    )


def test_where_no_ad_is_sure_enough_what_is_cut_is_freed():
    outlook = frames.outlook(["Good", "Bad"]).iloc[1:]
    assert moves_finding(outlook) == "Cutting 1 ad frees $100; no ad is sure enough to take it."


def test_ads_that_keep_what_they_have_are_counted_and_stand_in_the_table():
    outlook = frames.outlook(["Good", "Bad", "Good too"])
    outlook.loc[2, "suggested_spend"] = 100.0
    assert "Not drawn: 1 that keep what they have" in spend_moves(outlook).layout.xaxis.title.text
    assert len(moves_table(outlook)) == 3


def test_no_verdict_and_no_move_are_two_sentences():
    unjudged = frames.outlook(["Good"]).assign(verdict=None, suggested_spend=None)
    assert moves_finding(unjudged).startswith("No verdict yet: set target_cac")
    kept = frames.outlook(["Good"]).assign(suggested_spend=100.0)
    assert moves_finding(kept).startswith("No move is suggested")
