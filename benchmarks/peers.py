"""The same conversations and ads from the same files: our models beside Polars, pandas, ClickHouse and SQL by hand.

Each contender is a process of its own, in turns; its median round counts. All read the events that ``generation.py``
has written, and are told which ids are one person (``contact_aliases``). They write one row per conversation (when it
opened, by which ad, first and last message, first answer and first answer by a person, messages either way) and one
per ad (its conversations, how many were engaged and answered, and its spend). The rows must be equal.

    python benchmarks/peers.py [--millions 2] [--rounds 3] [--folder FOLDER] [--only NAME …]
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[1]
PEERS_PYTHON = HOME / ".venv-peers" / "tables" / "bin" / "python"
COLUMNS = (
    "contact_key, opened_at, first_inbound_at, last_inbound_at, last_event_at, first_response_at,"
    " first_human_response_at, messages_in, messages_out, ad_id"
)
KINDS = ("message", "postback", "referral", "lead", "echo")
READ = (
    *(
        "contact_key",
        "occurred_at",
        "event_type",
        "direction",
        "responder",
        "ad_id",
        "ref",
        "post_id",
        "product_id",
    ),
    "referral_source",
)
AS_OF = "2026-03-01T00:00:00Z"
PER_AD = """
select coalesce(c.ad_id, s.ad_id) as ad_id, coalesce(conversations, 0) as conversations,
    coalesce(engaged, 0) as engaged, coalesce(answered, 0) as answered, coalesce(cents, 0) as cents
from (
    select ad_id, count(*) as conversations, count(first_inbound_at) as engaged, count(first_response_at) as answered
    from conversations where ad_id is not null group by ad_id
) as c full join (
    select ad_id, cast(sum(cast(spend * 100 as bigint)) as bigint) as cents from read_parquet('{spend}') group by ad_id
) as s on c.ad_id = s.ad_id
"""


def event_files(data: Path) -> list[str]:
    return sorted(map(str, data.glob("events/settled/*/*.parquet")))


def spend_file(data: Path) -> Path:
    return next(data.glob("imports/spend/*.parquet"))


# --- on DuckDB ---


def ours(data: Path, aliases: Path, target: Path) -> None:
    from datetime import datetime

    from ctm_analytics.engines.duckdb import DuckDBEngine
    from ctm_analytics.models import compose
    from ctm_analytics.questions import ask
    from ctm_analytics.settings import Settings
    from ctm_analytics.sources import SCHEMAS, find_sources

    engine = DuckDBEngine(find_sources(data).files, SCHEMAS)
    words = ask({}, Settings(), datetime.fromisoformat(AS_OF)).parameters(Settings(), "USD")
    contacts = aliases.with_name("contacts.parquet")
    given = {
        "contact_aliases": f"select * from read_parquet('{aliases}')",
        "contacts": f"select * from read_parquet('{contacts}')",  # only ours joins them: its model has them
    }
    engine.create_table("made_touches", compose("touches", words, given))
    given["touches"] = "select * from made_touches"
    engine.create_table("conversations", compose("conversation_timelines", words, given))
    engine.write(target / "conversations.parquet", f"select {COLUMNS} from conversations")
    engine.write(target / "ads.parquet", PER_AD.format(spend=spend_file(data)))


def by_hand(data: Path, aliases: Path, target: Path) -> None:
    import duckdb

    duckdb.sql("set enable_progress_bar = false; set timezone = 'UTC'")
    duckdb.sql(
        f"""
        create view activities as
        select coalesce(a.contact_key, e.contact_key) as contact_key, occurred_at as ts,
            direction = 'outbound' as is_out,
            event_type in ('message', 'postback') and direction = 'inbound' as is_in,
            coalesce(direction = 'outbound' and responder = 'human', false) as is_human,
            ad_id, ref, post_id, product_id, referral_source
        from read_parquet({event_files(data)}, hive_partitioning = false) as e
        left join read_parquet('{aliases}') as a on a.alias_key = e.contact_key
        where event_type in {KINDS} and e.contact_key is not null
        """
    )
    duckdb.sql(Path(__file__).with_name("two_level.sql").read_text())
    duckdb.sql(
        f"copy (select {COLUMNS} from conversations) to '{target}/conversations.parquet' (compression zstd)"
    )
    duckdb.sql(f"copy ({PER_AD.format(spend=spend_file(data))}) to '{target}/ads.parquet' (compression zstd)")


# --- these run in the peers' environment ---


def polars_streaming(data: Path, aliases: Path, target: Path) -> None:
    import polars as pl

    at, key = pl.col("occurred_at"), pl.col("contact_key")
    people = pl.scan_parquet(aliases).select("alias_key", person="contact_key")
    events = (
        pl.scan_parquet(event_files(data), hive_partitioning=False)
        .select(READ)
        .filter(pl.col("event_type").is_in(KINDS) & key.is_not_null())
        .join(people, left_on="contact_key", right_on="alias_key", how="left")
        .with_columns(
            contact_key=pl.coalesce("person", "contact_key"), is_out=pl.col("direction") == "outbound"
        )
    )
    is_link = pl.any_horizontal(
        pl.col(name).is_not_null() for name in ("ad_id", "ref", "post_id", "product_id", "referral_source")
    )
    link = [pl.col(name).fill_null("") for name in ("ref", "post_id", "product_id")]
    clicks = (
        events.filter(~pl.col("is_out") & is_link)
        .select(
            key,
            at,
            "ad_id",
            source=pl.coalesce(
                pl.lit("ad|") + pl.col("ad_id"), pl.concat_str(pl.lit("link"), *link, separator="|")
            ),
        )
        .sort("contact_key", "source", "occurred_at")
    )
    is_same = (key == key.shift()) & (pl.col("source") == pl.col("source").shift())
    is_new = ~is_same.fill_null(False) | (at > at.shift() + pl.duration(minutes=30))
    touches = (
        clicks.with_columns(touched_at=pl.when(is_new).then(at).forward_fill())
        .group_by("contact_key", "touched_at")
        .agg(pl.col("ad_id").max())
    ).collect(engine="streaming")
    instants = touches.lazy().select("contact_key", occurred_at="touched_at", is_touched=pl.lit(True))
    activities = (
        events.select(
            key, at, "is_out",
            is_in=pl.col("event_type").is_in(["message", "postback"]) & ~pl.col("is_out"),
            is_human=pl.col("is_out") & (pl.col("responder") == "human").fill_null(False),
        )
        .join(instants, on=["contact_key", "occurred_at"], how="left")
        .with_columns(is_touch=pl.col("is_touched").fill_null(False) & ~pl.col("is_out"))
        .sort("contact_key", "occurred_at", "is_out", ~pl.col("is_touch"))
        .with_row_index("place")
    )  # fmt: skip
    is_first = (key != key.shift()).fill_null(True)
    opens = is_first | pl.col("is_touch") | (at >= at.shift() + pl.duration(hours=24))
    place = pl.col("place")
    placed = activities.with_columns(
        opened_at=pl.when(opens).then(at).forward_fill(),
        open_place=pl.when(opens).then(place).forward_fill(),
        in_place=pl.when("is_in").then(place).forward_fill(),
    ).with_columns(is_answer=pl.col("is_out") & (pl.col("in_place") >= pl.col("open_place")))
    conversations = (
        placed.group_by("contact_key", "opened_at")
        .agg(
            first_inbound_at=at.filter("is_in").min(),
            last_inbound_at=at.filter("is_in").max(),
            last_event_at=at.max(),
            first_response_at=at.filter("is_answer").min(),
            first_human_response_at=at.filter(pl.col("is_answer") & pl.col("is_human")).min(),
            messages_in=pl.col("is_in").sum().cast(pl.Int64),
            messages_out=pl.col("is_out").sum().cast(pl.Int64),
        )
        .join(
            touches.lazy(),
            left_on=["contact_key", "opened_at"],
            right_on=["contact_key", "touched_at"],
            how="left",
        )
        .select(COLUMNS.replace(" ", "").split(","))
    ).collect(engine="streaming")
    conversations.write_parquet(target / "conversations.parquet")
    by_ad = conversations.lazy().filter(pl.col("ad_id").is_not_null()).group_by("ad_id").agg(
        conversations=pl.len().cast(pl.Int64),
        engaged=pl.col("first_inbound_at").count().cast(pl.Int64),
        answered=pl.col("first_response_at").count().cast(pl.Int64),
    )  # fmt: skip
    spend = (
        pl.scan_parquet(spend_file(data))
        .group_by("ad_id")
        .agg(cents=(pl.col("spend") * 100).cast(pl.Int64).sum())
    )
    ads = by_ad.join(spend, on="ad_id", how="full", coalesce=True).fill_null(0).collect(engine="streaming")
    ads.write_parquet(target / "ads.parquet")


def pandas(data: Path, aliases: Path, target: Path) -> None:
    import numpy as np
    import pandas as pd

    events = pd.read_parquet(
        event_files(data), columns=list(READ), filters=[("event_type", "in", KINDS)], partitioning=None,
        dtype_backend="pyarrow",
    )  # fmt: skip
    events = events[events["contact_key"].notna()]
    people = pd.read_parquet(aliases, dtype_backend="numpy_nullable").set_index("alias_key")["contact_key"]
    keys = events["contact_key"].astype("int64")
    events["contact_key"] = keys.map(people).fillna(keys).astype("int64") if len(people) else keys
    events["occurred_at"] = events["occurred_at"].astype("datetime64[us]")
    is_out = (events["direction"] == "outbound").to_numpy(bool)
    sources = events[["ad_id", "ref", "post_id", "product_id", "referral_source"]]
    clicks = events[~is_out & sources.notna().any(axis=1).to_numpy()]
    link = (
        "link|"
        + clicks["ref"].fillna("")
        + "|"
        + clicks["post_id"].fillna("")
        + "|"
        + clicks["product_id"].fillna("")
    )
    clicks = clicks.assign(source=("ad|" + clicks["ad_id"]).fillna(link)).sort_values(
        ["contact_key", "source", "occurred_at"]
    )
    before = clicks.shift()
    is_same = (clicks["contact_key"] == before["contact_key"]) & (clicks["source"] == before["source"])
    is_near = clicks["occurred_at"] <= before["occurred_at"] + pd.Timedelta(minutes=30)
    is_new = ~(is_same.fillna(False) & is_near).to_numpy(bool)
    clicks["touched_at"] = clicks["occurred_at"].where(is_new).ffill()
    touches = clicks.groupby(["contact_key", "touched_at"], as_index=False)["ad_id"].max()

    activities = pd.DataFrame(
        {
            "contact_key": events["contact_key"].to_numpy(),
            "occurred_at": events["occurred_at"].to_numpy(),
            "is_out": is_out,
            "is_in": events["event_type"].isin(["message", "postback"]).to_numpy(bool) & ~is_out,
            "is_human": is_out & (events["responder"] == "human").fillna(False).to_numpy(bool),
        }
    )
    del events, sources, clicks, before
    instants = touches.rename(columns={"touched_at": "occurred_at"})[["contact_key", "occurred_at"]].assign(
        is_touch=True
    )
    activities = activities.merge(instants, on=["contact_key", "occurred_at"], how="left")
    is_touch = activities["is_touch"].notna() & ~activities["is_out"]
    activities = activities.assign(is_touch=is_touch, after=~is_touch).sort_values(
        ["contact_key", "occurred_at", "is_out", "after"], ignore_index=True
    )
    at, place = activities["occurred_at"], pd.Series(np.arange(len(activities)))
    opens = (
        (activities["contact_key"] != activities["contact_key"].shift())
        | activities["is_touch"]
        | (at >= at.shift() + pd.Timedelta(hours=24))
    )
    in_place, open_place = place.where(activities["is_in"]).ffill(), place.where(opens).ffill()
    is_answer = activities["is_out"] & (in_place >= open_place)
    grouped = pd.DataFrame(
        {
            "contact_key": activities["contact_key"],
            "opened_at": at.where(opens).ffill(),
            "inbound_at": at.where(activities["is_in"]),
            "occurred_at": at,
            "answered_at": at.where(is_answer),
            "human_at": at.where(is_answer & activities["is_human"]),
            "is_in": activities["is_in"].astype("int64"),
            "is_out": activities["is_out"].astype("int64"),
        }
    ).groupby(["contact_key", "opened_at"], as_index=False)
    conversations = grouped.agg(
        first_inbound_at=("inbound_at", "min"),
        last_inbound_at=("inbound_at", "max"),
        last_event_at=("occurred_at", "max"),
        first_response_at=("answered_at", "min"),
        first_human_response_at=("human_at", "min"),
        messages_in=("is_in", "sum"),
        messages_out=("is_out", "sum"),
    ).merge(touches.rename(columns={"touched_at": "opened_at"}), on=["contact_key", "opened_at"], how="left")
    conversations.to_parquet(target / "conversations.parquet")
    by_ad = conversations.groupby("ad_id").agg(
        conversations=("contact_key", "size"),
        engaged=("first_inbound_at", "count"),
        answered=("first_response_at", "count"),
    )
    spend = pd.read_parquet(spend_file(data), columns=["ad_id", "spend"], dtype_backend="pyarrow")
    cents = (spend["spend"] * 100).astype("int64[pyarrow]").groupby(spend["ad_id"]).sum().rename("cents")
    by_ad.join(cents, how="outer").fillna(0).astype("int64").rename_axis("ad_id").reset_index().to_parquet(
        target / "ads.parquet"
    )


def clickhouse(data: Path, aliases: Path, target: Path) -> None:
    from chdb.session import Session

    session = Session()
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    for statement in f"""
        set join_use_nulls = 1;
        set use_hive_partitioning = 0;
        create database d;
        create view d.activities as
        select coalesce(a.person, e.key) as contact_key, ts, is_out, is_in, is_human, ad_id, ref, post_id, product_id,
            referral_source
        from (
            select assumeNotNull(contact_key) as key, assumeNotNull(occurred_at) as ts,
                ifNull(direction = 'outbound', 0) as is_out,
                event_type in ('message', 'postback') and ifNull(direction = 'inbound', 0) as is_in,
                is_out and ifNull(responder = 'human', 0) as is_human, ad_id, ref, post_id, product_id, referral_source
            from file('{data}/events/settled/*/*.parquet', 'Parquet')
            where event_type in ({kinds}) and contact_key is not null
        ) as e left join (
            select alias_key, contact_key as person from file('{aliases}', 'Parquet')
        ) as a on a.alias_key = e.key;
        create table d.touches engine = Memory as
        select contact_key, touched_at, max(ad_id) as ad_id from (
            select contact_key, ad_id, max(clicked_at) over (partition by contact_key, source order by ts) as touched_at
            from (
                select contact_key, ad_id, source, ts,
                    if(isNull(previous) or ts > previous + interval 30 minute, ts, null) as clicked_at
                from (
                    select contact_key, ad_id, ts, source, lagInFrame(toNullable(ts)) over (
                        partition by contact_key, source order by ts rows between 1 preceding and current row
                    ) as previous
                    from (
                        select contact_key, ad_id, ts, coalesce('ad|' || ad_id, 'link|' || ifNull(ref, '') || '|'
                            || ifNull(post_id, '') || '|' || ifNull(product_id, '')) as source
                        from d.activities
                        where not is_out and (ad_id is not null or ref is not null or post_id is not null
                            or product_id is not null or referral_source is not null)
                    )
                )
            )
        ) group by contact_key, touched_at;
        create table d.conversations engine = Memory as
        select contact_key, opened_at, minIf(toNullable(ts), is_in) as first_inbound_at,
            maxIf(toNullable(ts), is_in) as last_inbound_at, max(ts) as last_event_at,
            minIf(toNullable(ts), is_out and ifNull(in_at >= opened_at, 0)) as first_response_at,
            minIf(toNullable(ts), is_human and ifNull(in_at >= opened_at, 0)) as first_human_response_at,
            toInt64(countIf(is_in)) as messages_in, toInt64(countIf(is_out)) as messages_out
        from (
            select contact_key, ts, is_in, is_out, is_human, in_at,
                max(opening) over (partition by contact_key order by ts, is_out) as opened_at
            from (
                select contact_key, ts, is_in, is_out, is_human, in_at,
                    if(isNull(previous) or is_touch or ts >= previous + interval 24 hour, ts, null) as opening
                from (
                    select contact_key, ts, is_in, is_out, is_human, touched_at is not null and not is_out as is_touch,
                        lagInFrame(toNullable(ts)) over (
                            partition by contact_key order by ts, is_out rows between 1 preceding and current row
                        ) as previous,
                        max(if(is_in, ts, null)) over (partition by contact_key order by ts, is_out) as in_at
                    from d.activities as a
                    left join (select contact_key as touched_key, touched_at from d.touches) as t
                        on t.touched_key = a.contact_key and t.touched_at = a.ts
                )
            )
        ) group by contact_key, opened_at;
        create table d.told engine = Memory as
        select c.*, t.ad_id as ad_id from d.conversations as c left join (
            select contact_key as touched_key, touched_at, ad_id from d.touches
        ) as t on t.touched_key = c.contact_key and t.touched_at = c.opened_at;
        insert into function file('{target}/conversations.parquet', 'Parquet') select {COLUMNS} from d.told;
        insert into function file('{target}/ads.parquet', 'Parquet')
        select coalesce(c.ad, s.ad) as ad_id, toInt64(ifNull(n, 0)) as conversations, toInt64(ifNull(e, 0)) as engaged,
            toInt64(ifNull(r, 0)) as answered, toInt64(ifNull(m, 0)) as cents
        from (
            select ad_id as ad, count() as n, count(first_inbound_at) as e, count(first_response_at) as r
            from d.told where ad_id is not null group by ad_id
        ) as c full join (
            select ad_id as ad, sum(toInt64(spend * 100)) as m from file('{spend_file(data)}', 'Parquet') group by ad_id
        ) as s on c.ad = s.ad
    """.split(";"):  # fmt: skip
        session.query(statement)


CONTENDERS: dict[str, Callable[[Path, Path, Path], None]] = {
    "ours": ours,
    "DuckDB by hand": by_hand,
    "Polars streaming": polars_streaming,
    "pandas": pandas,
    "ClickHouse (chDB)": clickhouse,
}
HERE = ("ours", "DuckDB by hand")


# --- side by side ---


def run_once(name: str, data: Path, aliases: Path, target: Path) -> tuple[float, float, float]:
    """Run a contender in a process of its own: processor and clock seconds, and MB at the peak."""
    shutil.rmtree(target, ignore_errors=True)  # ClickHouse overwrites nothing
    target.mkdir()
    python = sys.executable if name in HERE else PEERS_PYTHON
    command = [
        python,
        __file__,
        "--contender",
        name,
        "--data",
        data,
        "--aliases",
        aliases,
        "--target",
        target,
    ]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{name}: {run.stderr[-2000:]}")
    cpu, seconds, megabytes = json.loads(run.stdout.splitlines()[-1])
    return cpu, seconds, megabytes


def contend(name: str, data: Path, aliases: Path, target: Path) -> None:
    started = time.perf_counter()
    CONTENDERS[name](data, aliases, target)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([used.ru_utime + used.ru_stime, seconds, used.ru_maxrss / 1024]))


def write_contacts(data: Path, folder: Path) -> None:
    """Work out once who is known by several ids, for all contenders, and of which account a contact is, for ours.

    In a process of its own: what this one holds at its peak would count as the peak of those that it starts.
    """
    ctm = Path(sys.executable).with_name("ctm")
    for name, relation in (("aliases", "contact_aliases"), ("contacts", "contacts")):
        asked = [ctm, "sql", f"from {relation}", "--as-of", AS_OF, "--data", data]
        written = ["--format", "parquet", "--output", folder / f"{name}.parquet"]
        subprocess.run([*asked, *written], check=True, stderr=subprocess.DEVNULL)


def differing(ours_in: Path, theirs_in: Path) -> int:
    """Count the rows that only one of two contenders has."""
    import duckdb

    duckdb.sql("set enable_progress_bar = false")
    count = 0
    for file, columns in (
        ("conversations.parquet", COLUMNS),
        ("ads.parquet", "ad_id, conversations, engaged, answered, cents"),
    ):
        one, other = (_rows(folder / file, columns) for folder in (ours_in, theirs_in))
        for rows in (f"{one} except all {other}", f"{other} except all {one}"):
            found: Any = duckdb.sql(f"select count(*) from ({rows})").fetchall()
            count += found[0][0]
    return count


def _rows(file: Path, columns: str) -> str:
    # ClickHouse writes instants with a zone, Polars and pandas their own kinds of text.
    typed = (
        f"cast({name} as timestamp)" if name.endswith("_at") else f"cast({name} as varchar)"
        for name in columns.split(", ")
    )
    return f"(select {', '.join(typed)} from read_parquet('{file}'))"


def compare(data: Path, rounds: int, names: list[str]) -> int:
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(dir=data.parent) as name:
        folder = Path(name)
        write_contacts(data, folder)
        for _ in range(rounds):
            for contender in names:
                found[contender].append(
                    run_once(contender, data, folder / "aliases.parquet", folder / contender)
                )
        differences = {contender: differing(folder / "ours", folder / contender) for contender in names}
    medians = {
        contender: [statistics.median(column) for column in zip(*runs, strict=True)]
        for contender, runs in found.items()
    }
    own = medians["ours"]
    print("| contender | CPU s | s | MB at the peak | ours / theirs: CPU | clock | peak | rows that differ |")
    print("|---|---|---|---|---|---|---|---|")
    for contender, median in medians.items():
        ratios = " | ".join(f"{mine / theirs:.2f}" for mine, theirs in zip(own, median, strict=True))
        cpu, seconds, megabytes = median
        print(
            f"| {contender} | {cpu:.1f} | {seconds:.1f} | {megabytes:,.0f} | {ratios} | {differences[contender]} |"
        )
    return 1 if any(differences.values()) else 0


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--millions", type=float, default=2.0)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ctm-scale")
    arguments.add_argument("--only", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    for name in ("--contender", "--data", "--aliases", "--target"):
        arguments.add_argument(name, type=str if name == "--contender" else Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.contender:
        contend(chosen.contender, chosen.data, chosen.aliases, chosen.target)
        return 0
    if not PEERS_PYTHON.exists() and not {*chosen.only} <= {*HERE}:
        sys.exit("The peers are not installed: run `make .venv-peers/tables/.ok` once.")
    data = chosen.folder / f"{chosen.millions:g}M"
    if not (data / "imports" / "spend").exists():
        generation = Path(__file__).with_name("generation.py")
        subprocess.run(
            [sys.executable, generation, data, "--millions", str(chosen.millions)],
            check=True,
            stdout=sys.stderr,
        )
    return compare(data, chosen.rounds, list(dict.fromkeys(["ours", *chosen.only])))


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    sys.exit(main())
