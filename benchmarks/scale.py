"""What answers cost as the work grows: time, peak memory, and what is read, for millions of events on disk.

Each size is generated once (``generation.py``) and kept in ``--folder``. Every question is a `ctm` of its own; the
median round counts, and is divided by a bare scan of the columns that the models read, in a process as well. *Full
build* and *first answer* find no ``data/derived``; *after a new day* finds what was derived before the events of one
more day arrived. A refresh is what a count costs after a new day beyond what it costs otherwise.

    python benchmarks/scale.py [--millions 2 20 100] [--rounds 3] [--memory-limit 4GB] [--folder FOLDER]
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from drawn_year import DAYS

GENERATION = Path(__file__).with_name("generation.py")
CTM = Path(sys.executable).with_name("ctm")
COUNT, FULL_BUILD = "count of conversations", "full build (count, nothing derived)"
REFRESHED = "count after a new day"
QUESTIONS: dict[str, list[str]] = {
    "ads": ["ads"],
    "latency": ["latency"],
    "funnel": ["funnel"],
    "attribution": ["attribution"],
    "outlook": ["outlook"],
    "inbox": ["inbox"],
    "quality": ["quality"],
    COUNT: ["sql", "select count(*) from conversation_timelines"],
}
A_DAY = [
    "sql",
    "select count(*) from raw_events where received_at >= '2025-07-01' and received_at < '2025-07-02'",
]
SCAN = """
import duckdb, sys
from pathlib import Path
duckdb.sql("set enable_progress_bar = false")
files = [str(path) for path in Path(sys.argv[1]).glob("events/settled/*/*.parquet")]
duckdb.read_parquet(files).aggregate(
    "sum(contact_key), max(occurred_at), max(received_at), max(event_type), max(direction), max(responder), max(ad_id)"
).fetchall()
"""


class Cost(NamedTuple):
    """What a process took; ``megabytes`` is its resident set at the peak."""

    cpu: float
    seconds: float
    megabytes: float


def cost_of(command: list[str | Path], memory_limit: str) -> Cost:
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=os.environ | {"CTM_MEMORY_LIMIT": memory_limit},
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(map(str, command))}: {said.read().decode()}")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - started, used.ru_maxrss / 1024)


def middle(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def asking(data: Path, question: list[str]) -> list[str | Path]:
    return [CTM, *question, "--data", data, "--format", "csv"]


def generate(data: Path, millions: float, days: int) -> None:
    words = ["--millions", str(millions), "--days", str(days)]
    subprocess.run([sys.executable, GENERATION, data, *words], check=True, stdout=sys.stderr)


def measure(data: Path, millions: float, rounds: int, memory_limit: str) -> dict[str, Cost]:
    """Ask everything of one size, and again after a day has come."""
    if not (data / "imports" / "spend").exists():
        generate(data, millions, DAYS)
    found: dict[str, list[Cost]] = {}

    def note(name: str, command: list[str | Path]) -> None:
        found.setdefault(name, []).append(cost_of(command, memory_limit))

    for _ in range(rounds):
        shutil.rmtree(data / "derived", ignore_errors=True)
        note("bare scan", [sys.executable, "-c", SCAN, data])
        note(FULL_BUILD, asking(data, QUESTIONS[COUNT]))
        shutil.rmtree(data / "derived")
        note("first answer (ads)", asking(data, QUESTIONS["ads"]))
        for name, question in QUESTIONS.items():
            cost_of(asking(data, question), memory_limit)
            note(name, asking(data, question))
    with tempfile.TemporaryDirectory(dir=data.parent) as name:
        longer = _linked(data, Path(name) / "data")
        generate(longer, millions, DAYS + 1)
        for _ in range(rounds):
            shutil.rmtree(longer / "derived")
            _linked(data / "derived", longer / "derived")
            note(REFRESHED, asking(longer, QUESTIONS[COUNT]))
            note("ads after a new day", asking(longer, QUESTIONS["ads"]))
    return {name: middle(costs) for name, costs in found.items()}


def _linked(data: Path, copy: Path) -> Path:
    """Copy a data folder without its bytes: a file that has a name never changes."""
    shutil.copytree(data, copy, copy_function=os.link)
    return copy


def events_in(data: Path) -> int:
    manifest = json.loads((data / "events" / "manifest.json").read_text())
    return sum(int(entry["rows"]) for entry in manifest["settled"])


def print_costs(data: Path, costs: dict[str, Cost]) -> None:
    events, scan = events_in(data), costs["bare scan"]
    print(
        f"\n{events:,} events\n\n| what | CPU s | s | MB at the peak | CPU to the scan | CPU s per million |"
    )
    print("|---|---|---|---|---|---|")
    for name, cost in costs.items():
        ratios = f"{cost.cpu / scan.cpu:.1f} | {cost.cpu / events * 1e6:.2f}"
        print(f"| {name} | {cost.cpu:.1f} | {cost.seconds:.1f} | {cost.megabytes:,.0f} | {ratios} |")


def print_goals(costs: dict[str, Cost]) -> None:
    """Print the ratios that have a goal."""
    scan, count = costs["bare scan"].cpu, costs[COUNT].cpu
    refresh = (costs[REFRESHED].cpu - count) / (costs[FULL_BUILD].cpu - count)
    print("\n| CPU ratio | here | goal |\n|---|---|---|")
    print(f"| refresh after a new day of 365, to a full build | {refresh:.3f} | 0.04 |")
    print(f"| `ctm ads` on derived models, to a bare scan | {costs['ads'].cpu / scan:.1f} | 3 |")


def print_growth(smaller: tuple[int, dict[str, Cost]], larger: tuple[int, dict[str, Cost]]) -> None:
    """Print how many times as much an event costs where there are more of them; 1 is linear."""
    (few, before), (many, after) = smaller, larger
    print(
        f"\n| from {few:,} to {many:,} events | CPU per event, times | MB at the peak, times |\n|---|---|---|"
    )
    for name in before:
        per_event = after[name].cpu / many / (before[name].cpu / few)
        print(f"| {name} | {per_event:.2f} | {after[name].megabytes / before[name].megabytes:.1f} |")


def print_reads(data: Path) -> None:
    """Print which files of events an answer about a day opens, and how many bytes of them it reads."""
    if shutil.which("strace") is None:
        print("\nReading a day is NOT COUNTED: install strace.", file=sys.stderr)
        return
    day = next((data / "events" / "settled").glob("day=2025-07-01"))
    size = sum(path.stat().st_size for path in day.iterdir())
    print("\n| asked | files of events read from | bytes read | bytes of the day |\n|---|---|---|---|")
    for name, read in (("a day of raw_events", _reads(asking(data, A_DAY))),):
        print(f"| {name} | {len(read)} | {sum(read.values()):,} | {size:,} |")


def _reads(command: list[str | Path]) -> dict[str, int]:
    """Follow a process and its threads; bytes read by file of events."""
    with tempfile.NamedTemporaryFile() as log:
        calls = "trace=read,pread64,readv,preadv"
        follow = ["strace", "-f", "-y", "-qq", "-e", calls, "-o", log.name]
        subprocess.run(
            [*follow, *command],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        found: dict[str, int] = {}
        pattern = re.compile(r"(?:p?readv?|pread64)\(\d+<([^>]*/events/[^>]*\.parquet)>.* = (\d+)$")
        for line in Path(log.name).read_text(errors="replace").splitlines():
            if match := pattern.search(line):
                found[match[1]] = found.get(match[1], 0) + int(match[2])
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--millions", type=float, nargs="+", default=[2.0])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--memory-limit", default="50%")
    arguments.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ctm-scale")
    chosen = arguments.parse_args()
    measured: list[tuple[int, dict[str, Cost]]] = []
    for millions in sorted(chosen.millions):
        data = chosen.folder / f"{millions:g}M"
        costs = measure(data, millions, chosen.rounds, chosen.memory_limit)
        print_costs(data, costs)
        print_goals(costs)
        print_reads(data)
        if measured:
            print_growth(measured[-1], (events_in(data), costs))
        measured.append((events_in(data), costs))


if __name__ == "__main__":
    main()
