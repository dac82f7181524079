"""How long it takes until anything is done: ratios to Python itself, and to Python with click and duckdb imported.

Each is a process of its own, in turns; the processor time (user and system) of the median round is compared.

    python benchmarks/startup.py [--rounds 9]
"""

import argparse
import resource
import statistics
import subprocess
import sys
from pathlib import Path

CTM = Path(sys.executable).with_name("ctm")
BARE, LOADED = "python -c pass", "python -c 'import click, duckdb'"
STARTS = {
    BARE: [sys.executable, "-c", "pass"],
    LOADED: [sys.executable, "-c", "import click, duckdb"],
    "python -c 'import ctm_analytics'": [sys.executable, "-c", "import ctm_analytics"],
    "ctm --help": [CTM, "--help"],
    "ctm ads --help": [CTM, "ads", "--help"],
}


def processor_seconds(command: list[str | Path]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(rounds: int) -> None:
    found: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(rounds):
        for name, command in STARTS.items():
            found[name].append(processor_seconds(command))
    medians = {name: statistics.median(times) for name, times in found.items()}
    print(f"| what | CPU ms | to `{BARE}` | with click and duckdb |\n|---|---|---|---|")
    for name, seconds in medians.items():
        ratios = f"{seconds / medians[BARE]:.1f} | {seconds / medians[LOADED]:.2f}"
        print(f"| `{name}` | {seconds * 1e3:.0f} | {ratios} |")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=9)
    compare(arguments.parse_args().rounds)
