"""Waits that were counted together, split into groups: what latency and maturity both start from."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctm_analytics.statistics.survival import KaplanMeier, kaplan_meier

Keys = dict[str, Any]


class Waits(NamedTuple):
    """Equal waits of one group, counted together; arrays of shape (n,).

    Attributes
    ----------
    durations : float array, until the end or until it was last seen waiting
    is_ended : bool array
    conversations : int array, how many had this duration and outcome
    """

    durations: np.ndarray[Any, Any]
    is_ended: np.ndarray[Any, Any]
    conversations: np.ndarray[Any, Any]

    def curve(self) -> KaplanMeier:
        """Estimate the group's survival curve; a group has at least one conversation."""
        curve = kaplan_meier(*self)
        assert curve is not None
        return curve


def grouped(
    waits: pa.Table, keys: tuple[str, ...], duration: str, outcome: str
) -> Iterator[tuple[Keys, Waits]]:
    """Split waits by their keys, in the order of these.

    Parameters
    ----------
    waits : Table with the keys, the columns ``duration`` (double) and ``outcome`` (bool), and ``conversations``
    keys : tuple of str; none: all together
    """
    columns = [waits.column(name).to_numpy() for name in (duration, outcome, "conversations")]
    for key, places in places_by_key(waits, keys):
        durations, is_ended, conversations = (column[places] for column in columns)
        yield key, Waits(durations, is_ended.astype(bool), conversations)


def places_by_key(rows: pa.Table, keys: tuple[str, ...]) -> Iterator[tuple[Keys, np.ndarray[Any, Any]]]:
    """Yield each key that rows have, in order, with the places of its rows; no Python loop over rows."""
    places = pa.array(np.arange(rows.num_rows))
    if not keys:
        if rows.num_rows:
            yield {}, places.to_numpy()
        return
    numbered = rows.select(keys).append_column("place", places)
    groups = numbered.group_by(list(keys)).aggregate([("place", "list")])
    groups = groups.take(pc.sort_indices(groups, [(key, "ascending", "at_end") for key in keys]))
    for key, members in zip(groups.select(keys).to_pylist(), groups.column("place_list"), strict=True):
        yield key, members.values.to_numpy()


def group_name(keys: Keys) -> str:
    """Name a group in words: its names, not its ids."""
    names = [str(value) for key, value in keys.items() if value is not None and not key.endswith("_id")]
    return " ".join(names) or "All"
