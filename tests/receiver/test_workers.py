"""Several workers on one port, and what signals do to one and to several: no request refused, none lost."""

import asyncio
import os
import resource
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from loading import Load
from receiving import APP_SECRET, Receiver, message, published, sign, wait_until

from receiver import workers as workers_module
from receiver.metrics import Figures, Tally
from receiver.server import listen
from receiver.settings import ReceiverSettings
from receiver.store import journal
from receiver.store.folder import DataFolder, try_lock
from receiver.worker import Worker
from receiver.workers import WorkerProcesses

Start = Callable[..., Receiver]


def post_anew(receiver: Receiver, body: bytes) -> int:
    """Deliver over a connection of its own."""
    return httpx.post(f"{receiver.url}/webhook", content=body, headers=sign(body)).status_code


def stored_once(data: Path, acknowledged: list[str]) -> bool:
    stored = Counter(row["message_id"] for row in published(data))
    return set(acknowledged) <= stored.keys() and set(stored.values()) == {1}


def test_workers_share_the_port_the_publisher_and_the_private_port(start: Start, data: Path) -> None:
    receiver = start("--workers", "2")
    assert len(receiver.worker_pids()) == 2
    bodies = [message(f"m_{number}") for number in range(40)]
    assert {post_anew(receiver, body) for body in bodies * 2} == {200}
    journals = {path.parent for path in data.glob("journal/*/*") if path.name != "LOCK"}
    assert len(journals) == 2, "each has taken some of the connections into a journal of its own"
    wait_until(lambda: 'ctm_deliveries_total{result="stored"} 80' in receiver.get_private("/metrics").text)
    assert "ctm_accepting_workers 2" in receiver.get_private("/metrics").text
    assert receiver.get_private("/readyz").text == "ready"
    wait_until(lambda: len(published(data)) == 40)
    assert receiver.stop() == 0
    assert len(published(data)) == 40, "what came to both workers is stored once"


def test_a_worker_that_is_killed_is_replaced_and_what_it_acknowledged_is_published(
    start: Start, data: Path
) -> None:
    receiver = start("--workers", "2")
    load = Load(receiver.url, "load", APP_SECRET)
    wait_until(lambda: len(load.acknowledged) > 50)
    victim = receiver.worker_pids()[0]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(set(receiver.worker_pids()) - {victim}) == 2)
    more = len(load.acknowledged) + 50
    wait_until(lambda: len(load.acknowledged) > more)
    load.stop()
    wait_until(lambda: stored_once(data, load.acknowledged))  # before any stop: nobody waits for a restart
    wait_until(lambda: "ctm_accepting_workers 2" in receiver.get_private("/metrics").text)
    assert "ctm_worker_failures_total 1" in receiver.get_private("/metrics").text
    assert receiver.stop() == 0


def test_a_worker_whose_journal_fails_is_replaced(start: Start, data: Path) -> None:
    receiver = start("--workers", "2")
    victim = receiver.worker_pids()[0]
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(victim, resource.RLIMIT_FSIZE, (100, unlimited[1]))
    statuses: Counter[int] = Counter()
    number = 0
    while victim in receiver.worker_pids():
        statuses[post_anew(receiver, message(f"m_{number}"))] += 1
        number += 1
    assert statuses.keys() <= {200, 503}
    assert "a worker has ended with 70" in receiver.log
    wait_until(lambda: "ctm_accepting_workers 2" in receiver.get_private("/metrics").text)
    assert {post_anew(receiver, message(f"n_{number}")) for number in range(10)} == {200}
    assert receiver.stop() == 0
    assert len(published(data)) >= statuses[200] + 10


def test_workers_end_with_their_receiver_and_leave_the_port_and_the_folder(start: Start, data: Path) -> None:
    receiver = start("--workers", "2")
    assert post_anew(receiver, message("m_1")) == 200
    pids = receiver.worker_pids()
    os.kill(receiver.process.pid, signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in pids))
    port = str(httpx.URL(receiver.url).port)
    again = start("--workers", "2", "--port", port)
    assert post_anew(again, message("m_2")) == 200
    assert again.stop() == 0
    assert stored_once(data, ["m_1", "m_2"])


def test_a_second_receiver_is_refused_on_the_folder_and_on_the_port(start: Start, tmp_path: Path) -> None:
    first = start("--workers", "2")
    same_folder = start("--workers", "2")
    assert same_folder.process.wait(30) == 1
    assert "another receiver publishes from this folder" in same_folder.log
    other = Receiver(tmp_path / "other", ["--workers", "2", "--port", str(httpx.URL(first.url).port)], {})
    assert other.process.wait(30) == 1
    assert "Address already in use" in other.log
    assert post_anew(first, message("m_1")) == 200


@pytest.mark.parametrize("workers", ["0", "65", "two"])
def test_a_number_of_workers_that_is_none_is_refused(start: Start, workers: str) -> None:
    receiver = start("--workers", workers)
    assert receiver.process.wait(30) == 2
    assert f"'{workers}' is not a whole number from 1 to 64" in receiver.log


def test_the_number_of_workers_may_come_from_the_environment(start: Start) -> None:
    assert len(start(CTM_WORKERS="3").worker_pids()) == 3


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_was_answered_with_200_before_a_sigterm_is_published(
    start: Start, data: Path, workers: str
) -> None:
    receiver = start("--workers", workers)
    load = Load(receiver.url, "load", APP_SECRET)
    wait_until(lambda: len(load.acknowledged) > 200)
    receiver.process.send_signal(signal.SIGTERM)
    assert receiver.process.wait(30) == 0
    load.stop()
    assert stored_once(data, load.acknowledged)
    assert not list(data.glob("journal/*/*"))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_hangup_takes_a_new_secret_into_use_and_refuses_or_loses_no_request(
    start: Start, data: Path, tmp_path: Path, workers: str
) -> None:
    secret_file = tmp_path / "secret"
    secret_file.write_text("old")
    receiver = start("--workers", workers, CTM_APP_SECRET="", CTM_APP_SECRET_FILE=str(secret_file))
    before = receiver.worker_pids()
    load = Load(receiver.url, "load", "old")
    wait_until(lambda: len(load.acknowledged) > 50)
    for number, secrets in enumerate(("new,old", "new"), start=1):
        secret_file.write_text(secrets)
        os.kill(receiver.process.pid, signal.SIGHUP)
        wait_until(lambda number=number: receiver.log.count("read anew and in use") == number)
        load.secret = "new"  # Meta signs with the new one from some moment on
        more = len(load.acknowledged) + 50
        wait_until(lambda more=more: len(load.acknowledged) > more)
    load.stop()
    assert load.faults == {}
    assert not set(before) & set(receiver.worker_pids())
    counted = f'ctm_deliveries_total{{result="stored"}} {len(load.acknowledged)}\n'
    wait_until(
        lambda: counted in receiver.get_private("/metrics").text
    )  # what replaced workers did counts on
    body = message("m_old")
    assert receiver.post(body, sign(body, "old")).status_code == 401
    wait_until(lambda: stored_once(data, load.acknowledged))
    assert "ctm_worker_failures_total 0" in receiver.get_private("/metrics").text
    assert "ctm_publisher_failures_total 0" in receiver.get_private("/metrics").text
    assert receiver.stop() == 0
    assert len(list(data.glob("heartbeats/*"))) == 1, "one run: it accepted all the time"


def test_a_hangup_takes_a_setting_of_the_publisher_into_use(start: Start, data: Path, tmp_path: Path) -> None:
    receiver = start()
    assert receiver.post(message("m_1", "hello")).status_code == 200
    wait_until(lambda: published(data))
    before = receiver.publisher_pid()
    (tmp_path / "ctm.toml").write_text("store_text = true\n")
    os.kill(receiver.process.pid, signal.SIGHUP)
    wait_until(lambda: before != receiver.publisher_pid())
    assert receiver.post(message("m_2", "hello")).status_code == 200
    assert receiver.stop() == 0
    assert {row["message_id"]: row.get("text") for row in published(data)} == {"m_1": None, "m_2": "hello"}


def test_a_hangup_just_before_the_end_still_has_everything_published(start: Start, data: Path) -> None:
    receiver = start("--workers", "2")
    assert receiver.post(message("m_1")).status_code == 200
    os.kill(receiver.process.pid, signal.SIGHUP)
    assert receiver.stop() == 0
    assert stored_once(data, ["m_1"])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_hangup_with_a_wrong_setting_changes_nothing_and_says_so(
    start: Start, data: Path, tmp_path: Path, workers: str
) -> None:
    receiver = start("--workers", workers)
    before = (receiver.worker_pids(), receiver.publisher_pid())
    (tmp_path / "ctm.toml").write_text("max_body_bytes = 'much'\n")
    os.kill(receiver.process.pid, signal.SIGHUP)
    wait_until(lambda: "The settings in use stay" in receiver.log)
    assert "max_body_bytes: 'much' is not a whole number" in receiver.log
    assert receiver.post(message("m_1")).status_code == 200
    assert (receiver.worker_pids(), receiver.publisher_pid()) == before
    assert receiver.stop() == 0


# Below: the workers without the rest of a receiver, in this process.


def run(folder: DataFolder, use: Callable[[WorkerProcesses], Awaitable[None]]) -> WorkerProcesses:
    async def session() -> WorkerProcesses:
        sockets = listen("127.0.0.1", 0, 2)
        workers = WorkerProcesses(folder, ReceiverSettings((b"secret",), "token"), sockets, os.environ)
        async with asyncio.timeout(120):
            await workers.open()
            await workers.listen()
            try:
                await use(workers)
            finally:
                await workers.close()
                for listener in sockets:
                    listener.close()
        return workers

    return asyncio.run(session())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


def pids() -> list[int]:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"receiver.working" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_worker_that_hangs_is_ended_and_replaced(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_module, "SILENT_SECONDS", 4.0)

    async def use(workers: WorkerProcesses) -> None:
        await until(lambda: workers.figures.accepting == 2)
        victim = pids()[0]
        os.kill(victim, signal.SIGSTOP)
        await until(lambda: workers.figures.failures >= 1 and workers.figures.accepting == 2)
        assert victim not in pids()

    run(folder, use)


def test_a_new_worker_that_cannot_journal_leaves_the_old_ones_in_place(folder: DataFolder) -> None:
    async def use(workers: WorkerProcesses) -> None:
        await until(lambda: workers.figures.accepting == 2)
        before = pids()
        folder.journal.rename(folder.root / "away")
        folder.journal.touch()
        assert not await workers.replace(ReceiverSettings((b"new",), "token"))
        folder.journal.unlink()
        (folder.root / "away").rename(folder.journal)
        await until(lambda: pids() == before and workers.figures.accepting == 2)
        assert await workers.replace(ReceiverSettings((b"new",), "token"))
        assert not set(before) & set(pids())

    run(folder, use)


def test_capture_has_a_gap_only_while_no_worker_accepts(folder: DataFolder) -> None:
    async def use(workers: WorkerProcesses) -> None:
        since = workers.accepting_since
        assert since is not None
        one = pids()[0]
        os.kill(one, signal.SIGKILL)
        await until(lambda: workers.figures.failures == 1 and workers.figures.accepting == 2)
        assert workers.accepting_since == since
        for pid in pids():
            os.kill(pid, signal.SIGKILL)
        await until(lambda: workers.accepting_since is None)
        await until(lambda: workers.accepting_since is not None)
        assert workers.accepting_since > since

    assert run(folder, use).accepting_since is None


def test_a_worker_never_journals_in_a_folder_that_another_has_locked(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int | None] = []

    def another_was_first(path: Path) -> int | None:
        if not held:
            held.append(try_lock(path))
        return try_lock(path)

    monkeypatch.setattr(journal, "try_lock", another_was_first)

    async def session() -> None:
        (listener,) = listen("127.0.0.1", 0)
        worker = Worker(folder, ReceiverSettings((b"secret",), "token"), listener, lambda: None)
        await worker.open()
        opened = {path.parent for path in folder.journal.glob("*/*.open")}
        assert len(list(folder.journal.iterdir())) == 2
        assert [try_lock(path / "LOCK") for path in opened] == [None], "it is the worker's"
        await worker.close()
        listener.close()

    asyncio.run(session())
    assert held[0] is not None
    os.close(held[0])


def test_every_figure_of_a_worker_reaches_the_sum() -> None:
    def figures(many: int) -> Figures:
        tally = Tally(
            Counter(stored=many), Counter(wrong=many), Counter({"29916666": many}), last_stored_at=7.0
        )
        numbers = {
            name: Counter({"5": many}) if isinstance(value, Counter) else many
            for name, value in vars(Figures()).items()
            if name != "tally"
        }
        return Figures(tally, **numbers)

    total = Figures()
    for worker in (figures(3), Figures.from_json(figures(3).to_json().encode()), Figures()):
        total.add(worker)
    assert total == figures(6)
    assert not [name for name, value in vars(Tally()).items() if value == getattr(total.tally, name)]
