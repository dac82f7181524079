"""Frames of any size with any name, for the rules that every chart keeps."""

from decimal import Decimal

import pandas as pd
import pyarrow as pa

MONEY = pd.ArrowDtype(pa.decimal128(18, 2))
MODELS = ("first_touch", "last_touch", "linear", "markov", "position_based", "shapley", "time_decay")


def ads(names, *, new_customers=8):
    """One ad per name that spent 100; with 0 new customers none has sold anything."""
    rows = [
        {
            "ad_id": str(place),
            "ad_name": name,
            "campaign_id": "c",
            "campaign_name": name,
            "spend": Decimal("100.00"),
            "currency": "USD",
            "engaged": 40,
            "conversions": new_customers,
            "conversion_rate": new_customers / 40,
            "conversion_rate_low": new_customers / 80,
            "conversion_rate_high": min(1.0, new_customers / 20 + 0.09),
            "new_customers": float(new_customers),
            "cac": 100 / new_customers if new_customers else None,
            "cac_low": 100 / (2 * new_customers + 3.689),
            "cac_high": 200 / new_customers if new_customers else None,
        }
        for place, name in enumerate(names)
    ]
    columns = [
        *("ad_id", "ad_name", "campaign_id", "campaign_name", "spend", "currency", "engaged", "conversions"),
        *("conversion_rate", "conversion_rate_low", "conversion_rate_high", "new_customers"),
        *("cac", "cac_low", "cac_high"),
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(spend=pd.array(list(frame["spend"]), MONEY)).astype({"engaged": "Int64"})


def attribution(names, *, new_customers=8):
    rows = [
        {
            "model": model,
            "window_days": days,
            "ad_id": str(place),
            "ad_name": name,
            "spend": Decimal("100.00"),
            "currency": "USD",
            "new_customers": float(new_customers),
            "cac": (100 + 10 * order) / new_customers if new_customers else None,
            "cac_lowest": 100 / new_customers if new_customers else None,
            "cac_highest": 160 / new_customers if new_customers else None,
        }
        for place, name in enumerate(names)
        for days in (1, 7)
        for order, model in enumerate(MODELS)
    ]
    columns = [
        *("model", "window_days", "ad_id", "ad_name", "spend", "currency", "new_customers", "cac"),
        *("cac_lowest", "cac_highest"),
    ]
    return pd.DataFrame(rows, columns=columns)


def cohorts(names, *, by=("ad_id", "ad_name")):
    rows = [
        {
            **dict(zip(by, (str(place), name), strict=False)),
            "cohort": name,
            "age_days": age,
            "conversations": 50 + place,
            "bought_share": 0.02 * age,
            "bought_share_low": 0.01 * age if age else None,
            "bought_share_high": 0.04 * age if age else None,
            "at_risk": 40,
            "too_young": 0,
        }
        for place, name in enumerate(names)
        for age in range(4)
    ]
    columns = [
        *(*by, "cohort", "age_days", "conversations", "bought_share", "bought_share_low"),
        *("bought_share_high", "at_risk", "too_young"),
    ]
    return pd.DataFrame(rows, columns=columns)


def stages(names):
    """Rows of the reconciliation, one per ad."""
    counts = {
        "reported_conversations": 100,
        "conversations": 90,
        "engaged": 80,
        "with_matched_sale": 6,
        "with_kept_sale": 5,
        "not_captured": 10,
        "opened_silently": 10,
        "without_sale": 74,
        "sale_not_kept": 1,
    }
    rows = [{"ad_id": str(place), "ad_name": name, **counts} for place, name in enumerate(names)]
    return pd.DataFrame(rows, columns=["ad_id", "ad_name", *counts]).astype(dict.fromkeys(counts, "Int64"))


def latency(names):
    rows = [
        {
            "ad_id": str(place),
            "ad_name": name,
            "engaged": 30 + place,
            "answered": 20,
            "median_first_response_seconds": 100.0 * (place + 1),
            "median_first_response_seconds_low": 80.0 * (place + 1),
            "median_first_response_seconds_high": 150.0 * (place + 1),
        }
        for place, name in enumerate(names)
    ]
    columns = [
        *("ad_id", "ad_name", "engaged", "answered", "median_first_response_seconds"),
        *("median_first_response_seconds_low", "median_first_response_seconds_high"),
    ]
    return pd.DataFrame(rows, columns=columns)


def badge(names):
    rows = [
        {
            "platform": "messenger",
            "account_id": name,
            "new_messages": 20,
            "replied": 19,
            "response_rate": 0.95,
            "response_time_seconds": 60.0,
            "is_very_responsive": True,
        }
        for name in names
    ]
    columns = [
        *("platform", "account_id", "new_messages", "replied", "response_rate", "response_time_seconds"),
        "is_very_responsive",
    ]
    return pd.DataFrame(rows, columns=columns)


def pair(first="Reel", other="Static", **values):
    """The one row of a comparison: ten customers against four."""
    row = {
        "ad_id": "1",
        "ad_name": first,
        "other_ad_id": "2",
        "other_ad_name": other,
        **{"spend": 100.0, "new_customers": 10.0, "cac": 10.0, "cac_low": 5.4, "cac_high": 20.9},
        **{"other_spend": 100.0, "other_new_customers": 4.0, "other_cac": 25.0},
        **{"other_cac_low": 9.8, "other_cac_high": 91.8},
        **{"cac_ratio": 0.4, "cac_ratio_low": 0.09, "cac_ratio_high": 1.4, "p_value": 0.18},
        **{"days_still_needed": 20.0, "spend_still_needed": 300.0},
    }
    return pd.DataFrame([row | values])


def effects(*rows):
    """Landmarks as (minutes, difference, low, high, answered, waiting)."""
    names = ("landmark_minutes", "conversion_difference", "conversion_difference_low")
    columns = [*names, "conversion_difference_high", "answered_by_landmark", "waiting_at_landmark"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(answered_conversion_rate=0.2, waiting_conversion_rate=0.1)


def outlook(names):
    """Half of the ads are to be scaled, the others to be cut."""
    frame = ads(names)[["ad_id", "ad_name", "spend", "currency"]]
    up = [place % 2 == 0 for place in range(len(frame))]
    return frame.assign(
        verdict=["scale" if each else "cut" for each in up],
        suggested_spend=[200.0 if each else 0.0 for each in up],
        expected_effect=[8.0 if each else -2.0 for each in up],
        expected_effect_low=[5.0 if each else -4.0 for each in up],
        expected_effect_high=[12.0 if each else -1.0 for each in up],
    )


def inbox(*waiting):
    """People who wait, as (seconds until the window closes, who opened the conversation, seconds waited)."""
    return pd.DataFrame(waiting, columns=["seconds_left", "opened_by", "waited_seconds"])
