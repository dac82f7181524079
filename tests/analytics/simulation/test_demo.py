import json
import signal
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ctm_analytics.errors import InvalidArgument
from ctm_analytics.settings import load_settings
from ctm_analytics.simulation.business import TARGET_CAC
from ctm_analytics.simulation.deliveries import deliveries_of, odd_deliveries
from ctm_analytics.simulation.demo import run_demo
from ctm_analytics.simulation.replay import ReceiverFailed, post_all, replay, running_receiver
from ctm_analytics.simulation.world import World, simulate

UNTIL = date(2026, 11, 15)


def say_nothing(_: str) -> None:
    pass


def stored_events(data: Path) -> pa.Table:
    """All live events, found as docs/data-contract.md says."""
    manifest = json.loads((data / "events/manifest.json").read_text())
    files = [data / "events" / settled["file"] for settled in manifest["settled"]]
    for generation in manifest["live"]:
        files += sorted((data / f"events/recent/g={generation:06}").glob("*.parquet"))
    return pa.concat_tables([pq.read_table(file) for file in files])


def test_the_receiver_stores_each_event_of_the_shop_once(small_shop: World, tmp_path: Path) -> None:
    bodies = deliveries_of(small_shop)
    counts = replay(tmp_path, bodies, progress=say_nothing)
    assert counts.deliveries == len(bodies)
    stored = stored_events(tmp_path)
    assert len(set(stored["event_id"].to_pylist())) == stored.num_rows
    columns = ("platform", "account_id", "contact_id", "event_type", "ad_id", "ref")
    rows = Counter(tuple(row[column] for column in columns) for row in stored.to_pylist())
    told = Counter(
        (*event.contact[:3], event.event_type, event.ad_id, event.ref) for event in small_shop.events
    )
    # These four are about nobody of the shop.
    assert rows - told == Counter(
        {key: count for key, count in rows.items() if key[3] in ("test", "unknown")}
    )
    assert sum((rows - told).values()) == len(odd_deliveries(small_shop.period))
    assert not told - rows


def test_a_receiver_that_cannot_start_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "ctm.toml").write_text("max_body_bytes = 1")
    with pytest.raises(
        ReceiverFailed, match=r"The receiver did not start\. Its last words: .*max_body_bytes"
    ):
        replay(tmp_path, [b"{}"], progress=say_nothing)


def test_a_body_that_the_receiver_refuses_is_an_error(tmp_path: Path) -> None:
    with (
        running_receiver(tmp_path, "the secret") as (_, port, _),
        pytest.raises(ReceiverFailed, match="answered 401 to a signed delivery of 2 bytes"),
    ):
        post_all(port, "another secret", [b"{}"], say_nothing)


def test_settings_of_the_shell_do_not_reach_the_receiver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTM_STORE_TEXT", "1")
    (body,) = deliveries_of(simulate(seed=1, until=UNTIL, scale=0.05))[:1]
    replay(tmp_path, [body], progress=say_nothing)
    assert "text" not in stored_events(tmp_path).column_names


def receivers_of(data: Path) -> list[int]:
    """Process ids of all programs that were started with this folder."""
    found = []
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(data).encode() in command_line.read_bytes():
                found.append(int(command_line.parent.name))
        except OSError:
            continue
    return found


REPLAY_FOR_EVER = """
import itertools, sys
from pathlib import Path
from ctm_analytics.simulation.replay import replay

class Endless(list):
    def __len__(self):
        return 10**9
    def __iter__(self):
        return itertools.repeat(b'{"object": "page", "entry": []}')

replay(Path(sys.stdin.readline().strip()), Endless(), progress=lambda text: print(text, flush=True))
"""


def test_no_receiver_is_left_behind_when_the_demo_is_terminated(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", REPLAY_FOR_EVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as player:
        assert player.stdin is not None
        assert player.stdout is not None
        player.stdin.write(f"{tmp_path}\n")
        player.stdin.close()
        assert "posted" in player.stdout.readline()
        assert receivers_of(tmp_path)
        player.send_signal(signal.SIGTERM)
        player.stdout.read()
    assert player.returncode == 128 + signal.SIGTERM
    assert receivers_of(tmp_path) == []


def test_the_demo_makes_its_data_folder_anew(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    left_over = data / "events/of_an_earlier_demo"
    left_over.parent.mkdir(parents=True)
    left_over.touch()
    (data / "truth.json").touch()
    demo = run_demo(data, until=UNTIL, seed=1, scale=0.05, progress=say_nothing)
    assert not left_over.exists()
    assert (demo.since, demo.until) == (date(2026, 10, 17), UNTIL)
    truth = json.loads(demo.truth.read_text())
    assert stored_events(data).num_rows == truth["events"]["distinct"]
    assert [summary.kind for summary in demo.imports] == ["spend", "spend", "sales", "sales", "contacts"]
    assert sum(summary.rows_imported for summary in demo.imports[2:4]) == len(truth["sales"])
    assert load_settings(data, {}).target_cac == TARGET_CAC


def test_the_demo_never_deletes_what_is_not_a_demo(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    with pytest.raises(InvalidArgument, match="holds something else than a demo"):
        run_demo(tmp_path, until=UNTIL, seed=1, scale=0.05, progress=say_nothing)
    assert [path.name for path in tmp_path.iterdir()] == ["events"]


def test_the_demo_wants_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "demo"
    file.write_text("mine")
    with pytest.raises(InvalidArgument, match="is a file"):
        run_demo(file, until=UNTIL, seed=1, scale=0.05, progress=say_nothing)
    assert file.read_text() == "mine"
