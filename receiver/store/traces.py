"""What a person has left in rows of events and in deliveries, and what others' rows say about them."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from receiver.deliveries import read_delivery
from receiver.store.mentions import Mentions
from receiver.store.segment import Delivery
from receiver.store.tombstones import Person, microseconds


class Traces:
    """Finds what was known of a person up to an instant; what comes afterwards is not looked at.

    Parameters
    ----------
    person : Person
    until : datetime with a zone
    """

    def __init__(self, person: Person, until: datetime) -> None:
        self.mentions = Mentions(person.ids)
        self._person = person
        self._until = microseconds(until)
        self._ids = pa.array(sorted(person.ids), pa.string())

    def in_rows(self, rows: pa.Table) -> tuple[pa.Array, pa.Array]:
        """Say of each row of events whether it is the person's, and whether it is another's and names them.

        The person's are their own events, and those of nobody that name them.
        """
        contacts = rows.column("contact_id").combine_chunks()
        within, named = self._within(rows), self.mentions.in_rows(rows)
        is_theirs = pc.is_in(contacts, value_set=self._ids)
        own = pc.and_(within, pc.or_(is_theirs, pc.and_(pc.is_null(contacts), named)))
        return own, pc.and_(pc.and_(within, named), pc.invert(own))

    def in_delivery(self, delivery: Delivery) -> bool:
        """Whether a delivery that came up to the instant names the person."""
        if delivery.received_at > self._until or not self.mentions.in_body(delivery.body):
            return False
        if self._person.platform is None and self._person.account_id is None:
            return True
        events = read_delivery(delivery.body, received_at=delivery.received_at)
        return any(
            self._person.may_be_at(event.platform, event.account_id)
            and (event.contact_id in self._person.ids or self.mentions.in_bytes(event.payload.encode()))
            for event in events
        )

    def _within(self, rows: pa.Table) -> pa.Array:
        """Say of each row whether the erasure is about its account and its time."""
        until = pa.scalar(self._until, pa.timestamp("us"))
        found = pc.or_(
            pc.less_equal(rows.column("occurred_at").combine_chunks(), until),
            pc.less_equal(rows.column("received_at").combine_chunks(), until),
        )
        for column, value in (("platform", self._person.platform), ("account_id", self._person.account_id)):
            if value is not None:
                is_there = pc.equal(rows.column(column).combine_chunks(), value)
                found = pc.and_(found, pc.fill_null(is_there, False))
        return found
