"""One question has one answer, wherever it is worked out; a server that fails is a sentence."""

import json
import shutil
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cluster.hard_world import ODD_NAME
from cluster.servers import free_port

import ctm_analytics as ctm
from ctm_analytics.errors import EngineFailed

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
AS_OF = datetime(2027, 1, 1, tzinfo=UTC)  # the sample was captured before
QUESTIONS = {
    "ads": lambda workbench: workbench.ads(),
    "ads by day": lambda workbench: workbench.ads(by="day", model="markov", basis="calendar"),
    "outlook": lambda workbench: workbench.outlook(window_days=14),
    "attribution": lambda workbench: workbench.attribution(),
    "cohorts": lambda workbench: workbench.cohorts(),
    "latency": lambda workbench: workbench.latency(by="weekday_hour"),
    "latency to people": lambda workbench: workbench.latency(by="ad", responder="human", turns="next"),
    "response_curve": lambda workbench: workbench.response_curve(by="platform"),
    "conversations": lambda workbench: workbench.conversations(platform="whatsapp"),
    "funnel": lambda workbench: workbench.funnel(),
    "reconciliation": lambda workbench: workbench.reconciliation(),
    "speed": lambda workbench: workbench.speed(),
    "quality": lambda workbench: workbench.quality(),
    "quality by match": lambda workbench: workbench.quality(by="match"),
    "sql": lambda workbench: workbench.sql("select ad_id, spend_cents from spend order by day, ad_id"),
}


@pytest.fixture(scope="module")
def here():
    return ctm.open(SAMPLE, as_of=AS_OF, environ={})


@pytest.fixture(scope="module")
def there(engine):
    return ctm.open(SAMPLE, as_of=AS_OF, engine=engine, environ={})


@pytest.mark.parametrize("asked", QUESTIONS)
def test_a_question_has_the_same_answer_on_a_cluster(here, there, asked):
    one, other = QUESTIONS[asked](here), QUESTIONS[asked](there)
    assert one.table.num_rows
    assert one.table.schema == other.table.schema
    for row, other_row in zip(one.table.to_pylist(), other.table.to_pylist(), strict=True):
        assert [exactly(value) for value in row.values()] == list(other_row.values())
    assert one.about == other.about


def exactly(value):
    """What a value must be: a double within 1e-9 of it, anything else itself."""
    return pytest.approx(value, rel=1e-9) if isinstance(value, float) else value


def test_a_filter_finds_an_odd_name_on_a_cluster(engine, hard):
    at = "2026-11-30T00:00:00+00:00"
    here = ctm.open(hard, as_of=at, environ={})
    there = ctm.open(hard, as_of=at, engine=engine, environ={})
    (row,) = there.ads(ad=ODD_NAME, by="total", since="2026-11-02", until="2026-11-04").table.to_pylist()
    (expected,) = here.ads(ad=ODD_NAME, by="total", since="2026-11-02", until="2026-11-04").table.to_pylist()
    assert row["spend"] == expected["spend"] > 9
    assert there.inbox().table == here.inbox().table
    assert there.badge().table == here.badge().table
    assert here.inbox().table.num_rows
    assert here.badge().table.num_rows


def test_a_statement_of_ones_own_is_bound_and_only_reads(there):
    sql = "select '$ad' as words, count(*) as days from spend where ad_id = $ad; "
    (row,) = there.sql(sql, parameters={"ad": "nobody's"}).table.to_pylist()
    assert row == {"words": "$ad", "days": 0}
    assert there.sql("from contents").table.num_rows == 1
    with pytest.raises(ctm.InvalidArgument, match="sql: "):
        there.sql("create table mine as select 1 as one")


def test_an_answer_says_what_was_made_for_it(engine):
    plan = ctm.open(SAMPLE, as_of=AS_OF, engine=engine, environ={}).funnel().explain(analyze=True)
    made = [step.name for step in plan.steps if step.how == "made"]
    assert {"conversation_timelines", "ad_days"} <= set(made)
    assert "Scan" in plan.tree or "Exec" in plan.tree


def test_a_wrong_statement_is_a_sentence(there):
    with pytest.raises(ctm.InvalidArgument, match=r"sql: .*no_such_table"):
        there.sql("select * from no_such_table")


def test_the_weekly_report_is_the_same_on_a_cluster(engine, tmp_path, monkeypatch):
    """Its tables, its page and its figures; only what was asked where may differ."""
    from ctm_analytics.cli.main import main

    reports = []
    for name in ("duckdb", engine):
        data = shutil.copytree(SAMPLE, tmp_path / name.partition(":")[0] / "sample")
        monkeypatch.setenv("CTM_ENGINE", "")  # put back afterwards
        arguments = ("--data", data, "--week", "2026-W46", "--as-of", AS_OF.isoformat(), "--engine", name)
        monkeypatch.setattr("sys.argv", ["ctm", "report", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code
        folder = data / "reports" / "weekly" / "2026-11-09_2026-11-15"
        reports.append(json.loads((folder / "run.json").read_text()))
    here, there = reports
    assert here["files"] == there["files"]
    assert "index.html" in here["files"]
    assert here["engine"].startswith("duckdb 2.")
    assert there["engine"].startswith("spark connect, client 4.")


def test_a_server_that_is_not_there_is_a_sentence():
    url = f"sc://127.0.0.1:{free_port()}"
    with pytest.raises(
        EngineFailed, match=rf"engine: nobody answers at {url} \(Connection refused\)\. Start"
    ):
        ctm.open(SAMPLE, engine=url, environ={})


def test_a_server_of_another_kind_is_a_sentence_within_seconds():
    """It takes the connection and says nothing that the client understands; the token stays unsaid."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"sc://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(EngineFailed, match=rf"engine: {url} gave up \(") as failed:
            ctm.open(SAMPLE, engine=f"{url}/;x-secret=hush", environ={})
    assert "hush" not in str(failed.value)


def test_files_that_are_gone_since_are_a_sentence_and_not_missing_rows(engine, tmp_path):
    data = shutil.copytree(SAMPLE, tmp_path / "sample")
    workbench = ctm.open(data, as_of=AS_OF, engine=engine, environ={})
    for file in (data / "events").rglob("*.parquet"):
        file.unlink()
    with pytest.raises(ctm.InvalidFile, match=r"parquet: no longer there, .* Open the workbench again\."):
        workbench.ads()


def test_files_that_only_this_machine_sees_are_a_sentence(engine, monkeypatch):
    """As on a server without the folder: there no file has the name that it has here."""
    monkeypatch.setattr(Path, "resolve", lambda path: Path("/nowhere") / path.name)
    with pytest.raises(EngineFailed, match=r"cannot read the data .* sees it under the same path"):
        ctm.open(SAMPLE, as_of=AS_OF, engine=engine, environ={})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("spark", "engine: 'spark' is neither 'duckdb' nor sc://HOST:PORT. Use e.g. 'sc://127.0.0.1:15002'."),
        ("sc://", "engine: 'sc://' is neither 'duckdb' nor sc://HOST:PORT. Use e.g. 'sc://127.0.0.1:15002'."),
        ("sc://me:hush@there", "engine: 'sc://…@there' is neither 'duckdb' nor sc://HOST:PORT."),
        ("https://there:443", "engine: 'https://there:443' is neither 'duckdb' nor sc://HOST:PORT."),
    ],
)
def test_what_is_no_engine_is_wrong_usage(words, sentence):
    with pytest.raises(ctm.InvalidArgument) as refused:
        ctm.open(SAMPLE, engine=words, environ={})
    assert str(refused.value).startswith(sentence)
    assert "hush" not in str(refused.value)


def test_without_the_client_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql.connect.session", None)
    with pytest.raises(ctm.InvalidArgument, match=r"pip install 'ctm-analytics\[cluster\]'"):
        ctm.open(SAMPLE, engine="sc://127.0.0.1:15002", environ={})
