"""Waits that were counted together, split into groups: what latency and maturity both start from."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

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
    """Split waits by their keys, in the order of the table.

    Parameters
    ----------
    waits : Table with the keys, the columns ``duration`` (double) and ``outcome`` (bool), and ``conversations``
    keys : tuple of str; none: all together
    """
    columns = [waits.column(name).to_numpy() for name in (duration, outcome, "conversations")]
    members: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(zip(*(waits.column(key).to_pylist() for key in keys), strict=True)):
        members.setdefault(key, []).append(place)
    if not keys and waits.num_rows:
        members = {(): list(range(waits.num_rows))}
    for key, places in members.items():
        durations, is_ended, conversations = (column[places] for column in columns)
        yield dict(zip(keys, key, strict=True)), Waits(durations, is_ended.astype(bool), conversations)


def group_name(keys: Keys) -> str:
    """Name a group in words: its names, not its ids."""
    names = [str(value) for key, value in keys.items() if value is not None and not key.endswith("_id")]
    return " ".join(names) or "All"
