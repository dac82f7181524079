"""Settings of the receiver: secrets from the environment, the rest from ctm.toml or the environment."""

import importlib.util
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from receiver.errors import InvalidSetting

MEBIBYTE = 1024 * 1024
# WhatsApp sends up to 3 MB; a body that is refused for its length is lost after Meta's last retry.
LEAST_MAX_BODY_BYTES = 3 * MEBIBYTE
GREATEST_MAX_BODY_BYTES = 32 * MEBIBYTE
# Meta delivers again for up to seven days: what is forgotten sooner would come back.
LEAST_RETENTION_DAYS = 8
GREATEST_RETENTION_DAYS = 36_500
_HEADER_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_EVENTS_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._=~-]+)*")
# The names that obstore reads.
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_PUBLIC_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True)
class ReadingSettings:
    """How deliveries become event rows; needs no secret.

    Attributes
    ----------
    store_text : bool, whether message text is kept
    bot_app_ids, human_app_ids : frozenset of str, app ids whose echoes are known to be a bot's or a person's
    """

    store_text: bool = False
    bot_app_ids: frozenset[str] = frozenset()
    human_app_ids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ReceiverSettings:
    """What the receiver must know before it may listen.

    Attributes
    ----------
    app_secrets : tuple of bytes; a delivery signed with any of them is accepted
    instagram_app_secrets : tuple of bytes, as above, but not for a Page or a WhatsApp account; together at least one
    verify_token : str, not empty; what Meta repeats in the verification handshake
    store_text : bool, whether message text is kept when events are published
    max_body_bytes : int, ``3 MiB <= max_body_bytes <= 32 MiB``
    bot_app_ids, human_app_ids : frozenset of str, app ids whose echoes are known to be a bot's or a person's
    events_url : str, ``s3://bucket/prefix`` of the object store that events are published to; empty for the data folder
    public_url : str, ``https://…`` without a slash at its end: where people see how their deletion request stands;
        empty if there is none
    retention_days : int or None, ``>= 8``; so many whole days of events are kept, ``None`` keeps all
    client_certificate_header : str, in which a trusted proxy puts the subject of the client certificate that it has
        verified; deliveries whose certificate is not Meta's are then refused. Empty: not looked at
    """

    app_secrets: tuple[bytes, ...] = field(repr=False)
    verify_token: str = field(repr=False)
    store_text: bool = False
    max_body_bytes: int = 4 * MEBIBYTE
    bot_app_ids: frozenset[str] = frozenset()
    human_app_ids: frozenset[str] = frozenset()
    public_url: str = ""
    retention_days: int | None = None
    instagram_app_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    client_certificate_header: str = ""
    events_url: str = ""

    @property
    def reading(self) -> ReadingSettings:
        """What of it decides how a delivery is read."""
        return ReadingSettings(**{field.name: getattr(self, field.name) for field in fields(ReadingSettings)})


def load_settings(data: Path, environ: Mapping[str, str]) -> ReceiverSettings:
    """Read the settings of the receiver of a data folder.

    Parameters
    ----------
    data : Path, the data folder; ``ctm.toml`` is looked for in it, then beside it
    environ : mapping of str to str; ``CTM_STORE_TEXT`` overrides ``store_text``, and so on

    Raises
    ------
    InvalidSetting
        Without an app secret or a verify token, or for a value that contradicts its rule.
    """
    main = _secrets("CTM_APP_SECRET", environ)
    instagram = _secrets("CTM_INSTAGRAM_APP_SECRET", environ)
    if not main and not instagram:
        raise InvalidSetting(
            "CTM_APP_SECRET is not set: without the app secret a forged delivery looks like Meta's."
            " Copy it from App settings > Basic in Meta's dashboard (or name a file in CTM_APP_SECRET_FILE)."
        )
    verify_token = _secret("CTM_VERIFY_TOKEN", environ)
    if not verify_token:
        raise InvalidSetting(
            "CTM_VERIFY_TOKEN is not set: choose a long random text and enter the same text beside the"
            " callback URL in Meta's dashboard (or name a file in CTM_VERIFY_TOKEN_FILE)."
        )
    values = _values(data, environ)
    return ReceiverSettings(
        app_secrets=main,
        instagram_app_secrets=instagram,
        verify_token=verify_token,
        max_body_bytes=_body_limit("max_body_bytes", values.get("max_body_bytes", 4 * MEBIBYTE)),
        public_url=_public_url("public_url", values.get("public_url", "")),
        retention_days=_days("retention_days", values.get("retention_days", 0)),
        client_certificate_header=_header_name(
            "client_certificate_header", values.get("client_certificate_header", "")
        ),
        events_url=_events_url(values, environ),
        **vars(_reading_settings(values)),
    )


def load_reading_settings(data: Path, environ: Mapping[str, str]) -> ReadingSettings:
    """Read what decides how a delivery is read, as :func:`load_settings` does, but without any secret.

    Raises
    ------
    InvalidSetting
        For a value that contradicts its rule.
    """
    return _reading_settings(_values(data, environ))


def load_retention_days(data: Path, environ: Mapping[str, str]) -> int | None:
    """Read how many days of events are kept, ``None`` for all; needs no secret.

    Raises
    ------
    InvalidSetting
        For a value that contradicts its rule.
    """
    return _days("retention_days", _values(data, environ).get("retention_days", 0))


def load_events_url(data: Path, environ: Mapping[str, str]) -> str:
    """Read where events are published to, as :func:`load_settings` does, but without any secret.

    Raises
    ------
    InvalidSetting
        For what is no URL of an object store, or one that cannot be used here.
    """
    return _events_url(_values(data, environ), environ)


def load_forward_url(environ: Mapping[str, str]) -> str | None:
    """Read from ``CTM_FORWARD_URL`` (or ``_FILE``) where deliveries are relayed to, ``None`` for nowhere.

    Raises
    ------
    InvalidSetting
        If both are set, or the file cannot be read.
    """
    return _secret("CTM_FORWARD_URL", environ) or None


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out what a process that needs no secret, or is told it, should not inherit."""
    words = ("SECRET", "TOKEN", "CTM_FORWARD_URL")
    return {name: text for name, text in environ.items() if not any(word in name for word in words)}


def _reading_settings(values: Mapping[str, Any]) -> ReadingSettings:
    return ReadingSettings(
        store_text=_switch("store_text", values.get("store_text", False)),
        bot_app_ids=_app_ids("bot_app_ids", values.get("bot_app_ids", [])),
        human_app_ids=_app_ids("human_app_ids", values.get("human_app_ids", [])),
    )


def _secrets(name: str, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    parts = (part.strip() for part in _secret(name, environ).split(","))
    return tuple(part.encode() for part in parts if part)


def _secret(name: str, environ: Mapping[str, str]) -> str:
    text, file = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "").strip()
    if text and file:
        raise InvalidSetting(f"{name} and {name}_FILE are both set: keep one of them.")
    if file:
        try:
            text = Path(file).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise InvalidSetting(f"{name}_FILE: {file!r} cannot be read: {reason}.") from None
    if not (text.isascii() and text.isprintable()):
        raise InvalidSetting(f"{name} holds more than one line or a sign beyond ASCII: copy it again.")
    return text


def _values(data: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Every key of ctm.toml, those of the analysis included, under what the environment says."""
    values: dict[str, Any] = {}
    path = next((place for place in (data / "ctm.toml", data.parent / "ctm.toml") if place.is_file()), None)
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidSetting(f"{path}: not valid TOML: {error}.") from None
    for key in (
        "store_text",
        "max_body_bytes",
        "bot_app_ids",
        "human_app_ids",
        "public_url",
        "retention_days",
        "client_certificate_header",
        "events_url",
    ):
        text = environ.get(f"CTM_{key.upper()}", "").strip()
        if text:
            values[key] = text
    return values


def _switch(key: str, value: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    chosen = words.get(str(value).lower())
    if chosen is None:
        raise InvalidSetting(
            f"{key}: {value!r} is not a switch. Use true or false (in the environment 1 or 0)."
        )
    return chosen


def _public_url(key: str, value: object) -> str:
    url = str(value).rstrip("/")
    if url and not _PUBLIC_URL.fullmatch(url):
        raise InvalidSetting(
            f"{key}: {value!r} is not where the world reaches this receiver. Use e.g. 'https://hooks.example.com'."
        )
    return url


def _days(key: str, value: object) -> int | None:
    rule = f"a whole number of days, at least {LEAST_RETENTION_DAYS}, or 0 to keep everything"
    try:
        days = int(str(value))
    except ValueError:
        raise InvalidSetting(f"{key}: {value!r} is not {rule}.") from None
    if days and not LEAST_RETENTION_DAYS <= days <= GREATEST_RETENTION_DAYS:
        raise InvalidSetting(f"{key}: {value!r} is not {rule}.")
    return days or None


def _events_url(values: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    text = str(values.get("events_url", ""))
    url = text.rstrip("/")
    if not url:
        return ""
    if _switch("store_text", values.get("store_text", False)):
        raise InvalidSetting(
            f"store_text: not together with events_url. A message that is taken back would keep its text in {url}."
        )
    if not _EVENTS_URL.fullmatch(url):
        raise InvalidSetting(
            f"events_url: {text!r} is not s3://BUCKET/PREFIX. Use e.g. 's3://acme-events/ctm'."
        )
    if importlib.util.find_spec("obstore") is None:
        raise InvalidSetting(
            f"events_url: {url} needs a package that is not installed: pip install 'ctm-analytics[object-store]'."
        )
    for name in _ENDPOINTS:
        endpoint = urlsplit(environ.get(name, ""))
        host = endpoint.hostname or ""
        is_here = host in ("localhost", "::1") or host.startswith("127.")
        is_allowed = environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true")
        if endpoint.scheme == "http" and not (is_here or is_allowed):
            raise InvalidSetting(
                f"{name}: {endpoint.geturl()!r} would send events in the clear. Use https,"
                " or set AWS_ALLOW_HTTP=true where the network is yours."
            )
    return url


def _body_limit(key: str, value: object) -> int:
    rule = f"a whole number of bytes from {LEAST_MAX_BODY_BYTES} to {GREATEST_MAX_BODY_BYTES}"
    try:
        limit = int(str(value))
    except ValueError:
        raise InvalidSetting(f"{key}: {value!r} is not {rule}.") from None
    if not LEAST_MAX_BODY_BYTES <= limit <= GREATEST_MAX_BODY_BYTES:
        raise InvalidSetting(f"{key}: {value!r} is not {rule}.")
    return limit


def _header_name(key: str, value: object) -> str:
    name = str(value).lower()
    if name and not _HEADER_NAME.fullmatch(name):
        raise InvalidSetting(
            f"{key}: {value!r} is not the name of a header. Write X-Client-Subject, or another."
        )
    return name


def _app_ids(key: str, value: object) -> frozenset[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list):
        raise InvalidSetting(f'{key}: {value!r} is not a list of app ids. Write ["123", "456"].')
    ids = frozenset(str(part).strip() for part in parts) - {""}
    wrong = sorted(app_id for app_id in ids if not app_id.isdecimal())
    if wrong:
        raise InvalidSetting(f"{key}: {wrong[0]!r} is not an app id. App ids are digits.")
    return ids
