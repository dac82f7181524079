"""What had happened and was known at an instant: section 1 and 2 of the definitions, in plain loops."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Person = tuple[str, str, str]  # platform, account_id, contact_id


@dataclass(frozen=True)
class Rules:
    """The settings that the definitions name, with their defaults."""

    zone: str = "UTC"
    currency: str = "USD"
    rate_age: timedelta = timedelta(days=3)
    window: timedelta = timedelta(days=7)
    model: str = "last_touch"
    conversation_gap: timedelta = timedelta(hours=24)
    touch_gap: timedelta = timedelta(minutes=30)
    messaging_window: timedelta = timedelta(hours=24)
    instant_reply: timedelta = timedelta(seconds=2)
    bot_apps: tuple[str, ...] = ("bot-app",)
    human_apps: tuple[str, ...] = ("human-app",)
    # Opening and closing minute of the shifts that begin on each weekday, 0 = Monday; beyond 1440 is after midnight.
    hours: tuple[tuple[int, int, int], ...] = (
        (0, 540, 720),
        (0, 780, 1080),
        (1, 480, 1200),
        (5, 1200, 1560),
        (6, 600, 840),
    )
    holidays: tuple[date, ...] = (date(2026, 11, 3),)

    def day(self, instant: datetime) -> date:
        """Return the calendar day of a naive UTC instant in the reporting time zone."""
        return instant.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(self.zone)).date()

    def is_open(self, local: datetime) -> bool:
        """Say whether a shift that began on this day or the evening before covers an instant of the wall clock."""
        minute = local.hour * 60 + local.minute
        for begun, elapsed in ((local.date(), minute), (local.date() - timedelta(days=1), minute + 1440)):
            if begun not in self.holidays and any(
                begun.weekday() == weekday and opens <= elapsed < closes
                for weekday, opens, closes in self.hours
            ):
                return True
        return False

    @property
    def units(self) -> int:
        """Return how many of its smallest units the reporting currency has, by ISO 4217."""
        return {"USD": 100, "JPY": 1, "KWD": 1000}[self.currency]

    def toml(self) -> str:
        """Write the settings as ``ctm.toml``."""
        return "\n".join(
            [
                f'reporting_timezone = "{self.zone}"',
                f'reporting_currency = "{self.currency}"',
                f"max_rate_age_days = {self.rate_age.days}",
                f"window_days = {self.window.days}",
                f'attribution_model = "{self.model}"',
                f"bot_app_ids = {list(self.bot_apps)}",
                f"human_app_ids = {list(self.human_apps)}",
                "[business_hours]",
                'monday = "09:00-12:00, 13:00-18:00"',
                'tuesday = "08:00-20:00"',
                'saturday = "20:00-02:00"',
                'sunday = "10:00-14:00"',
                'holidays = ["2026-11-03"]',
            ]
        )


@dataclass(frozen=True)
class Facts:
    """Everything that an answer for ``as_of`` may know."""

    as_of: datetime
    events: dict[Person, list[Row]] = field(default_factory=dict)
    sales: list[Row] = field(default_factory=list)
    spend: list[Row] = field(default_factory=list)
    every_spend: list[Row] = field(default_factory=list)  # replaced ones too
    contacts: list[Row] = field(default_factory=list)
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)

    def ids(self, person: Person) -> set[str]:
        """Return every id under which a person's events were captured."""
        return {row["contact_id"] for row in self.events[person]}


def facts_known(rows: dict[str, list[Row]], as_of: datetime, rules: Rules) -> Facts:
    """Leave out whatever happened or became known after ``as_of``, and whatever a later import replaced."""
    rates = _latest(rows["rates"], as_of, "day", "currency")
    sales = [sale for sale in _latest(rows["sales"], as_of, "sale_id") if sale["sold_at"] <= as_of]
    spend = _latest(rows["spend"], as_of, "day", "ad_id")
    for sale in sales:
        for amount in ("gross", "refunded"):
            sale[f"{amount}_units"] = _units(
                sale[f"{amount}_amount"], sale["currency"], rules.day(sale["sold_at"]), rates, rules
            )
    every_spend = [dict(row) for row in rows["spend"] if row["imported_at"] <= as_of]
    for row in (*spend, *every_spend):
        row["units"] = _units(row["spend"], row["currency"], row["day"], rates, rules)
    return Facts(
        as_of,
        _events(rows["events"], as_of),
        sales,
        spend,
        every_spend,
        [row for row in rows["contacts"] if row["imported_at"] <= as_of],
        _gaps(rows["heartbeats"], as_of),
    )


def _events(rows: Iterable[Row], as_of: datetime) -> dict[Person, list[Row]]:
    stored: dict[str, Row] = {}
    for row in rows:
        if row["occurred_at"] <= as_of and row["received_at"] <= as_of:
            stored.setdefault(row["event_id"], row)
    from .people import persons  # they import each other's names

    about = [row for row in stored.values() if row["contact_id"] is not None and row["event_type"] != "test"]
    known = persons(about)
    people: dict[Person, list[Row]] = {}
    for row in about:
        person = known[row["platform"], row["account_id"], row["contact_id"]]
        people.setdefault(person, []).append(row)
    return people


def _latest(rows: Iterable[Row], as_of: datetime, *key: str) -> list[Row]:
    latest: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        if row["imported_at"] <= as_of:
            name = tuple(row.get(column) for column in key)
            if name not in latest or latest[name]["imported_at"] < row["imported_at"]:
                latest[name] = row
    return [dict(row) for row in latest.values()]


def _gaps(rows: Iterable[Row], as_of: datetime) -> list[tuple[datetime, datetime]]:
    runs = sorted(
        (row["started_at"], min(row["beat_at"], as_of)) for row in rows if row["started_at"] <= as_of
    )
    gaps: list[tuple[datetime, datetime]] = []
    up_to: datetime | None = None
    for started_at, beat_at in runs:
        if up_to is not None and started_at > up_to:
            gaps.append((up_to, started_at))
        up_to = beat_at if up_to is None else max(up_to, beat_at)
    return gaps


def _units(amount: Decimal, currency: str, day: date, rates: list[Row], rules: Rules) -> int:
    """Return an amount in whole smallest units of the reporting currency, a half rounded up."""
    rate = Decimal(1)
    if currency != rules.currency:
        known = {
            row["day"]: row["rate"]
            for row in rates
            if row["currency"] == currency and timedelta(0) <= day - row["day"] <= rules.rate_age
        }
        rate = known[max(known)]
    return int((amount * rate * rules.units).to_integral_value(ROUND_HALF_UP))
