"""Spend without events: whoever has only imported must not read "nobody waits" out of it."""

from datetime import date

import pytest


@pytest.mark.parametrize("command", ["inbox", "badge", "latency", "conversations", "cohorts"])
def test_a_question_about_conversations_has_no_data_rather_than_nobody_waiting(ctm, world, command):
    run = ctm(command, "--data", world.spend(date(2026, 11, 2), "101", "90.00").write())
    assert run.exit_code == 4
    assert "Nothing has been captured yet: run `ctm receive`" in run.stderr


def test_where_somebody_was_heard_nobody_waiting_is_an_answer(ctm, shop):
    run = ctm("inbox", "--data", shop)
    assert (run.exit_code, "Nobody waits for an answer" in run.stderr) == (0, True)
