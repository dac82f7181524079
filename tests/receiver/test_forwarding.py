"""What was acknowledged reaches the team's bot as Meta signed it, at least once, and keeps nobody waiting."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from bots import Bot, bot, start_bot
from receiving import Receiver, message, sign, wait_until

from receiver import forwarding
from receiver.errors import InvalidSetting, ReceiverError
from receiver.forwarding import KEPT_SECONDS, MOST_REFUSALS, Forwarder
from receiver.store.backfill import CapturedDelivery, store_captured
from receiver.store.folder import DataFolder
from receiver.store.segment import FILE_MAGIC, Delivery, encode_frame
from receiver.target import Target

__all__ = ["bot", "start_bot"]

Start = Callable[..., Receiver]
Begin = Callable[..., Forwarder]
SIGNATURE = bytes(range(32))


@pytest.fixture
def begin(folder: DataFolder, bot: Bot) -> Iterator[Begin]:
    """Begin to relay from the test's folder, or go on as after a restart."""
    begun: list[Forwarder] = []
    with contextlib.ExitStack() as targets:

        def begin_one(
            begun_at: int | None = None, is_to_stop: Callable[[], bool] = lambda: False
        ) -> Forwarder:
            for forwarder in begun:
                forwarder.save()
            target = Target(bot.url)
            targets.callback(target.close)
            begun_at = forwarding._now() if begun_at is None else begun_at
            begun[:] = [Forwarder(folder, target, begun_at, is_to_stop)]
            return begun[0]

        yield begin_one


@pytest.fixture
def forwarder(begin: Begin) -> Forwarder:
    """The forwarder of a folder in which relaying has begun."""
    return begin()


def seal(folder: DataFolder, number: int, *bodies: bytes, run: str = "run-1", age_seconds: float = 0) -> Path:
    """Seal a segment of deliveries that have just been received."""
    path = folder.journal / run / f"{number:016}.wal"
    path.parent.mkdir(exist_ok=True)
    received_at = int((time.time() - age_seconds) * 1_000_000)
    frames = [
        encode_frame(Delivery(sequence, received_at, SIGNATURE, body), f"{run}-{number:016}")
        for sequence, body in enumerate(bodies)
    ]
    path.write_bytes(FILE_MAGIC + b"".join(frames))
    return path


def publish(folder: DataFolder, segment: Path) -> Path:
    """Move a segment to where published ones are kept."""
    return segment.rename(folder.done / f"{segment.parent.name}-{segment.name}")


def said(capsys: pytest.CaptureFixture[str], forwarder: Forwarder, folder: DataFolder) -> dict[str, int]:
    """What a forwarder has counted since it was last asked, said or not yet, and how many it has set aside."""
    counts = Counter(forwarder.counts)
    for line in capsys.readouterr().out.splitlines():
        counts.update(json.loads(line)["counts"])
    forwarder.counts.clear()
    forwarder.save()
    return {**counts, "aside": len(json.loads((folder.forward / "cursor.json").read_text())["aside"])}


def test_the_bot_gets_what_meta_sent_byte_for_byte_with_its_signature(start: Start, bot: Bot) -> None:
    receiver = start("--forward", bot.url)
    bodies = [
        message("m_1", "na\u00efve \U0001f600 </script>"),
        b'{"object": "page",\n "entry":[]}  ',
        b"\xff not json",
        b"{}" * 300_000,
    ]
    for body in bodies:
        assert receiver.post(body).status_code == 200
    assert receiver.post(b"forged", sign(b"forged", "another secret")).status_code == 401
    wait_until(lambda: len(bot.received) >= len(bodies))
    assert bot.bodies == bodies
    for received in bot.received:
        assert received.path == "/hook?team=1"
        assert received.headers["x-hub-signature-256"] == sign(received.body)["x-hub-signature-256"]
        assert received.headers["content-type"] == "application/json"
    wait_until(lambda: 'ctm_forward_total{result="forwarded"} 4' in receiver.get_private("/metrics").text)
    assert receiver.stop() == 0


def test_a_bot_that_is_away_delays_no_answer_and_gets_everything_later_even_after_a_kill(
    start: Start, start_bot: Callable[..., Bot]
) -> None:
    bot = start_bot()
    bot.stop()
    receiver = start("--forward", bot.url)
    bodies = [message(f"m_{number}") for number in range(20)]
    for body in bodies[:10]:
        assert receiver.post(body).status_code == 200
    wait_until(lambda: 'result="unavailable"} 0' not in receiver.get_private("/metrics").text)
    lag = next(
        line
        for line in receiver.get_private("/metrics").text.splitlines()
        if line.startswith("ctm_forward_lag")
    )
    assert float(lag.split()[1]) > 0
    receiver.kill()
    second = start("--forward", bot.url)
    for body in bodies[10:]:
        assert second.post(body).status_code == 200
    back = start_bot(bot.port)
    wait_until(lambda: len(set(back.bodies)) == 20)
    wait_until(lambda: "ctm_forward_lag_seconds 0" in second.get_private("/metrics").text)
    assert second.stop() == 0
    assert start("--forward", bot.url).stop() == 0
    assert sorted(back.bodies) == sorted(bodies)  # nothing twice where nothing went wrong


def test_a_forwarder_that_dies_is_started_again_and_capture_goes_on(start: Start, bot: Bot) -> None:
    receiver = start("--forward", bot.url)
    children = Path(f"/proc/{receiver.process.pid}/task/{receiver.process.pid}/children")

    def forwarder_pids() -> list[int]:
        return [
            int(pid) for pid in children.read_text().split()
            if b"receiver.forwarding" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]  # fmt: skip

    assert receiver.post(message("m_1")).status_code == 200
    wait_until(lambda: len(bot.received) == 1)
    os.kill(wait_until(forwarder_pids)[0], signal.SIGKILL)
    wait_until(lambda: "the forwarder has failed" in receiver.log)
    assert receiver.post(message("m_2")).status_code == 200
    wait_until(lambda: message("m_2") in bot.bodies)
    assert "ctm_forwarder_failures_total 1" in receiver.get_private("/metrics").text
    assert receiver.stop() == 0


@pytest.mark.parametrize(
    "url",
    [
        "bot.example/hook",
        "ftp://bot.example",
        "https://",
        "https://u:p@bot.example",
        "https://bot:x/",
        "https://b/#a",
    ],
)
def test_what_cannot_be_posted_to_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(InvalidSetting, match="--forward: not a URL to post to"):
        Target(url)


def test_the_receiver_does_not_start_on_such_a_url(start: Start, data: Path) -> None:
    receiver = start("--forward", "bot.example/a-token")
    assert receiver.process.wait(30) == 2
    assert receiver.log.startswith("receiver: --forward: not a URL to post to.")
    assert "a-token" not in receiver.log
    assert not data.exists()


@pytest.mark.parametrize("is_file", [True, False])
def test_a_url_of_the_environment_is_relayed_to_and_stands_in_no_list_of_processes(
    start: Start, bot: Bot, tmp_path: Path, is_file: bool
) -> None:
    (tmp_path / "url").write_text(f"{bot.url}/a-key\n")
    name, text = ("_FILE", str(tmp_path / "url")) if is_file else ("", f"{bot.url}/a-key")
    receiver = start(**{f"CTM_FORWARD_URL{name}": text})
    assert receiver.post(message("m_1")).status_code == 200
    wait_until(lambda: 'ctm_forward_total{result="forwarded"} 1' in receiver.get_private("/metrics").text)
    group = [
        pid.name
        for pid in Path("/proc").iterdir()
        if pid.name.isdecimal() and _group(pid) == receiver.process.pid
    ]
    arguments = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in group}
    assert any(b"receiver.forwarding" in words for words in arguments.values())
    assert not any(b"a-key" in words for words in arguments.values())
    told = [
        words for pid, words in arguments.items() if b"a-key" in Path(f"/proc/{pid}/environ").read_bytes()
    ]
    assert all(b"receiver.forwarding" in words or b"--data" in words for words in told)
    assert "a-key" not in receiver.log


def _group(pid: Path) -> int | None:
    try:
        return os.getpgid(int(pid.name))
    except ProcessLookupError:
        return None


def test_segments_are_relayed_in_order_before_and_after_their_publication(
    folder: DataFolder, bot: Bot, forwarder: Forwarder
) -> None:
    publish(folder, seal(folder, 0, b"1", b"2"))
    seal(folder, 1, b"3", b"4")
    forwarder.step()
    assert bot.bodies == [b"1", b"2", b"3", b"4"]
    publish(folder, seal(folder, 2, b"5"))
    forwarder.step()
    forwarder.step()
    assert bot.bodies == [b"1", b"2", b"3", b"4", b"5"]
    assert {received.headers["x-hub-signature-256"] for received in bot.received} == {
        "sha256=" + SIGNATURE.hex()
    }


def test_each_journal_is_relayed_in_its_own_order_and_none_waits_for_the_end_of_another(
    folder: DataFolder, bot: Bot, forwarder: Forwarder
) -> None:
    for number in range(3):
        seal(folder, number, b"a%d" % number, run="run-a")
        seal(folder, number, b"b%d" % number, run="run-b")
    forwarder.step()
    assert bot.bodies == [b"a0", b"b0", b"a1", b"b1", b"a2", b"b2"]


def test_relaying_begins_with_what_is_received_after_it_was_asked_for(
    folder: DataFolder, bot: Bot, begin: Begin
) -> None:
    publish(folder, seal(folder, 0, b"old", age_seconds=9))
    seal(folder, 1, b"old too", age_seconds=9)
    forwarder = begin()
    seal(folder, 2, b"new")
    seal(folder, 0, b"old, sealed late", run="run-0", age_seconds=5)
    forwarder.step()
    assert bot.bodies == [b"new"]


def test_the_next_forwarder_goes_on_where_the_last_one_stopped(
    folder: DataFolder, bot: Bot, forwarder: Forwarder, begin: Begin
) -> None:
    bot.answer = lambda body: 503 if body == b"3" else 200
    seal(folder, 0, b"1", b"2", b"3", b"4")
    assert forwarder.step() == 1
    assert bot.bodies == [b"1", b"2", b"3"]
    bot.answer = lambda _: 200
    begin().step()
    assert bot.bodies == [b"1", b"2", b"3", b"3", b"4"]


@pytest.mark.parametrize("status", [None, 408, 425, 429, 502, 503, 504])
def test_a_bot_that_cannot_answer_now_holds_up_everything_and_is_asked_less_and_less_often(
    folder: DataFolder, bot: Bot, forwarder: Forwarder, status: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    bot.answer = lambda _: status
    seal(folder, 0, b"1", b"2")
    assert [forwarder.step() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert set(bot.bodies) == {b"1"}
    assert said(capsys, forwarder, folder) == {"unavailable": 9, "aside": 0}
    bot.answer = lambda _: 200
    assert forwarder.step() < 1
    assert bot.bodies[-2:] == [b"1", b"2"]
    assert said(capsys, forwarder, folder) == {"forwarded": 2, "aside": 0}


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 413, 500])
def test_what_the_bot_refuses_again_and_again_is_set_aside_and_tried_later(
    folder: DataFolder,
    bot: Bot,
    forwarder: Forwarder,
    status: int,
    capsys: pytest.CaptureFixture[str],
    begin: Begin,
) -> None:
    forwarder.step()  # so that nothing set aside is tried again for ten minutes
    said(capsys, forwarder, folder)
    bot.answer = lambda body: status if body == b"poison" else 200
    bot.location = "/elsewhere"
    seal(folder, 0, b"poison", b"2")
    for _ in range(MOST_REFUSALS):
        forwarder.step()
    assert bot.bodies == [b"poison"] * MOST_REFUSALS + [b"2"]
    assert {received.path for received in bot.received} == {"/hook?team=1"}
    assert said(capsys, forwarder, folder) == {"refused": MOST_REFUSALS, "forwarded": 1, "aside": 1}
    bot.answer = lambda _: 200
    following = begin()
    following.step()
    assert bot.bodies[MOST_REFUSALS + 1 :] == [b"poison"]
    assert said(capsys, following, folder) == {"forwarded": 1, "aside": 0}


def test_when_too_much_is_set_aside_the_rest_waits(
    folder: DataFolder, bot: Bot, forwarder: Forwarder, monkeypatch: pytest.MonkeyPatch, begin: Begin
) -> None:
    forwarder.step()
    monkeypatch.setattr(forwarding, "MOST_ASIDE", 2)
    bot.answer = lambda _: 500
    seal(folder, 0, b"1", b"2", b"3", b"4")
    for _ in range(MOST_REFUSALS * 5):
        forwarder.step()
    assert set(bot.bodies) == {b"1", b"2", b"3"}
    bot.answer = lambda _: 200
    begin().step()
    assert bot.bodies[-4:] == [b"3", b"4", b"1", b"2"]


def test_after_a_success_the_bot_is_asked_again_soon(
    folder: DataFolder, bot: Bot, forwarder: Forwarder
) -> None:
    bot.answer = lambda _: 503
    seal(folder, 0, b"1", b"2")
    assert [forwarder.step() for _ in range(4)] == [1, 2, 4, 8]
    bot.answer = lambda body: 200 if body == b"1" else 503
    assert [forwarder.step() for _ in range(2)] == [1, 2]


def test_what_the_bot_did_not_take_for_days_is_given_up_and_counted(
    folder: DataFolder, bot: Bot, capsys: pytest.CaptureFixture[str], begin: Begin
) -> None:
    forwarder = begin(begun_at=0)
    seal(folder, 0, b"1", b"2", age_seconds=KEPT_SECONDS + 5)
    seal(folder, 1, b"3", age_seconds=KEPT_SECONDS - 60)
    forwarder.step()
    assert bot.bodies == [b"3"]
    assert said(capsys, forwarder, folder) == {"given_up": 2, "forwarded": 1, "aside": 0}


def test_segments_that_are_gone_are_counted_and_hold_up_nothing(
    folder: DataFolder, bot: Bot, forwarder: Forwarder, capsys: pytest.CaptureFixture[str], begin: Begin
) -> None:
    for number in range(4):
        seal(folder, number, b"%d" % number)
    bot.answer = lambda body: 200 if body == b"0" else 503
    forwarder.step()
    for number in (1, 2):
        (folder.journal / "run-1" / f"{number:016}.wal").unlink()
    bot.answer = lambda _: 200
    following = begin()
    following.step()
    assert bot.bodies[-1] == b"3"
    assert said(capsys, following, folder)["missing_segments"] == 2


def test_a_run_of_which_nothing_is_left_is_forgotten(
    folder: DataFolder, bot: Bot, forwarder: Forwarder, begin: Begin
) -> None:
    segment = seal(folder, 0, b"1")
    forwarder.step()
    publish(folder, segment).unlink()
    segment.parent.rmdir()
    following = begin()
    following.step()
    following.save()
    assert json.loads((folder.forward / "cursor.json").read_text())["next_places"] == {}


@pytest.mark.parametrize("is_aside", [False, True])
def test_what_was_erased_meanwhile_is_not_relayed(
    folder: DataFolder,
    bot: Bot,
    forwarder: Forwarder,
    is_aside: bool,
    capsys: pytest.CaptureFixture[str],
    begin: Begin,
) -> None:
    bot.answer = lambda _: 500 if is_aside else 503
    seal(folder, 0, b"erased")
    for _ in range(MOST_REFUSALS):
        forwarder.step()
    assert said(capsys, forwarder, folder)["aside"] == is_aside
    seal(folder, 0)
    seal(folder, 1, b"kept")
    bot.answer = lambda _: 200
    asked = len(bot.received)
    begin().step()
    assert bot.bodies[asked:] == [b"kept"]


def test_what_was_backfilled_is_not_relayed(folder: DataFolder, bot: Bot, forwarder: Forwarder) -> None:
    store_captured(folder, [CapturedDelivery(int((time.time() + 9) * 1_000_000), b"captured elsewhere")])
    seal(folder, 0, b"received")
    forwarder.step()
    assert bot.bodies == [b"received"]


def test_a_damaged_segment_gives_what_is_whole(folder: DataFolder, bot: Bot, forwarder: Forwarder) -> None:
    path = seal(folder, 0, b"first", b"second", b"third")
    path.write_bytes(path.read_bytes().replace(b"second", b"se\x00ond"))
    forwarder.step()
    assert bot.bodies == [b"first", b"third"]


def test_a_cursor_that_is_none_is_not_guessed(
    folder: DataFolder, bot: Bot, forwarder: Forwarder, begin: Begin
) -> None:
    forwarder.step()
    (folder.forward / "cursor.json").write_text('{"since": 1')
    with pytest.raises(ReceiverError, match="not a cursor"):
        begin()


def test_a_forwarder_without_news_writes_nothing(
    folder: DataFolder,
    forwarder: Forwarder,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forwarding, "REPORT_SECONDS", 0)
    seal(folder, 0, b"1")
    forwarder.step()
    capsys.readouterr()
    (folder.forward / "cursor.json").unlink()
    forwarder.step()
    assert capsys.readouterr().out == ""
    assert not (folder.forward / "cursor.json").exists()
    seal(folder, 1, b"2")
    forwarder.step()
    assert json.loads(capsys.readouterr().out.splitlines()[0])["counts"] == {"forwarded": 1}
    assert (folder.forward / "cursor.json").exists()


def test_several_workers_are_relayed_too(start: Start, bot: Bot) -> None:
    receiver = start("--workers", "2", "--forward", bot.url)
    bodies = [message(f"m_{number}") for number in range(20)]
    for body in bodies:
        with httpx.Client() as client:  # a connection each, so that both workers get some
            url = f"{receiver.url}/webhook"
            assert client.post(url, content=body, headers=sign(body)).status_code == 200
    wait_until(lambda: len(bot.received) == 20)
    assert sorted(bot.bodies) == sorted(bodies)
    assert receiver.stop() == 0


def test_a_forwarder_that_is_to_stop_sends_nothing_more(
    folder: DataFolder, bot: Bot, forwarder: Forwarder, begin: Begin
) -> None:
    forwarder.step()
    seal(folder, 0, b"1", b"2", b"3")
    begin(is_to_stop=lambda: len(bot.received) >= 2).step()
    assert bot.bodies == [b"1", b"2"]
    begin().step()
    assert bot.bodies == [b"1", b"2", b"3"]


def test_one_connection_is_kept_and_opened_again_when_the_bot_has_closed_it(
    folder: DataFolder, bot: Bot, start_bot: Callable[..., Bot]
) -> None:
    with contextlib.closing(Target(bot.url)) as target:
        assert target.send(b"1", SIGNATURE) == target.send(b"2", SIGNATURE) == "forwarded"
        assert bot.connections == 1
        bot.stop()
        second = start_bot(bot.port)
        assert target.send(b"3", SIGNATURE) == "forwarded"
    assert second.bodies == [b"3"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, with its key, that no authority has signed."""
    path = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    subprocess.check_call(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", str(path)],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return path


def test_a_certificate_is_verified(
    start_bot: Callable[..., Bot], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = start_bot(certificate=certificate)

    def send(url: str) -> str:
        with contextlib.closing(Target(url)) as target:
            return target.send(b"1", SIGNATURE)

    assert send(bot.url) == "unavailable"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert (
        send(bot.url.replace("localhost", "127.0.0.1")) == "unavailable"
    )  # another name than the certificate's
    assert bot.received == []
    assert send(bot.url) == "forwarded"
    assert bot.bodies == [b"1"]


def test_a_bot_that_drips_its_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("receiver.target.ANSWER_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                while True:  # never an answer, and never a second of silence
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        target = Target(f"http://127.0.0.1:{listener.getsockname()[1]}/hook")
        assert target.send(b"{}", bytes(32)) == "unavailable"
