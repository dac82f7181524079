from pathlib import Path

import ctm_analytics as ctm

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


def test_another_choice_is_another_answer_and_a_wrong_one_a_sentence():
    lists, shown = ctm.explore(ctm.open(SAMPLE).ads, since="2026-10-17", until="2026-11-15").children
    choices = {choice.description: choice for choice in lists.children}
    assert "Campaign" not in shown.value
    choices["by"].value = "campaign"
    assert "Campaign" in shown.value
    choices["campaign"].index, choices["platform"].value = 1, "whatsapp"
    assert "<table" in shown.value or shown.value.endswith(".")
