import json
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from segments import RECEIVED_AT, add_segment, delivery, publish_all

from receiver.deliveries import ReadingOptions, read_delivery
from receiver.errors import ReceiverError, StorageFailed
from receiver.store import parquet
from receiver.store import publisher as publisher_module
from receiver.store.folder import DataFolder
from receiver.store.manifest import Manifest, SettledFile, prepare_events, read_manifest, write_manifest
from receiver.store.parquet import event_batch, event_schema, write_events
from receiver.store.publisher import Publication, Publisher


def published_mids(folder: DataFolder) -> list[str]:
    return [
        mid
        for file in sorted(folder.events.glob("recent/*/*.parquet"))
        for mid in pq.read_table(file, partitioning=None).column("message_id").to_pylist()
    ]


def test_a_segment_becomes_one_file_and_moves_to_done(folder: DataFolder) -> None:
    add_segment(folder, 0, delivery("m_1"), delivery("m_2", "m_3"))
    assert publish_all(folder) == [Publication(events=3)]
    assert published_mids(folder) == ["m_1", "m_2", "m_3"]
    assert [path.name for path in folder.done.iterdir()] == [f"run-1-{0:016}.wal"]
    assert not list(folder.journal.glob("*/*.wal"))
    assert not list(folder.staging.iterdir())


def test_an_event_that_comes_again_is_stored_once(folder: DataFolder) -> None:
    add_segment(folder, 0, delivery("m_1", "m_2"), delivery("m_1", "m_2"))
    add_segment(folder, 1, delivery("m_3", "m_2", time=1783075999000))  # batched anew by a later attempt
    assert publish_all(folder) == [Publication(events=2, duplicates=2), Publication(events=1, duplicates=1)]
    assert published_mids(folder) == ["m_1", "m_2", "m_3"]


def test_an_event_that_comes_again_after_a_restart_is_stored_once(folder: DataFolder) -> None:
    add_segment(folder, 0, delivery("m_1"))
    publish_all(folder)
    add_segment(folder, 0, delivery("m_1"), receiver="run-2")
    assert publish_all(folder) == [Publication(duplicates=1)]
    assert published_mids(folder) == ["m_1"]


@pytest.mark.parametrize("damage", ["deleted", "garbage", "truncated", "other tables"])
def test_the_index_is_made_again_when_it_is_lost(folder: DataFolder, damage: str) -> None:
    add_segment(folder, 0, *(delivery(f"m_{number}") for number in range(300)))
    publish_all(folder)
    index = folder.index / "seen.sqlite"
    if damage == "garbage":
        index.write_bytes(b"not a database" * 1000)
    elif damage == "truncated":
        index.write_bytes(index.read_bytes()[:5000])
    else:
        index.unlink()
        if damage == "other tables":
            connection = sqlite3.connect(index)
            connection.execute("CREATE TABLE files (something TEXT)")
            connection.close()
    add_segment(folder, 1, delivery("m_7"), delivery("m_new"))
    assert publish_all(folder) == [Publication(events=1, duplicates=1)]
    assert len(published_mids(folder)) == 301


def test_the_index_keeps_what_is_published_from_run_to_run(folder: DataFolder) -> None:
    add_segment(folder, 0, delivery("m_1", "m_2"))
    publish_all(folder)
    connection = sqlite3.connect(folder.index / "seen.sqlite")
    assert connection.execute("SELECT (SELECT count(*) FROM ids_0) + count(*) FROM ids_1").fetchall() == [
        (2,)
    ]
    names = connection.execute("SELECT name FROM files").fetchall()
    assert names == [(f"recent/g=000001/run-1-{0:016}.parquet",)]
    connection.close()


def test_an_index_of_the_future_does_not_swallow_events(folder: DataFolder) -> None:
    add_segment(folder, 0, delivery("m_1"))
    publish_all(folder)
    next(folder.events.glob("recent/*/run-1-*.parquet")).unlink()  # a backup without it was restored
    add_segment(folder, 1, delivery("m_1"))
    assert publish_all(folder) == [Publication(events=1)]


def test_an_index_that_missed_a_file_catches_up(folder: DataFolder) -> None:
    add_segment(folder, 0, delivery("m_1"))
    publish_all(folder)
    before = (folder.index / "seen.sqlite").read_bytes()
    add_segment(folder, 1, delivery("m_2"))
    publish_all(folder)
    (folder.index / "seen.sqlite").write_bytes(before)
    add_segment(folder, 2, delivery("m_2"))
    assert publish_all(folder) == [Publication(duplicates=1)]


def test_a_published_segment_is_not_published_again(folder: DataFolder) -> None:
    segment = add_segment(folder, 0, delivery("m_1"))
    publish_all(folder)
    (folder.done / f"run-1-{0:016}.wal").rename(segment)
    (folder.index / "seen.sqlite").unlink()
    assert publish_all(folder) == [Publication()]
    assert published_mids(folder) == ["m_1"]
    assert not segment.exists()


def test_a_segment_whose_file_was_lost_is_published_again_by_a_publisher_that_runs(
    folder: DataFolder,
) -> None:
    segment = add_segment(folder, 0, delivery("m_1"))
    publisher = Publisher(folder, ReadingOptions())
    assert publisher.publish(segment) == Publication(events=1)
    next(folder.events.glob("recent/*/run-1-*.parquet")).unlink()
    (folder.done / f"run-1-{0:016}.wal").rename(segment)
    assert publisher.publish(segment) == Publication(events=1)
    publisher.close()
    assert published_mids(folder) == ["m_1"]


class PowerCut(Exception):
    pass


def interrupt(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, at_call: int) -> Callable[[], bool]:
    """Let a call of the operating system fail once; the result says whether it came to that."""
    real = getattr(owner, name)
    calls: list[None] = []

    def failing(*arguments: Any, **keywords: Any) -> Any:
        calls.append(None)
        if len(calls) == at_call:
            raise PowerCut
        return real(*arguments, **keywords)

    monkeypatch.setattr(owner, name, failing)
    return lambda: len(calls) >= at_call


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (os, "open"), (Path, "rename"), (os, "utime")])
def test_a_publication_interrupted_at_any_step_ends_in_the_same_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    for at_call in range(1, 100):
        folder = DataFolder(tmp_path / str(at_call))
        folder.create()
        add_segment(folder, 0, delivery("m_1", "m_2"))
        add_segment(folder, 1, delivery("m_2", "m_3"))
        with monkeypatch.context() as patch:
            reached = interrupt(patch, owner, name, at_call)
            try:
                publish_all(folder)
            except PowerCut:
                pass
            else:
                assert not reached()
                break
        publish_all(folder)
        assert published_mids(folder) == ["m_1", "m_2", "m_3"], at_call
        assert len(list(folder.done.iterdir())) == 2
        assert not list(folder.staging.iterdir())
    assert at_call > 1


def record_disk(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced and renamed from now on, in order, by name."""
    steps: list[str] = []
    sync, rename = os.fsync, Path.rename

    def record_sync(descriptor: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        sync(descriptor)

    def record_rename(path: Path, target: Path) -> Path:
        steps.append(f"rename {path.name} {target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(Path, "rename", record_rename)
    return steps


def test_events_are_durable_under_their_name_before_their_segment_leaves_the_journal(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_segment(folder, 0, delivery("m_1"))
    publish_all(folder)
    add_segment(folder, 1, delivery("m_2"))
    steps = record_disk(monkeypatch)
    publish_all(folder)
    name = f"run-1-{1:016}"
    assert steps == [
        f"sync {name}.parquet.tmp",
        f"rename {name}.parquet.tmp {name}.parquet",
        "sync g=000001",
        f"rename {name.rpartition('-')[2]}.wal {name}.wal",
    ]


def test_a_manifest_is_durable_before_it_replaces_the_last_and_then_its_name(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = record_disk(monkeypatch)
    write_manifest(folder, Manifest())
    temporary = f"manifest.json.{os.getpid()}.tmp"
    assert steps == [f"sync {temporary}", f"rename {temporary} manifest.json", "sync events"]


def test_what_goes_to_quarantine_is_durable_before_its_segment_leaves_the_journal(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = add_segment(folder, 0, delivery("m_1"), delivery("m_2"))
    segment.write_bytes(segment.read_bytes()[:-5])
    steps = record_disk(monkeypatch)
    publish_all(folder)
    (torn,) = folder.quarantine.iterdir()
    synced = steps[: steps.index(f"rename {segment.name} run-1-{segment.name}")]
    assert synced[synced.index(f"sync {torn.name}") + 1] == "sync quarantine"


def test_an_event_that_was_set_aside_is_stored_when_it_comes_again(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ValueError

    add_segment(folder, 0, delivery("m_1"))
    with monkeypatch.context() as patch:
        patch.setattr(publisher_module, "event_batch", refuse)
        assert publish_all(folder) == [Publication(unreadable=1)]
    (body,) = folder.quarantine.iterdir()
    assert body.read_bytes() == delivery("m_1")
    add_segment(folder, 1, delivery("m_1"))
    assert publish_all(folder) == [Publication(events=1)]


def test_what_lies_in_staging_after_a_crash_is_removed(folder: DataFolder) -> None:
    (folder.staging / "half.parquet.tmp").write_bytes(b"PAR1")
    publish_all(folder)
    assert not list(folder.staging.iterdir())


def test_published_segments_are_removed_after_a_while_and_nothing_else_is(folder: DataFolder) -> None:
    for place in (folder.done, folder.staging):
        (place / "lost+found").mkdir()
    for number in range(2):
        add_segment(folder, number, delivery(f"m_{number}"))
    publish_all(folder)
    for name in ("lost+found", f"run-1-{0:016}.wal"):
        os.utime(folder.done / name, (0, 0))
    publisher = Publisher(folder, ReadingOptions())
    publisher.tidy()
    publisher.close()
    assert sorted(path.name for path in folder.done.iterdir()) == ["lost+found", f"run-1-{1:016}.wal"]


def test_a_segment_that_ended_a_publisher_holds_up_no_other(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, sound = add_segment(folder, 0, delivery("m_1")), add_segment(folder, 1, delivery("m_2"))

    def end(*_: Any) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(publisher_module, "read_segment", end)
        with pytest.raises(PowerCut):
            publish_all(folder)
    publisher = Publisher(folder, ReadingOptions())
    assert publisher.sealed_segments() == [sound, poison]
    publisher.close()
    publish_all(folder)
    assert sorted(published_mids(folder)) == ["m_1", "m_2"]


@pytest.mark.parametrize("event_id", ["no digits", None])
def test_a_foreign_file_among_the_events_ends_nothing(folder: DataFolder, event_id: str | None) -> None:
    add_segment(folder, 0, delivery("m_1"))
    publish_all(folder)
    (new,) = read_delivery(delivery("m_2"), received_at=RECEIVED_AT)
    pq.write_table(pa.table({"event_id": [new.event_id, event_id]}), folder.generation(1) / "foreign.parquet")
    add_segment(folder, 1, delivery("m_1"), delivery("m_2"))
    assert publish_all(folder) == [Publication(events=1, duplicates=1)]


def test_a_torn_tail_goes_to_quarantine_and_the_rest_is_published(folder: DataFolder) -> None:
    segment = add_segment(folder, 0, delivery("m_1"), delivery("m_2"))
    content = segment.read_bytes()
    segment.write_bytes(content[:-5])
    assert publish_all(folder) == [Publication(events=1, damaged=1)]
    (torn,) = folder.quarantine.iterdir()
    assert torn.suffix == ".torn"
    assert content[:-5].endswith(torn.read_bytes())
    assert delivery("m_2")[:-5] in torn.read_bytes()


def test_frames_behind_damage_are_published_and_the_damage_is_kept(folder: DataFolder) -> None:
    segment = add_segment(folder, 0, delivery("m_1"), delivery("m_2"), delivery("m_3"))
    segment.write_bytes(segment.read_bytes().replace(b"m_2", b"m_X"))
    assert publish_all(folder) == [Publication(events=2, damaged=1)]
    assert published_mids(folder) == ["m_1", "m_3"]
    (damaged,) = folder.quarantine.iterdir()
    assert damaged.suffix == ".damaged"
    assert b"m_X" in damaged.read_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'{"object":"page","entry":[{"id":"1","time":1e999}]}',
        b'{"object":"page","entry":[{"id":"\\ud800","time":1,"messaging":[{"message":{"mid":"\\udfff"}}]}]}',
        b'{"object":"page","entry":[{"id":"1","time":99999999999999999999999999}]}',
        b"[" * 100_000,
    ],
)
def test_a_body_nobody_foresaw_stops_no_other(folder: DataFolder, body: bytes) -> None:
    add_segment(folder, 0, delivery("m_1"), body, delivery("m_2"))
    (publication,) = publish_all(folder)
    assert {"m_1", "m_2"} <= set(published_mids(folder))
    assert publication == Publication(events=3)  # itself among them


def test_a_file_has_the_columns_of_the_contract_and_text_only_when_it_is_kept(folder: DataFolder) -> None:
    add_segment(folder, 0, delivery("m_1"))
    publish_all(folder)
    without = pq.read_table(next(folder.events.glob("recent/*/run-1-*.parquet")), partitioning=None)
    assert "text" not in without.schema.names
    assert "hello" not in without.column("payload")[0].as_py()
    add_segment(folder, 0, delivery("m_2"), receiver="run-2")
    publish_all(folder, store_text=True)
    kept = pq.read_table(next(folder.events.glob("recent/*/run-2-*.parquet")), partitioning=None)
    assert kept.schema.names == [*without.schema.names, "text"]
    assert kept.column("text").to_pylist() == ["hello"]


def test_every_live_generation_can_be_read_before_the_first_event(folder: DataFolder) -> None:
    publish_all(folder)
    manifest = json.loads((folder.events / "manifest.json").read_text())
    assert manifest == {"version": 1, "settled": [], "live": [1, 2]}
    for number in manifest["live"]:
        (file,) = folder.generation(number).glob("*.parquet")
        assert pq.read_schema(file).names == event_schema(store_text=False).names


def test_nobody_else_may_read_what_is_published(folder: DataFolder) -> None:
    add_segment(folder, 0, delivery("m_1"))
    publish_all(folder)
    for path in [folder.root, *folder.events.rglob("*"), *folder.index.iterdir(), *folder.done.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_manifest_is_read_as_it_was_written(folder: DataFolder) -> None:
    settled = SettledFile("settled/day=2026-11-16/g000001-0.parquet", 48211, "ab" * 32, 1)
    write_manifest(folder, Manifest((settled,), (2, 3)))
    assert prepare_events(folder) == Manifest((settled,), (2, 3))
    assert folder.generation(3).is_dir()


@pytest.mark.parametrize("content", ["", "{}", '{"version": 2, "settled": [], "live": [1, 2]}', "[]"])
def test_a_manifest_that_is_not_understood_is_never_replaced(folder: DataFolder, content: str) -> None:
    path = folder.events / "manifest.json"
    path.write_text(content)
    with pytest.raises(ReceiverError, match=r"manifest\.json"):
        read_manifest(path)
    with pytest.raises(ReceiverError):
        publish_all(folder)
    assert path.read_text() == content


def test_a_bit_that_flips_between_writing_and_reading_back_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = event_schema(store_text=False)
    batch = event_batch(read_delivery(delivery("m_1"), received_at=RECEIVED_AT), schema)
    path = tmp_path / "events.tmp"
    write_events(path, schema, [batch])
    sound, rows = path.read_bytes(), pq.read_table(path)
    silent = 0
    for offset in range(0, len(sound), 23):
        spoiled = bytearray(sound)
        spoiled[offset] ^= 1
        path.write_bytes(spoiled)
        try:
            is_silent = not pq.read_table(path, page_checksum_verification=False).equals(rows)
        except (OSError, ValueError):
            continue  # any reader would notice
        if is_silent and pq.read_schema(path).equals(rows.schema):
            # What a bad disk does once the file is written.
            monkeypatch.setattr(
                parquet, "sync_file", lambda written, spoiled=spoiled: written.write_bytes(spoiled)
            )
            with pytest.raises((OSError, StorageFailed)):
                write_events(path, schema, [batch])
            silent += 1
    assert silent > 0
