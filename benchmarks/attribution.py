"""Our attribution beside ChannelAttribution and marketing-attribution-models, on the same seeded journeys.

The rules are asked of a whole workbench: journeys written to disk as events and sales, credited in SQL. Markov and
Shapley are timed from path strings to credits. Each peer lives in an environment of its own, made once under
``.venv-peers``; one that cannot be installed is named, and the other is compared.

    python benchmarks/attribution.py [--journeys 6000] [--ads 20] [--rounds 3] [--seed 5]
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

HOME = Path(__file__).resolve().parents[1]
ENVIRONMENTS = HOME / ".venv-peers"
INSTALL_SECONDS = 1800
SEPARATOR = " > "
HOUR = timedelta(hours=1)

Paths = dict[str, tuple[int, int]]  # a path of ads → how often with a sale, how often without
Values = dict[str, float]

# What pip is told before the peer itself: it builds against what is there.
PEERS = {
    "ChannelAttribution": (
        ["setuptools>=77", "wheel", "Cython>=3", "numpy", "pandas", "matplotlib"],
        ["--no-build-isolation", "ChannelAttribution==2.2.5"],
    ),
    "marketing-attribution-models": ([], ["marketing-attribution-models==2.1.1", "polars<3"]),
}
RULES = ("first_touch", "last_touch", "linear", "position_based", "time_decay")


def journeys(count: int, ads: int, seed: int) -> Paths:
    """Draw journeys of one to a dozen touches; some ads sell better, and popular ones are met more often."""
    dice = Random(seed)
    names = [f"ad-{number:02}" for number in range(ads)]
    popularity = [1 / (1 + number) for number in range(ads)]
    pull = {name: dice.uniform(0.02, 0.25) for name in names}
    counted: dict[str, list[int]] = {}
    for _ in range(count):
        length = min(12, 1 + int(dice.expovariate(0.5)))
        path = dice.choices(names, popularity, k=length)
        is_sold = dice.random() < 1 - _product(1 - pull[ad] for ad in path)
        counted.setdefault(SEPARATOR.join(path), [0, 0])[0 if is_sold else 1] += 1
    return {path: (sold, lost) for path, (sold, lost) in counted.items()}


def _product(factors: Any) -> float:
    whole = 1.0
    for factor in factors:
        whole *= factor
    return whole


def measured(act: Callable[[], Any], rounds: int) -> tuple[Any, float]:
    """Return an act's answer and the seconds of its fastest round."""
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        answer = act()
        best = min(best, time.perf_counter() - started)
    return answer, best


# --- ours ---


def our_rules(paths: Paths) -> dict[str, Values]:
    """Write the journeys to disk, one person each, and ask the workbench for every rule and for Markov."""
    sys.path.insert(0, str(HOME / "tests"))
    from worlds import START, World

    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        person = 0
        for path, (sold, lost) in paths.items():
            ads = path.split(SEPARATOR)
            for is_sold in [True] * sold + [False] * lost:
                person += 1
                for place, ad in enumerate(ads):
                    at = START + place * HOUR
                    world.event(f"person-{person}", at, "referral", ad_id=ad, referral_source="ADS")
                if is_sold:
                    world.sale(f"sale-{person}", at + HOUR, "10.00", contact_id=f"person-{person}")
        workbench = world.open()
        return {
            model: dict(
                workbench.ads(model=model, window_days="lifetime").df.set_index("ad_id")["sales"].items()
            )
            for model in (*RULES, "markov")
        }


def our_models(paths: Paths, rounds: int) -> dict[str, Any]:
    from ctm_analytics.statistics.markov import markov_attribution
    from ctm_analytics.statistics.shapley import shapley_attribution

    sold, lost = zip(*paths.values(), strict=True)
    answers: dict[str, Any] = {"seconds": {}}
    for order in (1, 2):
        learnt, seconds = measured(
            lambda order=order: markov_attribution(
                [path.split(SEPARATOR) for path in paths], sold, lost, order
            ),
            rounds,
        )
        answers[f"removal_{order}"] = dict(zip(learnt.ads, learnt.removal_effects.tolist(), strict=True))
        answers["seconds"][f"markov_{order}"] = seconds
    shared, seconds = measured(
        lambda: shapley_attribution([path.split(SEPARATOR) for path in paths], sold), rounds
    )
    answers["shapley"] = dict(zip(shared.ads, shared.credits.tolist(), strict=True))
    answers["seconds"]["shapley"] = seconds
    return answers


# --- theirs; these run in the peer's environment ---


def channel_attribution(paths: Paths, rounds: int) -> dict[str, Any]:
    import ChannelAttribution
    import pandas as pd

    rows = [(path, sold, lost) for path, (sold, lost) in paths.items()]
    table = pd.DataFrame(rows, columns=["path", "sold", "lost"])
    rules = ChannelAttribution.heuristic_models(table, "path", "sold", sep=">", flg_pro=False)
    names = {"first_touch": "first_touch", "last_touch": "last_touch", "linear": "linear_touch"}
    answers: dict[str, Any] = {
        "rules": {
            rule: dict(zip(rules["channel_name"], rules[column], strict=True))
            for rule, column in names.items()
        },
        "seconds": {},
    }
    for order in (1, 2):

        def run(order: int = order) -> Any:
            words = {
                "order": order,
                "out_more": True,
                "sep": ">",
                "seed": 1,
                "verbose": False,
                "flg_pro": False,
            }
            return ChannelAttribution.markov_model(table, "path", "sold", var_null="lost", **words)

        learnt, seconds = measured(run, rounds)
        effects = learnt["removal_effects"]
        answers[f"removal_{order}"] = dict(
            zip(effects["channel_name"], effects.iloc[:, 1].astype(float), strict=True)
        )
        answers["seconds"][f"markov_{order}"] = seconds
    return answers


def marketing_attribution_models(paths: Paths, rounds: int) -> dict[str, Any]:
    import polars as pl
    from mam.core import MAM

    rows = [
        (path, is_sold, times)
        for path, counts in paths.items()
        for is_sold, times in zip((True, False), counts, strict=True)
        if times
    ]
    grouped = pl.DataFrame(rows, schema=["path", "is_sold", "times"], orient="row")
    ages = [
        SEPARATOR.join(str(age) for age in range(path.count(SEPARATOR) + 1, 0, -1))
        for path in grouped["path"]
    ]
    one_by_one = grouped.with_columns(pl.Series("age", ages)).select(
        pl.exclude("times").repeat_by("times").explode()
    )
    one_by_one = one_by_one.with_row_index("journey")

    def opened() -> Any:
        return MAM(grouped, "grouped_journey", "path", "is_sold", occurrences_colname="times")

    each = MAM(
        one_by_one, "journey", "path", "is_sold", user_id_colname="journey", time_till_conv_colname="age"
    )
    runs = {
        "first_touch": each.run_first_click, "last_touch": each.run_last_click, "linear": each.run_linear,
        "position_based": each.run_position_based, "time_decay": each.run_time_decay, "markov": each.run_markov,
    }  # fmt: skip
    learnt, markov_seconds = measured(lambda: opened().run_markov(), rounds)
    shared, shapley_seconds = measured(lambda: opened().run_shapley(), rounds)
    return {
        "rules": {rule: _by_channel(run().to_dict()) for rule, run in runs.items()},
        "removal_1": learnt.metadata["removal_effect"]["removal_effect"].to_dict(),
        "shapley": _by_channel(shared.to_dict()),
        "seconds": {"markov_1": markov_seconds, "shapley": shapley_seconds},
    }


def _by_channel(table: Mapping[str, list[Any]]) -> Values:
    return dict(zip(table["channels"], map(float, table["attribution"]), strict=True))


RUNS = {
    "ChannelAttribution": channel_attribution,
    "marketing-attribution-models": marketing_attribution_models,
}


# --- side by side ---


def environment(peer: str) -> Path:
    """Make a peer's environment once; returns its Python."""
    folder = ENVIRONMENTS / peer
    python = folder / "bin" / "python"
    if not (folder / ".ok").exists():
        print(f"Setting up {peer} in {folder.relative_to(HOME)} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet"]
        for packages in PEERS[peer]:
            if packages:
                subprocess.run(
                    [*pip, *packages], check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS
                )
        (folder / ".ok").touch()
    return python


def ask_peer(peer: str, paths: Path, rounds: int) -> dict[str, Any]:
    command = [environment(peer), __file__, "--peer", peer, "--paths", paths, "--rounds", str(rounds)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    answers: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answers


def distance(ours: Values, theirs: Values) -> float:
    """Return by how much two tables differ at most, an ad that one does not name being 0 there."""
    return max(abs(ours.get(ad, 0.0) - theirs.get(ad, 0.0)) for ad in {*ours, *theirs} - {None})


def compared(peer: str, ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    lines = [
        f"| {peer} | {rule}, credit per ad | {distance(ours['rules'][rule], credit):.1e} sales | |"
        for rule, credit in theirs["rules"].items()
    ]
    for order in (1, 2):
        if effects := theirs.get(f"removal_{order}"):
            ratio = theirs["seconds"][f"markov_{order}"] / ours["seconds"][f"markov_{order}"]
            gap = distance(ours[f"removal_{order}"], effects)
            lines.append(f"| {peer} | Markov of order {order}, removal effect | {gap:.1e} | {ratio:.1f} |")
    if credit := theirs.get("shapley"):
        ratio = theirs["seconds"]["shapley"] / ours["seconds"]["shapley"]
        gap = distance(ours["shapley"], credit)
        lines.append(f"| {peer} | Shapley, credit per ad | {gap:.1f} sales | {ratio:.1f} |")
    return lines


def compare(paths: Paths, rounds: int) -> int:
    ours = our_models(paths, rounds) | {"rules": our_rules(paths)}
    counts = Counter({"sold": sum(sold for sold, _ in paths.values())})
    counts["lost"] = sum(lost for _, lost in paths.values())
    print(
        f"{counts['sold'] + counts['lost']:,} journeys on {len(paths):,} paths, {counts['sold']:,} sales;"
        f" ours: Markov {ours['seconds']['markov_1'] * 1e3:.0f} ms,"
        f" of order 2 {ours['seconds']['markov_2'] * 1e3:.0f} ms,"
        f" Shapley {ours['seconds']['shapley'] * 1e3:.0f} ms\n"
    )
    print("| peer | what | differs from ours by at most | their time / ours |\n|---|---|---|---|")
    missing = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "paths.csv"
        with file.open("w", newline="") as written:
            csv.writer(written).writerows((path, *counts) for path, counts in paths.items())
        for peer in PEERS:
            try:
                print("\n".join(compared(peer, ours, ask_peer(peer, file, rounds))))
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                missing.append(f"NOT COMPARED with {peer}: {str(error.stderr or error)[-600:]}")
    print("\n" + "\n".join(missing), file=sys.stderr)
    return 1 if missing else 0


def read_paths(file: Path) -> Paths:
    with file.open(newline="") as written:
        return {path: (int(sold), int(lost)) for path, sold, lost in csv.reader(written)}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--journeys", type=int, default=6000)
    arguments.add_argument("--ads", type=int, default=20)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=5)
    arguments.add_argument("--peer", choices=list(PEERS), help=argparse.SUPPRESS)
    arguments.add_argument("--paths", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.peer:
        print(json.dumps(RUNS[chosen.peer](read_paths(chosen.paths), chosen.rounds)))
    else:
        sys.exit(compare(journeys(chosen.journeys, chosen.ads, chosen.seed), chosen.rounds))
