"""The installed program, as a process of its own: streams, exit codes, and no colour without a terminal."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

AS_OF = "2026-11-30T00:00:00+00:00"


@pytest.fixture
def program(tmp_path):
    """Run the console script that stands beside this Python, with colour invited by the environment."""
    script = Path(sys.executable).with_name("ctm")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CTM_")}

    def run(*arguments, **variables):
        return subprocess.run(
            [script, *map(str, arguments)],
            cwd=tmp_path,
            env=environ | {"TERM": "xterm-256color", "COLUMNS": "80"} | variables,
            capture_output=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_question_is_answered_on_stdout_and_described_on_stderr(program, shop):
    run = program("ads", "--as-of", AS_OF, CTM_DATA=str(shop), COLUMNS="250")
    assert run.returncode == 0
    heading, rule, *rows = run.stdout.decode().splitlines()
    assert heading.split()[:2] == ["Ad", "Spend"]
    assert set(rule) == {"─", " "}
    assert len(rows) == 3
    assert run.stderr.decode().splitlines() == [
        "all days · days and times in UTC · USD · last touch, 7 days, cohort · as of 2026-11-30 00:00 UTC"
    ]
    assert b"\x1b" not in run.stdout + run.stderr


def test_an_error_is_one_sentence_and_the_exit_code_of_the_contract(program, shop):
    run = program("ads", "--since", "2026-13-01", CTM_DATA=str(shop))
    assert (run.returncode, run.stdout) == (2, b"")
    assert run.stderr.decode() == (
        "ctm: since: '2026-13-01' is not a date. Use YYYY-MM-DD, e.g. 2026-11-16.\n"
    )


def test_wrong_usage_is_said_without_colour(program):
    run = program("ads", "--sinc", "2026-11-02")
    assert run.returncode == 2
    assert b"--sinc" in run.stderr
    assert b"\x1b" not in run.stderr + run.stdout


def test_a_reader_that_has_seen_enough_causes_no_traceback(program, shop, tmp_path):
    script = Path(sys.executable).with_name("ctm")
    pipe = subprocess.run(
        f"'{script}' tables --data '{shop}' --format json | head -c 10; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert pipe.stdout == b'[\n {\n  "ta'
    assert b"Traceback" not in pipe.stderr


def test_a_text_of_any_language_is_written_as_utf_8_whatever_the_locale(program, world):
    world.spend(date(2026, 11, 2), "101", "50.00", ad_name="Zürich 冬").write()
    run = program(
        "sql", "select ad_name from ads", "--data", world.data, "--as-of", AS_OF, LC_ALL="C", PYTHONUTF8="0"
    )
    assert "Zürich 冬" in run.stdout.decode("utf-8")
