"""Does speed sell? Conversion after a fast and after a slow response, like compared with like."""

from typing import Any

import numpy as np
import pyarrow as pa

from ctm_analytics.statistics.landmark import speed_effect

LANDMARKS_MINUTES = (5, 15, 60, 240)
CAUTION = "association, not proof"

SCHEMA = pa.schema(
    [
        ("landmark_minutes", pa.int64()),
        ("conversion_difference", pa.float64()),
        ("conversion_difference_low", pa.float64()),
        ("conversion_difference_high", pa.float64()),
        *((name, pa.int64()) for name in ("answered_by_landmark", "waiting_at_landmark")),
        *((name, pa.float64()) for name in ("answered_conversion_rate", "waiting_conversion_rate")),
        *((name, pa.int64()) for name in ("strata", "left_out")),
    ]
)


def effects(pairs: pa.Table, window_days: int) -> pa.Table:
    """Compare, at each landmark, those who had been answered with those who were seen to wait still.

    Parameters
    ----------
    pairs : Table of the mart ``speed_pairs``
    window_days : int, until when sales count; younger conversations are left out

    Returns
    -------
    Table of ``SCHEMA``, one row per landmark; the difference is null where no ad, weekday and hour has both
    """
    response, seen, sold, watched = (
        pairs.column(name).to_numpy()
        for name in ("response_seconds", "seen_seconds", "sold_seconds", "watched_seconds")
    )
    strata = _strata(pairs)
    rows: list[dict[str, Any]] = []
    for minutes in LANDMARKS_MINUTES:
        row: dict[str, Any] = {"landmark_minutes": minutes}
        horizon = window_days * 86_400.0
        effect = speed_effect(response, seen, sold, watched, strata, landmark=60.0 * minutes, horizon=horizon)
        if effect is not None:
            row |= {
                "conversion_difference": effect.difference,
                "conversion_difference_low": effect.low,
                "conversion_difference_high": effect.high,
                "answered_by_landmark": effect.fast,
                "waiting_at_landmark": effect.slow,
                "answered_conversion_rate": effect.fast_rate,
                "waiting_conversion_rate": effect.slow_rate,
                "strata": effect.strata,
                "left_out": effect.left_out,
            }
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _strata(pairs: pa.Table) -> np.ndarray[Any, Any]:
    """Give each ad, weekday and hour a number: that of an ad by its id, so that no sum hangs on the order of rows."""
    ads = pairs.column("ad_id").combine_chunks().dictionary_encode()
    numbers = np.argsort(np.argsort(ads.dictionary.to_numpy(zero_copy_only=False)))
    weekday, hour = (pairs.column(name).to_numpy() for name in ("weekday", "hour"))
    return np.asarray((numbers[ads.indices.to_numpy()] * 7 + weekday - 1) * 24 + hour)
