"""Frames as the workbench returns them: decimals for money, nullable integers for counts."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

MONEY = pd.ArrowDtype(pa.decimal128(18, 2))
COUNTS = ("engaged", "conversions")


@pytest.fixture
def ads() -> Callable[..., pd.DataFrame]:
    """Build an ads frame from rows that name only what a test is about."""

    def build(*rows: dict[str, Any]) -> pd.DataFrame:
        defaults = {
            "ad_id": "1",
            "ad_name": "Reel",
            "spend": Decimal("100.00"),
            "currency": "USD",
            "engaged": 100,
            "conversions": 10,
            "conversion_rate": 0.1,
            "conversion_rate_low": 0.055,
            "conversion_rate_high": 0.174,
            "new_customers": 10.0,
            "cac": 10.0,
            "cac_low": 5.4,
            "cac_high": 20.9,
        }
        frame = pd.DataFrame([defaults | row for row in rows], columns=list(defaults))
        spend = [None if pd.isna(amount) else Decimal(amount) for amount in frame["spend"]]
        return frame.assign(spend=pd.array(spend, MONEY)).astype(dict.fromkeys(COUNTS, "Int64"))

    return build


@pytest.fixture
def nothing_sold() -> dict[str, Any]:
    """An ad that spent and has no new customer."""
    return {
        "conversions": 0,
        "conversion_rate": 0.0,
        "conversion_rate_low": 0.0,
        "conversion_rate_high": 0.037,
        "new_customers": 0.0,
        "cac": None,
        "cac_low": 27.1,
        "cac_high": None,
    }
