"""A real process whose n-th call on a data folder fails, is cut short, or kills it: a small C library does it."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).with_suffix(".c")

# What changes a folder; opening for reading ("open") only can fail.
CHANGES = (
    "create", "write", "fsync", "fdatasync", "rename", "link", "unlink", "rmdir", "mkdir",
    "ftruncate", "fallocate", "utime",
)  # fmt: skip


class Call(NamedTuple):
    """One call that a process made on a folder."""

    process: int
    name: str
    path: str


class FaultyCalls:
    """Makes environments in which processes meet faults.

    Parameters
    ----------
    library : Path, where it is built

    Attributes
    ----------
    library : Path, for ``LD_PRELOAD``
    """

    def __init__(self, library: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        assert compiler, "These tests build a small C library: install gcc and libc6-dev, or run `make test`."
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
        self.library = library

    def logged(self, folder: Path, log: Path, *names: str) -> dict[str, str]:
        """Environment of a process whose calls on a folder are written down; without names all that change it."""
        calls = "," + ",".join(names or CHANGES) + ","
        return {
            "LD_PRELOAD": str(self.library),
            "FAULT_FOLDER": f"{folder}/",
            "FAULT_CALLS": calls,
            "FAULT_LOG": str(log),
        }

    def struck(self, folder: Path, log: Path, act: str | int, at_call: int, *names: str) -> dict[str, str]:
        """Environment of a process that meets ``act``: ``kill``, ``full`` or an errno, at a call, from 1."""
        return {**self.logged(folder, log, *names), "FAULT_DO": str(act), "FAULT_AT": str(at_call)}


def calls(log: Path) -> list[Call]:
    """Every call that was written down, in order."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [Call(int(process), name, path) for process, name, path in (line.split(" ", 2) for line in lines)]


def most_calls(log: Path) -> int:
    """How many calls the process made that made most."""
    return max(Counter(call.process for call in calls(log)).values(), default=0)
