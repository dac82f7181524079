import json
import sys
from datetime import UTC, date, datetime

import pytest

from ctm_analytics.errors import InvalidArgument, InvalidFile, NoData
from ctm_analytics.report.delivery import Target, deliver, read_target
from ctm_analytics.report.message import Message, facts_of, subject_of
from ctm_analytics.report.publishing import failures_delivered
from ctm_analytics.report.runner import Order, ReportFailed
from ctm_analytics.report.sending import DeliveryFailed

MESSAGE = Message(subject="CTM weekly: CAC $33", title="Weekly", period="16–22 Nov 2026")


def program(path, text):
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\n{text}", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "a@example.com",
            "--deliver: 'a@example.com' is no way to deliver. Use mail:ADDRESS, slack: or cmd:PROGRAM.",
        ),
        ("mial:a@b", "--deliver: 'mial' is no way to deliver. Did you mean 'mail'?"),
        ("cmd:", "--deliver: cmd: names no program that can be run."),
        ("cmd:no-such-program", "--deliver: cmd:no-such-program names no program that can be run."),
        ("cmd:echo 'x", "--deliver: cmd:echo 'x cannot be split into words: No closing quotation."),
    ],
)
def test_a_target_that_is_none_is_named(text, sentence):
    with pytest.raises(InvalidArgument) as caught:
        read_target(text, {})
    assert str(caught.value).startswith(sentence)


def test_a_program_gets_the_summary_as_json_and_its_first_words_in_the_environment(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("x")
    keep = program(
        tmp_path / "keep it",
        "content = json.load(sys.stdin)\n"
        "words = {name: value for name, value in os.environ.items() if name.startswith('CTM_REPORT_')}\n"
        "json.dump([sys.argv[1:], content, words], open(sys.argv[1], 'w'))\nprint('noise')",
    )
    kept, hacked = tmp_path / "kept.json", tmp_path / "hacked"
    message = Message(subject="S", title="T", period="P", summary={"headlines": ["H"]}, files=(page,))
    read_target(f"cmd:'{keep}' {kept} $HOME ;touch {hacked}", {}).send(message)
    arguments, content, words = json.loads(kept.read_text())
    assert arguments == [str(kept), "$HOME", ";touch", str(hacked)]  # no shell reads them
    assert (content["status"], content["summary"], content["files"]) == (
        "written",
        {"headlines": ["H"]},
        [str(page)],
    )
    assert words == {"CTM_REPORT_STATUS": "written", "CTM_REPORT_SUBJECT": "S", "CTM_REPORT_PAGE": str(page)}
    assert not hacked.exists()


def test_what_a_program_prints_is_not_taken_for_the_reports_path(tmp_path, capfd):
    read_target(f"cmd:{program(tmp_path / 'noisy', 'print(1)')}", {}).send(MESSAGE)
    assert capfd.readouterr() == ("", "1\n")


def test_a_program_that_fails_or_hangs_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("ctm_analytics.report.command.PATIENCE_SECONDS", 1)
    failing = program(tmp_path / "failing", "sys.exit('the disk is full')")
    hanging = program(tmp_path / "hanging", "import time\ntime.sleep(60)")
    with pytest.raises(DeliveryFailed, match=r"^it ended with 1, saying: the disk is full\.$"):
        read_target(f"cmd:{failing}", {}).send(MESSAGE)
    with pytest.raises(DeliveryFailed, match=r"^it did not end within 1 s and was stopped\.$"):
        read_target(f"cmd:{hanging}", {}).send(MESSAGE)


def test_a_target_that_fails_keeps_no_other_from_the_message():
    taken = []

    def fail(_):
        raise DeliveryFailed("closed.")

    targets = [Target("first", fail), Target("second", taken.append), Target("third", fail)]
    with pytest.raises(DeliveryFailed, match=r"^first: closed\. third: closed\.$"):
        deliver(MESSAGE, targets)
    assert taken == [MESSAGE]


def order(data):
    as_of = datetime(2026, 11, 23, tzinfo=UTC)
    return Order(data / "own.ipynb", data, date(2026, 11, 16), date(2026, 11, 22), as_of, data / "reports")


@pytest.mark.parametrize(
    ("error", "subject", "words"),
    [
        (ReportFailed("KeyError: 'anna@example.com'", "Cell 3 failed."), "FAILED", "Cell 3 failed."),
        (NoData("{data}: nothing for 16–22 Nov 2026."), "no data", "data: nothing for 16–22 Nov 2026."),
        (InvalidFile("{data}/own.ipynb: not a notebook."), "FAILED", "data/own.ipynb: not a notebook."),
        (
            KeyError("anna@example.com"),
            "FAILED",
            "KeyError: its words are in the log of the machine that ran it. Look there first.",
        ),
    ],
)
def test_a_failure_is_delivered_without_a_person_or_a_folder_of_the_machine(tmp_path, error, subject, words):
    data = tmp_path / "data"
    data.mkdir()
    error.args = tuple(str(part).replace("{data}", str(data)) for part in error.args)
    taken = []
    with pytest.raises(type(error)), failures_delivered([Target("t", taken.append)], order(data), "weekly"):
        raise error
    (message,) = taken
    assert message.subject == f"CTM weekly 16–22 Nov: {subject}"
    assert message.failure == f"{words} The last good report stays as it was."
    assert (message.files, message.summary) == ((), {})
    assert "anna@example.com" not in str(message)
    assert str(tmp_path) not in str(message)


def test_a_failure_before_there_is_a_period_is_delivered_too(tmp_path):
    taken = []
    with pytest.raises(NoData), failures_delivered([Target("t", taken.append)], tmp_path, "weekly"):
        raise NoData("empty")
    assert taken[0].subject == "CTM weekly: no data"


def test_a_failure_that_cannot_be_told_says_both(tmp_path):
    def fail(_):
        raise DeliveryFailed("closed.")

    with pytest.raises(DeliveryFailed) as caught, failures_delivered([Target("t", fail)], tmp_path, "weekly"):
        raise NoData("Nothing for 16–22 Nov 2026.")
    assert str(caught.value) == "Nothing for 16–22 Nov 2026. And nobody could be told: t: closed."
    with pytest.raises(KeyError) as bug, failures_delivered([Target("t", fail)], tmp_path, "weekly"):
        raise KeyError("x")
    assert bug.value.__notes__ == ["And nobody could be told: t: closed."]


def test_a_subject_is_cut_where_programs_would_cut_it():
    days = (date(2026, 11, 16), date(2026, 11, 22))
    assert len(subject_of("weekly", *days, ["x" * 200])) == 120
    assert (
        subject_of("weekly", date(2025, 12, 29), date(2026, 1, 4), ["x"])
        == "CTM weekly 29 Dec 2025 – 4 Jan: x"
    )


def test_a_report_with_other_numbers_puts_its_first_two_into_the_subject():
    tiles = [{"label": f"Tile {n}", "value": str(n), "change": "no change"} for n in range(3)]
    assert facts_of(tiles) == ["Tile 0 0", "Tile 1 1"]
