"""What happens in the simulated business: contacts, events and sales, each told once."""

from typing import NamedTuple

ACTIVITY = ("message", "postback", "referral", "echo")


class Contact(NamedTuple):
    """A person as one account sees them.

    ``phone`` is E.164 and belongs to the numbers that are kept free for fiction; ``contact_id`` is
    a PSID, an IGSID, a wa_id (the phone's digits) or a business-scoped user id.
    """

    platform: str
    account_id: str
    contact_id: str
    name: str
    email: str
    phone: str


class Event(NamedTuple):
    """One thing that Meta will report, however often it is delivered.

    Attributes
    ----------
    contact : Contact or None, ``None`` where no person is meant
    at : int, microseconds since 1970 UTC, in the platform's own resolution
    event_type : str, as in ``events.event_type``
    message_id : str or None, of the message itself, or of the message that the event is about
    ad_id, ref : str or None, of the referral
    responder : str or None, of an echo: ``human``, ``bot`` or ``unknown``, as the wire can prove it
    shape : str, which of Meta's forms it takes: a message type, a status, or the place of the referral
    """

    contact: Contact
    at: int
    event_type: str
    message_id: str | None = None
    ad_id: str | None = None
    ref: str | None = None
    responder: str | None = None
    shape: str = "text"

    @property
    def is_inbound(self) -> bool:
        """Whether the person wrote or pressed something."""
        return self.event_type in ("message", "postback")


class Sale(NamedTuple):
    """One order, and the evidence that leads from it to a contact.

    Attributes
    ----------
    sale_id : str
    sold_at : int, microseconds since 1970 UTC, whole seconds
    gross_cents, refunded_cents : int
    is_cancelled : bool
    evidence : str, one of ``contact_id``, ``identity``, ``phone``, ``ref``, ``ad_id``, ``ambiguous``,
        ``unmatched``: the ``matched_by`` that definitions ask for
    contact : Contact or None, who bought, where the evidence leads to one contact
    email, phone : str, what the order says of its buyer, empty where it says nothing
    written_contact_id, ref, ad_id : str, what the order says of the conversation, empty where nothing
    """

    sale_id: str
    sold_at: int
    gross_cents: int
    refunded_cents: int
    is_cancelled: bool
    evidence: str
    contact: Contact | None
    email: str
    phone: str
    written_contact_id: str = ""
    ref: str = ""
    ad_id: str = ""

    @property
    def net_cents(self) -> int:
        """What the shop keeps."""
        return 0 if self.is_cancelled else self.gross_cents - self.refunded_cents

    @property
    def is_counted(self) -> bool:
        """Whether the sale counts as a conversion: not cancelled and not fully refunded."""
        return self.net_cents > 0

    @property
    def customer(self) -> str:
        """The buyer across sales: e-mail, else phone."""
        return self.email or self.phone


class Chance(NamedTuple):
    """What the dice were asked for one conversation that an ad opened.

    Attributes
    ----------
    contact : Contact
    touched_at : int, microseconds since 1970 UTC, the first instant of the click
    ad_id : str
    buying_probability : float, of buying at all, whenever that is
    credited_probability : float, of a sale that counts, is matched to the contact, and falls within
        7 days and before the period ends
    """

    contact: Contact
    touched_at: int
    ad_id: str
    buying_probability: float
    credited_probability: float
