from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ctm_analytics.schemas import EVENTS, IMPORTS
from ctm_analytics.simulation.exports import write_exports
from ctm_analytics.simulation.period import utc
from ctm_analytics.simulation.sample import SCALE, SEED, UNTIL
from ctm_analytics.simulation.world import World, simulate

SAMPLE = Path(__file__).parents[3] / "data" / "sample"


@pytest.fixture(scope="module")
def sampled_shop() -> World:
    return simulate(SEED, UNTIL, SCALE)


def test_the_sample_is_small() -> None:
    files = [path for path in SAMPLE.rglob("*") if path.is_file() and path.parent.name != "derived"]
    assert sum(file.stat().st_size for file in files) <= 400_000
    assert sum(file.suffix == ".parquet" for file in files) < 20


def test_the_sample_holds_what_an_analysis_reads_and_nothing_more() -> None:
    assert {path.name for path in SAMPLE.iterdir()} - {"derived"} == {  # which answers leave behind
        "ctm.toml",
        "events",
        "heartbeats",
        "imports",
        "source",
    }


def test_the_sample_is_what_the_simulation_makes_today(sampled_shop: World) -> None:
    """Red after a change to the simulation: make the sample again, as data/README.md says."""
    events = pq.ParquetDataset(SAMPLE / "events" / "recent", schema=EVENTS, partitioning=None).read()
    stored = sorted(
        (row["contact_id"], row["event_type"], row["occurred_at"].isoformat())
        for row in events.to_pylist()
        if row["event_type"] not in ("delivery", "test", "unknown")
    )
    assert stored == sorted(
        (event.contact.contact_id, event.event_type, utc(event.at).replace(tzinfo=None).isoformat())
        for event in sampled_shop.events
        if event.event_type != "delivery"
    )


def test_the_exports_of_the_sample_are_those_of_the_simulation(sampled_shop: World, tmp_path: Path) -> None:
    write_exports(sampled_shop, tmp_path)
    for file in tmp_path.iterdir():
        assert (SAMPLE / "source" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("kind", ["sales", "spend", "contacts"])
def test_the_imports_of_the_sample_have_todays_columns(kind: str) -> None:
    files = list((SAMPLE / "imports" / kind).glob("*.parquet"))
    assert files
    for file in files:
        assert pq.read_schema(file).equals(IMPORTS[kind])
