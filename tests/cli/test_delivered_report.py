"""`ctm report --deliver`: from the command line to a real mail server, also when there is nothing good to say."""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from mail_sink import mail_sink
from nbformat.v4 import new_code_cell, new_notebook

PARAMETERS = 'data = ""\nsince = ""\nuntil = ""\nas_of = ""\nout = ""\nnotices = []\nspoil = False'
# What a report needs at least, so that a run takes seconds.
REPORT = """
import ctm_analytics as ctm
assert not spoil
workbench = ctm.open(data, as_of=as_of)
report = ctm.Report("Weekly report", since, until, workbench=workbench)
total = workbench.ads(by="total", since=since, until=until).df.iloc[0]
report.headline(ctm.charts.cost_sentence(total))
report.kpi("CAC (ad spend only)", total.cac, unit="money")
for notice in notices:
    report.notice(notice)
report.ads_table(workbench.ads(since=since, until=until).df)
report.save(f"{out}/index.html", tables=f"{out}/tables")
"""
WEEK = ("--week", "2026-W45")  # 2 to 8 November
RIPE = "2026-11-16T06:00:00+00:00"


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell(REPORT)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "weekly.ipynb"
    path.write_text(
        nbformat.writes(new_notebook(cells=cells, metadata={"kernelspec": kernel})), encoding="utf-8"
    )
    return path


@pytest.fixture
def sink(monkeypatch):
    with mail_sink() as sink:
        monkeypatch.setenv("CTM_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("CTM_SMTP_PORT", str(sink.port))
        monkeypatch.setenv("CTM_SMTP_TLS", "off")
        monkeypatch.setenv("CTM_MAIL_FROM", "ctm@example.com")
        yield sink


@pytest.fixture
def data(world):
    start = datetime(2026, 11, 2, 8)
    for number in range(50):
        contact = f"person-{number}"
        world.event(contact, start, ad_id="101")
        world.sale(f"S-{number}", start + timedelta(days=1), "80.00", contact_id=contact)
    return world.spend(date(2026, 11, 2), "101", "4000.00", ad_name="Autumn <b>sale</b>").write()


def text_of(mail):
    return mail.get_body(("plain",)).get_content()


def test_a_report_is_mailed_with_its_numbers_and_its_alert_and_stdout_is_the_path(ctm, sink, data, notebook):
    run = ctm(
        *("report", notebook, "--data", data, *WEEK, "--as-of", RIPE, "--deliver", "mail:a@example.com"),
        *("--alert", "cac > 60", "--alert", "cac < 60"),
    )
    page = data / "reports" / "weekly" / "2026-11-02_2026-11-08" / "index.html"
    assert (run.exit_code, run.text) == (0, f"{page}\n")
    (mail,) = sink.mails
    assert mail["Subject"] == "CTM weekly 2–8 Nov: ALERT CAC > $60 (2), CAC $80"
    alert = "Alert: CAC > $60 in 2–8 Nov 2026: all ads together $80 (95 %: $61 – $108)"
    assert alert in text_of(mail)
    assert "cac < 60 does not fire for 2–8 Nov 2026: of 2 judged, none is beyond the limit." in run.stderr
    assert "Alert: CAC &gt; $60 in" in page.read_text(encoding="utf-8")
    assert json.loads(page.with_name("run.json").read_text())["summary"]["notices"][0].startswith(alert)
    assert next(part.get_content() for part in mail.iter_attachments()) == page.read_text(encoding="utf-8")
    assert f"The report: reports/weekly/{page.parent.name}/index.html" in text_of(mail)
    assert str(data) not in mail.as_string()


def test_unchanged_inputs_are_said_and_deliver_nothing(ctm, sink, data, notebook, world):
    words = (
        "report",
        notebook,
        "--data",
        data,
        *WEEK,
        "--deliver",
        "mail:a@example.com",
        "--only-if-changed",
    )
    first, second = ctm(*words, "--json"), ctm(*words, "--json")
    assert [run.exit_code for run in (first, second)] == [0, 0]
    assert [json.loads(run.text)["status"] for run in (first, second)] == ["written", "unchanged"]
    assert [json.loads(run.text)["delivered_to"] for run in (first, second)] == [["mail:a@example.com"], []]
    assert "Unchanged since the last run: nothing was written, nothing delivered." in second.stderr
    assert len(sink.mails) == 1
    world.spend(date(2026, 11, 3), "101", "40.00").write()
    assert json.loads(ctm(*words, "--json").text)["status"] == "written"
    assert len(sink.mails) == 2


def test_a_failure_is_mailed_and_ends_with_1(ctm, sink, data, notebook):
    run = ctm(
        *("report", notebook, "--data", data, *WEEK, "-p", "spoil=true", "--deliver", "mail:a@example.com"),
        *("--as-of", RIPE),
    )
    assert (run.exit_code, run.text) == (1, "")
    assert "cell 2 failed at" in run.stderr
    (mail,) = sink.mails
    assert mail["Subject"] == "CTM weekly 2–8 Nov: FAILED"
    assert "Cell 2 of weekly.ipynb failed with AssertionError." in text_of(mail)
    assert str(data) not in mail.as_string()


def test_a_week_without_data_is_mailed_and_ends_with_4(ctm, sink, data, notebook):
    run = ctm("report", notebook, "--data", data, "--week", "2026-W10", "--deliver", "mail:a@example.com")
    assert (run.exit_code, run.text) == (4, "")
    assert sink.mails[0]["Subject"] == "CTM weekly 2–8 Mar: no data"


def test_a_data_folder_that_is_gone_is_mailed(ctm, sink, tmp_path, notebook):
    run = ctm("report", notebook, "--data", tmp_path / "gone", "--deliver", "mail:a@example.com")
    assert run.exit_code == 2
    assert sink.mails[0]["Subject"] == "CTM weekly: FAILED"


def test_a_word_that_was_mistyped_is_told_to_who_typed_it_alone(ctm, sink, data, notebook):
    run = ctm("report", notebook, "--data", data, "--week", "45", "--deliver", "mail:a@example.com")
    assert run.exit_code == 2
    assert sink.mails == []


def test_bad_data_are_mailed_too_and_end_with_3(ctm, sink, world, notebook):
    start = datetime(2026, 11, 2, 8)
    world.event("p", start, ad_id="1", event_id="e").event("p", start, ad_id="1", event_id="e")
    data = world.spend(start.date(), "1", "5.00").write()
    run = ctm(
        *("report", notebook, "--data", data, *WEEK, "--as-of", RIPE, "--fail-on", "quality"),
        *("--deliver", "mail:a@example.com"),
    )
    assert run.exit_code == 3
    assert Path(run.text.strip()).is_file()
    assert "its data are not good: 1 of 2: Events stored more than once" in text_of(sink.mails[0])


def test_what_cannot_be_delivered_ends_with_1_and_the_report_stays(ctm, sink, data, notebook):
    sink.refuse["a@example.com"] = "550 no such mailbox"
    run = ctm("report", notebook, "--data", data, *WEEK, "--as-of", RIPE, "--deliver", "mail:a@example.com")
    assert run.exit_code == 1
    assert run.stderr.splitlines()[-1].startswith("ctm: mail:a@example.com: 127.0.0.1:")
    assert "refuses a@example.com: 550 no such mailbox" in run.stderr
    assert (data / "reports" / "weekly" / "2026-11-02_2026-11-08" / "index.html").is_file()


def test_what_could_not_be_delivered_is_delivered_by_the_next_run_though_nothing_has_changed(
    ctm, sink, data, notebook
):
    words = (
        "report",
        notebook,
        "--data",
        data,
        *WEEK,
        "--deliver",
        "mail:a@example.com",
        "--only-if-changed",
    )
    sink.refuse["a@example.com"] = "550 no such mailbox"
    refused = ctm(*words)
    sink.refuse.clear()
    again, unchanged = ctm(*words), ctm(*words)
    assert [run.exit_code for run in (refused, again, unchanged)] == [1, 0, 0]
    assert len(sink.mails) == 1


def test_a_failing_question_is_mailed_without_what_it_quotes(ctm, sink, data, notebook):
    made = nbformat.read(notebook, as_version=4)
    made.cells[1].source += "\nworkbench.sql(\"select cast('person-7' as int)\")"
    nbformat.write(made, notebook)
    run = ctm("report", notebook, "--data", data, *WEEK, "--deliver", "mail:a@example.com")
    assert run.exit_code != 0
    assert "person-7" in run.stderr
    assert "Cell 2 of weekly.ipynb failed with" in text_of(sink.mails[0])
    assert "person-7" not in sink.mails[0].as_string()


def test_a_program_and_the_tables_as_csv(ctm, data, notebook, tmp_path):
    keep = tmp_path / "keep"
    keep.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(tmp_path / 'kept')!r}, 'w').write(sys.stdin.read())"
    )
    keep.chmod(0o755)
    run = ctm(
        *("report", notebook, "--data", data, *WEEK, "--as-of", RIPE, "--deliver", f"cmd:{keep}"),
        *("--format", "html,csv"),
    )
    folder = data / "reports" / "weekly" / "2026-11-02_2026-11-08"
    assert run.text.splitlines() == [str(folder / "index.html"), *map(str, folder.glob("tables/*.csv"))]
    assert len(run.text.splitlines()) == 2
    kept = json.loads((tmp_path / "kept").read_text())
    assert (kept["status"], kept["subject"]) == ("written", "CTM weekly 2–8 Nov: CAC $80")


def test_a_pdf_that_cannot_be_printed_is_told_and_ends_with_1(
    ctm, sink, data, notebook, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))  # no browser is there
    run = ctm(
        *("report", notebook, "--data", data, *WEEK, "--as-of", RIPE, "--format", "html,pdf"),
        *("--deliver", "mail:a@example.com"),
    )
    page = data / "reports" / "weekly" / "2026-11-02_2026-11-08" / "index.html"
    assert (run.exit_code, run.text) == (1, f"{page}\n")
    (mail,) = sink.mails
    assert "report.pdf: no Chromium or Chrome is installed here" in text_of(mail)
    assert str(tmp_path) not in mail.as_string()
    assert len(list(mail.iter_attachments())) == 1


def test_a_period_that_still_matures_says_until_when(ctm, data, notebook):
    run = ctm("report", notebook, "--data", data, *WEEK, "--as-of", "2026-11-09T06:00:00+00:00")
    assert run.stderr.splitlines()[:2] == [
        "2–8 Nov 2026, UTC, 7 days",
        "Still matures: sales within 7 days of a click may come until 2026-11-16, so CAC may fall.",
    ]
    run = ctm("report", notebook, "--data", data, *WEEK, "--as-of", RIPE)
    assert run.stderr.splitlines() == ["2–8 Nov 2026, UTC, 7 days"]


def test_a_monthly_report_is_about_the_last_complete_month(ctm, data, notebook):
    monthly = notebook.rename(notebook.with_name("monthly.ipynb"))
    run = ctm("report", monthly, "--data", data, "--as-of", datetime(2026, 12, 1, 6, tzinfo=UTC).isoformat())
    assert run.stderr.startswith("1–30 Nov 2026, UTC, 30 days\n")
    assert (data / "reports" / "monthly" / "2026-11-01_2026-11-30" / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--deliver", "mail:nobody"), "ctm: --deliver mail: 'nobody' is not a mail address."),
        (("--alert", "cac >> 4"), "ctm: --alert: 'cac >> 4' is not METRIC > NUMBER"),
        (("--format", "docx"), "ctm: --format: 'docx' is not one."),
        (("-p", "spoli=1"), "has no parameter 'spoli'. Did you mean 'spoil'?"),
        (("-p", "spoil=1"), "ctm: -p spoil: '1' is not true or false, as the notebook's False is."),
    ],
)
def test_a_wrong_word_ends_with_2_before_anything_runs(ctm, data, notebook, words, sentence):
    run = ctm("report", notebook, "--data", data, *WEEK, *words)
    assert (run.exit_code, run.text) == (2, "")
    assert sentence in run.stderr
    assert not (data / "reports").exists()
