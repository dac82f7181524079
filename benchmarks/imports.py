"""How fast a spend file is imported, beside what only copies it: duckdb's and pandas' read_csv into Parquet.

Each contender runs in a process of its own, in turns; of each the round with the least processor time counts (user and
system, of all threads: it says more than the clock while others use the machine). The last lines show that the memory
of an import does not grow with the file: the same for four times the rows, once.

    python benchmarks/imports.py [--rows 2000000] [--rounds 3] [--growth 4]
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

HEADER = (
    '"Reporting starts","Reporting ends","Ad name","Ad ID","Ad set name","Ad set ID","Campaign name","Campaign ID",'
    '"Amount spent (USD)",Impressions,Reach,"Link clicks","Messaging conversations started"\n'
)
DAYS = 365


def write_file(path: Path, rows: int) -> None:
    dice = random.Random(1)
    first = date(2025, 1, 1)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for row in range(rows):
            ad, day = row // DAYS, first + timedelta(days=row % DAYS)
            spend = dice.random() * 200
            file.write(
                f'{day},{day},"Spring, ad {ad}",1202263058548{ad:05},Broad {ad % 50},12022630585480{ad % 50:03}7,'
                f"Chats {ad % 10},12022630585470{ad % 10:03}7,{spend:.2f},{spend * 40:.0f},{spend * 30:.0f},"
                f"{spend:.0f},{spend / 10:.0f}\n"
            )


def with_ctm(source: Path, target: Path) -> None:
    from ctm_analytics.imports import import_spend
    from ctm_analytics.settings import Settings

    import_spend(source, target, settings=Settings(), imported_at=datetime.now(UTC))


def with_duckdb(source: Path, target: Path) -> None:
    import duckdb

    copy = (
        f"copy (from read_csv('{source}', all_varchar=true)) to '{target}' (format parquet, compression zstd)"
    )
    duckdb.sql(copy)


def with_pandas(source: Path, target: Path) -> None:
    import pandas as pd

    pd.read_csv(source, dtype="str").to_parquet(target, compression="zstd")


CONTENDERS = {"ctm import": with_ctm, "duckdb copies": with_duckdb, "pandas copies": with_pandas}


def run_once(name: str, source: Path, folder: Path) -> tuple[float, float, float]:
    """Run a contender in a process of its own: processor and clock seconds without its start, and MB at the peak."""
    command = [
        sys.executable,
        __file__,
        "--contender",
        name,
        "--source",
        str(source),
        "--target",
        str(folder),
    ]
    cpu, seconds, megabytes = subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.split()
    return float(cpu), float(seconds), float(megabytes)


def contend(name: str, source: Path, folder: Path) -> None:
    import duckdb  # noqa: F401 (loaded by every contender, so that none pays for it within its time)
    import pandas  # noqa: F401 (as above)

    import ctm_analytics.imports  # noqa: F401 (as above)

    started, cpu_before = time.perf_counter(), time.process_time()
    CONTENDERS[name](source, folder / f"{time.time_ns()}")
    cpu, seconds = time.process_time() - cpu_before, time.perf_counter() - started
    print(cpu, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure_growth(rows: int, growth: int) -> None:
    """Print the peak of memory of an import of so many rows, and of several times as many."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for height in (rows, rows * growth):
            source = folder / f"{height}.csv"
            write_file(source, height)
            cpu, seconds, megabytes = run_once("ctm import", source, folder)
            size = source.stat().st_size / 1e6
            print(
                f"ctm import      {cpu:6.2f} CPU s {seconds:6.2f} s  {height:10,} rows, {size:5,.0f} MB"
                f"  {megabytes:6,.0f} MB at the peak"
            )


def compare(rows: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "spend.csv"
        write_file(source, rows)
        results: dict[str, list[tuple[float, float, float]]] = {contender: [] for contender in CONTENDERS}
        for _ in range(rounds):
            for contender, found in results.items():
                found.append(run_once(contender, source, folder))
        best = {contender: min(found) for contender, found in results.items()}
        print(f"{rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB, best of {rounds}")
        for contender, (cpu, seconds, megabytes) in best.items():
            ratio = cpu / best["duckdb copies"][0]
            print(
                f"{contender:14}  {cpu:6.2f} CPU s  {ratio:5.2f} x duckdb  {seconds:6.2f} s"
                f"  {megabytes:6,.0f} MB at the peak"
            )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=2_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--growth", type=int, default=4)
    arguments.add_argument("--contender", help=argparse.SUPPRESS)
    arguments.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("--target", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.contender:
        contend(chosen.contender, chosen.source, chosen.target)
    else:
        compare(chosen.rows, chosen.rounds)
        measure_growth(chosen.rows, chosen.growth)
