"""Settings of the analysis: ctm.toml, each key also as an environment variable, each with a default."""

import difflib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from ctm_analytics.business_hours import BusinessHours, read_business_hours
from ctm_analytics.errors import InvalidArgument

ATTRIBUTION_MODELS = (
    *("last_touch", "first_touch", "linear", "position_based", "time_decay"),
    *("markov", "shapley"),
)
LIFETIME = "lifetime"
LIFETIME_DAYS = 36_500  # nobody buys a hundred years after a click

PLATFORMS = ("messenger", "instagram", "whatsapp")

_CURRENCY = re.compile(r"[A-Z]{3}")
_MEMORY = re.compile(r"[1-9][0-9]{0,5} ?[KMGT]i?B|(100|[1-9][0-9]?)%")
# Behind the address may stand what the client understands: /;use_ssl=true;token=…
_ENGINE = re.compile(r"duckdb|sc://(\[[0-9A-Fa-f:]+\]|[^][/;@:\s]+)(:[0-9]{1,5})?(/(;.*)?)?")
# No gap or window is longer than a year, in whatever unit.
_LONGEST = 365 * 24 * 60

# Keys of ctm.toml that only the receiver reads.
RECEIVER_KEYS = ("store_text", "max_body_bytes", "public_url", "retention_days", "client_certificate_header")


@dataclass(frozen=True)
class Settings:
    """Everything that a number depends on besides the data.

    Attributes
    ----------
    reporting_timezone : str, IANA name; calendar days are days in this zone
    reporting_currency : str or None, ISO 4217; ``None`` means the only currency of the data
    default_country : str or None, ISO 3166; phone numbers without a country code are read as this country's
    max_rate_age_days : int, ``0 <= max_rate_age_days <= 31``; how old the last known exchange rate may be
    target_cac : float or None, in the reporting currency, ``> 0``
    window_days : int, ``1 <= window_days <= 365``; how long after a touch a sale can be credited to it
    attribution_model : str, one of ``ATTRIBUTION_MODELS``
    conversation_gap_hours, touch_gap_minutes, instant_reply_seconds : float, ``> 0``
    messaging_window_hours : float, ``> 0``, for all platforms, or a dict of platform to float; 24 where it names none
    bot_app_ids, human_app_ids : tuple of str, app ids whose echoes are known to be a bot's or a person's
    business_hours : tuple of BusinessHours, by ``valid_from``; empty: there is no business clock
    events_url : str, ``s3://bucket/prefix`` of an object store that events are read from, too; or empty
    imports_url : str, ``s3://bucket/prefix`` where imports, and what questions work out, are kept for all; or empty
    memory_limit : str, such as ``4GB`` or a share of the machine's memory; an answer that needs more uses the disk
    engine : str, ``duckdb``, inside the process, or ``sc://HOST:PORT`` of a Spark Connect server
    """

    reporting_timezone: str = "UTC"
    reporting_currency: str | None = None
    default_country: str | None = None
    max_rate_age_days: int = 0
    target_cac: float | None = None
    window_days: int = 7
    attribution_model: str = "last_touch"
    conversation_gap_hours: float = 24
    touch_gap_minutes: float = 30
    messaging_window_hours: float | dict[str, float] = 24
    instant_reply_seconds: float = 2
    bot_app_ids: tuple[str, ...] = field(default=())
    human_app_ids: tuple[str, ...] = field(default=())
    business_hours: tuple[BusinessHours, ...] = field(default=())
    events_url: str = ""
    imports_url: str = ""
    memory_limit: str = "50%"
    engine: str = "duckdb"

    def __post_init__(self) -> None:
        """Check each value against its rule.

        Raises
        ------
        InvalidArgument
            Naming the key, the value and the rule.
        """
        if self.reporting_timezone not in available_timezones():
            raise InvalidArgument(
                f"reporting_timezone: {self.reporting_timezone!r} is not an IANA time zone."
                f"{did_you_mean(self.reporting_timezone, available_timezones())}"
                " Use a name such as 'Europe/Berlin'."
            )
        if self.attribution_model not in ATTRIBUTION_MODELS:
            raise InvalidArgument(
                f"attribution_model: {self.attribution_model!r} is not a model."
                f"{did_you_mean(self.attribution_model, ATTRIBUTION_MODELS)}"
                f" Use one of {', '.join(ATTRIBUTION_MODELS)}."
            )
        if not 1 <= self.window_days <= 365:
            raise InvalidArgument(f"window_days: {self.window_days} is not between 1 and 365 days.")
        if self.reporting_currency is not None and not _CURRENCY.fullmatch(self.reporting_currency):
            raise InvalidArgument(
                f"reporting_currency: {self.reporting_currency!r} is not an ISO 4217 code. Use e.g. 'EUR'."
            )
        if self.default_country is not None:
            _check_country(self.default_country)
        if not 0 <= self.max_rate_age_days <= 31:
            raise InvalidArgument(
                f"max_rate_age_days: {self.max_rate_age_days} is not between 0 and 31 days."
            )
        if self.target_cac is not None and not 0 < self.target_cac < math.inf:
            raise InvalidArgument(f"target_cac: {self.target_cac} is not an amount above 0.")
        _check_memory(self.memory_limit)
        _check_engine(self.engine)
        for key in ("conversation_gap_hours", "touch_gap_minutes", "instant_reply_seconds"):
            _check_span(key, getattr(self, key))
        for platform in PLATFORMS:
            _check_span("messaging_window_hours", self.messaging_window(platform) / timedelta(hours=1))

    def messaging_window(self, platform: str) -> timedelta:
        """How long after a message the business may write back on a platform."""
        hours = self.messaging_window_hours
        return timedelta(hours=hours.get(platform, 24) if isinstance(hours, dict) else hours)

    @property
    def zone(self) -> ZoneInfo:
        """The reporting time zone."""
        return ZoneInfo(self.reporting_timezone)


def _check_span(key: str, value: float) -> None:
    if not 0 < value <= _LONGEST:
        raise InvalidArgument(f"{key}: {value:g} is not above 0 and at most {_LONGEST:,}.")


def _check_memory(limit: str) -> None:
    if not _MEMORY.fullmatch(limit):
        raise InvalidArgument(
            f"memory_limit: {limit!r} is neither a size such as '4GB' nor a share such as '50%'."
        )


def _check_engine(engine: str) -> None:
    if not _ENGINE.fullmatch(engine):
        shown = re.sub(r"//.*@", "//…@", engine.partition(";")[0])  # what stands before @ may be a password
        raise InvalidArgument(
            f"engine: {shown!r} is neither 'duckdb' nor sc://HOST:PORT. Use e.g. 'sc://127.0.0.1:15002'."
        )


def _check_country(country: str) -> None:
    from phonenumbers import SUPPORTED_REGIONS  # late: only where the setting is used

    if country not in SUPPORTED_REGIONS:
        raise InvalidArgument(
            f"default_country: {country!r} is not an ISO 3166 code of two capital letters. Use e.g. 'BR'."
        )


def did_you_mean(word: str, known: Mapping[str, Any] | set[str] | tuple[str, ...] | list[str]) -> str:
    """Say which known words were probably meant: one that is nearly the same, else those that hold what was typed.

    Returns
    -------
    str
        ``" Did you mean 'linear'?"``, or an empty string when nothing is near.

    Examples
    --------
    >>> did_you_mean("liner", ("linear", "last_touch")), did_you_mean("touch", ("last_touch", "first_touch"))
    (" Did you mean 'linear'?", " Did you mean 'first_touch' or 'last_touch'?")
    """
    folded = {name.casefold(): name for name in known}
    typed = word.casefold()
    holding = sorted(name for fold, name in folded.items() if len(typed) > 2 and typed in fold)

    def similar(cutoff: float) -> list[str]:
        return [folded[fold] for fold in difflib.get_close_matches(typed, folded, n=1, cutoff=cutoff)]

    near = similar(0.8) or holding[:3] or similar(0.5)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def load_settings(data: Path, environ: Mapping[str, str]) -> Settings:
    """Read the settings that belong to a data folder.

    Parameters
    ----------
    data : Path, the data folder; ``ctm.toml`` is looked for in it, then beside it
    environ : mapping of str to str; ``CTM_WINDOW_DAYS`` overrides ``window_days``, and so on

    Raises
    ------
    InvalidArgument
        For a key that does not exist, a value of the wrong type, or a value outside its range.
    """
    values: dict[str, Any] = {}
    path = next((place for place in (data / "ctm.toml", data.parent / "ctm.toml") if place.is_file()), None)
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidArgument(f"{path}: not valid TOML: {error}.") from None
    known = {setting.name: setting for setting in fields(Settings)}
    for key in values:
        if key not in known and key not in RECEIVER_KEYS:
            suggestion = did_you_mean(key, [*known, *RECEIVER_KEYS])
            raise InvalidArgument(f"{path}: {key!r} is not a setting.{suggestion}")
    chosen: dict[str, Any] = {key: _typed(key, value) for key, value in values.items() if key in known}
    for key in known:
        text = environ.get(f"CTM_{key.upper()}", "").strip()
        if text:
            chosen[key] = _parsed(key, text)
    return Settings(**chosen)


_NUMBERS: dict[str, type] = {
    "target_cac": float,
    "max_rate_age_days": int,
    "window_days": int,
    "conversation_gap_hours": float,
    "touch_gap_minutes": float,
    "messaging_window_hours": float,
    "instant_reply_seconds": float,
}
_LISTS = ("bot_app_ids", "human_app_ids")


def _windows(value: dict[str, Any]) -> dict[str, float]:
    for platform, hours in value.items():
        if platform not in PLATFORMS:
            raise InvalidArgument(
                f"messaging_window_hours: {platform!r} is not a platform.{did_you_mean(platform, PLATFORMS)}"
                f" Use {', '.join(PLATFORMS)}."
            )
        if isinstance(hours, bool) or not isinstance(hours, int | float):
            raise InvalidArgument(f"messaging_window_hours: {platform} = {hours!r} is not a number of hours.")
    return {platform: float(hours) for platform, hours in value.items()}


def _typed(key: str, value: object) -> object:
    if key == "business_hours":
        return read_business_hours(value)
    if key == "messaging_window_hours" and isinstance(value, dict):
        return _windows(value)
    if key in _LISTS:
        if not isinstance(value, list):
            raise InvalidArgument(f'{key}: {value!r} is not a list of app ids. Write ["123", "456"].')
        return tuple(str(item) for item in value)
    if key in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidArgument(f"{key}: {value!r} is not a number.")
        return _parsed(key, str(value))
    if not isinstance(value, str):
        raise InvalidArgument(f"{key}: {value!r} is not text. Put it in quotes.")
    return value


def _parsed(key: str, text: str) -> object:
    if key == "business_hours" or text.startswith("{"):
        # A variable holds the table as it would stand in one line of ctm.toml.
        try:
            return _typed(key, tomllib.loads(f"{key} = {text}")[key])
        except tomllib.TOMLDecodeError:
            raise InvalidArgument(
                f'CTM_{key.upper()}: {text!r} is not a table in one line. Write {{monday = "09:00-18:00"}}.'
            ) from None
    if key in _LISTS:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if key in _NUMBERS:
        try:
            return _NUMBERS[key](text)
        except ValueError:
            kind = "whole number" if _NUMBERS[key] is int else "number"
            raise InvalidArgument(f"{key}: {text!r} is not a {kind}.") from None
    return text
