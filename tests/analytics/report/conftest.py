"""A report's origin and the frames that fill it, as the workbench gives them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import pytest

from ctm_analytics.settings import Settings


@dataclass(frozen=True)
class Origin:
    """What a report says about where its numbers come from."""

    settings: Settings = field(default_factory=lambda: Settings(reporting_timezone="Africa/Johannesburg"))
    as_of: datetime = datetime(2026, 11, 23, 5, 10, tzinfo=UTC)
    fingerprint: str = "9f2c41d07be5aa10" * 4
    currency: str | None = "USD"
    is_invented: bool = False


@pytest.fixture
def origin() -> Origin:
    return Origin()


AD = {
    "ad_id": "120212000000000001",
    "ad_name": "Reel – Loyalty",
    "campaign_name": "Prospecting",
    "spend": Decimal("628.90"),
    "currency": "USD",
    "conversations": 218,
    "engaged": 200,
    "conversions": 17,
    "conversion_rate": 0.085,
    "conversion_rate_low": 0.054,
    "conversion_rate_high": 0.132,
    "sales": 17.0,
    "new_customers": 17.0,
    "revenue": Decimal("1260.00"),
    "cac": 36.99,
    "cac_low": 23.1,
    "cac_high": 63.5,
    "roas": 2.0,
    "median_first_response_seconds": 252.0,
}
NOT_CREDITED = dict.fromkeys(AD) | {
    "conversations": 31,
    "engaged": 30,
    "sales": 14.5,
    "revenue": Decimal("940.00"),
}


@pytest.fixture
def ads() -> pd.DataFrame:
    """One sound ad, one without a customer and with a hostile name, and the row of what no ad is credited with."""
    hostile = AD | {
        "ad_id": "120212000000000002",
        "ad_name": '</script><script>alert("x")</script>=HYPERLINK(1)',
        "spend": Decimal("1581.50"),
        "new_customers": 0.0,
        "cac": None,
        "cac_low": 428.7,
        "cac_high": None,
    }
    return pd.DataFrame([AD, NOT_CREDITED, hostile], dtype=object)


@pytest.fixture
def total() -> "pd.Series":
    return pd.Series(AD | {"spend": Decimal("2210.40"), "cac": 130.02}, dtype=object).drop(
        ["ad_id", "ad_name"]
    )
