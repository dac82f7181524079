"""However events arrive, what is mended equals what is worked out anew, and so do the answers."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from faults.size import scaled, sized
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import said, whatsapp
from segments import publish_all

import ctm_analytics as ctm
from ctm_analytics.derived import refreshing
from ctm_analytics.derived.folder import DerivedFolder
from ctm_analytics.derived.history import EventHistory
from ctm_analytics.derived.parts import RELATIONS
from ctm_analytics.engines.duckdb import DuckDBEngine
from ctm_analytics.models import compose
from ctm_analytics.questions import ask
from ctm_analytics.settings import Settings
from ctm_analytics.sources import SCHEMAS, find_sources
from receiver.store.compaction import compact
from receiver.store.erasure import erase
from receiver.store.folder import DataFolder
from receiver.store.segment import FILE_MAGIC, Delivery, encode_frame
from receiver.store.tombstones import Person

START = 1_783_000_000
HOUR, DAY = 3600, 86_400
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
# Ties, exact gaps of touches and conversations and just beyond, and long silences.
SILENCES = (0, 1, 2, 300, 1800, 1801, HOUR, DAY - 1, DAY, DAY + 1, 5 * DAY)
PEOPLE = ("7000001", "7000002", "5511988887777", "5511977776666", "BR.13491208655302741918")
KINDS = ("message", "message", "ad 1", "ad 2", "link", "echo", "echo", "read", "number changed")


@dataclass(frozen=True)
class Act:
    """Somebody does something ``silence`` seconds after what they did last, known ``delay`` seconds later."""

    person: str
    kind: str
    silence: int
    earlier: int
    delay: int
    user_id: str | None


acts = st.builds(
    Act,
    st.sampled_from(PEOPLE),
    st.sampled_from(KINDS),
    st.sampled_from(SILENCES),
    st.sampled_from((0, 0, 0, 0, 60, DAY, 6 * DAY)),
    st.sampled_from((0, 0, 0, 3, 2 * DAY, -20 * DAY)),
    st.sampled_from((None, None, PEOPLE[-1])),
)
steps = st.one_of(
    st.lists(acts, min_size=1, max_size=6),
    st.lists(acts, min_size=1, max_size=6),
    st.sampled_from(("compact", "forget", "erase", "again", "earlier")),
)


class Business:
    """A data folder that the publisher writes, with everybody's clock."""

    def __init__(self, root: Path) -> None:
        os.umask(0o077)
        self.folder = DataFolder(root)
        self.folder.create()
        self.segments = 0
        self.clocks = dict.fromkeys(PEOPLE, START)
        self.last: list[tuple[int, bytes]] = []
        self.instants = [START]

    def deliver(self, batch: list[Act]) -> None:
        deliveries = []
        for act in batch:
            self.clocks[act.person] = self.clocks.get(act.person, START) + act.silence
            at = self.clocks[act.person] - act.earlier
            deliveries.append((at + act.delay, self.body(act, at)))
            self.instants.append(max(at, at + act.delay))
        self.last = deliveries
        self.publish(deliveries)

    def publish(self, deliveries: list[tuple[int, bytes]]) -> None:
        self.segments += 1
        frames = [
            encode_frame(
                Delivery(number, received_at * 1_000_000, b"s" * 32, body), f"run-1-{self.segments:016}"
            )
            for number, (received_at, body) in enumerate(deliveries)
        ]
        path = self.folder.journal / "run-1" / f"{self.segments:016}.wal"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(FILE_MAGIC + b"".join(frames))
        publish_all(self.folder)

    def body(self, act: Act, at: int) -> bytes:
        self.segments += 1  # no two messages have one id
        if act.person.startswith("7"):
            return self.on_messenger(act, at)
        message = said(act.person, self.segments, "words", at)
        if act.kind.startswith("ad"):
            message["referral"] = {"source_type": "ad", "source_id": f"12022630585481{act.kind[-1]}"}
        if act.kind == "number changed":
            body = "User A changed from 5511977776666 to 5511988887777"
            system = {"type": "user_changed_number", "wa_id": "5511988887777", "body": body}
            message |= {"type": "system", "system": system}
        return whatsapp(message | ({"user_id": act.user_id} if act.user_id else {}))

    def on_messenger(self, act: Act, at: int) -> bytes:
        person, page = {"id": act.person}, {"id": "1906385232743451"}
        item: dict[str, Any] = {"sender": person, "recipient": page, "timestamp": at * 1000}
        message: dict[str, Any] = {"mid": f"m_{self.segments}", "text": "words"}
        if act.kind == "echo":
            item |= {"sender": page, "recipient": person, "message": message | {"is_echo": True, "app_id": 1}}
        elif act.kind == "read":
            item["read"] = {"watermark": at * 1000}
        elif act.kind == "link":
            item["referral"] = {"ref": f"r-{at % 3}", "source": "SHORTLINK", "type": "OPEN_THREAD"}
        elif act.kind.startswith("ad"):
            ad = {"ref": "spring", "source": "ADS", "type": "OPEN_THREAD", "ad_id": f"ad-{act.kind[-1]}"}
            item["message"] = message | {"referral": ad}
        else:
            item["message"] = message
        entry = {"id": page["id"], "time": at * 1000, "messaging": [item]}
        return json.dumps({"object": "page", "entry": [entry]}).encode()

    def take(self, step: "list[Act] | str") -> datetime:
        """Do a step; as of when to ask then."""
        match step:
            case list():
                self.deliver(step)
            case "compact":
                compact(self.folder, grace_seconds=0)
            case "again":
                self.publish(self.last)
            case "forget":
                shutil.rmtree(self.folder.root / "derived", ignore_errors=True)
            case "erase":
                erase(self.folder, Person(frozenset({PEOPLE[0]})), LATEST)
            case "earlier":
                middle = sorted(self.instants)[len(self.instants) // 2]
                return datetime.fromtimestamp(middle, UTC)
        return max(datetime.fromtimestamp(sorted(self.instants)[-1 - len(self.instants) // 8], UTC), BEFORE)


BEFORE = datetime.fromtimestamp(START, UTC)


def differences(data: Path, as_of: datetime) -> dict[str, int]:
    """Count the rows, by relation, in which what is kept differs from what is worked out anew."""
    sources = find_sources(data)
    engine = DuckDBEngine(sources.files, SCHEMAS)
    parameters = ask({}, Settings(), as_of).parameters(Settings(), None)
    history = EventHistory(DerivedFolder(data / "derived"), sources.files["raw_events"], engine)
    found = {}
    for name in RELATIONS:
        kept, anew = f"({history.select(name, parameters)})", f"({compose(name, parameters)})"
        rows = f"(from {kept} except all from {anew}) union all (from {anew} except all from {kept})"
        found[name] = engine.query(rows).num_rows
    return {name: count for name, count in found.items() if count}


def answers(data: Path, as_of: datetime) -> list[Any]:
    workbench = ctm.open(data, as_of=as_of, environ={})
    questions = (workbench.conversations, workbench.latency, workbench.inbox, workbench.ads)
    found = []
    for question in questions:
        try:
            found.append(question().table.to_pylist())
        except ctm.CtmError as error:
            found.append(str(error).partition(": ")[2])
    return found


@pytest.fixture
def mends(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Mend however few events there are; whether each attempt to mend succeeded."""
    monkeypatch.setattr(refreshing, "FEWEST_EVENTS", 0)
    mended, attempts = refreshing.Refresh.mended, []

    def noted(*arguments: Any) -> Any:
        state = mended(*arguments)
        attempts.append(state is not None)
        return state

    monkeypatch.setattr(refreshing.Refresh, "mended", noted)
    return attempts


@contextlib.contextmanager
def new_business() -> Iterator[Business]:
    with tempfile.TemporaryDirectory() as folder:
        yield Business(Path(folder) / "data")


@settings(
    max_examples=sized(4, scaled(100)),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(taken=st.lists(steps, min_size=3, max_size=8))
def test_what_is_mended_equals_what_is_worked_out_anew(mends: list[bool], taken: list[Any]) -> None:
    with new_business() as business:
        business.deliver([Act(PEOPLE[0], "ad 1", 0, 0, 0, None), Act(PEOPLE[2], "message", 0, 0, 0, None)])
        for number, step in enumerate(taken):
            as_of = business.take(step)
            assert differences(business.folder.root, as_of) == {}, (number, step)
        data = business.folder.root
        kept = answers(data, LATEST)
        shutil.rmtree(data / "derived")
        assert answers(data, LATEST) == kept


def kept(data: Path) -> set[str]:
    return {path.name.partition("-")[0] for path in (data / "derived").iterdir()}


def talk(*people: str) -> list[Act]:
    return [Act(person, kind, HOUR, 0, 0, None) for person in people for kind in ("ad 1", "echo", "message")]


@pytest.fixture
def business(tmp_path: Path) -> Business:
    return Business(tmp_path / "data")


def test_a_refresh_leaves_the_base_alone_and_folds_it_in_when_much_has_changed(
    business: Business, mends: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = business.folder.root
    business.deliver(talk("7000001", "7000002", "7000003", "7000004"))
    assert differences(data, LATEST) == {}
    bases = set((data / "derived").glob("conversation_timelines-*"))
    monkeypatch.setattr(refreshing, "LARGEST_OVERLAY", 1e9)
    business.deliver(talk("7000002", "7000005"))
    assert differences(data, LATEST) == {}
    assert "conversation_timelines_overlay" in kept(data)
    assert set((data / "derived").glob("conversation_timelines-*")) == bases
    monkeypatch.setattr(refreshing, "LARGEST_OVERLAY", 0)
    business.deliver(talk("7000001"))
    assert differences(data, LATEST) == {}
    assert len(set((data / "derived").glob("conversation_timelines-*"))) == 2
    assert mends == [True, True]


def test_a_compaction_alone_redoes_nobody(business: Business, mends: list[bool]) -> None:
    business.deliver(talk("7000001"))
    business.deliver(talk("7000002"))
    assert differences(business.folder.root, LATEST) == {}
    compact(business.folder, grace_seconds=0)
    assert differences(business.folder.root, LATEST) == {}
    assert mends == [True]
    overlays = (business.folder.root / "derived").glob("contacts_overlay-*")
    assert [pq.read_metadata(path).num_rows for path in overlays] == [0]


def test_what_was_erased_is_not_mended_but_worked_out_anew(business: Business, mends: list[bool]) -> None:
    business.deliver(talk("7000001", "7000002"))
    assert differences(business.folder.root, LATEST) == {}
    erase(business.folder, Person(frozenset({"7000001"})), LATEST)
    assert differences(business.folder.root, LATEST) == {}
    assert mends == [False]


def test_an_event_dated_in_the_future_counts_when_its_instant_has_come(
    business: Business, mends: list[bool]
) -> None:
    business.deliver(talk("7000001"))
    business.deliver([Act("7000001", "message", 5 * DAY, 0, -5 * DAY, None)])
    now = datetime.fromtimestamp(START + 4 * HOUR, UTC)
    assert differences(business.folder.root, now) == {}
    assert differences(business.folder.root, LATEST) == {}
    assert mends == [True]


def test_two_ids_that_turn_out_to_be_one_person_become_one(business: Business, mends: list[bool]) -> None:
    phone, user_id = "5511988887777", PEOPLE[-1]
    business.deliver([Act(phone, "ad 1", 0, 0, 0, None), Act(user_id, "message", HOUR, 0, 0, None)])
    assert differences(business.folder.root, LATEST) == {}
    business.deliver([Act(phone, "message", DAY, 0, 0, user_id)])
    assert differences(business.folder.root, LATEST) == {}
    workbench = ctm.open(business.folder.root, as_of=LATEST, environ={})
    assert len(workbench.sql("from contacts").table) == 1
    assert mends == [True]
