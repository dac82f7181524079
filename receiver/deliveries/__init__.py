"""Meta's JSON → event rows: bytes in, rows out, without files, clock or network."""

from receiver.deliveries.delivery import read_delivery
from receiver.deliveries.event import COLUMNS, Event, contact_digest
from receiver.deliveries.reading import ReadingOptions

__all__ = ["COLUMNS", "Event", "ReadingOptions", "contact_digest", "read_delivery"]
