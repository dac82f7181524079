"""Where a report's numbers come from, and how it says so."""

from datetime import UTC, date, datetime
from typing import Any, Protocol

import pandas as pd

from ctm_analytics.columns import COLUMNS
from ctm_analytics.formats import MONTHS, count
from ctm_analytics.settings import Settings


class Source(Protocol):
    """What a report says about where its numbers come from; a workbench is one."""

    @property
    def settings(self) -> Settings:
        """The settings that the numbers were made with."""

    @property
    def as_of(self) -> datetime:
        """The instant the answers are for, with a zone."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that was read."""

    @property
    def currency(self) -> str | None:
        """The currency of all amounts, ISO 4217."""

    @property
    def is_invented(self) -> bool:
        """Whether these are the data of the demo or of the sample."""


class Answer(Protocol):
    """What a question returns."""

    @property
    def df(self) -> pd.DataFrame:
        """The rows."""


def unknown() -> "pd.Series[Any]":
    """Answer where there is no answer: every column of the catalogue, with the ends of its interval, null."""
    names = [f"{name}{end}" for name in COLUMNS for end in ("", "_low", "_high")]
    return pd.Series([None] * len(names), index=names, dtype=object)


def moment(at: datetime, source: Source | None) -> str:
    """Write an instant in the reporting time zone."""
    at = at.astimezone(source.settings.zone if source else UTC)
    return f"{_date(at)}, {at:%H:%M}"


def read_sentence(held: "pd.Series[Any]", source: Source | None) -> str:
    """Say what was read, and until when it reaches."""
    received = held["last_received_at"]
    last = "never" if pd.isna(received) else moment(pd.Timestamp(received).to_pydatetime(), source)
    spend, sales = (
        "" if pd.isna(held[name]) else f" until {_date(held[name])}"
        for name in ("last_spend_day", "last_sale_day")
    )
    return (
        f"Read: {count(held['events'])} events, the last received {last};"
        f" spend of {count(held['ads'])} ads{spend}; {count(held['sales'])} sales{sales}."
    )


def _date(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
