import os
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segments import RECEIVED_AT, add_segment, delivery, publish_all

from ctm_analytics.sources import find_sources
from receiver.errors import ReceiverError
from receiver.store import compaction, merging, seen
from receiver.store.compaction import Compaction, closed_generations, compact, is_due
from receiver.store.folder import DataFolder
from receiver.store.manifest import current_manifest, live_files
from receiver.store.merging import Interrupted
from receiver.store.publisher import Publication
from receiver.store.seen import SeenIndex, rename_files
from receiver.store.segment import FILE_MAGIC, Delivery, encode_frame
from receiver.store.verification import verify

DAY = 24 * 3600 * 1_000_000
HOUR_AGO = time.time() - 3700


def messages(*names: str, contact: str = "7", occurred_at: int = 1783075200000) -> bytes:
    return (
        delivery(*names)
        .replace(b'"7"', f'"{contact}"'.encode())
        .replace(b"1783075200000", b"%d" % occurred_at)
    )


def add_received(folder: DataFolder, receiver: str, received: list[tuple[int, bytes]]) -> None:
    """Seal a segment of deliveries that came at other times than usual."""
    path = folder.journal / receiver / f"{0:016}.wal"
    path.parent.mkdir()
    frames = [
        encode_frame(Delivery(sequence, received_at, b"s" * 32, body), f"{receiver}-{0:016}")
        for sequence, (received_at, body) in enumerate(received)
    ]
    path.write_bytes(FILE_MAGIC + b"".join(frames))


def live_rows(folder: DataFolder) -> list[dict[str, Any]]:
    """Every row that a reader who starts now sees."""
    files = live_files(folder, current_manifest(folder)).values()
    return [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]


def live_mids(folder: DataFolder) -> list[str]:
    return sorted(row["message_id"] for row in live_rows(folder))


def settled_files(folder: DataFolder) -> list[str]:
    return [entry.file for entry in current_manifest(folder).settled]


def make_older(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (HOUR_AGO, HOUR_AGO))


def test_a_generation_becomes_one_file_a_day_of_receipt_and_readers_see_the_same_events(
    folder: DataFolder,
) -> None:
    add_received(folder, "run-1", [(RECEIVED_AT + DAY, messages("m_2")), (RECEIVED_AT, messages("m_1"))])
    add_segment(folder, 0, messages("m_3"), receiver="run-2")
    publish_all(folder)
    before = live_rows(folder)
    assert compact(folder) == Compaction(files=2, settled=2, events=3)
    assert settled_files(folder) == [
        "settled/day=2026-07-03/g000001-0.parquet",
        "settled/day=2026-07-04/g000001-0.parquet",
    ]
    assert current_manifest(folder).live == (2, 3)
    by_id = lambda row: row["event_id"]  # noqa: E731  # used twice, here only
    assert sorted(live_rows(folder), key=by_id) == sorted(before, key=by_id)
    assert verify(folder).is_sound


def test_what_is_published_after_a_compaction_is_seen_and_known_events_are_not_stored_again(
    folder: DataFolder,
) -> None:
    add_segment(folder, 0, messages("m_1", "m_2"))
    publish_all(folder)
    compact(folder)
    add_segment(folder, 1, messages("m_2"), messages("m_3"))
    assert publish_all(folder) == [Publication(events=1, duplicates=1)]
    assert live_mids(folder) == ["m_1", "m_2", "m_3"]


def test_settled_rows_are_sorted_by_contact_so_that_row_groups_can_be_skipped(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "SLOT_ROWS", 16)
    monkeypatch.setattr(merging, "MAX_OPEN_SLOTS", 3)
    monkeypatch.setattr(merging, "FILE_ROWS", 120)
    for number in range(4):
        bodies = [
            messages(f"m_{number}_{of}", contact=str(100 + of % 50), occurred_at=1783075200000 - 1000 * of)
            for of in range(100)
        ]
        add_segment(folder, number, *bodies)
    publish_all(folder)
    assert compact(folder).events == 400
    keys: list[int] = []
    groups: list[tuple[int, int]] = []
    for file in settled_files(folder):
        rows = pq.ParquetFile(folder.events / file)
        assert rows.metadata.num_rows <= 120 + 2 * 16
        for number in range(rows.num_row_groups):
            group = rows.read_row_group(number, columns=["contact_key", "occurred_at", "event_id"])
            assert group.equals(group.sort_by(merging.SORT_KEYS))
            keys += group.column("contact_key").to_pylist()
            groups.append((keys[-len(group)], keys[-1]))
    assert keys == sorted(keys)
    assert len(settled_files(folder)) > 2
    assert len(groups) > 8
    one = keys[200]
    assert sum(low <= one <= high for low, high in groups) <= 3
    assert sorted(Counter(live_mids(folder)).values()) == [1] * 400


@pytest.mark.parametrize("slots", [1, 2, 4, 8])
def test_a_day_of_any_number_of_slots_is_dealt_out_whole(
    slots: int, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "SLOT_ROWS", 64 // slots)
    add_segment(folder, 0, *(messages(f"m_{number}", contact=str(100 + number)) for number in range(64)))
    publish_all(folder)
    assert compact(folder).events == 64
    assert pq.ParquetFile(folder.events / settled_files(folder)[0]).num_row_groups == slots


def test_a_slot_of_one_contact_that_is_far_too_large_is_split(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "SLOT_ROWS", 8)
    add_segment(folder, 0, *(messages(f"m_{number}") for number in range(300)))
    publish_all(folder)
    compact(folder)
    assert len(set(live_mids(folder))) == len(live_mids(folder)) == 300


def test_rows_without_a_contact_are_kept(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "SLOT_ROWS", 2)
    add_segment(folder, 0, b"no json", *(messages(f"m_{n}", contact=str(100 + n)) for n in range(20)), b"[1]")
    publish_all(folder)
    ids = Counter(row["event_id"] for row in live_rows(folder))
    compact(folder)
    assert Counter(row["event_id"] for row in live_rows(folder)) == ids
    assert sum(row["contact_key"] is None for row in live_rows(folder)) == 2


@pytest.mark.parametrize("ids_at_once", [1_000, 3, 1])
def test_of_several_copies_the_one_received_first_stays(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch, ids_at_once: int
) -> None:
    monkeypatch.setattr(merging, "IDS_AT_ONCE", ids_at_once)
    for number, receiver in enumerate(("run-1", "run-2", "run-3")):
        shutil.rmtree(folder.index)
        folder.index.mkdir()
        # As if three receivers had published into one place, none knowing of the others.
        received_at = RECEIVED_AT + [DAY, 0, 2 * DAY][number]
        add_received(
            folder, receiver, [(received_at, messages("m_1")), (received_at, messages(f"m_own_{number}"))]
        )
        publish_all_as_if_alone(folder)
    assert len(live_rows(folder)) == 6
    assert compact(folder) == Compaction(files=3, settled=3, events=4, copies=2)
    (first,) = [row for row in live_rows(folder) if row["message_id"] == "m_1"]
    assert f"{first['received_at']:%F}" == "2026-07-03"
    assert verify(folder).is_sound


def publish_all_as_if_alone(folder: DataFolder) -> None:
    elsewhere = folder.root / "elsewhere"
    generation = folder.generation(1)
    if generation.exists():
        elsewhere.mkdir()
        for path in generation.glob("run-*"):
            path.rename(elsewhere / path.name)
    publish_all(folder)
    for path in elsewhere.glob("*"):
        path.rename(generation / path.name)
    shutil.rmtree(elsewhere, ignore_errors=True)


def test_text_stays_where_it_was_kept(folder: DataFolder) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder, store_text=True)
    add_segment(folder, 1, messages("m_2"))
    publish_all(folder)
    compact(folder)
    assert {row["message_id"]: row.get("text") for row in live_rows(folder)} == {"m_1": "hello", "m_2": None}


def test_a_column_of_a_later_version_is_kept(folder: DataFolder) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder)
    (file,) = folder.generation(1).glob("run-1-*")
    table = pq.read_table(file, partitioning=None)
    pq.write_table(table.append_column("mood", pa.array(["fine"])), file)
    add_segment(folder, 1, messages("m_2"))
    publish_all(folder)
    compact(folder)
    assert {row["message_id"]: row["mood"] for row in live_rows(folder)} == {"m_1": "fine", "m_2": None}


def test_readers_that_have_listed_a_generation_can_read_it_until_the_grace_is_over(
    folder: DataFolder,
) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder)
    listed = list(live_files(folder, current_manifest(folder)).values())
    compact(folder)
    assert [pq.read_table(file, partitioning=None).num_rows for file in listed] == [1]
    compact(folder)
    assert all(file.exists() for file in listed)
    (closed,) = closed_generations(folder)
    make_older(closed / "CLOSED")
    compact(folder)
    assert not closed.exists()
    assert not list(folder.staging.glob("removed-*"))


def test_a_generation_is_closed_only_once_the_one_before_is_removed(folder: DataFolder) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder)
    compact(folder)
    add_segment(folder, 1, messages("m_2"))
    publish_all(folder)
    assert compact(folder) == Compaction()
    assert current_manifest(folder).live == (2, 3)
    assert compact(folder, grace_seconds=0) == Compaction(files=1, settled=1, events=1)
    assert current_manifest(folder).live == (3, 4)
    assert live_mids(folder) == ["m_1", "m_2"]


def settle_days(folder: DataFolder, days: list[int]) -> None:
    """Receive and settle one event after the other, each on a day of its own."""
    for number, day in enumerate(days):
        add_received(folder, f"run-{number}", [(RECEIVED_AT + day * DAY, messages(f"m_{number}"))])
        publish_all(folder)
        compact(folder, grace_seconds=0)


def test_a_day_that_is_over_becomes_one_file_and_the_last_day_a_few(folder: DataFolder) -> None:
    settle_days(folder, [0] * 8)
    assert len(settled_files(folder)) == 8
    add_received(folder, "run-8", [(RECEIVED_AT + DAY, messages("m_8"))])
    publish_all(folder)
    compact(folder, grace_seconds=0)
    first, last = settled_files(folder)
    assert first.startswith("settled/day=2026-07-03/g000001-g000008-")
    assert last == "settled/day=2026-07-04/g000009-0.parquet"
    assert live_mids(folder) == [f"m_{number}" for number in range(9)]
    assert verify(folder).is_sound
    assert is_known_to_the_index(folder, first)


def is_known_to_the_index(folder: DataFolder, name: str) -> bool:
    connection = sqlite3.connect(folder.index / "seen.sqlite")
    found = connection.execute("SELECT 1 FROM files WHERE name = ?", (name,)).fetchone()
    connection.close()
    return found is not None


def test_a_last_day_of_too_many_files_is_merged_too(folder: DataFolder) -> None:
    settle_days(folder, [0] * 9)
    assert len(settled_files(folder)) == 1
    assert len(live_mids(folder)) == 9


def test_large_files_are_left_alone(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "FILE_ROWS", 2)
    settle_days(folder, [0, 0, 1])
    assert len(settled_files(folder)) == 3


def test_merged_files_are_removed_when_their_grace_is_over_and_nothing_else_is(folder: DataFolder) -> None:
    def on_disk() -> list[str]:
        return sorted(
            str(path.relative_to(folder.events)) for path in folder.events.glob("settled/*/*.parquet")
        )

    settle_days(folder, [0, 0])
    add_received(folder, "run-8", [(RECEIVED_AT + DAY, messages("m_8"))])
    publish_all(folder)
    make_older(*folder.events.glob("settled/*/*.parquet"), *folder.events.glob("recent/*/CLOSED"))
    for _ in range(2):
        compact(folder)
        assert len(on_disk()) == 4  # two that were merged, their successor, and the new day's
    make_older(*folder.events.glob("settled/*/*.parquet"))
    compact(folder)
    assert on_disk() == settled_files(folder)


def test_an_empty_generation_is_not_compacted(folder: DataFolder) -> None:
    publish_all(folder)
    assert not is_due(folder)
    assert compact(folder) == Compaction()
    assert current_manifest(folder).live == (1, 2)


def test_a_compaction_is_due_after_an_hour_or_many_files_or_when_one_was_interrupted(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder)
    (file,) = folder.generation(1).glob("run-*")
    assert not is_due(folder)
    with monkeypatch.context() as patch:
        patch.setattr(compaction, "COMPACT_FILES", 1)
        assert is_due(folder)
    make_older(file)
    assert is_due(folder)
    compact(folder)
    assert not is_due(folder)
    (closed,) = closed_generations(folder)
    make_older(closed / "CLOSED")
    assert is_due(folder)  # to be removed
    compact(folder)
    assert not is_due(folder)
    (folder.generation(2) / "CLOSED").touch()
    assert is_due(folder)


def test_many_files_shorten_the_grace(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder)
    compact(folder)
    add_segment(folder, 1, messages("m_2"))
    publish_all(folder)
    monkeypatch.setattr(compaction, "COMPACT_FILES", 1)
    assert not is_due(folder)
    (closed,) = closed_generations(folder)
    ten_minutes_ago = time.time() - 601
    os.utime(closed / "CLOSED", (ten_minutes_ago, ten_minutes_ago))
    assert is_due(folder)
    assert compaction.grace_now(folder) == 600


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def remove(file: Path) -> None:
    file.unlink()


def publish_with_damage(folder: DataFolder, damage: Callable[[Path], None]) -> str:
    """Publish two segments, of which the first's file is damaged then; that file's name."""
    add_segment(folder, 0, *(messages(f"m_{number}") for number in range(50)))
    add_segment(folder, 1, messages("m_sound"))
    publish_all(folder)
    file, _ = sorted(folder.generation(1).glob("run-1-*"))
    damage(file)
    return file.name


@pytest.mark.parametrize("damage", [flip_a_bit, cut_short])
def test_a_damaged_file_is_left_to_readers_as_it_is_and_the_others_are_compacted(
    folder: DataFolder, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    name = publish_with_damage(folder, damage)
    for generation, compacted in ((2, 1), (3, 0)):
        assert compact(folder, grace_seconds=0) == Compaction(
            files=compacted, settled=compacted, events=compacted, unreadable=1
        )
        assert f"{name}: cannot be read" in caplog.text
        assert [path.name for path in find_sources(folder.root).files["raw_events"]].count(name) == 1
        found = verify(folder)
        assert (found.events, found.lost) == (1, 50)
        assert [fault.partition(" (")[0] for fault in found.faults] == [
            f"events/recent/g={generation:06}/{name}: cannot be read"
        ]
    assert len(settled_files(folder)) == 1
    # As docs/operations.md says:
    (folder.generation(3) / name).rename(folder.quarantine / name)
    (folder.done / name).with_suffix(".wal").rename(folder.journal / "run-1" / f"{0:016}.wal")
    assert publish_all(folder) == [Publication(events=50)]
    assert compact(folder, grace_seconds=0).unreadable == 0
    assert len(set(live_mids(folder))) == len(live_mids(folder)) == 51
    assert verify(folder).is_sound


@pytest.mark.parametrize("call", ["write_manifest", "_moved"])
def test_a_damaged_file_is_read_once_also_while_it_goes_into_the_next_generation(
    folder: DataFolder, call: str
) -> None:
    name = publish_with_damage(folder, flip_a_bit)
    with pytest.MonkeyPatch.context() as patch:
        interrupted(patch, compaction, call, 1)
        with pytest.raises(PowerCut):
            compact(folder)
    listed = [path.name for path in find_sources(folder.root).files["raw_events"]]
    assert listed.count(name) == 1
    compact(folder, grace_seconds=0)
    assert [str(path.relative_to(folder.events)) for path in folder.events.rglob(name)] == [
        f"recent/g={current_manifest(folder).live[0]:06}/{name}"
    ]


@pytest.mark.parametrize("damage", [flip_a_bit, cut_short, remove])
def test_a_damaged_settled_file_stays_in_the_manifest_and_the_others_of_its_day_are_merged(
    folder: DataFolder, damage: Callable[[Path], None]
) -> None:
    settle_days(folder, [0, 0, 0])
    first, *others = settled_files(folder)
    damage(folder.events / first)
    add_received(folder, "run-later", [(RECEIVED_AT + DAY, messages("m_later"))])
    publish_all(folder)
    assert compact(folder, grace_seconds=0) == Compaction(files=3, settled=2, events=3, unreadable=1)
    assert first in settled_files(folder)
    assert not set(others) & set(settled_files(folder))
    assert len(settled_files(folder)) == 3
    assert compact(folder, grace_seconds=0) == Compaction(unreadable=1)


def test_a_compaction_that_loses_a_row_is_never_published(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_segment(folder, 0, messages("m_1"), messages("m_2"))
    publish_all(folder)
    gathered = merging._gathered
    monkeypatch.setattr(
        merging, "_gathered", lambda *arguments: (table.slice(1) for table in gathered(*arguments))
    )
    with pytest.raises(ReceiverError, match="missing"):
        compact(folder)
    assert settled_files(folder) == []
    assert live_mids(folder) == ["m_1", "m_2"]


def test_a_disk_without_room_for_the_work_is_left_as_it_is(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder)
    usage = shutil.disk_usage(folder.root)._replace(free=compaction.RESERVE_BYTES)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ReceiverError, match="too little free space"):
        compact(folder)
    assert settled_files(folder) == []


def test_a_compaction_can_be_given_up(folder: DataFolder) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder)
    with pytest.raises(Interrupted):
        compact(folder, is_stopped=lambda: True)
    add_segment(folder, 1, messages("m_2"))
    publish_all(folder)  # into the next generation, since the first is closed
    assert [path.name for path in folder.generation(2).glob("run-*")] == [f"run-1-{1:016}.parquet"]
    compact(folder)
    assert live_mids(folder) == ["m_1", "m_2"]
    assert len(settled_files(folder)) == 1


class PowerCut(Exception):
    pass


def interrupted(patch: pytest.MonkeyPatch, owner: Any, name: str, at_call: int) -> Callable[[], bool]:
    """Let a call of the operating system fail once; the result says whether it came to that."""
    real, calls = getattr(owner, name), []

    def failing(*arguments: Any, **keywords: Any) -> Any:
        calls.append(name)
        if len(calls) == at_call:
            raise PowerCut
        return real(*arguments, **keywords)

    patch.setattr(owner, name, failing)
    return lambda: len(calls) >= at_call


STEPS = [(os, "fsync"), (os, "open"), (Path, "rename"), (Path, "mkdir"), (Path, "touch"), (os, "utime")]
STEPS += [(shutil, "rmtree"), (Path, "unlink"), (sqlite3, "connect")]


@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_compaction_interrupted_at_any_step_ends_in_the_same_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    origin = DataFolder(tmp_path / "origin")
    origin.create()
    settle_days(origin, [0, 0])
    add_received(
        origin, "run-a", [(RECEIVED_AT + DAY, messages("m_a")), (RECEIVED_AT + DAY, messages("m_0"))]
    )
    publish_all(origin)
    for at_call in range(1, 100):
        folder = DataFolder(tmp_path / str(at_call))
        shutil.copytree(origin.root, folder.root)
        with monkeypatch.context() as patch:
            reached = interrupted(patch, owner, name, at_call)
            try:
                compact(folder, grace_seconds=0)
            except PowerCut:
                pass
            else:
                assert not reached() or name == "connect"  # the index is only told
                if not reached():
                    break
        assert live_mids(folder) == ["m_0", "m_1", "m_a"], at_call
        add_segment(folder, 5, messages("m_1"), messages("m_b"), receiver="run-b")
        assert publish_all(folder) == [Publication(events=1, duplicates=1)], at_call
        while compact(folder, grace_seconds=0) != Compaction():
            pass
        assert live_mids(folder) == ["m_0", "m_1", "m_a", "m_b"], at_call
        on_disk = sorted(str(path.relative_to(folder.events)) for path in folder.events.glob("*/*/*.parquet"))
        assert [file for file in on_disk if "0-schema" not in file] == settled_files(folder), at_call
        assert verify(folder).is_sound, at_call
        assert [path.name for path in folder.staging.iterdir()] in ([], ["compaction"]), at_call
    assert at_call > 1


def record_disk(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    steps: list[str] = []
    sync, rename = os.fsync, Path.rename

    def record_sync(descriptor: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        sync(descriptor)

    def record_rename(path: Path, target: Path) -> Path:
        steps.append(f"name {target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(Path, "rename", record_rename)
    return steps


def test_every_step_is_durable_before_the_manifest_names_it(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder)
    steps = record_disk(monkeypatch)
    compact(folder, grace_seconds=0)
    compact(folder, grace_seconds=0)
    assert steps == [
        "sync g=000001",  # closed
        "sync 2026-07-03-0.parquet.tmp",
        "name g000001-0.parquet",
        "sync day=2026-07-03",
        "sync settled",
        "sync events",
        "sync 3-0-schema.parquet.tmp",
        "name 0-schema.parquet",
        "sync g=000003",
        "sync recent",
        f"sync manifest.json.{os.getpid()}.tmp",
        "name manifest.json",
        "sync events",
        "name removed-g=000001",
        "sync recent",
    ]


def test_a_redelivery_of_what_the_index_has_forgotten_is_found_in_the_settled_files(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "SLOT_ROWS", 4)
    add_segment(folder, 0, *(messages(f"m_{n}", contact=str(100 + n)) for n in range(40)), b"no json")
    publish_all(folder)
    compact(folder)
    (folder.index / "seen.sqlite").unlink()
    add_segment(
        folder,
        1,
        messages("m_7", contact="107"),
        messages("m_7", contact="107"),
        b"no json",
        messages("m_40"),
    )
    assert publish_all(folder) == [Publication(events=1, duplicates=3)]
    assert len({row["event_id"] for row in live_rows(folder)}) == len(live_rows(folder)) == 42


def test_an_index_that_missed_a_file_reads_what_it_became(folder: DataFolder) -> None:
    now = int(time.time() * 1e6)
    for number in (0, 1):
        add_received(folder, f"run-{number}", [(now, messages(f"m_{number}", occurred_at=now // 1000))])
        publish_all(folder)
        if number == 0:
            before = (folder.index / "seen.sqlite").read_bytes()
    (folder.index / "seen.sqlite").write_bytes(before)
    compact(folder)
    add_received(folder, "run-2", [(now, messages("m_1", occurred_at=now // 1000))])
    assert publish_all(folder) == [Publication(duplicates=1)]


def test_a_merged_file_is_forgotten_with_the_oldest_of_its_ids(folder: DataFolder) -> None:
    index = SeenIndex(folder.index / "seen.sqlite")
    for name in ("old", "new"):
        index.add_file(name)
    index._connection.execute("UPDATE files SET period = period - 1 WHERE name = 'old'")
    index.commit()
    rename_files(folder.index / "seen.sqlite", ["old", "new"], ["merged"])
    rows = index._connection.execute("SELECT name, period FROM files").fetchall()
    assert rows == [("merged", index._period - 1)]
    index.close()


def test_a_settled_file_that_cannot_be_read_stops_no_late_redelivery(folder: DataFolder) -> None:
    add_segment(folder, 0, messages("m_1"))
    publish_all(folder)
    compact(folder)
    (folder.index / "seen.sqlite").unlink()
    (folder.events / settled_files(folder)[0]).write_bytes(b"PAR1")
    add_segment(folder, 1, messages("m_1"))
    assert publish_all(folder) == [Publication(events=1)]


def test_the_index_forgets_after_two_to_four_weeks(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    today = int(now * 1e6)

    def ids() -> int:
        connection = sqlite3.connect(folder.index / "seen.sqlite")
        ((count,),) = connection.execute("SELECT (SELECT count(*) FROM ids_0) + count(*) FROM ids_1")
        connection.close()
        return count

    def publish(name: str, day: int) -> Publication:
        monkeypatch.setattr(seen.time, "time", lambda: now + day * 86400)
        body = messages(name, occurred_at=today // 1000)
        add_received(folder, f"run-{day}-{name}", [(today + day * DAY, body)])
        (published,) = publish_all(folder)
        return published

    assert publish("m_1", 0) == Publication(events=1)
    monkeypatch.setattr(compaction.time, "time", lambda: now)
    compact(folder, grace_seconds=0)
    assert publish("m_2", 13) == Publication(events=1)
    assert publish("m_1", 14) == Publication(duplicates=1)  # as late as two weeks, from the index
    assert ids() == 2
    assert publish("m_3", 28) == Publication(events=1)
    assert ids() <= 2
    assert publish("m_1", 29) == Publication(duplicates=1)  # from the settled files
    assert publish("m_4", 200) == Publication(events=1)
    assert live_mids(folder) == ["m_1", "m_2", "m_3", "m_4"]


Step = tuple[str, Any]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.lists(st.integers(0, 12), min_size=1, max_size=6)),
        st.tuples(st.just("compact"), st.booleans()),
        st.tuples(st.just("cut"), st.integers(1, 40)),
        st.tuples(st.just("lose the index"), st.none()),
        st.tuples(st.just("look"), st.none()),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=30)
@given(steps)
def test_readers_see_every_event_once_whatever_is_published_compacted_and_cut_short(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    folder = DataFolder(tmp_path_factory.mktemp("model") / "data")
    folder.create()
    publish_all(folder)
    expected: set[str] = set()
    looks: list[tuple[set[str], list[Path]]] = []
    cut_at: int | None = None
    for number, (step, what) in enumerate(steps):
        with pytest.MonkeyPatch.context() as patch:
            if cut_at is not None:
                interrupt_anything(patch, cut_at)
            try:
                if step == "publish":
                    names = [f"m_{name:02}" for name in what]
                    add_segment(folder, number, *map(messages, names))
                    expected |= set(names)
                    publish_all(folder)
                elif step == "compact":
                    compact(folder, grace_seconds=0 if what else 3600)
            except PowerCut:
                pass
        cut_at = what if step == "cut" else None
        if step == "lose the index":
            shutil.rmtree(folder.index)
            folder.index.mkdir()
        if step == "look":
            publish_all(folder)
            looks.append((set(expected), list(live_files(folder, current_manifest(folder)).values())))
        for known, files in looks:
            assert_right_or_loud(known, files)
    publish_all(folder)
    assert live_mids(folder) == sorted(expected)
    assert verify(folder).is_sound


def interrupt_anything(patch: pytest.MonkeyPatch, at_call: int) -> None:
    """End everything at the nth call that changes the disk."""
    calls: list[str] = []
    for owner, name in [(os, "fsync"), (Path, "rename"), (Path, "unlink"), (os, "utime"), (Path, "mkdir")]:
        real = getattr(owner, name)

        def failing(*arguments: Any, real: Any = real, name: str = name, **keywords: Any) -> Any:
            calls.append(name)
            if len(calls) == at_call:
                raise PowerCut
            return real(*arguments, **keywords)

        patch.setattr(owner, name, failing)


def assert_right_or_loud(expected: set[str], files: list[Path]) -> None:
    """A reader that has listed its files earlier reads what was there then, or is told that a file is gone."""
    try:
        tables: Iterator[pa.Table] = (pq.read_table(file, partitioning=None) for file in files)
        found = [mid for table in tables for mid in table.column("message_id").to_pylist()]
    except FileNotFoundError:
        return
    assert sorted(found) == sorted(expected)


def test_a_contact_is_found_by_the_statistics_of_its_row_group(folder: DataFolder) -> None:
    add_segment(folder, 0, *(messages(f"m_{n}", contact=str(100 + n)) for n in range(20)))
    publish_all(folder)
    compact(folder)
    (file,) = settled_files(folder)
    metadata = pq.read_metadata(folder.events / file)
    column = metadata.schema.to_arrow_schema().get_field_index("contact_key")
    statistics = metadata.row_group(0).column(column).statistics
    keys = pq.read_table(folder.events / file, partitioning=None).column("contact_key")
    assert (statistics.min, statistics.max) == (pc.min(keys).as_py(), pc.max(keys).as_py())
