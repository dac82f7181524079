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
from ctm_analytics.statistics.intervals import cac_interval, poisson_interval, ratio_interval, wilson_interval
from ctm_analytics.statistics.log_rank import LogRank, log_rank_test
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


R_SURVIVAL = json.loads((PUBLISHED / "r_survival.json").read_text())
LIFELINES = json.loads((PUBLISHED / "lifelines.json").read_text())


def compared(name: str, time: str, event: str, group: str, **options: Any) -> LogRank:
    chosen = rows(name)
    result = log_rank_test(
        [float(row[time]) for row in chosen],
        [row[event] in ("1", "1.0", "True") for row in chosen],
        [row[group] for row in chosen],
        **options,
    )
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("study", "columns"),
    [
        ("aml", ("input_aml.csv", "time", "status", "x")),
        ("ovarian", ("input_ovarian.csv", "futime", "fustat", "rx")),
    ],
)
def test_the_log_rank_test_is_that_of_r_survdiff(study: str, columns: tuple[str, str, str, str]) -> None:
    published = R_SURVIVAL[study]["logrank"]
    ours = compared(*columns)
    assert ours.observed.tolist() == published["observed"]
    assert ours.expected.tolist() == pytest.approx(published["expected"], abs=5e-3)
    assert ours.statistic == pytest.approx(published["chisq_exact_recomputed"], abs=5e-6)
    assert ours.p_value == pytest.approx(published["p_exact_recomputed"], abs=5e-6)


def test_the_log_rank_test_is_that_of_r_coin_on_the_glioma_study() -> None:
    published = LIFELINES["g3_logrank"]
    assert compared("g3.csv", "time", "event", "group").p_value == pytest.approx(published["p"], abs=1e-4)


def test_the_log_rank_test_is_that_of_statsdirect_on_the_lymphoma_study() -> None:
    published = LIFELINES["lymphoma_logrank"]
    ours = compared("lymphoma.csv", "Time", "Censor", "Stage_group")
    assert ours.statistic == pytest.approx(published["chisq"], abs=5e-6)
    assert ours.p_value == pytest.approx(published["p"], abs=5e-5)


@pytest.mark.parametrize("name", ["tiny_no_censor", "tiny_censor"])
def test_the_log_rank_test_of_six_is_that_of_lifelines(name: str) -> None:
    published = LIFELINES[name]
    ours = log_rank_test(published["T"], published["E"], published["group"])
    assert ours is not None
    assert (ours.statistic, ours.p_value) == pytest.approx((published["chisq"], published["p"]), abs=1e-6)


def test_the_log_rank_test_is_that_of_eth_on_the_leukaemia_trial() -> None:
    published = LIFELINES["leukemia_R2"]
    control, treatment = published["control_T"], published["treatment_T"]
    ours = log_rank_test(
        control + treatment,
        [1] * len(control) + published["treatment_E"],
        [0] * len(control) + [1] * len(treatment),
    )
    assert ours is not None
    assert ours.statistic == pytest.approx(published["chisq"], abs=0.05)
    assert ours.p_value == pytest.approx(published["p"], abs=5e-8)


@pytest.mark.parametrize("weighting", ["wilcoxon", "tarone_ware", "peto"])
def test_weighted_log_rank_tests_are_those_of_kleinbaum_and_klein(weighting: str) -> None:
    # Survival Analysis, 3rd ed. (2012), by way of lifelines' tests.
    published = [line.split() for line in (PUBLISHED / "gehan.dat").read_text().splitlines() if line.strip()]
    group, time, event = zip(*published, strict=True)
    ours = log_rank_test(
        [float(value) for value in time], [value == "1" for value in event], group, weighting=weighting
    )
    assert ours is not None
    assert ours.statistic == pytest.approx(LIFELINES["gehan_weighted"][weighting], abs=1e-4)


@pytest.mark.parametrize(("score", "median"), list(enumerate(R_SURVIVAL["lung_by_ph_ecog"]["medians"])))
def test_medians_of_the_lung_study_are_those_of_r(score: int, median: float) -> None:
    assert lung("ph.ecog", f"{score}.0").quantile(0.5) == median


def lung(column: str, value: str) -> KaplanMeier:
    chosen = [row for row in rows("lung.csv") if row[column] in (value, value.removesuffix(".0"))]
    result = kaplan_meier([float(row["time"]) for row in chosen], [row["status"] == "1" for row in chosen])
    assert result is not None
    return result


@pytest.mark.parametrize("score", ["0", "1", "2"])
def test_restricted_means_of_the_lung_study_are_those_of_r(score: str) -> None:
    # R `print(survfit(...), rmean = 730)`.
    mean = lung("ph.ecog", f"{score}.0").restricted_mean(730)
    assert mean is not None
    value, standard_error = R_SURVIVAL["lung_by_ph_ecog"]["rmean_tau730"][score]
    assert mean.value == pytest.approx(value, abs=0.5)
    assert mean.standard_error == pytest.approx(standard_error, abs=0.05)


@pytest.mark.parametrize(("sex", "name"), [("1", "male"), ("2", "female")])
def test_restricted_means_by_sex_are_those_of_survrm2(sex: str, name: str) -> None:
    # survminer, pull request 827.
    mean = lung("sex", sex).restricted_mean(965)
    assert mean == pytest.approx(tuple(R_SURVIVAL["lung_rmst_by_sex_tau965"][name]), abs=5e-5)


def test_the_restricted_mean_and_its_error_are_those_of_survrm2_and_not_of_lifelines() -> None:
    published = LIFELINES["rmst_waltons_tau10"]
    mean = curve("waltons_dataset.csv", "T", "E", ("group", "miR-137")).restricted_mean(10)
    assert mean is not None
    assert mean.value == pytest.approx(published["exact_recomputed"]["rmst"], abs=5e-5)
    assert mean.standard_error == pytest.approx(published["survRM2"]["se"], abs=5e-4)
    assert mean.standard_error**2 == pytest.approx(published["exact_recomputed"]["var"], abs=5e-5)


def test_a_restricted_mean_without_censoring_is_that_of_lifelines() -> None:
    published = LIFELINES["rmst_simple"]
    simple = kaplan_meier(published["T"], published["E"])
    assert simple is not None
    mean = simple.restricted_mean(published["tau"])
    assert mean is not None
    assert mean.value == pytest.approx(published["rmst"])


def test_quantiles_are_those_of_r_or_the_start_of_the_flat_stretch_whose_middle_r_takes() -> None:
    published = R_SURVIVAL["quantile_convention"]
    known = [place for place, status in enumerate(published["data"]["status"]) if status is not None]
    times, status = ([published["data"][name][place] for place in known] for name in ("time", "status"))
    ours = kaplan_meier(times, status)
    assert ours is not None
    levels = [13 / 14, 6 / 7, 2 / 3, 1 / 2, 9 / 35, 0.1]
    flat_from = {3.5: 1, 9.5: 9}
    expected = [flat_from.get(time, time) for time in published["quantiles"]]
    assert [ours.quantile(1 - level) for level in levels] == expected
    # S is 6/7 from 1 to 6 and 9/35 from 9 to 10: R's values are the middles.
    assert published["quantiles"] == [1, (1 + 6) / 2, 6, 9, (9 + 10) / 2, None]


def test_curves_with_delayed_entry_are_those_of_r() -> None:
    published = R_SURVIVAL["delayed_entry"]
    ours = kaplan_meier(published["stop"], published["event"], entries=published["start"])
    assert ours is not None
    assert ours.at_risk.tolist() == published["n_risk"][:6]
    assert ours.events.tolist() == published["n_event"][:6]
    expected = [1 / 2, 1 / 3, 4 / 15, 1 / 5, 3 / 20, 9 / 100]
    assert published["survival_at_events"] == ["1/2", "1/3", "4/15", "1/5", "3/20", "9/100"]
    assert ours.survival.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("name", "relative"), [("late_entry_1", 1e-9), ("late_entry_2", 0.01)])
def test_curves_with_delayed_entry_are_those_of_lifelines(name: str, relative: float) -> None:
    published = LIFELINES[name]
    ours = kaplan_meier(published["T"], [True] * 5, entries=published["entry"])
    assert ours is not None
    # lifelines' curve also lists 0 and the first entry, where nothing has ended yet.
    assert ours.survival.tolist() == pytest.approx(published["S"][2:], rel=relative)


def test_the_aids_cohort_is_that_of_cole_and_hudgens() -> None:
    published = LIFELINES["macs_cole_hudgens"]
    lines = (PUBLISHED / "multicenter_aids_cohort.tsv").read_text().splitlines()
    cohort = list(csv.DictReader(lines, delimiter="\t"))
    entries, times = ([float(row[name]) for row in cohort] for name in ("W", "T"))
    ours = kaplan_meier(times, [row["D"] == "1" for row in cohort], entries=entries)
    assert ours is not None
    assert ours.times.size == published["n_event_times"]
    steps = {float(time): place for place, time in enumerate(ours.times)}
    for time, at_risk in published["at_risk"].items():
        assert ours.at_risk[steps[float(time)]] == at_risk
    assert ours.survival[steps[0.791]] == pytest.approx(published["S_at_0_791"])
    assert ours.quantile(0.5) == pytest.approx(published["median_about"], abs=0.5)


@pytest.mark.parametrize(
    "published", json.loads((PUBLISHED / "cac_from_poisson.json").read_text())["cases"], ids=str
)
def test_cac_limits_are_those_derived_from_published_poisson_limits(published: dict[str, Any]) -> None:
    low, high = cac_interval(published["spend"], published["conversions"], published["conf"])
    assert low == pytest.approx(published["lower"], abs=1e-6)
    assert high == (None if published["upper"] is None else pytest.approx(published["upper"], abs=1e-6))


def test_the_interval_of_a_ratio_of_means_is_that_of_r_mratios() -> None:
    # mratios `t.test.ratio`, Satterthwaite's degrees of freedom at the estimated ratio; mikuhatsune 2012-12-12.
    published = json.loads((PUBLISHED / "fieller_ratio_of_means.json").read_text())
    x, y = (np.array(published[name]) for name in "xy")
    ratio = x.mean() / y.mean()
    assert ratio == pytest.approx(published["ratio"], abs=1e-6)
    parts = x.var(ddof=1) / x.size, ratio**2 * y.var(ddof=1) / y.size
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (x.size - 1) + parts[1] ** 2 / (y.size - 1))
    assert freedom == pytest.approx(published["df_used_for_ci_recomputed"], abs=1e-6)
    means = [(values.mean(), values.std(ddof=1) / np.sqrt(values.size)) for values in (x, y)]
    assert ratio_interval(*means, freedom) == pytest.approx(published["ci95"], abs=1e-6)
    assert ratio_interval(*means) == pytest.approx(published["z_version_recomputed"], abs=1e-6)


@pytest.mark.parametrize(
    "published", json.loads((PUBLISHED / "fieller_unbounded.json").read_text())["cases"], ids=str
)
def test_the_interval_of_a_ratio_ends_where_the_denominator_can_be_told_from_zero(
    published: dict[str, Any],
) -> None:
    # The unbounded case: Franz 2007, arXiv:0710.2024.
    interval = ratio_interval(
        (published["num"], published["se_num"]), (published["den"], published["se_den"])
    )
    if published["bounded"]:
        assert interval == pytest.approx((published["lower"], published["upper"]), abs=1e-5)
    else:
        assert interval is None


@pytest.mark.parametrize("group", ["Maintained", "Nonmaintained"])
def test_standard_errors_and_log_limits_of_r_follow_from_our_counts(group: str) -> None:
    # R prints Greenwood's standard error and, by default, limits on the log scale; medians' lower limits are 18 and 8.
    ours = curve("input_aml.csv", "time", "status", ("x", group))
    published = {float(row["time"]): row for row in rows("expected_aml_km.csv") if row["group"] == group}
    is_last = ours.at_risk == ours.events
    spread = np.sqrt(
        np.cumsum(ours.events / np.where(is_last, np.inf, ours.at_risk * (ours.at_risk - ours.events)))
    )
    lows = ours.survival * np.exp(-1.959964 * spread)
    for time, survival, error, low in zip(ours.times, ours.survival, spread, lows, strict=True):
        if survival > 0:
            assert survival * error == pytest.approx(float(published[time]["std_err"]), abs=5e-5)
            assert low == pytest.approx(float(published[time]["lower95_log"]), abs=5e-5)
    median, lower, upper = R_SURVIVAL["aml"]["median"][group]
    assert ours.quantile(0.5) == median
    assert ours.times[lows <= 0.5][0] == lower
    # The band of ours is log-log: it has no upper limit here where R's has none.
    assert upper is None


def test_survival_with_radioimmunotherapy_is_that_of_r_coin() -> None:
    ours = curve("g3.csv", "time", "event", ("group", "RIT"))
    steps = dict(zip(ours.times, ours.survival, strict=True))
    for time, survival in LIFELINES["g3_km_RIT"]["S"].items():
        assert steps[float(time)] == pytest.approx(survival, abs=1e-3)


def test_the_difference_of_restricted_means_is_that_of_survrm2() -> None:
    published = R_SURVIVAL["lung_rmst_by_sex_tau965"]
    male, female = (lung("sex", sex).restricted_mean(965) for sex in "12")
    assert male is not None
    assert female is not None
    error = np.hypot(male.standard_error, female.standard_error)
    assert (female.value - male.value, error) == pytest.approx(published["difference"], abs=5e-4)
