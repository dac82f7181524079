import math

from ctm_analytics.charts import cac_by_ad, cac_finding, conversion_by_ad, conversion_finding
from ctm_analytics.charts.interval_rows import MOST_ROWS

NOT_CREDITED = {"ad_id": None, "ad_name": None}


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_the_cheapest_ad_stands_on_top(ads):
    figure = cac_by_ad(
        ads(
            {"ad_id": "1", "ad_name": "Dear", "cac": 30.0, "cac_low": 20.0, "cac_high": 40.0},
            {"ad_id": "2", "ad_name": "Cheap", "cac": 10.0, "cac_low": 5.0, "cac_high": 15.0},
        )
    )
    top_first = sorted(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    assert [name for _, name in top_first] == ["Cheap", "Dear"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_an_interval_below_the_target_is_better_above_is_worse_across_is_not_settled(ads):
    figure = cac_by_ad(
        ads(
            {"ad_id": "1", "cac": 10.0, "cac_low": 5.0, "cac_high": 15.0},
            {"ad_id": "2", "cac": 30.0, "cac_low": 21.0, "cac_high": 40.0},
            {"ad_id": "3", "cac": 18.0, "cac_low": 12.0, "cac_high": 25.0},
        ),
        target_cac=20.0,
    )
    drawn = {name: list(trace.x) for name, trace in traces(figure).items()}
    assert drawn["Clearly below target"] == [10.0]
    assert drawn["Clearly above target"] == [30.0]
    assert drawn["Not settled"] == [18.0]


def test_an_ad_with_few_customers_is_grey_whatever_its_interval(ads):
    figure = cac_by_ad(
        ads({"new_customers": 1.0, "cac": 100.0, "cac_low": 18.0, "cac_high": 3950.0}), target_cac=1.0
    )
    assert "Fewer than 5 new customers" in traces(figure)
    assert "Clearly above target" not in traces(figure)


def test_an_ad_without_customers_is_marked_at_the_least_it_can_cost(ads, nothing_sold):
    figure = cac_by_ad(ads({}, {"ad_id": "2", **nothing_sold}))
    mark = traces(figure)["No new customer yet: costs at least"]
    assert list(mark.x) == [27.1]
    assert "at least $27" in mark.customdata[0]


def test_a_whisker_that_leaves_the_axis_is_cut_and_says_where_it_ends(ads):
    figure = cac_by_ad(ads({"cac": 10.0, "cac_low": 5.0, "cac_high": 1240.0}))
    mark = traces(figure)["Not settled"]
    end = 10 ** figure.layout.xaxis.range[1]
    assert math.isclose(mark.x[0] + mark.error_x.array[0], end)
    assert [words.text for words in figure.layout.annotations] == ["→ $1,240"]


def test_the_line_of_all_ads_is_their_spend_over_their_customers(ads):
    figure = cac_by_ad(ads({}, {"ad_id": "2", "spend": 200, "new_customers": 20.0}), target_cac=12.5)
    assert list(traces(figure)["All ads $10"].x) == [10.0, 10.0]
    assert list(traces(figure)["Target $12.50"].x) == [12.5, 12.5]


def test_a_money_axis_is_logarithmic_with_ticks_that_carry_the_currency(ads):
    axis = cac_by_ad(ads({})).layout.xaxis
    assert axis.type == "log"
    assert all(text.startswith("$") for text in axis.ticktext)
    assert "USD" in axis.title.text


def test_what_no_ad_is_credited_with_is_not_drawn_as_an_ad(ads):
    assert cac_by_ad(ads({}, NOT_CREDITED)).layout.yaxis.ticktext == ("Reel",)
    assert conversion_by_ad(ads({}, NOT_CREDITED)).layout.yaxis.ticktext == ("Reel",)


def test_ads_of_the_same_name_keep_a_row_each(ads):
    figure = cac_by_ad(ads({"ad_id": "1"}, {"ad_id": "2"}))
    assert figure.layout.yaxis.ticktext == ("Reel", "Reel")
    assert len(set(figure.layout.yaxis.tickvals)) == 2


def test_an_ad_without_a_name_is_called_by_its_id(ads):
    assert cac_by_ad(ads({"ad_id": "120212000000000001", "ad_name": None})).layout.yaxis.ticktext == (
        "120212000000000001",
    )


def test_of_three_hundred_ads_those_that_spent_most_are_drawn(ads):
    many = ads(*({"ad_id": str(place), "ad_name": f"Ad {place}", "spend": place + 1} for place in range(300)))
    names = cac_by_ad(many).layout.yaxis.ticktext
    assert len(names) == MOST_ROWS
    assert set(names) == {f"Ad {place}" for place in range(300 - MOST_ROWS, 300)}
    assert len(conversion_by_ad(many).layout.yaxis.ticktext) == MOST_ROWS


def test_where_not_every_ad_is_drawn_the_axis_says_so(ads):
    many = ads(*({"ad_id": str(place)} for place in range(MOST_ROWS + 1)))
    assert cac_by_ad(many).layout.xaxis.title.text.endswith(
        "<br>The 30 ads with most spend, of 31<br>The others: $100 for 10 new customers, $10 each"
    )
    assert conversion_by_ad(many).layout.xaxis.title.text.endswith("<br>The 30 ads with most chats, of 31")
    assert "of" not in cac_by_ad(ads({})).layout.xaxis.title.text


def test_markup_in_a_name_is_shown_not_obeyed(ads):
    figure = cac_by_ad(ads({"ad_name": "<b>Bold</b>"}))
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;Bold&lt;/b&gt;",)
    assert "<b>Bold</b>" not in traces(figure)["Not settled"].customdata[0]


def test_no_ads_and_all_null_give_a_sentence_instead_of_a_chart(ads):
    for frame in (
        ads(),
        ads({"spend": None, "engaged": None, "conversion_rate": None, "cac": None, "cac_low": None}),
    ):
        assert cac_by_ad(frame).layout.annotations[0].text == "No ad spent anything in this period."
        assert conversion_by_ad(frame).layout.annotations[0].text == (
            "No ad brought anyone into a chat in this period."
        )


def test_the_finding_is_the_title_and_counts_ads_on_either_side(ads):
    frame = ads(
        {"ad_id": "1", "cac": 10.0, "cac_low": 5.0, "cac_high": 15.0},
        {"ad_id": "2", "cac": 30.0, "cac_low": 21.0, "cac_high": 40.0},
        {"ad_id": "3", "cac": 18.0, "cac_low": 12.0, "cac_high": 25.0},
    )
    finding = "1 of 3 ads cost clearly less than the target of $20 per new customer, 1 clearly more."
    assert cac_finding(frame, target_cac=20.0) == finding
    assert cac_by_ad(frame, target_cac=20.0).layout.title.text == finding


def test_without_a_target_ads_are_compared_with_all_ads_together(ads):
    assert cac_finding(ads({})) == (
        "No ad costs clearly more or less than the $10 per new customer of all ads together."
    )


def test_without_any_customer_the_finding_says_so(ads, nothing_sold):
    assert cac_finding(ads(nothing_sold)) == "No ad has brought a new customer yet."


def test_conversion_is_compared_with_all_ads_together(ads):
    low = {
        "conversions": 2,
        "conversion_rate": 0.02,
        "conversion_rate_low": 0.006,
        "conversion_rate_high": 0.07,
    }
    high = {
        "conversions": 30,
        "conversion_rate": 0.3,
        "conversion_rate_low": 0.22,
        "conversion_rate_high": 0.4,
    }
    frame = ads({"ad_id": "1", **low}, {"ad_id": "2", **high})
    assert conversion_finding(frame) == (
        "16.0\xa0% of engaged conversations from ads end in a sale; 1 of 2 ads is clearly better, 1 clearly worse."
    )
    drawn = traces(conversion_by_ad(frame))
    assert list(drawn["Clearly above all ads together"].x) == [0.3]
    assert list(drawn["Clearly below all ads together"].x) == [0.02]


def test_a_rate_from_few_chats_is_grey(ads):
    frame = ads(
        {"ad_id": "1", "engaged": 3, "conversions": 3, "conversion_rate": 1.0, "conversion_rate_low": 0.44}
    )
    assert "Fewer than 20 chats" in traces(conversion_by_ad(frame))


def test_on_a_narrow_screen_names_stand_above_their_rows(ads):
    narrow = cac_by_ad(ads({"ad_name": "Reel – Loyalty"})).layout.meta["narrow"]
    assert narrow["yaxis.showticklabels"] is False
    assert [words["text"] for words in narrow["annotations"]] == ["Reel – Loyalty"]


def test_a_dot_grows_with_the_spend_behind_it(ads):
    figure = cac_by_ad(
        ads({"ad_id": "1", "spend": 400}, {"ad_id": "2", "spend": 100}, {"ad_id": "3", "spend": 1})
    )
    sizes = traces(figure)["Not settled"].marker.size
    assert sorted(sizes, reverse=True) == list(sizes)
    assert (sizes[0], sizes[1]) == (17.0, 12.0)


def test_an_ad_that_hardly_spent_stretches_no_axis(ads, nothing_sold):
    figure = cac_by_ad(ads({}, {"ad_id": "2", **nothing_sold, "spend": 1, "cac_low": 0.27}))
    low = 10 ** figure.layout.xaxis.range[0]
    mark = traces(figure)["No new customer yet: costs at least"]
    assert low > 4
    assert math.isclose(mark.x[0], low)
    assert "at least $0.27" in mark.customdata[0]


def test_the_narrow_axis_also_says_what_the_others_cost(ads):
    many = ads(*({"ad_id": str(place)} for place in range(MOST_ROWS + 2)))
    assert "The others: $200 for 20" in cac_by_ad(many).layout.meta["narrow"]["xaxis.title.text"]
