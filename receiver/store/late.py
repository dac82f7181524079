"""Events that come again after the index has forgotten them: looked up in the settled files themselves."""

import logging
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Set
from pathlib import Path

import pyarrow.parquet as pq

from receiver.deliveries import Event

logger = logging.getLogger("receiver")


def settled_ids(files: Iterable[Path], events: Iterable[Event]) -> set[str]:
    """Find which of some events are in settled files.

    The files are sorted by contact, so that only the row groups of the events' contacts are read.

    Returns
    -------
    set of str
        Event ids.
    """
    wanted = {event.event_id: event.contact_key for event in events}
    keys = sorted({key for key in wanted.values() if key is not None})
    has_null = None in wanted.values()
    found: set[str] = set()
    for path in files:
        try:
            found.update(_ids_in(path, wanted.keys(), keys, has_null))
        except (OSError, ValueError) as error:
            # Capture goes on: these events could at worst be stored a second time.
            logger.error("%s cannot be read: %s", path.name, type(error).__name__)
    return found


def _ids_in(path: Path, wanted: Set[str], keys: list[int], has_null: bool) -> Iterator[str]:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        column = file.schema_arrow.get_field_index("contact_key")
        for group in range(file.num_row_groups):
            if _may_hold(file.metadata.row_group(group).column(column).statistics, keys, has_null):
                ids = file.read_row_group(group, columns=["event_id"], use_threads=False)
                yield from wanted & set(ids.column("event_id").to_pylist())


def _may_hold(statistics: pq.Statistics | None, keys: list[int], has_null: bool) -> bool:
    if statistics is None:
        return True
    if statistics.has_null_count and statistics.null_count and has_null:
        return True
    if not statistics.has_min_max:
        return False  # nothing but nulls
    position = bisect_left(keys, statistics.min)
    return position < len(keys) and keys[position] <= statistics.max
