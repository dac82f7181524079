"""Events in an object store: put there once, whoever is killed and whatever is down; read and compacted as one."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from object_store import GUEST, Line
from receiving import Receiver, message, published, wait_until
from segments import add_segment, delivery

from ctm_analytics.errors import InvalidArgument, InvalidFile
from ctm_analytics.sources import find_sources
from receiver.deliveries import ReadingOptions
from receiver.errors import InvalidSetting
from receiver.settings import load_events_url
from receiver.store import shared_compaction
from receiver.store.compaction import Compaction
from receiver.store.folder import DataFolder
from receiver.store.object_store import ObjectStore, StoreUnavailable
from receiver.store.publisher import Publication, Publisher, publish_journal
from receiver.store.shared_compaction import compact_shared, is_shared_due
from receiver.store.shared_events import read_shared_manifest, recent_objects

Start = Callable[..., Receiver]


@pytest.fixture
def store(events_url: str) -> ObjectStore:
    return ObjectStore(events_url, timeout_seconds=5)


@pytest.fixture
def receivers(tmp_path: Path, events_url: str) -> Iterator[Callable[..., Receiver]]:
    """Start receivers on folders of their own, as on other machines, that publish to one store."""
    started: list[Receiver] = []

    def start(name: str, *arguments: str) -> Receiver:
        folder = tmp_path / name / "data"
        folder.parent.mkdir(exist_ok=True)
        started.append(Receiver(folder, list(arguments), {"CTM_EVENTS_URL": events_url}))
        return started[-1]

    yield start
    for receiver in started:
        receiver.kill()


def machine(tmp_path: Path, name: str) -> DataFolder:
    folder = DataFolder(tmp_path / name)
    folder.create()
    return folder


def publish(folder: DataFolder, store: ObjectStore, *bodies: bytes, number: int = 0) -> Publication:
    add_segment(folder, number, *bodies, receiver=f"run-{folder.root.name}")
    return publish_journal(folder, ReadingOptions(), store)


def answer(tmp_path: Path, url: str, reader: str = "reader") -> Counter[str]:
    """Every message that somebody sees who reads the store, on a machine of their own."""
    (tmp_path / reader).mkdir(exist_ok=True)
    files = find_sources(tmp_path / reader, url).files["raw_events"]
    return Counter(mid for file in files for mid in pq.read_table(file).column("message_id").to_pylist())


def settled(store: ObjectStore) -> Counter[str]:
    manifest, _ = read_shared_manifest(store)
    tables = [pq.read_table(pa.BufferReader(store.get(entry.file)[0])) for entry in manifest.settled]  # type: ignore[index]  # absent would fail the test
    assert [len(table) for table in tables] == [entry.rows for entry in manifest.settled]
    return Counter(mid for table in tables for mid in table.column("message_id").to_pylist())


def once(*names: str) -> Counter[str]:
    return Counter(dict.fromkeys(names, 1))


def test_of_two_who_create_an_object_one_does(store: ObjectStore) -> None:
    assert store.create("a", b"first")
    assert not store.create("a", b"second")
    content, tag = store.get("a")  # type: ignore[misc]  # absent would fail the test
    assert content == b"first"
    assert store.replace("a", b"third", tag)
    assert not store.replace("a", b"fourth", tag)
    assert not store.replace("a", b"fifth", None)
    assert store.get("a")[0] == b"third"  # type: ignore[index]  # absent would fail the test
    assert store.get("b") is None


def test_what_the_store_refuses_is_said_without_a_secret(
    events_url: str, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    with pytest.raises(StoreUnavailable, match="cannot write a: PermissionDenied") as wrong_secret:
        ObjectStore(events_url).create("a", b"")
    assert "canary" not in str(wrong_secret.value)
    for name, value in GUEST.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreUnavailable, match="s3://no-such-bucket: cannot write a"):
        ObjectStore("s3://no-such-bucket").create("a", b"")
    line.is_up = False
    with pytest.raises(StoreUnavailable, match="cannot list recent/"):
        ObjectStore(events_url, timeout_seconds=2).list("recent/")


@pytest.mark.parametrize(
    "url", ["events", "s3://", "s3://A_B", "https://host/bucket", "s3://bucket//x", "s3://b?x=1"]
)
def test_what_is_no_url_of_a_store_is_refused_by_capture_and_analysis(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidSetting, match=r"is not s3://BUCKET/PREFIX"):
        load_events_url(tmp_path, {"CTM_EVENTS_URL": url})
    with pytest.raises(InvalidArgument, match=r"is not s3://BUCKET/PREFIX"):
        find_sources(tmp_path, url)


def test_text_that_could_not_be_taken_back_is_not_kept_in_a_store(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="store_text: not together with events_url"):
        load_events_url(tmp_path, {"CTM_EVENTS_URL": "s3://bucket", "CTM_STORE_TEXT": "1"})


@pytest.mark.parametrize(
    ("endpoint", "allow", "is_refused"),
    [
        ("http://127.0.0.1:1", "", False),
        ("http://store.example", "", True),
        ("http://store.example", "true", False),
        ("https://store.example", "", False),
    ],
)
def test_events_are_not_sent_in_the_clear_to_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str, allow: str, is_refused: bool
) -> None:
    environ = {"CTM_EVENTS_URL": "s3://bucket", "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": allow}
    if not is_refused:
        assert load_events_url(tmp_path, environ) == "s3://bucket"
        return
    with pytest.raises(InvalidSetting, match="in the clear"):
        load_events_url(tmp_path, environ)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidArgument, match="in the clear"):
        find_sources(tmp_path, "s3://bucket")


def test_without_the_client_capture_and_analysis_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("obstore", "obstore.store"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InvalidSetting, match=r"pip install 'ctm-analytics\[object-store\]'"):
        load_events_url(tmp_path, {"CTM_EVENTS_URL": "s3://bucket"})
    with pytest.raises(InvalidArgument, match=r"pip install 'ctm-analytics\[object-store\]'"):
        find_sources(tmp_path, "s3://bucket")


def test_what_a_receiver_acknowledged_is_in_the_store_and_nowhere_else(
    receivers: Start, tmp_path: Path, events_url: str
) -> None:
    receiver = receivers("a", "--workers", "2")
    for number in range(5):
        assert receiver.post(message(f"m_{number}")).status_code == 200
    assert receiver.stop() == 0
    assert answer(tmp_path, events_url) == once(*(f"m_{number}" for number in range(5)))
    assert not published(receiver.data)
    assert not list(receiver.data.glob("journal/*/*"))
    assert stat.S_IMODE((tmp_path / "reader" / "cache").stat().st_mode) == 0o700
    beats = find_sources(tmp_path / "reader", events_url).files["raw_heartbeats"]
    assert len(beats) == 1, "a reader elsewhere knows when capture was up"


def test_what_comes_to_two_receivers_is_never_twice_in_an_answer(
    receivers: Start, tmp_path: Path, events_url: str, store: ObjectStore
) -> None:
    first, second = receivers("a"), receivers("b")
    for number in range(6):
        if number < 4:
            assert first.post(message(f"m_{number}")).status_code == 200
        if number > 1:
            assert second.post(message(f"m_{number}")).status_code == 200
    assert (first.stop(), second.stop()) == (0, 0)
    everything = once(*(f"m_{number}" for number in range(6)))
    assert answer(tmp_path, events_url) == everything
    done = compact_shared(store, machine(tmp_path, "c"))
    assert done.copies == 2
    assert settled(store) == everything
    assert answer(tmp_path, events_url) == everything


def test_while_the_store_is_down_segments_wait_in_the_journal_and_are_published_when_it_is_back(
    receivers: Start, tmp_path: Path, events_url: str, line: Line
) -> None:
    line.is_up = False
    receiver = receivers("a")
    assert receiver.post(message("m_1")).status_code == 200
    wait_until(lambda: "What is sealed waits in journal/" in receiver.log)
    wait_until(lambda: 'what="store_failures"' in receiver.get_private("/metrics").text)
    assert "ctm_unpublished_segments 1" in receiver.get_private("/metrics").text
    assert "ctm_publisher_failures_total 0" in receiver.get_private("/metrics").text
    assert receiver.get_private("/readyz").status_code == 200
    assert receiver.post(message("m_2")).status_code == 200
    line.is_up = True
    wait_until(lambda: answer(tmp_path, events_url) == once("m_1", "m_2"))
    assert receiver.stop() == 0


def test_a_receiver_that_stops_while_the_store_is_down_leaves_all_to_the_next(
    receivers: Start, tmp_path: Path, events_url: str, line: Line
) -> None:
    receiver = receivers("a")
    line.is_up = False
    assert receiver.post(message("m_1")).status_code == 200
    assert receiver.stop() == 70
    assert "not everything is published" in receiver.log
    line.is_up = True
    assert receivers("a").stop() == 0
    assert answer(tmp_path, events_url) == once("m_1")


@pytest.mark.parametrize("stops_at", [b"PAR1", b"HTTP/1.1 200"])
def test_a_receiver_killed_in_the_middle_of_a_put_publishes_once(
    receivers: Start, tmp_path: Path, events_url: str, line: Line, stops_at: bytes
) -> None:
    receiver = receivers("a")
    wait_until(lambda: ObjectStore(events_url).list("heartbeats/"))
    assert receiver.post(message("m_1")).status_code == 200
    line.stops_at = stops_at  # within what is sent, or with the answer to it
    assert line.has_stopped.wait(30)
    receiver.kill()
    line.stops_at = None
    assert receivers("a").stop() == 0
    assert answer(tmp_path, events_url) == once("m_1")
    assert not list(receiver.data.glob("journal/*/*"))


def test_a_segment_that_was_published_before_is_not_published_again(
    tmp_path: Path, store: ObjectStore
) -> None:
    folder = machine(tmp_path, "a")
    publish(folder, store, delivery("m_1"))
    (key,) = [found.key for found in store.list("recent/")]
    before = store.get(key)
    (segment,) = folder.done.glob("*.wal")
    shutil.rmtree(folder.index)  # and nothing else remembers it
    folder.create()
    path = folder.journal / "run-a" / f"{0:016}.wal"
    path.parent.mkdir(exist_ok=True)
    segment.rename(path)
    publish_journal(folder, ReadingOptions(), store)
    assert [found.key for found in store.list("recent/")] == [key]
    assert store.get(key) == before
    assert [path.name for path in folder.done.iterdir()] == [segment.name]


def test_a_damaged_object_under_the_name_of_a_segment_keeps_the_segment_in_the_journal(
    tmp_path: Path, store: ObjectStore
) -> None:
    folder = machine(tmp_path, "a")
    store.write(f"recent/run-a-{0:016}.parquet", b"PAR1 is not enough")
    with pytest.raises(StoreUnavailable, match="Remove it: it will be published again"):
        publish(folder, store, delivery("m_1"))
    assert len(list(folder.journal.glob("*/*.wal"))) == 1
    store.delete([f"recent/run-a-{0:016}.parquet"])
    assert publish_journal(folder, ReadingOptions(), store).events == 1


def test_an_event_that_could_not_be_published_is_not_taken_for_a_known_one(
    tmp_path: Path, store: ObjectStore, line: Line
) -> None:
    folder = machine(tmp_path, "a")
    segment = add_segment(folder, 0, delivery("m_1"))
    publisher = Publisher(folder, ReadingOptions(), store)
    line.is_up = False
    with pytest.raises(StoreUnavailable):
        publisher.publish(segment)
    line.is_up = True
    assert publisher.publish(segment) == Publication(events=1)
    publisher.close()


def test_compaction_settles_each_event_once_and_leaves_out_what_was_settled_before(
    tmp_path: Path, store: ObjectStore, events_url: str
) -> None:
    one, other = machine(tmp_path, "a"), machine(tmp_path, "b")
    publish(one, store, delivery("m_1", "m_2"))
    publish(one, store, delivery("m_3"), number=1)
    assert compact_shared(store, one) == Compaction(files=2, settled=1, events=3)
    publish(other, store, delivery("m_2", "m_3", "m_4", time=1783075200999))
    assert answer(tmp_path, events_url) == once("m_1", "m_2", "m_3", "m_4")
    done = compact_shared(store, other)
    assert (done.files, done.events, done.copies) == (1, 1, 2)
    assert settled(store) == once("m_1", "m_2", "m_3", "m_4")
    assert answer(tmp_path, events_url) == settled(store)


def test_replaced_files_stay_for_readers_that_had_listed_them_and_are_removed_later(
    tmp_path: Path, store: ObjectStore, events_url: str
) -> None:
    folder = machine(tmp_path, "a")
    publish(folder, store, delivery("m_1"))
    compact_shared(store, folder)
    manifest, _ = read_shared_manifest(store)
    assert [entry.file for entry in manifest.replaced] == [found.key for found in store.list("recent/")]
    assert recent_objects(store, manifest) == []
    compact_shared(store, folder)
    assert len(store.list("recent/")) == 1
    compact_shared(store, folder, grace_seconds=0)
    assert store.list("recent/") == []
    assert read_shared_manifest(store)[0].replaced == ()
    assert answer(tmp_path, events_url) == once("m_1")


def test_small_files_of_a_day_become_one(tmp_path: Path, store: ObjectStore, events_url: str) -> None:
    folder = machine(tmp_path, "a")
    for number in range(10):
        publish(folder, store, delivery(f"m_{number}"), number=number)
        compact_shared(store, folder)
    manifest, _ = read_shared_manifest(store)
    assert len(manifest.settled) == 2, "nine became one, and one came after"
    assert settled(store) == answer(tmp_path, events_url) == once(*(f"m_{number}" for number in range(10)))
    compact_shared(store, folder, grace_seconds=0)
    kept = {found.key for found in store.list("settled/")}
    assert kept == {entry.file for entry in manifest.settled}


def test_days_that_are_older_than_is_kept_go(tmp_path: Path, store: ObjectStore, events_url: str) -> None:
    folder = machine(tmp_path, "a")
    publish(folder, store, delivery("m_1"))
    compact_shared(store, folder, retention_days=8)
    assert is_shared_due(store, retention_days=8)
    assert not is_shared_due(store, retention_days=36_500)
    compact_shared(store, folder, retention_days=8)
    assert answer(tmp_path, events_url) == once()
    compact_shared(store, folder, retention_days=8, grace_seconds=0)
    assert store.list("settled/") == []


def test_while_somebody_has_the_lease_nobody_else_compacts(tmp_path: Path, store: ObjectStore) -> None:
    folder = machine(tmp_path, "a")
    publish(folder, store, delivery("m_1"))
    taken: list[Compaction] = []

    def compacting_meanwhile() -> bool:
        if not taken:
            taken.append(compact_shared(store, machine(tmp_path, "b")))
        return False

    assert compact_shared(store, folder, is_stopped=compacting_meanwhile).events == 1
    assert taken == [Compaction()]
    publish(folder, store, delivery("m_2"), number=1)
    assert compact_shared(store, machine(tmp_path, "b")).events == 1, "it was given back"


def test_of_two_who_compact_at_once_one_ends_with_nothing(
    tmp_path: Path, store: ObjectStore, events_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_compaction, "LEASE_SECONDS", -1)  # it has ended while its holder still works
    folder = machine(tmp_path, "a")
    publish(folder, store, delivery("m_1", "m_2"))
    others: list[Compaction] = []

    def compacting_meanwhile() -> bool:
        if not others:
            others.append(Compaction())
            publish(machine(tmp_path, "b"), store, delivery("m_4"))
            others[0] = compact_shared(store, machine(tmp_path, "b"))
        return False

    late = compact_shared(store, folder, is_stopped=compacting_meanwhile)
    assert others[0].events == 3
    assert late == Compaction()
    assert settled(store) == answer(tmp_path, events_url) == once("m_1", "m_2", "m_4")
    assert len(store.list("settled/")) == 2, "the late one had written a file by then"
    monkeypatch.setattr(shared_compaction, "ORPHAN_SECONDS", -60)
    publish(folder, store, delivery("m_3"), number=1)
    compact_shared(store, folder, grace_seconds=0)
    listed = {entry.file for entry in read_shared_manifest(store)[0].settled}
    assert {found.key for found in store.list("settled/")} == listed, "what the late one wrote is gone"


def test_many_who_compact_and_publish_at_once_lose_and_double_nothing(
    tmp_path: Path, store: ObjectStore, events_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_compaction, "LEASE_SECONDS", -1)

    def work(name: str) -> None:
        folder = machine(tmp_path, name)
        for number in range(6):
            publish(folder, store, delivery(f"m_{number}", f"m_{name}_{number}"), number=number)
            compact_shared(store, folder, grace_seconds=0)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    everything = once(*(f"m_{n}" for n in range(6)), *(f"m_{name}_{n}" for name in "abc" for n in range(6)))
    while any(thread.is_alive() for thread in threads):
        seen = answer(tmp_path, events_url)
        assert set(seen.values()) <= {1}
    for thread in threads:
        thread.join()
    assert answer(tmp_path, events_url) == everything
    compact_shared(store, machine(tmp_path, "d"), grace_seconds=0)
    assert settled(store) == everything


def test_a_reader_fetches_a_file_once_and_says_what_is_wrong_with_the_store(
    tmp_path: Path, store: ObjectStore, events_url: str, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = machine(tmp_path, "a")
    publish(folder, store, delivery("m_1"))
    compact_shared(store, folder)
    assert answer(tmp_path, events_url) == once("m_1")
    (entry,) = read_shared_manifest(store)[0].settled
    store.write(entry.file, b"another content")
    assert answer(tmp_path, events_url) == once("m_1"), "it is here already"
    with pytest.raises(InvalidFile, match="its SHA-256 in the store is not the manifest's"):
        answer(tmp_path, events_url, reader="another")
    store.write("manifest.json", json.dumps({"version": 3}).encode())
    with pytest.raises(InvalidFile, match="of another version"):
        answer(tmp_path, events_url)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(InvalidFile, match=r"cannot be read .PermissionDenied.*Check AWS_ACCESS_KEY_ID"):
        answer(tmp_path, events_url)


def test_copies_that_nobody_needs_go_after_an_hour_with_what_a_killed_fetch_left(
    tmp_path: Path, store: ObjectStore, events_url: str
) -> None:
    folder = machine(tmp_path, "a")
    publish(folder, store, delivery("m_1"))
    assert answer(tmp_path, events_url) == once("m_1")
    copies = {
        path for path in (tmp_path / "reader/cache").rglob("*.parquet") if "heartbeats" not in path.parts
    }
    old, young = (next(iter(copies)).with_name(f"{name}.parquet.0.tmp") for name in ("old", "young"))
    for path in (old, young):
        path.touch()
    for path in (*copies, old):
        os.utime(path, (time.time() - 2 * 3600,) * 2)
    compact_shared(store, folder)
    assert answer(tmp_path, events_url) == once("m_1")
    assert not any(path.exists() for path in (*copies, old))
    assert young.exists()


def test_a_receiver_whose_credentials_are_wrong_captures_all_the_same(
    receivers: Start, tmp_path: Path, events_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = os.environ["AWS_SECRET_ACCESS_KEY"]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    receiver = receivers("a")
    assert receiver.post(message("m_1")).status_code == 200
    wait_until(lambda: "PermissionDenied" in receiver.log)
    receiver.process.send_signal(signal.SIGTERM)
    assert receiver.process.wait(30) == 70
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", right)
    assert receivers("a").stop() == 0
    assert answer(tmp_path, events_url) == once("m_1")


def test_the_journal_lies_in_a_folder_of_this_machine(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "receiver"]
    environ = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "CTM_APP_SECRET": "secret",
        "CTM_VERIFY_TOKEN": "token",
    }
    for arguments, more in ((["--data", "s3://acme/ctm"], {}), ([], {"CTM_DATA": "s3://acme/ctm"})):
        outcome = subprocess.run(
            [*command, *arguments],
            cwd=tmp_path,
            env=environ | more,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert outcome.returncode == 2
        assert "'s3://acme/ctm' is no folder of this machine." in outcome.stderr
        assert list(tmp_path.iterdir()) == []
