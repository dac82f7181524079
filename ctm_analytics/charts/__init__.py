"""Frame in, Plotly figure out: every chart of the notebooks and reports, each titled with what it shows."""

from ctm_analytics.charts.cac_by_ad import cac_by_ad, cac_finding
from ctm_analytics.charts.conversion_by_ad import conversion_by_ad, conversion_finding
from ctm_analytics.charts.daily_trend import daily_trend, trend_finding
from ctm_analytics.charts.funnel import funnel, funnel_finding
from ctm_analytics.charts.response_curve import response_curve, response_finding, response_table
from ctm_analytics.charts.sentences import (
    best_ad_sentence,
    cost_sentence,
    idle_ads_sentence,
    maturity_notice,
    speed_sentence,
)
from ctm_analytics.charts.theme import CONFIG, protect_renderers
from ctm_analytics.charts.weekday_hour import weekday_hour, weekday_hour_finding

__all__ = [
    "CONFIG",
    "best_ad_sentence",
    "cac_by_ad",
    "cac_finding",
    "conversion_by_ad",
    "conversion_finding",
    "cost_sentence",
    "daily_trend",
    "funnel",
    "funnel_finding",
    "idle_ads_sentence",
    "maturity_notice",
    "protect_renderers",
    "response_curve",
    "response_finding",
    "response_table",
    "speed_sentence",
    "trend_finding",
    "weekday_hour",
    "weekday_hour_finding",
]
