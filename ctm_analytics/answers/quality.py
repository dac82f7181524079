"""What an answer rests on: each check in words, with the next step."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Check:
    """How a count is judged.

    Attributes
    ----------
    words : str, what was counted
    next_step : str, what to do when there are some
    warn_above, fail_above : float, shares of ``out_of`` (or counts, where there is no total) above which the check
        warns or fails; ``None`` never does
    """

    words: str
    next_step: str
    warn_above: float | None = None
    fail_above: float | None = None


CHECKS = {
    "duplicate_events": Check(
        "Events stored more than once", "Report this: it should be impossible.", fail_above=0
    ),
    "shared_contact_keys": Check(
        "Values of contact_key that stand for two people",
        "Their conversations are mixed up: `ctm verify` names the keys, docs/operations.md what to do.",
        fail_above=0,
    ),
    "unknown_events": Check(
        "Events of unknown shape",
        'They are kept whole: see `ctm sql "select payload from events …"`.',
        0.02,
        0.2,
    ),
    "test_events": Check("Test deliveries from the App Dashboard", "Nothing: they are never counted."),
    "capture_gaps": Check(
        "Gaps in capture",
        "Keep the receiver running; what Meta could not deliver within its retries is lost.",
        0,
    ),
    "blind_days": Check(
        "Days with ad spend on which nothing was captured",
        "Run `ctm doctor`: did the receiver run, and was the Page subscribed?",
        0,
        0.5,
    ),
    "future_sales": Check(
        "Sales dated in the future",
        "They count from their day on, in no period before: are day and month swapped? Mend the file and import it"
        " again.",
        0,
    ),
    "unmatched_sales": Check(
        "Sales without a contact",
        "Import a contacts file, or put the PSID, phone or ref in the order;"
        " `ctm quality --by ad` shows what they could change.",
        0.3,
        0.9,
    ),
    "ambiguous_sales": Check(
        "Sales that fit two contacts",
        'They get no credit: `ctm sql "from ambiguous_sales"` lists them. Let the contacts file say which one it is.',
        0,
    ),
    "sales_without_customer": Check(
        "Sales without any buyer", "They are in no CAC: export customer, e-mail or phone with the order.", 0
    ),
    "refunded_sales": Check("Sales cancelled or fully refunded", "Nothing: they count in no conversion."),
    "ads_without_conversation": Check(
        "Ads that spent and brought no conversation",
        "Check the ad's destination and the webhook subscription.",
        0,
    ),
    "ads_without_spend": Check(
        "Ads with conversations and no spend", "Import the spend of their account for these days.", 0
    ),
    "missed_conversations": Check(
        "Conversations that Meta reports and capture lacks",
        "The two count by different rules; a sudden rise is a capture failure.",
        0.3,
        0.7,
    ),
    "coverage_drops": Check(
        "Days on which capture fell below what chance explains",
        "Something was not captured then: see `ctm reconciliation --by ad_day` and the receiver's log.",
        fail_above=0,
    ),
    "restated_spend": Check(
        "Days of ads whose spend was restated",
        "Nothing: the latest import counts; `ctm quality --by ad` shows from what to what.",
    ),
    "estimated_spend": Check("Days of ads whose spend is an even spread", "Export the spend by day.", 0),
}

# What the answer can be laid out by, and which columns a table shows.
VIEWS = {
    "check": ("status", "detail", "share", "next_step"),
    "match": ("matched_by", "evidence", "count", "share", "net_amount"),
    "ad": (
        *(
            "ad_name",
            "first_spend",
            "spend",
            "spend_change",
            "restated_days",
            "restated_at",
            "match_rate_low",
        ),
        *("unmatched_sales", "cac", "cac_if_all"),
    ),
    "total": (
        *("first_spend", "spend", "spend_change", "restated_days", "restated_at", "match_rate_low"),
        *("unmatched_sales", "cac", "cac_if_all"),
    ),
}

SCHEMA = pa.schema(
    [
        ("check", pa.string()),
        ("status", pa.string()),
        ("count", pa.int64()),
        ("share", pa.float64()),
        ("detail", pa.string()),
        ("next_step", pa.string()),
    ]
)


def judged(counts: pa.Table, coverage_drops: tuple[int, int]) -> pa.Table:
    """Judge each count.

    Parameters
    ----------
    counts : Table of the mart ``quality_counts``: ``quality_check``, ``found``, ``out_of``
    coverage_drops : tuple of int, days of ads on which coverage dropped, and those for which Meta reports

    Returns
    -------
    Table: ``check``, ``status`` (``ok``, ``warn``, ``fail``), ``count``, ``share`` of the total or null, ``detail``,
    ``next_step`` (null where all is well)
    """
    found, out_of = coverage_drops
    drops = {"quality_check": "coverage_drops", "found": found, "out_of": out_of}
    rows = sorted([*counts.to_pylist(), drops], key=lambda row: list(CHECKS).index(row["quality_check"]))
    return pa.Table.from_pylist([_row(row) for row in rows], schema=SCHEMA)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    check = CHECKS[row["quality_check"]]
    found, out_of = row["found"] or 0, row["out_of"]
    share = found / out_of if out_of else None
    status = _status(check, found, share)
    return {
        "check": row["quality_check"],
        "status": status,
        "count": found,
        "share": share,
        "detail": f"{found:,}" + (f" of {out_of:,}: " if out_of is not None else ": ") + check.words,
        "next_step": check.next_step if found else None,
    }


def _status(check: Check, found: int, share: float | None) -> str:
    measure = found if share is None else share
    if check.fail_above is not None and measure > check.fail_above:
        return "fail"
    return "warn" if check.warn_above is not None and measure > check.warn_above else "ok"
