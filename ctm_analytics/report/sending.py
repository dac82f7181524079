"""What every way to deliver shares: its settings and secrets, and how it says that it failed."""

from collections.abc import Mapping
from pathlib import Path

from ctm_analytics.errors import CtmError, InvalidArgument


class DeliveryFailed(CtmError):
    """A report was written, and could not be delivered."""


def setting(name: str, environ: Mapping[str, str]) -> str:
    """Read a setting or secret of the environment, or of the file that ``<name>_FILE`` names; empty where neither is.

    Raises
    ------
    InvalidArgument
        Never showing the value.
    """
    text, file = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "").strip()
    if text and file:
        raise InvalidArgument(f"{name} and {name}_FILE are both set: keep one of them.")
    if file:
        try:
            text = Path(file).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise InvalidArgument(f"{name}_FILE: {file!r} cannot be read: {reason}.") from None
    if not text.isprintable():
        raise InvalidArgument(f"{name} holds more than one line: copy it again.")
    return text
