"""From the conversations that Meta reports to those with a sale that was kept, every loss named."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctm_analytics.answers.waits import places_by_key
from ctm_analytics.statistics.coverage import coverage_drop_p_values, coverage_drops

STAGES = ("reported_conversations", "conversations", "engaged", "with_matched_sale", "with_kept_sale")
LOSSES = ("not_captured", "opened_silently", "without_sale", "sale_not_kept")
KEYS = {
    "ad": ("ad_id", "ad_name", "campaign_id", "campaign_name"),
    "campaign": ("campaign_id", "campaign_name"),
    "day": ("day",),
    "ad_day": ("day", "ad_id", "ad_name", "campaign_id", "campaign_name"),
    "total": (),
}
# How the stages stand beside each other: each with what is lost before the next.
VIEW = (*(name for pair in zip(STAGES, (*LOSSES, "coverage"), strict=True) for name in pair), "dropped_days")


def reconciled(history: pa.Table, by: str, since: date | None) -> pa.Table:
    """Add up the waterfall per ad, campaign, day, ad and day, or in all.

    Days of an ad for which Meta reports nothing are left out of ``not_captured`` and ``coverage``: there nothing can be
    missed.

    Parameters
    ----------
    history : Table of the mart ``reconciliation``, from the first day on: what is usual is learnt from the days before
    by : str, a key of ``KEYS``
    since : date or None, first day that is added up

    Returns
    -------
    Table with the group's keys, ``STAGES`` and ``LOSSES`` (bigint; ``not_captured`` is negative where Meta reports
    fewer, null where it reports nothing), ``coverage`` (double ``>= 0``, engaged / reported, or null) and
    ``dropped_days`` (bigint: days on which an ad's coverage fell below what chance explains; by ``day`` and in all,
    that of all ads together)
    """
    drops = np.zeros(history.num_rows, np.int64)
    drops[dropped(history, together=by in ("day", "total"))] = 1
    is_reported = pc.is_valid(history.column("reported_conversations"))
    covered = pc.if_else(is_reported, history.column("engaged"), pa.scalar(None, pa.int64()))
    days = history.append_column("covered", covered).append_column("dropped_days", pa.array(drops))
    if since is not None:
        days = days.filter(pc.greater_equal(days.column("day"), pa.scalar(since, pa.date32())))
    days = days.append_column("place", pa.array(np.arange(days.num_rows)))
    names = (*STAGES, *LOSSES, "covered", "dropped_days")
    sums = days.group_by(list(KEYS[by])).aggregate([("place", "min"), *((name, "sum") for name in names)])
    sums = sums.rename_columns([name.removesuffix("_sum") for name in sums.column_names])
    sums = sums.filter(sums.column("place_min").is_valid()).sort_by("place_min")
    reported = sums.column("reported_conversations")
    share = pc.divide(pc.cast(sums.column("covered"), pa.float64()), pc.cast(reported, pa.float64()))
    coverage = pc.if_else(pc.equal(reported, 0), pa.scalar(None, pa.float64()), share)
    sums = sums.append_column("coverage", coverage)
    fields = [history.schema.field(name) for name in KEYS[by]]
    fields += [pa.field(name, pa.int64()) for name in (*STAGES, *LOSSES)]
    fields += [pa.field("coverage", pa.float64()), pa.field("dropped_days", pa.int64())]
    return sums.select([field.name for field in fields]).cast(pa.schema(fields))


def dropped(history: pa.Table, *, together: bool) -> NDArray[np.int64]:
    """Find the days on which less was captured than chance explains, each ad judged by its own days before.

    Parameters
    ----------
    history : Table of the mart ``reconciliation``
    together : bool, whether all ads are judged as one

    Returns
    -------
    int64 array, shape (drops,): the row of ``history`` of each such day of an ad, or, of all together, of its first ad;
    in all one false alarm in a hundred questions
    """
    numbered = history.append_column("place", pa.array(np.arange(history.num_rows)))
    reported = numbered.filter(pc.is_valid(numbered.column("reported_conversations")))
    ads = () if together else ("ad_id",)
    days = reported.group_by([*ads, "day"]).aggregate(
        [("engaged", "sum"), ("reported_conversations", "sum"), ("place", "min")]
    )
    days = days.sort_by([(name, "ascending") for name in (*ads, "day")])
    engaged, told, places = (
        days.column(name).to_numpy() for name in ("engaged_sum", "reported_conversations_sum", "place_min")
    )
    p_values = np.full(days.num_rows, np.nan)
    for _, of_ad in places_by_key(days, ads):
        in_order = np.sort(of_ad)
        p_values[in_order] = coverage_drop_p_values(engaged[in_order], told[in_order])
    return np.asarray(places[coverage_drops(p_values)], np.int64)


def drops_in(history: pa.Table, since: date | None) -> tuple[int, int]:
    """Count the days of ads on which coverage dropped since a day, and all those for which Meta reports."""
    reported = history.column("reported_conversations").is_valid()
    asked = pc.greater_equal(history.column("day"), pa.scalar(since or date.min, pa.date32()))
    drops = asked.take(pa.array(dropped(history, together=False)))
    return pc.sum(drops).as_py() or 0, pc.sum(pc.and_(asked, reported)).as_py() or 0
