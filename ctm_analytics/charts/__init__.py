"""Frame in, Plotly figure out: every chart of the notebooks and reports, each titled with what it shows."""

from ctm_analytics.charts.advice import advice_sentence, verdict_reason
from ctm_analytics.charts.badge_test import badge_finding, badge_table, badge_test
from ctm_analytics.charts.cac_by_ad import cac_by_ad, cac_finding, cac_table
from ctm_analytics.charts.cohort_curves import cohort_curves, cohort_finding, cohort_table
from ctm_analytics.charts.conversion_by_ad import conversion_by_ad, conversion_finding, conversion_table
from ctm_analytics.charts.daily_trend import daily_trend, trend_finding, trend_table
from ctm_analytics.charts.funnel import funnel, funnel_finding, funnel_table
from ctm_analytics.charts.inbox_by_time_left import inbox_by_time_left, inbox_finding, inbox_table
from ctm_analytics.charts.models_by_ad import models_by_ad, models_finding, models_table
from ctm_analytics.charts.response_curve import response_curve, response_finding, response_table
from ctm_analytics.charts.sentences import (
    best_ad_sentence,
    cost_sentence,
    idle_ads_sentence,
    maturity_notice,
    speed_sentence,
)
from ctm_analytics.charts.speed_effects import speed_effects, speed_finding, speed_table
from ctm_analytics.charts.spend_moves import moves_finding, moves_table, spend_moves
from ctm_analytics.charts.theme import CONFIG, protect_renderers
from ctm_analytics.charts.two_ads import two_ads, two_ads_finding, two_ads_table
from ctm_analytics.charts.waits_by_group import waits_by_group, waits_finding, waits_table
from ctm_analytics.charts.waterfall import waterfall, waterfall_finding, waterfall_table
from ctm_analytics.charts.weekday_hour import weekday_hour, weekday_hour_finding, weekday_hour_table

__all__ = [
    "CONFIG",
    "advice_sentence",
    "badge_finding",
    "badge_table",
    "badge_test",
    "best_ad_sentence",
    "cac_by_ad",
    "cac_finding",
    "cac_table",
    "cohort_curves",
    "cohort_finding",
    "cohort_table",
    "conversion_by_ad",
    "conversion_finding",
    "conversion_table",
    "cost_sentence",
    "daily_trend",
    "funnel",
    "funnel_finding",
    "funnel_table",
    "idle_ads_sentence",
    "inbox_by_time_left",
    "inbox_finding",
    "inbox_table",
    "maturity_notice",
    "models_by_ad",
    "models_finding",
    "models_table",
    "moves_finding",
    "moves_table",
    "protect_renderers",
    "response_curve",
    "response_finding",
    "response_table",
    "speed_effects",
    "speed_finding",
    "speed_sentence",
    "speed_table",
    "spend_moves",
    "trend_finding",
    "trend_table",
    "two_ads",
    "two_ads_finding",
    "two_ads_table",
    "verdict_reason",
    "waits_by_group",
    "waits_finding",
    "waits_table",
    "waterfall",
    "waterfall_finding",
    "waterfall_table",
    "weekday_hour",
    "weekday_hour_finding",
    "weekday_hour_table",
]
