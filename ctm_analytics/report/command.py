"""Delivers a report through a program of the user's: it gets a JSON summary on its standard input."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.report.message import Message
from ctm_analytics.report.sending import DeliveryFailed

PATIENCE_SECONDS = 600


def command_sender(words: str) -> Callable[[Message], None]:
    """Read a program and its arguments, as a shell would split them; no shell ever runs them.

    Raises
    ------
    InvalidArgument
        If there is no such program.
    """
    try:
        command = shlex.split(words)
    except ValueError as error:
        raise InvalidArgument(f"--deliver: cmd:{words} cannot be split into words: {error}.") from None
    if not command or shutil.which(command[0]) is None:
        raise InvalidArgument(
            f"--deliver: cmd:{words} names no program that can be run. Give its path, and make it executable."
        )
    return lambda message: run_command(command, message)


def run_command(command: list[str], message: Message) -> None:
    """Run a program with a message's content as JSON on its standard input, and its first words in the environment.

    Raises
    ------
    DeliveryFailed
        If it ends with anything but 0, or does not end.
    """
    status = "failed" if message.failure else "written"
    content = {"status": status, **asdict(message), "files": [str(path.resolve()) for path in message.files]}
    words = {"CTM_REPORT_STATUS": status, "CTM_REPORT_SUBJECT": message.subject}
    if message.files:
        words["CTM_REPORT_PAGE"] = str(message.files[0].resolve())
    try:
        ended = subprocess.run(
            command,
            input=json.dumps(content, ensure_ascii=False).encode(),
            env={**os.environ, **words},
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DeliveryFailed(f"it did not end within {PATIENCE_SECONDS} s and was stopped.") from None
    except OSError as error:
        raise DeliveryFailed(f"it cannot be run: {error.strerror}.") from None
    # Standard output holds the report's path and nothing else.
    sys.stderr.write(ended.stdout.decode(errors="replace"))
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        raise DeliveryFailed(f"it ended with {ended.returncode}{f', saying: {said[-1]}' if said else ''}.")
