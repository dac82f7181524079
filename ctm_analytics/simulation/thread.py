"""What one contact and the shop write to each other, as the events that Meta will report."""

from base64 import urlsafe_b64encode
from random import Random

from ctm_analytics.simulation.answering import human_answer_at, lognormal
from ctm_analytics.simulation.business import INSTAGRAM, MESSENGER, WHATSAPP, Ad
from ctm_analytics.simulation.period import HOUR, MINUTE, SECOND, Period
from ctm_analytics.simulation.records import Contact, Event

_BOT_SHARE = {MESSENGER: 0.4, INSTAGRAM: 0.15, WHATSAPP: 0.3}
_MILLISECOND = 1_000


class Thread:
    """The one thread of a contact: everything said in it goes through here.

    Parameters
    ----------
    contact : Contact
    random : Random
    period : Period

    Attributes
    ----------
    events : list of Event, in the order of telling
    """

    def __init__(self, contact: Contact, random: Random, period: Period) -> None:
        self.contact = contact
        self.events: list[Event] = []
        self._random = random
        self._period = period
        self._message_count = 0

    @property
    def is_new(self) -> bool:
        """Whether nobody has written yet."""
        return not self.events

    def open_from_ad(self, ad: Ad, at: int) -> int | None:
        """Let the person click an ad.

        Returns
        -------
        int or None
            When the person first writes; ``None`` when they open the thread and say nothing.
        """
        if self.contact.platform == WHATSAPP:
            return self.write(at, ad_id=ad.ad_id, shape=self._random.choices(("text", "image"), (9, 1))[0])
        if self._random.random() < ad.silent_share:
            self._refer(at, ad_id=ad.ad_id, ref=ad.ref)
            return None
        if not self.is_new:
            return self._refer_and_write(at, ad)
        place = self._random.choices(
            ("message", "postback", "beside message", "referral first"), (70, 15, 4, 11)
        )[0]
        if place == "referral first":
            return self._refer_and_write(at, ad)
        if place == "postback" and self.contact.platform == MESSENGER:
            first_at = self._append(
                "postback", at, message_id=self._next_message_id(), ad_id=ad.ad_id, ref=ad.ref
            )
            if self._random.random() < 0.6:
                self.write(at + self._between(8 * SECOND, 90 * SECOND))
            return first_at
        shape = "beside message" if place == "beside message" else "text"
        first_at = self.write(at, ad_id=ad.ad_id, ref=ad.ref, shape=shape)
        if self._random.random() < 0.15:
            # Meta may tell of one click twice: with the message and on its own.
            self._refer(at + self._between(SECOND, 9 * SECOND), ad_id=ad.ad_id, ref=ad.ref)
        return first_at

    def open_from_link(self, ref: str, at: int) -> int | None:
        """Let the person open an m.me or ig.me link; return when they first write, if they do."""
        self._refer(at, ref=ref)
        if self._random.random() < 0.2:
            return None
        return self.write(at + self._between(4 * SECOND, 2 * MINUTE))

    def click_again(self, ad: Ad, at: int) -> None:
        """Let the person click the same ad once more, minutes later: still one touch."""
        if self.contact.platform == WHATSAPP:
            self.write(at, ad_id=ad.ad_id)
        else:
            self._refer(at, ad_id=ad.ad_id, ref=ad.ref)

    def talk(self, asked_at: int) -> int | None:
        """Let both sides write until one of them stops.

        Returns
        -------
        int or None
            When a person of the shop first answered.
        """
        if self._random.random() < _BOT_SHARE[self.contact.platform]:
            self.reply(asked_at + self._between(500 * _MILLISECOND, 1_800 * _MILLISECOND), "bot")
        first_answered_at = None
        while (answered_at := human_answer_at(self._random, self._period, asked_at)) is not None:
            if first_answered_at is None:
                first_answered_at = answered_at
            self.reply(answered_at, self._how_people_answer())
            if self._random.random() < 0.25:
                self.reply(answered_at + self._between(20 * SECOND, 90 * SECOND), self._how_people_answer())
            if self._random.random() < 0.45:
                return first_answered_at
            pause = lognormal(self._random, 4 * MINUTE, 1.3, at_least=2 * MINUTE)
            asked_at = self.write(answered_at + min(pause, 20 * HOUR))
            if self._random.random() < 0.2:
                self.write(asked_at + self._between(5 * SECOND, MINUTE))
        if self._random.random() < 0.25:
            self.write(asked_at + self._between(HOUR, 12 * HOUR))
        return first_answered_at

    def write(self, at: int, *, ad_id: str | None = None, ref: str | None = None, shape: str = "") -> int:
        """Let the person write; return the instant in the platform's resolution."""
        message_id = self._next_message_id()
        shape = shape or self._random.choices(("text", "image", "sticker"), (92, 6, 2))[0]
        written_at = self._append("message", at, message_id=message_id, ad_id=ad_id, ref=ref, shape=shape)
        if self.contact.platform != WHATSAPP and self._random.random() < 0.006:
            kind = self._random.choice(("edit", "deletion"))
            self._append(kind, written_at + self._between(5 * SECOND, 3 * MINUTE), message_id=message_id)
        return written_at

    def reply(self, at: int, responder: str, *, shape: str = "text") -> None:
        """Let the shop write, and the person perhaps receive, read and like it."""
        if self.contact.platform == WHATSAPP and responder == "bot":
            responder = "unknown"  # a reply through the API names no app; only its speed gives the bot away
        message_id = self._next_message_id()
        replied_at = self._append("echo", at, message_id=message_id, responder=responder, shape=shape)
        if self.contact.platform == MESSENGER:
            self._receive("delivery", 0.7, replied_at, message_id, at_most=4 * SECOND)
        if self.contact.platform == WHATSAPP and responder != "human":
            self._receive("status", 0.9, replied_at, message_id, at_most=5 * SECOND, shape="delivered")
            self._receive("status", 0.65, replied_at, message_id, at_most=2 * HOUR, shape="read")
        if self.contact.platform != WHATSAPP:
            self._receive("read", 0.5, replied_at, message_id, at_most=2 * HOUR)
        self._receive("reaction", 0.015, replied_at, message_id, at_most=HOUR)

    def is_silent_before(self, at: int) -> bool:
        """Tell whether nothing was said in the 24 hours before an instant, nor after it."""
        return all(event.at < at - 24 * HOUR for event in self.events)

    def _receive(
        self,
        event_type: str,
        share: float,
        replied_at: int,
        message_id: str,
        *,
        at_most: int,
        shape: str = "",
    ) -> None:
        if self._random.random() < share:
            self._append(
                event_type,
                replied_at + self._between(SECOND, at_most),
                message_id=message_id,
                shape=shape,
            )

    def _refer(self, at: int, *, ad_id: str | None = None, ref: str | None = None) -> None:
        self._append("referral", at, ad_id=ad_id, ref=ref)

    def _refer_and_write(self, at: int, ad: Ad) -> int:
        self._refer(at, ad_id=ad.ad_id, ref=ad.ref)
        return self.write(at + self._between(4 * SECOND, 3 * MINUTE))

    def _how_people_answer(self) -> str:
        # Through the WhatsApp API, and by an app that sends no app id, nobody can tell who wrote.
        unknown_share = {MESSENGER: 0.05, INSTAGRAM: 0.0, WHATSAPP: 0.45}[self.contact.platform]
        return "unknown" if self._random.random() < unknown_share else "human"

    def _append(
        self,
        event_type: str,
        at: int,
        *,
        message_id: str | None = None,
        ad_id: str | None = None,
        ref: str | None = None,
        responder: str | None = None,
        shape: str = "",
    ) -> int:
        resolution = SECOND if self.contact.platform == WHATSAPP else _MILLISECOND
        at -= at % resolution
        if at < self._period.end:
            self.events.append(
                Event(self.contact, at, event_type, message_id, ad_id, ref, responder, shape or "text")
            )
        return at

    def _next_message_id(self) -> str:
        self._message_count += 1
        name = f"{self.contact.account_id}:{self.contact.contact_id}:{self._message_count:05}"
        prefix = {MESSENGER: "m_", INSTAGRAM: "aWdfZAG", WHATSAPP: "wamid."}[self.contact.platform]
        return prefix + urlsafe_b64encode(name.encode()).decode()

    def _between(self, shortest: int, longest: int) -> int:
        return self._random.randrange(shortest, longest)
