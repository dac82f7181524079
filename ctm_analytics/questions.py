"""What is asked: period, instant, filters and attribution, checked once for every question."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypedDict

from ctm_analytics.currencies import decimals_of
from ctm_analytics.errors import InvalidArgument
from ctm_analytics.formats import period as period_words
from ctm_analytics.settings import (
    ATTRIBUTION_MODELS,
    LIFETIME,
    LIFETIME_DAYS,
    PLATFORMS,
    Settings,
    did_you_mean,
)

BASES = ("cohort", "calendar")
LONGEST_WINDOW_DAYS = 365

# Runs of the receiver overlap their restarts by less than this; a longer silence is a gap in capture.
HEARTBEAT_PATIENCE = timedelta(seconds=60)


# Any text is taken and checked; the words are here so that editors and notebooks can offer them.
Platform = Literal["messenger", "instagram", "whatsapp"] | str


class FilterWords(TypedDict, total=False):
    """The filters that every question takes, in the words of the command line."""

    since: date | str | None
    until: date | str | None
    as_of: datetime | str | None
    platform: Platform | None
    account: str | None
    campaign: str | None
    ad: str | None


@dataclass(frozen=True)
class Question:
    """One question's period, instant, filters and attribution.

    Attributes
    ----------
    since, until : date or None, whole days in the reporting time zone, both included
    as_of : datetime, UTC
    platform, account, campaign, ad : str or None; campaign and ad by id or name
    model : str, an attribution model; None for all of them, each with every window of ``attribution_rules.sql``
    window_days : int
    basis : ``cohort`` or ``calendar``
    """

    as_of: datetime
    model: str | None
    window_days: int
    since: date | None = None
    until: date | None = None
    platform: str | None = None
    account: str | None = None
    campaign: str | None = None
    ad: str | None = None
    basis: str = "cohort"

    def period(self) -> str:
        """Say the period in words."""
        match self.since, self.until:
            case None, None:
                return "all days"
            case since, None:
                return f"the days since {since}"
            case None, until:
                return f"the days until {until}"
            case date() as since, date() as until:
                return period_words(since, until)
        raise AssertionError  # the four cases above are all there are

    def about(self, settings: Settings, currency: str | None) -> str:
        """Say everything that the numbers depend on, in one line."""
        filters = [
            f"{name} {value}"
            for name in ("platform", "account", "campaign", "ad")
            if (value := getattr(self, name)) is not None
        ]
        words = [
            self.period(),
            *filters,
            f"days and times in {settings.reporting_timezone}",
            *([currency] if currency else []),
            f"{self._attribution()}, {self.basis}",
            f"as of {self.as_of:%Y-%m-%d %H:%M} UTC",
        ]
        return " · ".join(words)

    def _attribution(self) -> str:
        if self.model is None:
            return "all models and windows"
        window = LIFETIME if self.window_days == LIFETIME_DAYS else f"{self.window_days} days"
        return f"{self.model.replace('_', ' ')}, {window}"

    def parameters(self, settings: Settings, currency: str | None) -> dict[str, Any]:
        """Name the values that the SQL files ask for."""
        decimals = decimals_of(currency) if currency else 2
        return {
            "as_of": self.as_of.replace(tzinfo=None),
            "since": self.since,
            "until": self.until,
            "platform": self.platform,
            "account": self.account,
            "campaign": self.campaign,
            "ad": self.ad,
            "model": self.model,
            "basis": self.basis,
            "window": timedelta(days=self.window_days),
            "window_days": self.window_days,
            "reporting_timezone": settings.reporting_timezone,
            "reporting_currency": currency,
            "decimals": decimals,
            "minor_units": 10**decimals,
            "minor_unit": Decimal(1).scaleb(-decimals),
            "max_rate_age": timedelta(days=settings.max_rate_age_days),
            "conversation_gap": timedelta(hours=settings.conversation_gap_hours),
            "touch_gap": timedelta(minutes=settings.touch_gap_minutes),
            **{f"{platform}_window": settings.messaging_window(platform) for platform in PLATFORMS},
            "instant_reply": timedelta(seconds=settings.instant_reply_seconds),
            "heartbeat_patience": HEARTBEAT_PATIENCE,
            "bot_app_ids": settings.bot_app_ids,
            "human_app_ids": settings.human_app_ids,
        }


def ask(
    filters: Mapping[str, Any],
    settings: Settings,
    as_of: datetime,
    *,
    model: str | None = None,
    window_days: int | str | None = None,
    basis: str = "cohort",
) -> Question:
    """Check what was asked.

    Raises
    ------
    InvalidArgument
        Naming the word, its value, and what it may be.
    """
    for word in filters:
        known("filter", word, FilterWords.__annotations__)
    model = model or settings.attribution_model
    known("model", model, ATTRIBUTION_MODELS)
    known("basis", basis, BASES)
    if (platform := filters.get("platform")) is not None:
        known("platform", platform, PLATFORMS)
    since, until = (day(word, filters.get(word)) for word in ("since", "until"))
    if since and until and since > until:
        raise InvalidArgument(f"since {since} is after until {until}. Swap them.")
    asked_as_of = filters.get("as_of")
    return Question(
        as_of=as_of if asked_as_of is None else instant("as_of", asked_as_of),
        model=model,
        window_days=settings.window_days if window_days is None else _window_days(window_days),
        basis=basis,
        since=since,
        until=until,
        **{name: filters.get(name) for name in ("platform", "account", "campaign", "ad")},
    )


def _window_days(asked: int | str) -> int:
    if asked == LIFETIME:
        return LIFETIME_DAYS
    try:
        days = int(asked)
    except ValueError:
        days = 0
    if not 1 <= days <= LONGEST_WINDOW_DAYS:
        raise InvalidArgument(
            f"window_days: {asked!r} is neither a whole number from 1 to {LONGEST_WINDOW_DAYS} nor {LIFETIME!r}."
            " Use e.g. 7."
        )
    return days


def known(what: str, word: str, words: Iterable[str]) -> None:
    """Refuse a word that is not one of those known, with a suggestion.

    Raises
    ------
    InvalidArgument
    """
    choices = [str(choice) for choice in words]
    if word not in choices:
        raise InvalidArgument(
            f"{what}: {word!r} is not one.{did_you_mean(word, choices)} Use {', '.join(choices)}."
        )


def day(word: str, value: date | str | None) -> date | None:
    """Read a calendar day.

    Raises
    ------
    InvalidArgument
    """
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise InvalidArgument(
            f"{word}: {str(value)!r} is not a date. Use YYYY-MM-DD, e.g. 2026-11-16."
        ) from None


def instant(word: str, value: datetime | str) -> datetime:
    """Read an instant and put it in UTC.

    Raises
    ------
    InvalidArgument
        If it is no instant, or says no zone.
    """
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # said below, with every other text that is no instant
    raise InvalidArgument(
        f"{word}: {str(value)!r} is not an instant with a zone. Use e.g. 2026-11-23T07:00:00+00:00."
    )
