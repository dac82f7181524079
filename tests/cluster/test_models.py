"""Every model gives the same rows on a cluster as inside the process, from the same file of SQL."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cluster.hard_world import ODD_NAME

from ctm_analytics.models import all_models
from ctm_analytics.questions import ask
from ctm_analytics.session import WITHOUT_A_QUESTION, Session
from ctm_analytics.settings import Settings, load_settings

AS_OF = datetime(2026, 11, 30, tzinfo=UTC)
# Filters, attribution, and what the marts are told besides.
QUESTIONS = {
    "all": ({}, {}, {}),
    "a week by Markov": (
        {"since": "2026-11-02", "until": "2026-11-08"},
        {"model": "markov"},
        {"by": "week", "ads_only": True, "turns": "next", "clock": "business", "responder": "human"},
    ),
    "an odd name for ever": (
        {"campaign": ODD_NAME},
        {"model": "position_based", "window_days": "lifetime", "basis": "calendar"},
        {"by": "campaign", "turns": "all", "by_hour_band": True},
    ),
}


@pytest.fixture(scope="module")
def sessions(engine, hard):
    """Sessions over the same data: in the process, and on the cluster."""
    settings = load_settings(hard, {})
    on_cluster = load_settings(hard, {"CTM_ENGINE": engine})
    return Session(hard, settings, AS_OF), Session(hard, on_cluster, AS_OF)


@pytest.mark.parametrize("asked", QUESTIONS)
@pytest.mark.parametrize("model", all_models())
def test_a_model_gives_the_same_rows_on_a_cluster(sessions, model, asked):
    filters, attribution, words = QUESTIONS[asked]
    question = ask(filters, Settings(), AS_OF, **attribution)
    if model == "attribution":  # it is asked for all of them side by side
        question = replace(question, model=None)
    here, there = (session.run(model, question, **WITHOUT_A_QUESTION | words)[0] for session in sessions)
    assert here.num_rows or asked != "all", "nothing to compare"
    assert there.schema == here.schema
    for row_there, row_here in zip(in_order(there), in_order(here), strict=True):
        assert row_there == row_here


def in_order(table):
    """Rows in one order, doubles equal where they are within 1e-9 of each other: by six digits, then by all."""
    rows = [tuple(row.values()) for row in table.to_pylist()]
    for digits in (17, 6):
        rows.sort(key=lambda row: [(value is None, _written(value, digits)) for value in row])
    return [
        tuple(pytest.approx(value, rel=1e-9) if isinstance(value, float) else value for value in row)
        for row in rows
    ]


def _written(value, digits):
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)
