"""What may be interrupted, done in processes that meet a fault: all of them are forked from one that is ready.

Run as a program it reads one JSON object a line (``work``, ``data``, ``environ``), and prints the exit code.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from segments import publish_all

from receiver.store.compaction import compact
from receiver.store.folder import DataFolder

ROOT = Path(__file__).parents[2]
WORKS: dict[str, Callable[[DataFolder], object]] = {
    "publish": publish_all,
    "compact": lambda folder: compact(folder, grace_seconds=0),
}


class Forking:
    """Does work in processes of its own, each a few milliseconds after it is asked for.

    Parameters
    ----------
    preload : str, the library that lets calls fail
    """

    def __init__(self, preload: Path) -> None:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        environ = {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
            "LD_PRELOAD": str(preload),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.work"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env={**outside, **environ},
        )  # fmt: skip

    def do(self, work: str, data: Path, environ: dict[str, str]) -> int:
        """Do a work of ``WORKS`` under an environment; the exit code, 1 where it ended with an error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"work": work, "data": str(data), "environ": environ}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        """End the process that the others are forked from."""
        self._process.communicate()


def main() -> None:
    os.umask(0o077)
    pa.array([None])  # looks for pandas, which takes longer than all the rest: here, and not in each of them
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            exit_code = 1
            try:
                os.environ.update(asked["environ"])
                WORKS[asked["work"]](DataFolder(Path(asked["data"])))
                exit_code = 0
            finally:
                os._exit(exit_code)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
