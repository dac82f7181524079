"""What can be watched: numbers that mean what the manual says, and nothing about anybody."""

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from receiving import Receiver, message, sign, wait_until

from receiver import metrics
from receiver.disk import DiskTrend, disk_warnings, file_system_of
from receiver.metrics import Figures, Tally
from receiver.store.folder import DataFolder, try_lock
from receiver.store.rhythm import MOST_ACCOUNTS, Rhythm
from receiver.store.segment import Delivery, encode_segment

ROOT = Path(__file__).parents[2]
SAMPLE = re.compile(r'([a-z_]+)(?:\{[a-z]+="[A-Za-z0-9_+.]+"\})? ([0-9.e+-]+|\+Inf)')
HOUR = 3_600_000_000
DAY = 24 * HOUR
NOW = 1_795_000_000_000_000


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver that relays to a bot which is not there, after some deliveries of every kind."""
    arguments = ["--forward", "http://127.0.0.1:9/hook"]
    receiver = Receiver(tmp_path_factory.mktemp("watched") / "data", arguments, {})
    for number in range(5):
        assert receiver.post(message(f"m_{number}")).status_code == 200
    assert receiver.post(message("m_0")).status_code == 200
    assert receiver.post(message("m_9"), sign(b"another body")).status_code == 401
    wait_until(lambda: samples(receiver).get('ctm_published_total{what="duplicates"}') == 1)
    yield receiver
    receiver.kill()


def samples(receiver: Receiver) -> dict[str, float]:
    text = receiver.get_private("/metrics").text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def names(receiver: Receiver) -> set[str]:
    described = re.findall(r"^# TYPE (\w+) ", receiver.get_private("/metrics").text, re.MULTILINE)
    assert len(described) == len(set(described))
    return set(described)


def test_every_line_of_the_metrics_is_one_that_prometheus_reads(watched: Receiver) -> None:
    described = names(watched)
    for line in watched.get_private("/metrics").text.splitlines():
        if not line.startswith("# "):
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert re.sub(r"_(bucket|sum|count)$", "", match[1]) in described


def test_every_metric_stands_in_the_manual_and_the_manual_names_no_other(watched: Receiver) -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(ctm_[a-z_]+)", manual))
    assert named == names(watched)


def test_every_alarm_asks_for_a_metric_that_exists(watched: Receiver) -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus-rules.yml").read_text(encoding="utf-8"))
    known = names(watched)
    alarms = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(alarms) >= 10
    for alarm in alarms:
        asked = {re.sub(r"_bucket$", "", name) for name in re.findall(r"ctm_\w+", alarm["expr"])}
        assert asked <= known, alarm["alert"]
        assert asked or alarm["expr"].startswith("up{")
        assert alarm["annotations"]["summary"]


def test_what_happened_is_counted(watched: Receiver) -> None:
    found = samples(watched)
    assert found['ctm_deliveries_total{result="stored"}'] == 6
    assert found['ctm_signatures_refused_total{reason="wrong"}'] == 1
    assert found['ctm_published_total{what="events"}'] == 5
    assert found["ctm_commit_deliveries_sum"] == 6
    for name in ("ctm_commit_seconds", "ctm_commit_deliveries"):
        buckets = [value for key, value in found.items() if key.startswith(f"{name}_bucket")]
        assert buckets == sorted(buckets)
        assert buckets[-1] == found[f"{name}_count"] > 0
    assert found['ctm_commit_deliveries_bucket{le="2000"}'] == found["ctm_commit_deliveries_count"]
    assert found["ctm_disk_free_bytes"] > 0
    wait_until(lambda: samples(watched)["ctm_forward_lag_seconds"] > 0)


def test_accounts_are_counted_and_never_named(watched: Receiver) -> None:
    wait_until(lambda: samples(watched)["ctm_accounts"] == 1)
    found = samples(watched)
    assert (found["ctm_silent_accounts"], found["ctm_longest_silence_seconds"] >= 0) == (0, True)
    assert "1906385232743451" not in watched.get_private("/metrics").text


def test_what_waits_and_what_is_quarantined_is_counted(start: Callable[..., Receiver], data: Path) -> None:
    receiver = start()
    (data / "quarantine" / "x.body").write_bytes(b"?")
    lock = wait_until(lambda: try_lock(DataFolder(data).publishing_lock))
    assert receiver.post(message("m_1")).status_code == 200
    wait_until(lambda: samples(receiver)["ctm_unpublished_segments"] == 1)
    found = samples(receiver)
    assert (found["ctm_quarantined_files"], found["ctm_unpublished_bytes"] > len(message("m_1"))) == (1, True)
    wait_until(
        lambda: samples(receiver)["ctm_oldest_unpublished_seconds"] > found["ctm_oldest_unpublished_seconds"]
    )
    os.close(lock)
    wait_until(lambda: samples(receiver)["ctm_unpublished_segments"] == 0)
    assert receiver.stop() == 0


def test_figures_of_several_workers_add_up_also_through_json() -> None:
    first, second = Figures(), Figures()
    first.commits_by_size.update({"1": 2})
    first.tally.count("stored")
    first.tally.count("unavailable")
    second.commits_by_size.update({"1": 1, "5": 1})
    second.tally.count("unavailable")
    total = Figures()
    for worker in (first, second):
        total.add(Figures.from_json(worker.to_json().encode()))
    assert total.commits_by_size == {"1": 3, "5": 1}
    assert total.tally.deliveries == {"stored": 1, "unavailable": 2}
    assert total.tally.minutes_unavailable() in (1, 2)
    assert total.ended().commits_by_size == {"1": 3, "5": 1}


def test_minutes_of_503_are_counted_over_the_last_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    tally, now = Tally(), 1_795_000_000.0
    monkeypatch.setattr(metrics, "time", lambda: now)
    for _ in range(2):
        for _ in range(5):
            tally.count("unavailable")
        assert tally.minutes_unavailable() == 1
    now += 59 * 60
    tally.count("unavailable")
    assert tally.minutes_unavailable() == 2
    now += 60
    assert tally.minutes_unavailable() == 1
    for _ in range(500):
        now += 60
        tally.count("unavailable")
    assert tally.minutes_unavailable() == 60
    assert len(tally.unavailable_minutes) <= 60


def test_a_disk_that_fills_is_full_when_its_trend_says() -> None:
    trend = DiskTrend()
    assert trend.seconds_to_full(0, 1_000_000) == float("inf")
    assert trend.seconds_to_full(30, 970_000) == float("inf")  # too short to be a trend
    assert trend.seconds_to_full(100, 900_000) == 900
    assert trend.seconds_to_full(200, 1_000_001) == float("inf")
    for second in range(300, 10_000, 100):
        last = trend.seconds_to_full(second, 1_000_000)
    assert last == float("inf")
    assert trend.seconds_to_full(10_000 + 1800, 500_000) == pytest.approx(500_000 / (500_000 / 3600), rel=0.5)


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/data/x", "ext4"), ("/data/shm/x", "tmpfs"), ("/datax", "overlay"), ("/a b/c", "nfs4")],
)
def test_the_file_system_of_a_folder_is_that_of_the_deepest_mount(folder: str, kind: str) -> None:
    mounts = """22 1 0:1 / / rw,relatime shared:1 - overlay overlay rw
23 22 8:1 / /data rw,relatime - ext4 /dev/sda1 rw
24 23 0:2 / /data/shm rw - tmpfs tmpfs rw
25 22 0:3 / /a\\040b rw - nfs4 server:/x rw
"""
    assert file_system_of(Path(folder), mounts) == kind


def test_memory_is_no_disk() -> None:
    if file_system_of(Path("/dev/shm"), Path("/proc/self/mountinfo").read_text()) != "tmpfs":
        pytest.skip("LOUDLY: /dev/shm is no tmpfs here, so that nothing pretends to be a disk")
    kind, speed = disk_warnings(Path("/dev/shm"))
    assert "/dev/shm is on tmpfs" in kind
    assert "No disk is so fast" in speed


@pytest.fixture
def rhythm(tmp_path: Path) -> Rhythm:
    """What was learnt of one account in a week of days from 8 to 20 h, one message an hour."""
    rhythm = Rhythm(tmp_path / "rhythm.json", NOW - 8 * DAY)
    for day in range(7):
        for hour in range(8, 20):
            rhythm.note("messenger", "1", NOW - (7 - day) * DAY + hour * HOUR)
    return rhythm


LAST = NOW - DAY + 19 * HOUR


@pytest.mark.parametrize(("hours", "silent"), [(1, 0), (13, 0), (25, 0), (27, 1), (24 * 13, 1)])
def test_an_account_is_silent_after_twice_its_longest_silence(
    rhythm: Rhythm, hours: int, silent: int
) -> None:
    figures = rhythm.figures(LAST + hours * HOUR)
    assert figures == {"accounts": 1, "silent_accounts": silent, "longest_silence_seconds": hours * 3600}


def test_an_account_that_was_silent_for_two_weeks_is_forgotten(rhythm: Rhythm) -> None:
    assert rhythm.figures(LAST + 15 * DAY)["accounts"] == 0


def test_an_account_known_for_less_than_a_day_is_not_judged(rhythm: Rhythm) -> None:
    rhythm.note("whatsapp", "2", LAST)
    rhythm.note("whatsapp", "2", LAST + HOUR)
    rhythm.note("messenger", "1", LAST + HOUR)
    assert rhythm.figures(LAST + 24 * HOUR)["silent_accounts"] == 0


def test_a_busy_account_is_not_silent_before_an_hour_has_passed(tmp_path: Path) -> None:
    rhythm = Rhythm(tmp_path / "rhythm.json", NOW - 2 * DAY)
    for minute in range(2 * 24 * 60):
        rhythm.note("messenger", "1", NOW - 2 * DAY + minute * 60_000_000)
    assert rhythm.figures(NOW + 50 * 60_000_000)["silent_accounts"] == 0
    assert rhythm.figures(NOW + 70 * 60_000_000)["silent_accounts"] == 1


def test_a_silence_older_than_a_week_is_no_longer_usual(rhythm: Rhythm) -> None:
    for hour in range(9 * 24):
        rhythm.note("messenger", "1", NOW + hour * HOUR)
    rhythm.figures(NOW + 9 * DAY)
    assert rhythm.figures(NOW + 9 * DAY + 2 * HOUR)["silent_accounts"] == 1


def test_what_was_learnt_survives_a_restart_and_the_receiver_s_own_absence_is_not_learnt(
    rhythm: Rhythm, tmp_path: Path
) -> None:
    rhythm.save()
    assert "messenger" not in (tmp_path / "rhythm.json").read_text()
    again = Rhythm(tmp_path / "rhythm.json", LAST + 3 * DAY)
    again.note("messenger", "1", LAST + 3 * DAY + HOUR)
    assert again.figures(LAST + 3 * DAY + 28 * HOUR)["silent_accounts"] == 1
    (tmp_path / "rhythm.json").write_text("[1, 2")
    assert Rhythm(tmp_path / "rhythm.json", NOW).figures(NOW)["accounts"] == 0


def test_of_too_many_accounts_those_are_forgotten_that_were_heard_of_longest_ago(
    rhythm: Rhythm, tmp_path: Path
) -> None:
    for number in range(2, MOST_ACCOUNTS):
        rhythm.note("messenger", str(number), NOW)
    rhythm.note("messenger", "1", NOW + HOUR)
    rhythm.save()
    again = Rhythm(tmp_path / "rhythm.json", NOW + HOUR)
    for number in range(MOST_ACCOUNTS, 2 * MOST_ACCOUNTS - 1):
        again.note("whatsapp", str(number), NOW + 2 * HOUR)
    figures = again.figures(NOW + 3 * HOUR)
    assert (figures["accounts"], figures["longest_silence_seconds"]) == (MOST_ACCOUNTS, 2 * 3600)
    again.note("whatsapp", "one more", NOW + 2 * HOUR)
    figures = again.figures(NOW + 3 * HOUR)
    assert (figures["accounts"], figures["longest_silence_seconds"]) == (MOST_ACCOUNTS, 3600)


def test_a_bot_that_is_behind_and_an_account_that_is_silent_are_said_by_readiness(
    start: Callable[..., Receiver], folder: DataFolder
) -> None:
    received_at = int((time.time() - 3600) * 1_000_000)
    frame = Delivery(0, received_at, b"s" * 32, message("m_1"))
    (folder.journal / "run-1").mkdir()
    (folder.journal / "run-1" / f"{0:016}.wal").write_bytes(encode_segment([frame], f"run-1-{0:016}"))
    (folder.forward / "cursor.json").write_text('{"since": 0, "next_places": {}, "aside": []}')
    rhythm = Rhythm(folder.index / "rhythm.json", 0)
    for hour in range(60, 10, -1):
        rhythm.note("instagram", "1", received_at - hour * HOUR)
    rhythm.save()
    receiver = start("--forward", "http://127.0.0.1:9/hook")
    wait_until(lambda: re.fullmatch(r"ready; but the bot is 36\d\d seconds behind", readyz(receiver)))
    assert samples(receiver)["ctm_forward_lag_seconds"] >= 3600
    assert receiver.stop() == 0
    receiver = start()
    wait_until(lambda: readyz(receiver).startswith("ready; but 1 accounts are silent for unusually long"))
    assert samples(receiver)["ctm_silent_accounts"] == 1


def readyz(receiver: Receiver) -> str:
    answer = receiver.get_private("/readyz")
    assert answer.status_code == 200
    return answer.text
