"""Our statistics against values that others published: each test names its source (published/README.md)."""

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ctm_analytics.statistics.business_time import Schedule, Shift, business_due, business_seconds
from ctm_analytics.statistics.intervals import cac_interval, poisson_interval, wilson_interval
from ctm_analytics.statistics.markov import (
    CONVERSION,
    NULL,
    START,
    MarkovAttribution,
    markov_attribution,
    transition_probabilities,
)
from ctm_analytics.statistics.shapley import shapley_attribution
from ctm_analytics.statistics.survival import KaplanMeier, kaplan_meier

PUBLISHED = Path(__file__).parent / "published"


def rows(name: str) -> list[dict[str, str]]:
    with (PUBLISHED / name).open(newline="") as file:
        return list(csv.DictReader(file))


def case(name: str, identity: str) -> dict[str, Any]:
    cases = json.loads((PUBLISHED / name).read_text())
    return next(dict(case) for case in cases if case["id"] == identity)


def curve(name: str, time: str, event: str, group: tuple[str, str] | None = None) -> KaplanMeier:
    chosen = [row for row in rows(name) if group is None or row[group[0]] == group[1]]
    observed = [row[event] in ("1", "1.0", "True") for row in chosen]
    result = kaplan_meier([float(row[time]) for row in chosen], observed)
    assert result is not None
    return result


@pytest.mark.parametrize(
    "row", [row for row in rows("expected_R_binom_confint.csv") if row["method"] == "wilson"], ids=str
)
def test_wilson_interval_is_that_of_r_binom_confint(row: dict[str, str]) -> None:
    interval = wilson_interval(int(row["x"]), int(row["n"]))
    assert interval == pytest.approx((float(row["lower95"]), float(row["upper95"])), abs=1e-7)


@pytest.mark.parametrize("row", rows("expected_newcombe1998_wilson.csv"), ids=str)
def test_wilson_interval_is_that_of_newcombe_1998(row: dict[str, str]) -> None:
    interval = wilson_interval(int(row["x"]), int(row["n"]))
    assert interval == pytest.approx((float(row["lower95"]), float(row["upper95"])), abs=5e-5)


@pytest.mark.parametrize("row", rows("poisson_exact.csv"), ids=str)
def test_poisson_interval_is_that_of_r_poisson_test(row: dict[str, str]) -> None:
    exposure = float(row["exposure"])
    low, high = poisson_interval(float(row["events"]), float(row["conf"]))
    published = (float(row["lower"]), float(row["upper"]))
    assert high is not None
    tolerance = 5e-7 if row["kind"].startswith("R ?poisson") else 5e-3
    assert (low / exposure, high / exposure) == pytest.approx(published, abs=tolerance)


def test_cac_interval_is_spend_over_the_poisson_limits_reversed() -> None:
    # 42 customers: Garwood's limits are 30.27 and 56.77 (R poisson.test).
    low, high = cac_interval(420, 42)
    assert low == pytest.approx(420 / 56.77, rel=1e-4)
    assert high == pytest.approx(420 / 30.27, rel=1e-4)


def test_cac_interval_without_customers_is_at_least_spend_over_3_689() -> None:
    low, high = cac_interval(100, 0)
    assert low == pytest.approx(100 / 3.689, rel=1e-4)
    assert high is None


@pytest.mark.parametrize("group", ["Maintained", "Nonmaintained"])
def test_kaplan_meier_is_that_of_r_on_the_aml_study(group: str) -> None:
    ours = curve("input_aml.csv", "time", "status", ("x", group))
    steps = dict(zip(ours.times, zip(ours.at_risk, ours.events, ours.survival, strict=True), strict=True))
    published = [row for row in rows("expected_aml_km.csv") if row["group"] == group]
    assert published
    for row in published:
        at_risk, events, survival = steps[float(row["time"])]
        assert (at_risk, events) == (float(row["n_risk"]), float(row["n_event"]))
        assert survival == pytest.approx(float(row["survival"]), abs=5e-4)


def test_kaplan_meier_medians_are_those_of_r_on_the_aml_study() -> None:
    # R `survfit`: 31 weeks maintained, 23 weeks not.
    medians = [
        curve("input_aml.csv", "time", "status", ("x", x)).quantile(0.5)
        for x in ("Maintained", "Nonmaintained")
    ]
    assert medians == [31, 23]


def test_kaplan_meier_is_that_of_r_on_the_ovarian_study() -> None:
    ours = curve("input_ovarian.csv", "futime", "fustat")
    steps = dict(zip(ours.times, ours.survival, strict=True))
    published = [row for row in rows("expected_ovarian_km.csv") if float(row["n_event"]) > 0]
    assert published
    for row in published:
        assert steps[float(row["time"])] == pytest.approx(float(row["survival"]), abs=5e-4)


def test_the_log_log_band_is_that_of_r_on_the_glioma_study() -> None:
    # R `survfit(conf.type = "log-log")` by way of lifelines' tests, grade 3, without radioimmunotherapy.
    ours = curve("g3.csv", "time", "event", ("group", "Control"))
    assert ours.survival[:4] == pytest.approx([0.833, 0.667, 0.5, 0.333], abs=5e-4)
    assert ours.low[:4] == pytest.approx([0.2731, 0.1946, 0.1109, 0.0461], abs=5e-5)
    assert ours.high[:4] == pytest.approx([0.975, 0.904, 0.804, 0.676], abs=5e-4)


def counted(published: dict[str, Any]) -> tuple[list[list[str]], list[int], list[int]]:
    paths, conversions, nulls = zip(*published["paths"], strict=True)
    ads = [[ad.strip() for ad in path.split(">")] for path in paths]
    return ads, list(conversions), list(nulls)


def steps_of(published: dict[str, Any]) -> dict[str, float]:
    names = {START: "start", CONVERSION: "conversion", NULL: "null"}
    steps = transition_probabilities(*counted(published))
    return {
        f"{names.get(origin, '/'.join(origin))}>{names.get(target, '/'.join(target))}": chance
        for (origin, target), chance in steps.items()
    }


def assert_markov_is_as_published(answer: MarkovAttribution, expected: dict[str, Any]) -> None:
    assert answer.conversion_probability == pytest.approx(expected["p_conversion"], abs=1e-9)
    removal_effects = dict(zip(answer.ads, answer.removal_effects, strict=True))
    assert removal_effects == pytest.approx(expected["removal_effect"], abs=1e-9)
    assert dict(zip(answer.ads, answer.credits, strict=True)) == pytest.approx(expected["credit"], abs=1e-9)


# analyzecore.com 2016-08-03; serhiipuzyrov.com 2019-07; nine paths of DP6 Marketing Attribution Models' tests.
@pytest.mark.parametrize("identity", ["analyzecore_2016_08_03", "serhiipuzyrov_2019_07", "dp6_nine_paths"])
def test_markov_attribution_is_that_of_the_textbook_chains(identity: str) -> None:
    published = case("markov_tiny.json", identity)
    assert_markov_is_as_published(markov_attribution(*counted(published)), published["expected"])


@pytest.mark.parametrize(
    ("file", "identity"),
    [("markov_tiny.json", "serhiipuzyrov_2019_07"), ("mta_small.json", "markov_transitions")],
)
def test_the_steps_of_the_chain_are_those_of_serhiipuzyrov_and_mta(file: str, identity: str) -> None:
    published = case(file, identity)
    assert steps_of(published) == pytest.approx(published["expected"]["transitions"])


@pytest.mark.parametrize("identity", ["shapley_single", "shapley_mixed", "shapley_four"])
def test_shapley_values_are_those_of_mta(identity: str) -> None:
    published = case("mta_small.json", identity)
    paths, conversions, _ = counted(published)
    answer = shapley_attribution(paths, conversions)
    assert dict(zip(answer.ads, answer.credits, strict=True)) == pytest.approx(
        published["expected"]["shapley"]
    )


def test_paths_that_name_no_ad_keep_their_conversions_apart_as_mta_asks() -> None:
    published = case("mta_small.json", "degenerate_paths")
    paths, conversions, nulls = counted(published)
    for answer in (shapley_attribution(paths, conversions), markov_attribution(paths, conversions, nulls)):
        assert list(answer.ads) == published["expected"]["channels"]
        assert answer.unattributed == 3
        assert answer.credits.sum() == pytest.approx(7)


def zendesk_schedule(published: dict[str, Any]) -> Schedule:
    # Minutes from Sunday, in UTC.
    shifts = []
    for opens, closes in published["intervals_minutes_from_sunday_utc"]:
        weekday, minute = (opens // 1440 - 1) % 7, opens % 1440
        shifts.append(Shift(weekday, minute, minute + closes - opens))
    return Schedule(ZoneInfo("UTC"), tuple(shifts), valid_from=datetime.fromisoformat(published["from_"]))


@pytest.mark.parametrize(
    ("schedules", "published", "exact"),
    [
        (slice(None), "expected_minutes_all_schedules", 960.133),
        (slice(1, None), "expected_minutes_last_schedule_only_zendesk_ui", 690.133),
    ],
)
def test_business_minutes_to_the_first_reply_are_those_of_zendesk(
    schedules: slice, published: str, exact: float
) -> None:
    # fivetran/dbt_zendesk, decision log: its figures encode seconds as hundredths, hence a minute of tolerance.
    zendesk = case("business_hours.json", "zendesk_decisionlog")
    since, until = (np.datetime64(zendesk[name].rstrip("Z")) for name in ("created", "first_public_reply"))
    hours = [zendesk_schedule(schedule) for schedule in zendesk["schedules"]][schedules]
    minutes = business_seconds([since], [until], hours)[0] / 60
    assert minutes == pytest.approx(zendesk[published], abs=zendesk["tolerance"])
    assert minutes == pytest.approx(exact, abs=5e-4)


def weekday_instant(words: str) -> np.datetime64:
    day, time = words.split()
    monday = np.datetime64("2026-11-16")
    return monday + ["Mon", "Tue", "Wed", "Thu", "Fri"].index(day) + np.timedelta64(0, "m") + _minutes(time)


def _minutes(time: str) -> np.timedelta64:
    hours, minutes = time.split(":")
    return np.timedelta64(int(hours) * 60 + int(minutes), "m")


@pytest.mark.parametrize(
    "identity", ["chatwoot_13392_overnight", "chatwoot_13392_within", "chatwoot_13392_before_open"]
)
def test_replies_are_due_when_chatwoot_says(identity: str) -> None:
    published = case("business_hours.json", identity)
    office = Schedule(ZoneInfo("UTC"), tuple(Shift(weekday, 540, 1020) for weekday in range(5)))
    due = business_due([weekday_instant(published["start"])], published["sla_minutes"] * 60, [office])
    expected = weekday_instant(published["expected_due"])
    # "Mon" is the Monday after Friday.
    assert due[0] == expected + np.timedelta64(7 if published["start"].startswith("Fri") else 0, "D")


def test_a_reply_within_hours_takes_the_minutes_that_bird_documents() -> None:
    published = case("business_hours.json", "bird_frt")
    office = Schedule(ZoneInfo("UTC"), (Shift(0, 540, 1020),))
    since, until = (weekday_instant(f"Mon {published[name]}") for name in ("created", "first_agent_reply"))
    assert business_seconds([since], [until], [office])[0] / 60 == published["expected_minutes"]
