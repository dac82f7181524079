"""A data folder in an object store, ``--data s3://…``: events, imports and what was worked out, for every machine."""

import json
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cluster.servers import running_sail
from object_store import READER
from segments import add_segment, delivery

import ctm_analytics
from ctm_analytics.imports import import_spend
from ctm_analytics.object_store import is_copy
from ctm_analytics.settings import Settings
from receiver.deliveries import ReadingOptions
from receiver.store.folder import DataFolder
from receiver.store.object_store import ObjectStore
from receiver.store.publisher import publish_journal

SPEND = "day,ad_id,spend,currency\n2026-11-16,11,10.50,EUR\n2026-11-17,11,4.25,EUR\n"
MENDED = "day,ad_id,spend,currency\n2026-11-17,11,5.00,EUR\n"
SPENT = "select day, spend_cents from spend order by day"


class Machine:
    """A machine of its own: nothing of it is shared but the store."""

    def __init__(
        self, folder: Path, ctm: Callable[..., Any], url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._folder = folder
        self._ctm = ctm
        self._url = url
        self._monkeypatch = monkeypatch

    def does(self, *arguments: str) -> Any:
        self._monkeypatch.setenv("XDG_CACHE_HOME", str(self._folder))
        return self._ctm(*arguments, "--data", self._url)

    def spent(self) -> list[str]:
        outcome = self.does("sql", SPENT, "--format", "csv")
        assert outcome.exit_code == 0, outcome.stderr
        return outcome.text.split()[1:]

    def files(self, pattern: str) -> set[str]:
        return {path.name for path in self._folder.glob(f"ctm/*/{pattern}")}


@pytest.fixture
def machine(
    tmp_path: Path, ctm: Callable[..., Any], events_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Machine]:
    return lambda name: Machine(tmp_path / name, ctm, events_url, monkeypatch)


@pytest.fixture
def store(events_url: str) -> ObjectStore:
    store = ObjectStore(events_url)
    store.write("ready", b"")  # with the first object the server makes the bucket
    return store


@pytest.fixture
def spend(tmp_path: Path) -> str:
    path = tmp_path / "spend.csv"
    path.write_text(SPEND)
    return str(path)


@pytest.fixture
def captured(tmp_path: Path, store: ObjectStore) -> None:
    folder = DataFolder(tmp_path / "receiver")
    folder.create()
    add_segment(folder, 0, delivery("m_1", "m_2"))
    publish_journal(folder, ReadingOptions(), store)


@pytest.mark.usefixtures("captured")
def test_what_one_machine_imports_every_other_sees_and_may_undo(
    machine: Callable[[str], Machine], store: ObjectStore, spend: str, events_url: str, tmp_path: Path
) -> None:
    one, other = machine("one"), machine("other")
    imported = one.does("import", "spend", spend)
    assert imported.exit_code == 0, imported.stderr
    assert f"data folder: {events_url}\n" in imported.stderr
    assert one.spent() == other.spent() == ["2026-11-16,1050", "2026-11-17,425"]
    rows = other.does("sql", "select message_id from events order by 1", "--format", "csv")
    assert rows.text.split() == ["message_id", "m_1", "m_2"], "events and imports lie side by side"
    again = other.does("import", "spend", spend)
    assert "already imported" in again.text.lower()
    (tmp_path / "mended.csv").write_text(MENDED)
    assert other.does("import", "spend", str(tmp_path / "mended.csv")).exit_code == 0
    assert one.spent() == ["2026-11-16,1050", "2026-11-17,500"]
    again = one.does("import", "spend", spend)
    assert one.spent() == other.spent() == ["2026-11-16,1050", "2026-11-17,425"], "it counts once more"
    keys = [found.key for found in store.list("imports/spend/")]
    assert len(keys) == 6
    for key in keys[1::2]:
        import_id = Path(key).stem
        undone = other.does("import", "spend", "--undo", import_id)
        assert undone.exit_code == 0, undone.stderr
    assert store.list("imports/") == []
    assert one.spent() == other.spent() == []
    assert not one.files("cache/*/spend/*")
    refused = one.does("import", "spend", "--undo", import_id)
    assert (refused.exit_code, f"{import_id!r} is no import of spend." in refused.stderr) == (2, True)
    assert not list(tmp_path.glob("*/ctm/*/imports")), "nothing was filed on this machine alone"


def test_an_import_is_there_with_its_file_and_not_before(
    machine: Callable[[str], Machine], store: ObjectStore, spend: str
) -> None:
    one = machine("one")
    assert one.does("import", "spend", spend).exit_code == 0
    record, file = (found.key for found in store.list("imports/spend/"))
    content, _ = store.get(file)
    store.delete([file])  # as if it had been killed between the two
    assert one.does("ads").exit_code == 4
    assert one.does("import", "spend", spend).exit_code == 0
    assert one.spent() == ["2026-11-16,1050", "2026-11-17,425"]
    store.write(file, content)  # another machine's, at the same time: the same bytes twice count once
    assert one.spent() == ["2026-11-16,1050", "2026-11-17,425"]
    store.write("imports/spend/a.parquet", content)
    store.write("imports/spend/a.json", b"{}")
    assert one.spent() == ["2026-11-16,1050", "2026-11-17,425"], "what has no import's name is none"
    assert json.loads(store.get(record)[0])["file"] == "spend.csv"


def test_of_two_that_give_one_name_the_first_stays(
    tmp_path: Path, store: ObjectStore, events_url: str
) -> None:
    from ctm_analytics.shared_imports import add_import, mirror_imports, remove_import

    import_id = "20261117T080000Z-1a2b3c4d"
    assert add_import(events_url, "spend", import_id, b"record", b"first")
    assert add_import(events_url, "spend", import_id, b"record", b"first"), "its answer had been lost"
    assert not add_import(events_url, "spend", import_id, b"record of another", b"second")
    assert not add_import(events_url, "spend", import_id, b"record", b"second")
    assert store.get(f"imports/spend/{import_id}.json")[0] == b"record"
    assert store.get(f"imports/spend/{import_id}.parquet")[0] == b"first"
    folder = mirror_imports(events_url, tmp_path)
    copy = folder / "spend" / f"{import_id}.parquet"
    assert copy.read_bytes() == b"first"
    copy.write_bytes(b"")  # as a power cut may leave it
    mirror_imports(events_url, tmp_path)
    assert copy.read_bytes() == b"first"
    time.sleep(1.1)  # a store tells times to the second
    store.write(
        f"imports/spend/{import_id}.parquet", b"FIRST"
    )  # somebody has taken a person out of it by hand
    mirror_imports(events_url, tmp_path)
    assert copy.read_bytes() == b"FIRST"
    remove_import(events_url, "spend", import_id)
    remove_import(events_url, "spend", import_id)
    assert list((mirror_imports(events_url, tmp_path) / "spend").iterdir()) == []


def test_four_machines_that_import_the_same_at_once_store_it_once(
    tmp_path: Path, store: ObjectStore, spend: str, events_url: str
) -> None:
    settings = Settings(imports_url=events_url)
    at = datetime(2026, 11, 18, tzinfo=UTC)
    folders = [tmp_path / f"machine-{number}" for number in range(4)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(4) as threads:
        summaries = list(
            threads.map(
                lambda folder: import_spend(Path(spend), folder, settings=settings, imported_at=at), folders
            )
        )
    assert len({summary.import_id for summary in summaries}) == 1
    assert len(store.list("imports/spend/")) == 2


@pytest.mark.usefixtures("captured")
def test_who_may_only_read_gets_answers_and_is_told_that_nothing_was_imported(
    machine: Callable[[str], Machine],
    store: ObjectStore,
    spend: str,
    events_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert machine("one").does("import", "spend", spend).exit_code == 0
    derived = store.list("derived/")
    for name, value in READER.items():
        monkeypatch.setenv(name, value)
    reader = machine("reader")
    assert reader.spent() == ["2026-11-16,1050", "2026-11-17,425"]
    (tmp_path / "mended.csv").write_text(MENDED)
    refused = reader.does("import", "spend", str(tmp_path / "mended.csv"))
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"ctm: {events_url}: cannot be written (PermissionDenied")
    assert "reader-secret" not in refused.stderr
    assert reader.spent() == ["2026-11-16,1050", "2026-11-17,425"]
    assert len(store.list("imports/")) == 2
    assert store.list("derived/") == derived
    assert reader.files("derived/*"), "it keeps its own"


@pytest.mark.usefixtures("captured")
def test_what_one_machine_has_worked_out_another_finds(
    machine: Callable[[str], Machine], store: ObjectStore, spend: str
) -> None:
    one, other = machine("one"), machine("other")
    assert one.does("import", "spend", spend).exit_code == 0
    at = ("--as-of", "2027-01-01T00:00:00Z", "--format", "csv")
    first = one.does("ads", *at)
    assert first.exit_code == 0, first.stderr
    kept = {Path(found.key).name for found in store.list("derived/")}
    assert kept == one.files("derived/*") != set()
    second = other.does("ads", *at)
    assert second.text == first.text
    # Names are drawn at random where something is worked out: the same ones were fetched.
    assert other.files("derived/*") <= kept
    assert {Path(found.key).name for found in store.list("derived/")} == kept
    for found in store.list("derived/"):
        store.write(found.key, b"damaged")
    third = machine("third").does("ads", *at)
    assert third.text == first.text, "what is damaged is worked out anew"


@pytest.mark.usefixtures("captured")
def test_the_store_holds_the_settings(
    machine: Callable[[str], Machine],
    store: ObjectStore,
    spend: str,
    events_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.write("ctm.toml", b'reporting_timezone = "Europe/Berlin"\nwindow_days = 14\n')
    one = machine("one")
    assert one.does("import", "spend", spend).exit_code == 0
    workbench = ctm_analytics.open(events_url)
    assert workbench.settings.reporting_timezone == "Europe/Berlin"
    assert workbench.settings.window_days == 14
    for folder in (workbench.data, workbench.data / "cache", workbench.data / "derived"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, "what is in it is about people"
    assert workbench.sql(SPENT).table.column("spend_cents").to_pylist() == [1050, 425]
    monkeypatch.setenv("CTM_DATA", events_url)
    assert ctm_analytics.open().settings.window_days == 14


def test_a_store_that_is_not_there_is_said_in_one_sentence(
    machine: Callable[[str], Machine], monkeypatch: pytest.MonkeyPatch, spend: str, events_url: str
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    for command in (("ads",), ("import", "spend", spend)):
        outcome = machine("one").does(*command)
        assert outcome.exit_code == 1
        assert outcome.stderr.startswith(f"ctm: {events_url}: cannot be read")
        assert outcome.stderr.count("\n") == 1
        assert "wrong" not in outcome.stderr


def test_a_url_that_is_none_is_wrong_usage(ctm: Callable[..., Any]) -> None:
    outcome = ctm("ads", "--data", "s3://Acme Events/ctm")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("ctm: data: 's3://Acme Events/ctm' is not s3://BUCKET/PREFIX.")


def test_a_cluster_reads_the_store_itself(
    machine: Callable[[str], Machine],
    ctm: Callable[..., Any],
    store: ObjectStore,
    spend: str,
    events_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = DataFolder(tmp_path / "receiver")
    folder.create()
    add_segment(folder, 0, delivery("m_1", "m_2"))
    publish_journal(folder, ReadingOptions(), store)
    with monkeypatch.context() as environ:
        environ.setenv("CTM_EVENTS_URL", events_url)
        assert ctm("compact", "--data", folder.root).exit_code == 0
    add_segment(folder, 1, delivery("m_3", "m_4"))
    publish_journal(folder, ReadingOptions(), store)
    assert machine("one").does("import", "spend", spend).exit_code == 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "one"))
    monkeypatch.setenv(
        "AWS_ALLOW_HTTP", "true"
    )  # the server has no other way to be told that it is its own machine
    monkeypatch.setattr("ctm_analytics.engines.spark_connect.SENT_ROWS", 1)
    assert machine("one").spent() == ["2026-11-16,1050", "2026-11-17,425"]
    (tmp_path / "sail").mkdir()
    copies = [
        *tmp_path.glob("one/ctm/*/cache/*/settled/*/*"),
        *tmp_path.glob("one/ctm/*/cache/*/spend/*.parquet"),
    ]
    assert len(copies) == 2
    for copy in copies:
        copy.write_bytes(b"not read")
    with running_sail(tmp_path / "sail") as engine:
        there = ctm_analytics.open(events_url, engine=engine)
        ids = there.sql("select message_id from events order by 1").table.column(0).to_pylist()
        assert ids == ["m_1", "m_2", "m_3", "m_4"], "two of them settled, two not yet"
        assert there.sql(SPENT).table.column("spend_cents").to_pylist() == [1050, 425]


@pytest.mark.usefixtures("captured")
def test_what_is_old_goes_from_what_is_shared(
    machine: Callable[[str], Machine], store: ObjectStore, spend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = machine("one")
    assert one.does("import", "spend", spend).exit_code == 0
    old = "derived/touches-00000000-00000000.parquet"
    store.write(old, b"of last week")
    assert one.does("ads").exit_code == 0
    assert old in [found.key for found in store.list("derived/")]
    monkeypatch.setattr("ctm_analytics.derived.sharing.MAX_AGE", timedelta(0))
    assert one.does("ads", "--as-of", "2026-12-24T00:00:00Z", "--window-days", "3").exit_code == 0
    assert old not in [found.key for found in store.list("derived/")]
    assert one.spent() == ["2026-11-16,1050", "2026-11-17,425"]


def test_a_person_is_not_erased_while_imports_lie_elsewhere(
    ctm: Callable[..., Any], events_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CTM_IMPORTS_URL", events_url)
    outcome = ctm("erase", "--contact", "7", "--data", tmp_path)
    assert (outcome.exit_code, f"`ctm erase` does not reach {events_url} yet" in outcome.stderr) == (2, True)


def test_a_folder_of_ones_own_is_never_taken_for_copies(tmp_path: Path) -> None:
    inside = tmp_path / "cache" / "0123456789abcdef"
    own = (
        "events/settled/day=2026-11-16/a.parquet",
        "events/recent/g=000001/a.parquet",
        "imports/spend/a.parquet",
    )
    assert not any(is_copy(inside / path) for path in (*own, "heartbeats/R1.parquet"))
    assert not is_copy(inside / "project" / "events" / "settled" / "day=2026-11-16" / "a.parquet")
    copies = ("settled/day=2026-11-16/a.parquet", "unsettled-0123456789abcdef.parquet", "spend/a.parquet")
    for path in (*copies, "heartbeats/R1.1a2b3c4d.parquet"):
        assert is_copy(inside / path)
        assert is_copy(Path("cache/0123456789abcdef") / path), "with --data ."


def test_imports_of_a_folder_and_of_a_store_are_never_counted_side_by_side(
    tmp_path: Path,
    ctm: Callable[..., Any],
    store: ObjectStore,
    spend: str,
    events_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / "data"
    assert ctm("import", "spend", spend, "--data", data).exit_code == 0
    for path in data.glob("imports/spend/*"):
        store.write(f"imports/spend/{path.name}", path.read_bytes())
    monkeypatch.setenv("CTM_IMPORTS_URL", events_url)
    for command in (("sql", SPENT), ("import", "spend", spend)):
        outcome = ctm(*command, "--data", data)
        assert (outcome.exit_code, "would count beside those of" in outcome.stderr) == (2, True)
    outcome = ctm("import", "spend", spend, "--data", tmp_path / "new")
    assert "already imported" in outcome.text.lower(), "also where there was no folder yet"


def test_settings_that_contradict_a_url_are_said(
    machine: Callable[[str], Machine],
    store: ObjectStore,
    spend: str,
    events_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    one = machine("one")
    store.write("ctm.toml", f'\ufeffevents_url = "{events_url}/"\nwindow_days = 14\n'.encode())
    assert one.does("import", "spend", spend).exit_code == 0, "the same URL is no contradiction"
    assert ctm_analytics.open(events_url).settings.window_days == 14
    for content, said in (
        (b'imports_url = "s3://other/x"', "Remove it: there it is"),
        (b"= 3", "not valid TOML"),
    ):
        store.write("ctm.toml", content)
        outcome = one.does("ads")
        assert (outcome.exit_code, f"{events_url}/ctm.toml: " in outcome.stderr, said in outcome.stderr) == (
            1,
            True,
            True,
        )
    store.delete(["ctm.toml"])
    with monkeypatch.context() as environ:
        environ.setenv("CTM_IMPORTS_URL", "s3://other/x")
        outcome = one.does("import", "spend", spend)
        assert (
            outcome.exit_code,
            outcome.stderr.startswith("ctm: CTM_IMPORTS_URL: 's3://other/x' is not"),
        ) == (2, True)
    (tmp_path / "file").write_text("")
    outcome = machine("file").does("ads")
    assert (outcome.exit_code, "Set XDG_CACHE_HOME" in outcome.stderr) == (1, True)
