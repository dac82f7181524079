"""What can go wrong in the receiver, and the exit code that each failure ends in."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_STORAGE = 70


class ReceiverError(Exception):
    """Base of every error meant for an operator: it names the value, the rule and the next step."""

    exit_code = EXIT_FAILED


class InvalidSetting(ReceiverError):
    """A setting that is missing or contradicts its rule."""

    exit_code = EXIT_USAGE


class FolderInUse(ReceiverError):
    """Another receiver already publishes from this data folder."""


class StorageFailed(ReceiverError):
    """The disk refused a write or a sync: what was not answered with 200 is not promised."""

    exit_code = EXIT_STORAGE


class StorageBusy(ReceiverError):
    """More deliveries wait for the disk than memory is set aside for."""


class SignatureRefused(ReceiverError):
    """A delivery that does not prove that it comes from Meta.

    Attributes
    ----------
    reason : str, ``absent``, ``repeated``, ``malformed``, ``wrong``, ``unescaped`` or ``foreign``;
        safe to count and to log
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"X-Hub-Signature-256: {reason}.")
        self.reason = reason


class RequestMalformed(ReceiverError):
    """A request that is not of the form its sender has documented."""


class ErasureIncomplete(ReceiverError):
    """Something that was to be erased is still there, or could not be reached."""
