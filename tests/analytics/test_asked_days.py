"""A question about a day of receipt opens that day's files and no others, and is answered as if it had opened all."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import AS_OF, World

import ctm_analytics as ctm
from ctm_analytics.engines.asked_days import Days, asked_days
from ctm_analytics.schemas import EVENTS

FIRST_DAY = datetime(2026, 11, 2)
DAYS = 6


def settled(data: Path) -> dict[str, Path]:
    """Put the events where compaction puts them, a file for each day of receipt; the files by day."""
    events = data / "events"
    unsettled = events / "recent" / "g=000001" / "test-1.parquet"
    rows = pq.read_table(unsettled, partitioning=None).to_pylist()
    unsettled.unlink()
    files = {}
    for day in sorted({str(row["received_at"].date()) for row in rows}):
        files[day] = events / "settled" / f"day={day}" / "g000001-0.parquet"
        files[day].parent.mkdir(parents=True)
        of_day = [row for row in rows if str(row["received_at"].date()) == day]
        pq.write_table(pa.Table.from_pylist(of_day, schema=EVENTS), files[day])
    entries = [
        {"file": str(file.relative_to(events)), "rows": 1, "sha256": "", "generation": 1}
        for file in files.values()
    ]
    (events / "manifest.json").write_text(json.dumps({"version": 1, "settled": entries, "live": [1, 2]}))
    return files


def write_days(world: World) -> Path:
    for hours in range(0, DAYS * 24, 6):
        at = FIRST_DAY + timedelta(hours=hours)
        world.event(f"person-{hours % 7}", at, ad_id="ad-1" if hours % 5 else None)
    return world.write()


@pytest.mark.parametrize(
    "condition",
    [
        "received_at >= '2026-11-04' and received_at < '2026-11-05'",
        "received_at::date = '2026-11-04'",
        "date_trunc('day', received_at) = '2026-11-04'",
        "received_at between '2026-11-04 05:00' and '2026-11-04 23:00' and (ad_id = 'ad-1' or ad_id is null)",
        "received_at = '2026-11-04 12:00'",
        "received_at > '2026-11-04 00:00:00.000001' and received_at <= '2026-11-04 23:59:59' and contact_id <> 'x'",
    ],
)
def test_a_day_is_read_from_its_own_files(world, condition: str) -> None:
    data = write_days(world)
    whole = ctm.open(data, as_of=AS_OF, environ={}).sql(f"select event_id from raw_events where {condition}")
    files = settled(data)
    workbench = ctm.open(data, as_of=AS_OF, environ={})
    for day, file in files.items():
        if day != "2026-11-04":
            file.write_bytes(b"opened, this is an error")
    rows = workbench.sql(f"select event_id from raw_events where {condition}").df
    assert sorted(rows["event_id"]) == sorted(whole.df["event_id"])
    assert len(rows) > 0


def test_after_a_day_all_days_are_asked_again(world) -> None:
    data = write_days(world)
    settled(data)
    workbench = ctm.open(data, as_of=AS_OF, environ={})
    workbench.sql("select * from raw_events where received_at::date = '2026-11-04'")
    # Nobody writes again within 24 hours.
    assert workbench.ads().df["engaged"].sum() == DAYS * 4
    assert workbench.sql("select count(*) as n from raw_events").df["n"][0] == DAYS * 4


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[ctm.Workbench, ctm.Workbench]:
    """The same events in one recent file, and in a settled file for each day."""
    whole = write_days(World(tmp_path_factory.mktemp("whole")))
    by_day = write_days(World(tmp_path_factory.mktemp("by_day")))
    settled(by_day)
    return ctm.open(whole, as_of=AS_OF, environ={}), ctm.open(by_day, as_of=AS_OF, environ={})


def test_days_before_or_after_others_are_all_read(both) -> None:
    either = "select event_id from raw_events where received_at < '2026-11-03' or received_at >= '2026-11-06'"
    whole, by_day = both
    assert by_day.sql(either).df.equals(whole.sql(either).df)
    assert len(by_day.sql(either).df) == 3 * 4


INSTANTS = st.integers(-30, DAYS * 24 + 30).map(lambda hours: str(FIRST_DAY + timedelta(hours=hours)))
COMPARISONS = st.tuples(st.sampled_from([">", ">=", "<", "<=", "=", "<>"]), INSTANTS).map(
    lambda drawn: f"received_at {drawn[0]} '{drawn[1]}'"
)
OTHERS = st.sampled_from(
    [
        "ad_id = 'ad-1'",
        "received_at < '0001-01-01'",
        "contact_id <> '(received_at > ''2026-11-05 00:00:00''::TIMESTAMP)'",
    ]
)
CONDITIONS = st.recursive(
    COMPARISONS | OTHERS,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda drawn: f"({drawn[0]} {drawn[1]} {drawn[2]})"
        )
        | inner.map(lambda drawn: f"not ({drawn})")
    ),
    max_leaves=5,
)


@settings(max_examples=25, deadline=None)
@given(first=CONDITIONS, second=CONDITIONS)
def test_whatever_is_asked_closed_files_hold_no_answer(both, first: str, second: str) -> None:
    whole, by_day = both
    for sql in (
        f"select event_id from raw_events where {first} order by event_id",
        f"select event_id from raw_events where {first} and contact_id in"
        f" (select contact_id from raw_events where {second}) order by event_id",
        f"select event_id from raw_events where {first} union all select event_id from raw_events where {second}"
        " order by event_id",
    ):
        assert by_day.sql(sql).df.equals(whole.sql(sql).df), sql


def test_a_statement_with_parameters_is_read_by_its_days(world) -> None:
    data = write_days(world)
    files = settled(data)
    workbench = ctm.open(data, as_of=AS_OF, environ={})
    files["2026-11-02"].write_bytes(b"opened, this is an error")
    rows = workbench.sql(
        "select * from raw_events where received_at >= $since", parameters={"since": datetime(2026, 11, 3)}
    ).df
    assert len(rows) == (DAYS - 1) * 4


def test_a_second_statement_is_refused_before_any_is_run(world, tmp_path: Path) -> None:
    written = tmp_path / "written.csv"
    with pytest.raises(ctm.InvalidArgument, match="Several statements"):
        world.open().sql(f"select 1 from raw_events; copy (select 1) to '{written}'")
    assert not written.exists()


def test_a_plan_of_an_unknown_shape_asks_for_all_days() -> None:
    scan = {
        "name": "READ_PARQUET",
        "children": [],
        "extra_info": {"Function": "READ_PARQUET", "Filters": "odd"},
    }
    assert asked_days(json.dumps([scan])) == Days(date.min, date.max)
    assert asked_days("[]") == Days(date.min, date.max)


def test_text_that_was_kept_is_a_column_whatever_days_are_asked_for(world) -> None:
    data = world.event("anna", FIRST_DAY).write()
    path = data / "events" / "recent" / "g=000001" / "test-1.parquet"
    rows = pq.read_table(path, partitioning=None)
    pq.write_table(rows.append_column("text", pa.array(["Hello"])), path)
    workbench = ctm.open(data, as_of=AS_OF, environ={})
    for condition in ("true", "received_at::date = '2026-11-02'"):
        for columns in ("*", "text"):
            shown = workbench.sql(f"select {columns} from raw_events where {condition}").df
            assert shown["text"].tolist() == ["Hello"]
