"""What no answer may depend on: the order and files of events, other accounts, and what became known later."""

from datetime import UTC
from typing import Any

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

import ctm_analytics as ctm

from .definitions.compared import NewWorld, answer, built, examples, opened
from .definitions.facts import Row
from .definitions.worlds import Business, businesses

# Each question in a rich form; an example asks a few of them, so that all are asked over the runs.
QUESTIONS: dict[str, dict[str, Any]] = {
    "ads": {}, "outlook": {}, "attribution": {}, "conversations": {}, "cohorts": {"by": "ad"}, "funnel": {},
    "inbox": {}, "latency": {"by": "weekday_hour", "turns": "all", "responder": "human"},
    "reconciliation": {"by": "ad_day"},
    "response_curve": {"by": "responder"}, "speed": {}, "badge": {},
}  # fmt: skip
SOME = st.lists(st.sampled_from(sorted(QUESTIONS)), min_size=4, max_size=4, unique=True)


def answers(workbench: ctm.Workbench, names: list[str], account: str | None = None) -> dict[str, list[Row]]:
    found = {}
    for name in names:
        # The badge is of accounts, and takes no filter.
        filters = {} if account is None or name == "badge" else {"account": account}
        rows = answer(getattr(workbench, name), **QUESTIONS[name], **filters)
        found[name] = [row for row in rows if name != "badge" or account in (None, row["account_id"])]
    return found


@examples(4)
@given(business=businesses(), names=SOME, chance=st.randoms(use_true_random=False))
def test_no_answer_depends_on_the_order_or_the_files_of_the_events(
    new_world: NewWorld, business: Business, chance: Any, names: list[str]
) -> None:
    world = built(new_world, business)
    before = answers(opened(world, business), names)
    chance.shuffle(world._rows["events"])
    world.write(settings=business.rules.toml())
    folder = world.data / "events" / "recent"
    events = pq.read_table(folder / "g=000001" / "test-1.parquet")
    cut = len(events) // 3
    pq.write_table(events.slice(0, cut), folder / "g=000001" / "test-1.parquet")
    pq.write_table(events.slice(cut, cut), folder / "g=000001" / "test-2.parquet")
    pq.write_table(events.slice(2 * cut), folder / "g=000002" / "test-3.parquet")
    reopened = ctm.open(world.data, as_of=business.as_of.replace(tzinfo=UTC), environ={})
    assert answers(reopened, names) == before


@examples(4)
@given(business=businesses(), others=businesses(), names=SOME)
def test_another_accounts_events_change_nothing_of_this_account(
    new_world: NewWorld, business: Business, others: Business, names: list[str]
) -> None:
    world = built(new_world, Business(business.rows | {"sales": []}, business.rules, business.as_of))
    workbench = opened(world, business)
    accounts = sorted({row["account_id"] for row in answer(workbench.conversations)})[:1]
    before = {account: answers(workbench, names, account) for account in accounts}
    for row in others.rows["events"]:
        if row["platform"] == "whatsapp":
            continue  # what one number of WhatsApp tells of a person's ids holds for all of them: decisions.md
        fields = row | {"account": "elsewhere", "event_id": f"other-{row['event_id']}"}
        world.event(fields.pop("contact"), fields.pop("occurred_at"), fields.pop("event_type"), **fields)
    after = opened(world, business)
    assert {account: answers(after, names, account) for account in accounts} == before


@examples(4)
@given(business=businesses(), names=SOME)
def test_what_is_known_later_never_changes_an_answer_as_of_an_earlier_instant(
    new_world: NewWorld, business: Business, names: list[str]
) -> None:
    known = {
        "events": [row for row in business.rows["events"] if row["received_at"] <= business.as_of],
        "heartbeats": [row for row in business.rows["heartbeats"] if row["beat_at"] <= business.as_of],
    }
    for kind in ("sales", "spend", "contacts", "rates"):
        known[kind] = [row for row in business.rows[kind] if row["imported_at"] <= business.as_of]
    earlier = Business(known, business.rules, business.as_of)
    assert answers(opened(built(new_world, business), business), names) == answers(
        opened(built(new_world, earlier), earlier), names
    )


@examples(4)
@given(business=businesses())
def test_every_model_and_window_hands_out_every_sale_once(new_world: NewWorld, business: Business) -> None:
    workbench = opened(built(new_world, business), business)
    counted = [row for row in workbench.sql("from sales").table.to_pylist() if row["is_counted"]]
    for basis in ("cohort", "calendar"):
        credited: dict[tuple[str, int], list[Row]] = {}
        for row in workbench.attribution(basis=basis).table.to_pylist() if counted else []:
            credited.setdefault((row["model"], row["window_days"]), []).append(row)
        assert len(credited) == (7 * 8 if counted else 0)
        for rows in credited.values():
            assert round(sum(row["sales"] for row in rows), 6) == len(counted)
            units = sum(row["revenue"] for row in rows) * business.rules.units
            assert units == sum(row["net_cents"] for row in counted)
