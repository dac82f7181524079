from datetime import UTC, date, datetime, timedelta

import pytest

from ctm_analytics.columns import COLUMNS, column_of
from ctm_analytics.errors import InvalidArgument
from ctm_analytics.report.alerts import METRICS, judge, read_condition
from ctm_analytics.report.period import Period

MONDAY = datetime(2026, 11, 2, 8)
WEEK = Period(date(2026, 11, 2), date(2026, 11, 8))
RIPE = date(2026, 11, 16)


def ad(world, ad, customers, spend, since=MONDAY):
    """An ad that brings so many customers on its first day."""
    for number in range(customers):
        contact = f"{ad}-{since:%d}-{number}"
        world.event(contact, since, ad_id=ad)
        world.sale(f"S-{contact}", since + timedelta(days=1), "80.00", contact_id=contact)
    return world.spend(since.date(), ad, spend, ad_name=f"Ad {ad}")


def judged(world, *conditions, period=WEEK, today=RIPE):
    as_of = datetime(today.year, today.month, today.day, 6, tzinfo=UTC)
    workbench = world.open(as_of=as_of)
    return judge([read_condition(text) for text in conditions], workbench, period, today, 7)


def test_every_metric_of_an_alert_has_an_interval_in_the_ads_answer(world):
    table = ad(world, "1", 2, "50.00").open().ads().table
    with_interval = {name for name in table.column_names if f"{name}_low" in table.column_names}
    assert set(METRICS) == with_interval
    assert all(name in COLUMNS and column_of(name).unit in ("cents", "percent") for name in METRICS)


def test_an_alert_fires_when_the_whole_interval_is_above_the_limit(world):
    ad(world, "1", 50, "4000.00")  # CAC 80, 95 % from 60.7 to 107.8
    (alert,) = judged(world, "cac > 60")
    assert alert.subject == "CAC > $60 (2)"
    assert alert.sentence == (
        "Alert: CAC > $60 in 2–8 Nov 2026: all ads together $80 (95 %: $61 – $108);"
        " “Ad 1” $80 (95 %: $61 – $108). 2 were judged."
    )
    assert [(each["ad_id"], each["name"]) for each in alert.fired] == [
        (None, "all ads together"),
        ("1", "“Ad 1”"),
    ]


def test_an_alert_does_not_fire_when_the_interval_reaches_back_over_the_limit(world):
    ad(world, "1", 50, "4000.00")
    (alert,) = judged(world, "cac > 61")
    assert (alert.subject, alert.fired) == ("", ())
    assert alert.sentence == (
        "cac > 61 does not fire for 2–8 Nov 2026: of 2 judged, 2 are beyond the limit with an interval that"
        " reaches back over it: too few customers to tell it from chance."
    )


def test_an_alert_says_when_nothing_is_beyond_the_limit(world):
    ad(world, "1", 50, "4000.00")
    assert judged(world, "cac > 100")[0].sentence == (
        "cac > 100 does not fire for 2–8 Nov 2026: of 2 judged, none is beyond the limit."
    )


def test_an_alert_below_a_limit_needs_the_upper_end_below_it(world):
    ad(world, "1", 50, "4000.00")
    assert judged(world, "cac < 108")[0].fired
    assert not judged(world, "cac < 107")[0].fired


def test_spend_without_a_customer_fires_by_what_a_customer_costs_at_least(world):
    world.event("p", MONDAY, ad_id="1")
    ad(world, "1", 0, "400.00")  # 400 / 3.689 = 108
    (alert,) = judged(world, "cac > 100")
    assert "“Ad 1” at least $108 (95 %)" in alert.sentence
    assert not judged(world, "cac > 110")[0].fired
    assert not judged(world, "cac < 500")[0].fired


def test_an_ad_alone_can_fire_and_only_it(world):
    ad(ad(world, "1", 50, "4000.00"), "2", 50, "500.00")
    (alert,) = judged(world, "cac > 60")
    assert [each["ad_id"] for each in alert.fired] == ["1"]


def test_conversion_is_judged_in_shares_of_one(world):
    ad(world, "1", 50, "4000.00")
    assert judged(world, "conversion_rate > 90%")[0].subject == "Conversion > 90\xa0% (2)"
    assert not judged(world, "conversion_rate < 0.9")[0].fired


def test_a_young_period_gives_way_to_the_last_ripe_one_of_as_many_days(world):
    ad(world, "1", 50, "4000.00")
    young = Period(date(2026, 11, 9), date(2026, 11, 15))
    (alert,) = judged(world, "cac > 60", period=young)
    assert (alert.since, alert.until) == WEEK
    assert alert.fired
    assert "in 2–8 Nov 2026 (9–15 Nov 2026 is too young: sales may still come)" in alert.sentence


def test_a_young_period_with_nothing_before_it_does_not_fire(world):
    ad(world, "1", 50, "4000.00")
    (alert,) = judged(world, "cac > 60", today=date(2026, 11, 9))
    assert not alert.fired
    assert alert.sentence == (
        "cac > 60 does not fire: there are no data for 26 Oct – 1 Nov 2026"
        " (2–8 Nov 2026 is too young: sales may still come)."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cac", "--alert: 'cac' is not METRIC > NUMBER or METRIC < NUMBER. Write e.g. 'cac > 40'."),
        ("cac >= 40", "--alert: 'cac >= 40' is not METRIC > NUMBER"),
        ("cac > -40", "--alert: 'cac > -40' is not METRIC > NUMBER"),
        ("cac > 4e1", "--alert: 'cac > 4e1' is not METRIC > NUMBER"),
        ("cac > 40; cac < 2", "--alert: 'cac > 40; cac < 2' is not METRIC > NUMBER"),
        (
            "cacs > 40",
            "--alert: 'cacs' has no interval to judge by. Did you mean 'cac'? Use one of cac, cac_shrunk,",
        ),
        ("spend > 40", "--alert: 'spend' has no interval to judge by."),
        ("cac > 40%", "--alert: 40% is no limit for cac, which is an amount of money: write e.g. 40."),
        (
            "conversion_rate < 5",
            "--alert: 5 is no limit for conversion_rate, which is a share of 1: write 5% or 0.05.",
        ),
    ],
)
def test_a_condition_that_breaks_the_grammar_is_named(text, sentence):
    with pytest.raises(InvalidArgument) as caught:
        read_condition(text)
    assert str(caught.value).startswith(sentence)
