import pandas as pd

from ctm_analytics.charts import waterfall, waterfall_finding, waterfall_table

from . import frames

NAMES = (
    *("reported_conversations", "conversations", "engaged", "with_matched_sale", "with_kept_sale"),
    *("not_captured", "opened_silently", "without_sale", "sale_not_kept"),
)


def total(*counts):
    return pd.DataFrame([dict(zip(NAMES, counts, strict=True))])


def bars(figure):
    """Each bar's words with where it begins and how long it is, from top to bottom."""
    words = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    found = [
        (place, words[place], start, length)
        for trace in figure.data
        for place, start, length in zip(trace.y, trace.base, trace.x, strict=True)
    ]
    return [bar[1:] for bar in sorted(found)]


def test_each_loss_hangs_between_the_two_stages_that_it_is_the_difference_of():
    assert bars(waterfall(total(100, 90, 80, 6, 5, 10, 10, 74, 1))) == [
        ("Reported by Meta", 0, 100),
        ("Reported, but not captured", 90, 10),
        ("Captured", 0, 90),
        ("Opened, nothing written", 80, 10),
        ("Engaged", 0, 80),
        ("No sale in the window", 6, 74),
        ("With a matched sale", 0, 6),
        ("Cancelled or refunded", 5, 1),
        ("With a sale that was kept", 0, 5),
    ]


def test_what_meta_reports_too_few_is_added_and_what_it_reports_nothing_of_apart():
    drawn = bars(waterfall(total(285, 310, 285, 21, 19, -17, 25, 264, 2)))
    assert drawn[:4] == [
        ("Reported by Meta", 0, 285),
        ("Captured beyond Meta's count", 285, 17),
        ("Captured where Meta reports nothing", 302, 8),
        ("Captured", 0, 310),
    ]


def test_without_meta_s_count_the_first_bar_is_what_was_captured():
    figure = waterfall(total(None, 90, 80, 6, 5, None, 10, 74, 1))
    assert bars(figure)[0] == ("Captured where Meta reports nothing", 0, 90)
    assert waterfall_finding(total(None, 90, 80, 6, 5, None, 10, 74, 1)) == (
        "Meta reports no conversations to compare with; 90 were captured; 5 of 80 engaged ones (6.2\xa0%) have"
        " a kept sale."
    )


def test_rows_of_many_ads_are_added_up_and_the_table_keeps_them_apart():
    many = frames.stages(["Reel", "Static"])
    assert bars(waterfall(many))[0] == ("Reported by Meta", 0, 200)
    assert list(waterfall_table(many)["ad_name"]) == ["Reel", "Static"]


def test_where_nobody_wrote_no_share_is_claimed():
    assert waterfall_finding(total(10, 9, 0, 0, 0, 1, 9, 0, 0)).endswith(
        "9 were captured; nobody wrote in any."
    )
