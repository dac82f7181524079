"""A notebook's kernel as people type into it: `%%sql`, Tab, and errors of one sentence."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).parents[2]
SETUP = """
import datetime
import ctm_analytics as ctm
import numpy as np
import pandas as pd
workbench = ctm.open("data/sample", as_of="2026-12-01T00:00:00+00:00")
platform, platforms = "whatsapp", ["whatsapp", "instagram"]
day, most = pd.Timestamp("2026-11-09"), np.int64(3)
harmful = "'; drop table conversations; --"
"""


class Cell(NamedTuple):
    """What running a cell showed."""

    shown: str
    error: str | None
    traceback: list[str]


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def run(kernel: Any) -> Callable[[str], Cell]:
    def run(source: str) -> Cell:
        messages: list[Any] = []
        kernel.execute_interactive(source, output_hook=messages.append, timeout=120)
        contents = [message["content"] for message in messages]
        shown = "".join(
            content.get("text", "") + content.get("data", {}).get("text/plain", "") for content in contents
        )
        failed = next((content for content in contents if "traceback" in content), None)
        return Cell(shown, failed and failed["evalue"], failed["traceback"] if failed else [])

    assert run(SETUP).error is None
    return run


@pytest.fixture
def completed(kernel: Any, run: Callable[[str], Cell]) -> Callable[[str], list[str]]:
    def completed(source: str) -> list[str]:
        kernel.complete(source, len(source))
        matches: list[str] = kernel.get_shell_msg(timeout=60)["content"]["matches"]
        return matches

    return completed


def test_a_statement_shows_its_rows(run: Callable[[str], Cell]) -> None:
    cell = run("%%sql\nselect platform, count(*) as chats from conversations group by platform order by platform")
    assert cell.error is None
    assert [line.split()[1] for line in cell.shown.splitlines()] == ["chats", "instagram", "messenger", "whatsapp"]


@pytest.mark.parametrize("source", ["%%sql found <<\nselect 7 as x", "%%sql\nfound << select 7 as x", "%sql found << select 7 as x;"])
def test_a_name_keeps_the_rows_as_a_frame_and_shows_nothing(run: Callable[[str], Cell], source: str) -> None:
    assert run(source).shown == ""
    assert run("type(found).__name__, found['x'].tolist()").shown == "('DataFrame', [7])"


def test_values_are_bound_in_any_type_that_an_analyst_has(run: Callable[[str], Cell]) -> None:
    run(
        "%%sql late <<\nselect * from conversations\n"
        "where platform in {{platforms}} and opened_at >= {{day}} and messages_in <= {{ most }}"
    )
    assert run("bool(late.platform.isin(platforms).all() and (late.messages_in <= 3).all())").shown == "True"
    assert run("bool(len(late) and late.opened_at.min() >= day.tz_localize('UTC'))").shown == "True"
    kinds = "{{datetime.date(2026, 1, 2)}} + 1 as d, {{None}} is null as n, {{1.5}} as f, {{len(platforms)}} as e"
    assert run(f"%%sql kinds <<\nselect {kinds}").error is None
    assert run("' '.join(map(str, kinds.iloc[0]))").shown == "'2026-01-03 00:00:00 True 1.5 2'"


def test_a_value_is_never_part_of_the_statement(run: Callable[[str], Cell]) -> None:
    assert run("%%sql got <<\nselect {{harmful}} as x, (select count(*) from conversations) as n").error is None
    assert run("bool(got.x[0] == harmful and got.n[0] > 0)").shown == "True"


def test_a_value_in_quotes_is_refused_and_one_in_a_comment_is_none(run: Callable[[str], Cell]) -> None:
    assert "without quotes" in (run("%%sql\nselect '{{platform}}' as x").error or "")
    assert run("%%sql\nselect 1 as x -- {{nothing}}\n/* {{nothing}} */").error is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("%%sql\nselect platfrm\nfrom conversations", ["platfrm", "LINE 1: select platfrm", "^^^^^^^"]),
        ("%%sql\nselect 1 as x where", ["syntax error", "LINE 1", "^"]),
        ("%%sql\nfrom conversatons", ["Did you mean 'conversations'"]),
        ("%%sql\nselect {{platfrm}}", ["no variable 'platfrm'", "Did you mean 'platform'"]),
        ("%%sql\nselect {{1 / 0}}", ["{{1 / 0}}", "division by zero"]),
        ("workbench.ads(campaing='x')", ["Did you mean 'campaign'"]),
        ("workbench.ads(campaign='retargetting')", ["Did you mean 'Retargeting – Messages'"]),
        ("workbench.tables().figure", ["no chart"]),
    ],
)
def test_an_error_is_a_few_words_without_a_traceback(run: Callable[[str], Cell], source: str, says: list[str]) -> None:
    cell = run(source)
    assert [words for words in says if words not in (cell.error or "")] == []
    assert "\n".join(cell.traceback) == cell.error
    assert len(cell.traceback[0].splitlines()) <= 5


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("workbench.late", ["latency"]),
        ("workbench.ads(colu", ["columns="]),
        ("workbench.ads(camp", ["campaign="]),
        ("workbench.ads(since='2026-11-09', platform='wh", ["whatsapp"]),
        ("workbench.ads(\n    columns=\"me", ["messaging"]),
        ("workbench.conversations(campaign='re", ["Retargeting – Messages"]),
        ("workbench.latency(by='week", ["week", "weekday", "weekday_hour"]),
    ],
)
def test_tab_completes_questions_words_and_their_values(
    completed: Callable[[str], list[str]], typed: str, offered: list[str]
) -> None:
    assert completed(typed) == offered


def test_a_workbench_that_is_opened_later_is_the_one_that_is_asked(run: Callable[[str], Cell]) -> None:
    run("%load_ext ctm_analytics")
    assert run("%sql select count(*) > 0 as any from conversations").shown.split()[-1] == "True"
    run('earlier = ctm.open("data/sample", as_of="2026-01-01T00:00:00+00:00")')
    assert run("%sql select count(*) > 0 as any from conversations").shown.split()[-1] == "False"
    run('ctm.open("data/sample", as_of="2026-12-01T00:00:00+00:00")')
