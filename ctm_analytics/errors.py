"""What can go wrong in a way that a user can mend."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_QUALITY = 3
EXIT_NO_DATA = 4


class CtmError(Exception):
    """Base of every error meant for a user: it names the value, the rule and the next step."""

    exit_code = EXIT_FAILED
    # What may be sent to others in place of the sentence, where that may quote a person's data.
    shared = ""

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook, which asks every exception for this."""
        return [str(self)]


class InvalidArgument(CtmError):
    """An argument, option or setting that contradicts its rule."""

    exit_code = EXIT_USAGE


class InvalidFile(CtmError):
    """A file that cannot be read as what it is said to be."""


class EngineFailed(CtmError):
    """A cluster that does not answer, or not as it should."""


class NoData(CtmError):
    """The question is sound, but there is nothing to answer it from."""

    exit_code = EXIT_NO_DATA


class NoFigure(CtmError, AttributeError):
    """The answer has no chart of its own."""


class DataQuality(CtmError):
    """The answer was made, but a data-quality rule failed."""

    exit_code = EXIT_QUALITY
