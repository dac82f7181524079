"""What is kept in ``data/derived/`` makes answers faster and never other ones, whatever becomes of it."""

import os
import shutil
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from worlds import AS_OF, START, World

import ctm_analytics as ctm
from ctm_analytics.derived.folder import GRACE_SECONDS, MAX_AGE_SECONDS, DerivedFolder
from ctm_analytics.derived.parts import RELATIONS
from ctm_analytics.schemas import IMPORTS

HOUR = timedelta(hours=1)


@pytest.fixture
def shop(world: World) -> World:
    for number in range(20):
        at = START + number * 5 * HOUR
        world.event(f"contact-{number % 7}", at, ad_id=f"ad-{number % 3}", referral_source="ADS")
        world.echo(f"contact-{number % 7}", at + HOUR)
    world.spend(date(2026, 11, 2), "ad-1", "10.00")
    world.sale("s-1", START + 30 * HOUR, "99.00", contact_id="contact-3")
    world.write()
    return world


def derived(world: World) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (world.data / "derived").iterdir()}


def opened(world: World, as_of: datetime = AS_OF) -> ctm.Workbench:
    return ctm.open(world.data, as_of=as_of, environ={})


def answers(world: World, as_of: datetime = AS_OF) -> list[list[dict[str, object]]]:
    workbench = opened(world, as_of)
    return [
        workbench.ads().table.to_pylist(),
        workbench.conversations().table.to_pylist(),
        workbench.latency(by="ad").table.to_pylist(),
    ]


def test_the_second_workbench_reads_what_the_first_has_kept(shop: World) -> None:
    first = answers(shop)
    kept = derived(shop)
    assert {name.partition("-")[0] for name in kept} >= {"contacts", "touches", "conversation_timelines"}
    assert answers(shop) == first
    assert derived(shop) == kept


def test_an_hour_later_the_same_is_read_where_nothing_was_recorded_since(shop: World) -> None:
    answers(shop)
    kept = derived(shop)
    answers(shop, AS_OF + HOUR)
    assert derived(shop) == kept


def test_what_was_known_before_is_answered_from_what_was_known_before(shop: World, tmp_path: Path) -> None:
    answers(shop)
    earlier = START + timedelta(hours=42)
    fresh = World(tmp_path / "fresh")
    shutil.copytree(shop.data, fresh.data, ignore=shutil.ignore_patterns("derived"))
    then = earlier.replace(tzinfo=UTC)
    assert answers(shop, then) == answers(fresh, then) != answers(shop)


def test_an_import_leaves_alone_what_does_not_read_it(shop: World) -> None:
    answers(shop)
    kept = derived(shop)
    shop.sale("s-2", START + 31 * HOUR, "1.00", contact_id="contact-1")._write(
        "imports/sales/more.parquet", [shop._rows["sales"][-1]], IMPORTS["sales"]
    )
    assert sum(row["sales"] for row in answers(shop)[0]) == 2
    new = {name.partition("-")[0] for name in derived(shop).keys() - kept.keys()}
    assert {"sale_matches", "credits", "ad_day_measures"} <= new
    assert new & {"history", *RELATIONS} == set()


def test_a_file_that_is_replaced_under_its_name_is_read_anew(shop: World) -> None:
    before = answers(shop)
    shop._rows["events"][0]["contact_id"] = "CONTACT-0"  # of the same length
    shop.write()
    assert answers(shop) != before


@pytest.mark.parametrize("part", [2, 100_000], ids=["half", "empty"])
def test_half_a_file_is_made_anew(shop: World, part: int) -> None:
    first = answers(shop)
    for path in (shop.data / "derived").iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // part])
    assert answers(shop) == first
    assert answers(shop) == first


def change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def test_a_file_with_a_changed_byte_is_made_anew(shop: World) -> None:
    first = answers(shop)
    for path in (shop.data / "derived").iterdir():
        change_a_byte(path)
    assert answers(shop) == first


def test_a_file_that_changes_under_an_open_workbench_is_made_anew(shop: World) -> None:
    workbench = opened(shop)
    first = workbench.ads(model="last_touch").table.to_pylist()
    workbench.ads(model="first_touch")
    for name in ("credits", "ad_day_measures"):
        for path in (shop.data / "derived").glob(f"{name}-*"):
            change_a_byte(path)
    assert workbench.ads(model="last_touch").table.to_pylist() == first


def test_the_folder_may_be_deleted_under_an_open_workbench(shop: World) -> None:
    workbench = opened(shop)
    first = workbench.ads().table.to_pylist()
    shutil.rmtree(shop.data / "derived")
    assert workbench.ads().table.to_pylist() == first
    assert workbench.sql("select count(*) as n from conversations").table.to_pylist() == [{"n": 20}]
    shutil.rmtree(shop.data / "derived")
    assert workbench.sql("select count(*) as n from conversations").table.to_pylist() == [{"n": 20}]


def test_where_nothing_can_be_written_answers_are_the_same(shop: World, capfd) -> None:
    first = answers(shop)
    shutil.rmtree(shop.data / "derived")
    (shop.data / "derived").write_text("in the way")
    assert answers(shop) == first
    assert capfd.readouterr() == ("", "")


def test_nobody_else_can_look_into_the_folder(shop: World) -> None:
    answers(shop)
    assert (shop.data / "derived").stat().st_mode & 0o777 == 0o700


def test_what_is_superseded_goes_after_its_grace_and_the_rest_after_its_age(tmp_path: Path) -> None:
    folder = DerivedFolder(tmp_path / "derived")
    now = time.time()
    ages = {"a": 0, "b": 10, "c": 20, "d": GRACE_SECONDS + 9, "e": GRACE_SECONDS - 9}
    paths = {}
    for key, age in ages.items():
        paths[key] = folder.put(f"touches-{key}", ".parquet", lambda path: path.write_bytes(b"rows"))
        os.utime(paths[key], (now - age, now - age))
    old = folder.put("contacts-a", ".parquet", lambda path: path.write_bytes(b"rows"))
    os.utime(old, (now - MAX_AGE_SECONDS - 9,) * 2)
    unfinished = folder.path / "0123.tmp"
    unfinished.write_bytes(b"ro")
    os.utime(unfinished, (now - GRACE_SECONDS - 9,) * 2)
    folder.tidy([paths["c"]])
    assert sorted(folder.path.iterdir()) == sorted(paths[key] for key in "abce")


def test_an_answer_says_what_was_read_and_made_for_it(shop: World) -> None:
    steps = {step.name: step for step in opened(shop).ads().explain().steps}
    assert (steps["events"].how, steps["events"].files) == ("made", 2)
    assert (steps["credits"].how, steps["credits"].rows) == ("made", 1)
    assert steps["ad_performance"].how == "asked"
    plan = opened(shop).ads().explain()
    steps = {step.name: step for step in plan.steps}
    assert (steps["events"].how, steps["events"].files, steps["credits"].how) == ("read", 0, "read")
    assert steps["conversation_timelines"].rows == 20
    assert 0 < sum(step.seconds for step in plan.steps) <= plan.seconds
    assert str(plan).splitlines()[0].split() == ["step", "how", "rows", "files", "MB", "seconds"]
    assert plan._repr_html_().startswith("<pre>step")


def test_the_engine_says_what_it_did_for_the_slowest_question(shop: World) -> None:
    tree = opened(shop).ads().explain(analyze=True).tree
    assert "Total Time" in tree
    assert "parquet" in tree.lower()
