"""However events arrive, what is mended equals what is worked out anew, and so do the answers."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from businesses import DAY, HOUR, KINDS, LATEST, PEOPLE, SILENCES, START, Act, Business, differences, talk
from faults.size import scaled, sized
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ctm_analytics as ctm
from ctm_analytics.derived import refreshing
from ctm_analytics.derived.parts import ON_DEMAND, RELATIONS
from receiver.store.compaction import compact
from receiver.store.erasure import erase
from receiver.store.tombstones import Person

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
@given(taken=st.lists(st.tuples(steps, st.booleans()), min_size=3, max_size=8))
def test_what_is_mended_equals_what_is_worked_out_anew(
    mends: list[bool], taken: list[tuple[Any, bool]]
) -> None:
    with new_business() as business:
        business.deliver([Act(PEOPLE[0], "ad 1", 0, 0, 0, None), Act(PEOPLE[2], "message", 0, 0, 0, None)])
        for number, (step, is_all_asked) in enumerate(taken):
            as_of = business.take(step)
            asked = (*RELATIONS, *ON_DEMAND) if is_all_asked else RELATIONS
            assert differences(business.folder.root, as_of, asked) == {}, (number, step)
        data = business.folder.root
        kept = answers(data, LATEST)
        shutil.rmtree(data / "derived")
        assert answers(data, LATEST) == kept


def kept(data: Path) -> set[str]:
    return {path.name.partition("-")[0] for path in (data / "derived").iterdir()}


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


def test_of_two_ids_that_become_one_no_event_counts_twice_beside_somebody_else(
    business: Business, mends: list[bool]
) -> None:
    phone, user_id = "5511988887777", PEOPLE[-1]
    business.deliver([Act(phone, "ad 1", 0, 0, 0, None), Act(user_id, "message", HOUR, 0, 0, None)])
    assert differences(business.folder.root, LATEST) == {}
    business.deliver([*talk("7000001"), Act(phone, "message", DAY, 0, 0, user_id)])
    assert differences(business.folder.root, LATEST) == {}
    assert mends == [True]


def test_turns_first_asked_for_after_a_mend_are_right_after_the_next(
    business: Business, mends: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "LARGEST_OVERLAY", 1e9)
    data = business.folder.root
    business.deliver(talk("7000001", "7000002"))
    assert differences(data, LATEST, RELATIONS) == {}
    business.deliver(talk("7000001"))
    assert differences(data, LATEST, RELATIONS) == {}
    assert differences(data, LATEST) == {}
    business.deliver(talk("7000002"))
    assert differences(data, LATEST) == {}
    assert mends == [True, True]
