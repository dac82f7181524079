import asyncio
import contextlib
import gzip
import hmac
import os
import resource
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from receiving import APP_SECRET, VERIFY_TOKEN, Receiver, message, published, sign, wait_until

from receiver.app import Webhook
from receiver.metrics import Tally
from receiver.settings import ReceiverSettings
from receiver.store.folder import DataFolder
from receiver.store.journal import Journal
from receiver.store.segment import read_segment

Start = Callable[..., Receiver]


@pytest.fixture(scope="module", autouse=True)
def stalled(receiver: Receiver) -> Iterator[dict[str, Future[bytes]]]:
    """Requests that do not go on, and what will come back; begun first, since their deadlines take seconds."""
    head = b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nx-hub-signature-256: "
    beginnings = {
        "nothing": b"",
        "empty line": b"\r\n",
        "half a head": b"POST /webhook HTTP/1.1\r\nhost:",
        "half a body": head + sign(b"12345")["x-hub-signature-256"].encode() + b"\r\n\r\n1234",
        "line after a request": b"GET /healthz HTTP/1.1\r\n\r\n\r\n",
    }
    with ThreadPoolExecutor(len(beginnings)) as threads:
        yield {what: threads.submit(receiver.exchange, beginning) for what, beginning in beginnings.items()}


def handshake(receiver: Receiver, **values: str) -> httpx.Response:
    asked = {"mode": "subscribe", "challenge": "1158201444", "verify_token": "a-verify-token", **values}
    return receiver.client.get(
        f"{receiver.url}/webhook", params={f"hub.{name}": value for name, value in asked.items()}
    )


def test_the_handshake_answers_the_challenge_and_nothing_else(receiver: Receiver) -> None:
    answer = handshake(receiver)
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_wrong_verify_token_is_forbidden(receiver: Receiver) -> None:
    assert handshake(receiver, verify_token="another").status_code == 403
    assert handshake(receiver, verify_token="").status_code == 403
    assert handshake(receiver, verify_token="ä").status_code == 403


def test_a_malformed_handshake_is_refused(receiver: Receiver) -> None:
    for values in (
        {"mode": "unsubscribe"},
        {"challenge": "<script>"},
        {"challenge": "1\r\nx: y"},
        {"challenge": "1" * 65},
        {"challenge": ""},
        {"challenge": "\u0661"},  # a digit, but not one of ours
    ):
        assert handshake(receiver, **values).status_code == 400, values
    for query in ("", "?hub.mode=subscribe", "?hub.mode=a&hub.mode=b&hub.challenge=1&hub.verify_token=1"):
        assert receiver.get(f"/webhook{query}").status_code == 400, query


def test_a_signed_delivery_is_answered_with_an_empty_200_and_published(start: Start, data: Path) -> None:
    receiver = start()
    answer = receiver.post(message("m_1"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert receiver.stop() == 0
    (row,) = published(data)
    assert (row["message_id"], row["platform"], row["event_type"]) == ("m_1", "messenger", "message")
    assert "text" not in row


def test_an_event_can_be_read_soon_after_its_200_without_stopping(start: Start, data: Path) -> None:
    receiver = start()
    assert receiver.post(message("m_1")).status_code == 200
    wait_until(lambda: published(data))
    assert receiver.post(message("m_2")).status_code == 200
    wait_until(lambda: len(published(data)) == 2)


def test_a_delivery_of_wrong_signature_is_refused_and_not_stored(start: Start, data: Path) -> None:
    receiver = start()
    for headers in (
        {},
        sign(message("m_1"), "another-secret"),
        sign(message("m_2")),
        {"x-hub-signature": "sha1=" + "0" * 40},
        {"x-hub-signature-256": "sha256=" + "0" * 63},
    ):
        assert receiver.post(message("m_1"), headers).status_code == 401
    sizes = {path.stat().st_size for path in data.glob("journal/*/*.open")}
    assert 0 < max(sizes) <= 8  # the file's mark and no frame
    assert receiver.stop() == 0
    assert published(data) == []


def test_two_signatures_are_refused_even_if_one_is_right(receiver: Receiver) -> None:
    right = sign(message("m_1"))["x-hub-signature-256"]
    for pair in ((right, "sha256=" + "0" * 64), ("sha256=" + "0" * 64, right)):
        headers = [("x-hub-signature-256", value) for value in pair]
        answer = receiver.client.post(f"{receiver.url}/webhook", content=message("m_1"), headers=headers)
        assert answer.status_code == 401


def test_any_of_several_secrets_is_accepted(start: Start) -> None:
    receiver = start(CTM_APP_SECRET="old,new", CTM_INSTAGRAM_APP_SECRET="instagram")
    about_instagram = message("m_1").replace(b'"page"', b'"instagram"')
    for secret in ("old", "new", "instagram"):
        assert receiver.post(about_instagram, sign(about_instagram, secret)).status_code == 200
    assert receiver.post(message("m_1"), sign(message("m_1"), "instagram")).status_code == 401
    assert 'ctm_signatures_refused_total{reason="foreign"} 1' in receiver.get_private("/metrics").text


def test_a_signed_body_of_any_content_is_kept_and_answered_200(start: Start, data: Path) -> None:
    receiver = start()
    bodies = [b"not json", b"\xff\xfe", b"null", b'{"object":"moon"}', b"[" * 100_000, b'"\\ud800"']
    for body in bodies:
        assert receiver.post(body).status_code == 200
    assert receiver.stop() == 0
    assert [row["event_type"] for row in published(data)] == ["unknown"] * len(bodies)


CURIOUS_BODIES = [
    '{"text":"na\u00efve \U0001f600"}'.encode(),
    b'{"text":"na\\u00efve \\ud83d\\ude00 https:\\/\\/x"}',
    b'{"text":"\\ud800"}',
    b'{"text":"\x00"}\x00',
    b"\xef\xbb\xbf{}",
    b'{"a":1,"a":2}',
    b'{"a":NaN,"b":1e999}',
    b"9" * 100_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b"\xff\xfe\x00",
    b"",
    b" \r\n ",
]


def test_whatever_is_signed_lies_in_the_journal_byte_for_byte(start: Start, data: Path) -> None:
    receiver = start()
    for body in CURIOUS_BODIES:
        assert receiver.post(body).status_code == 200, body[:40]
    assert receiver.stop() == 0
    kept = [
        (delivery.body, delivery.signature)
        for segment in sorted(data.glob("done/*.wal"))
        for delivery in read_segment(segment.read_bytes(), segment.stem)[0]
    ]
    assert kept == [(body, hmac.digest(APP_SECRET.encode(), body, "sha256")) for body in CURIOUS_BODIES]
    assert not list(data.glob("quarantine/*"))


def test_without_the_setting_nobody_s_certificate_is_asked_for_and_with_it_only_meta_s_will_do(
    start: Start,
) -> None:
    body, subject = message("m_1"), "CN=client.webhooks.fbclientcerts.com,O=Meta"
    receiver = start(CTM_CLIENT_CERTIFICATE_HEADER="X-Client-Subject")
    assert receiver.post(body, {**sign(body), "x-client-subject": subject}).status_code == 200
    for headers in (
        {},
        {"x-client-subject": "CN=evil"},
        {"x-client-subject": ""},
        {"x-other-subject": subject},
    ):
        assert receiver.post(body, {**sign(body), **headers}).status_code == 403
    assert receiver.post(body, {"x-client-subject": subject}).status_code == 401
    assert handshake(receiver).status_code == 200


def test_text_is_kept_only_when_it_is_asked_for(start: Start, data: Path) -> None:
    receiver = start(CTM_STORE_TEXT="1")
    receiver.post(message("m_1", text="a private word"))
    assert receiver.stop() == 0
    assert published(data)[0]["text"] == "a private word"


def test_a_delivery_sent_ten_times_in_a_row_and_at_once_is_stored_once(start: Start, data: Path) -> None:
    receiver = start()
    for _ in range(10):
        assert receiver.post(message("m_in_a_row")).status_code == 200
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: receiver.post(message("m_at_once")), range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert receiver.stop() == 0
    assert sorted(row["message_id"] for row in published(data)) == ["m_at_once", "m_in_a_row"]


def test_only_get_and_post_of_the_webhook_exist(receiver: Receiver) -> None:
    for method in ("PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
        answer = receiver.client.request(method, f"{receiver.url}/webhook")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    for path in ("/", "/webhook/", "/metrics", "/readyz", "/docs", "//evil.example/webhook"):
        assert receiver.get(path).status_code == 404, path
    assert receiver.get("/healthz").text == "ok"


def test_a_body_of_three_megabytes_is_stored_and_one_over_the_limit_refused(start: Start, data: Path) -> None:
    receiver = start()
    assert receiver.post(message("m_1", text="x" * 3_000_000)).status_code == 200
    refused = receiver.exchange(
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 4194305\r\n"
        b"x-hub-signature-256: sha256=" + b"0" * 64 + b"\r\n\r\n"
    )
    assert refused.startswith(b"HTTP/1.1 413 ")
    assert receiver.stop() == 0
    assert len(published(data)) == 1


def test_a_chunked_body_is_cut_at_the_limit(receiver: Receiver) -> None:
    head = (
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
        b"x-hub-signature-256: sha256=" + b"0" * 64 + b"\r\n\r\n"
    )
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    assert receiver.exchange(head + chunk * 64 + b"1\r\nx\r\n").startswith(b"HTTP/1.1 413 ")


def test_a_chunked_delivery_within_the_limit_is_stored(receiver: Receiver) -> None:
    body = message("m_1")
    answer = receiver.client.post(
        f"{receiver.url}/webhook", content=iter([body[:10], body[10:]]), headers=sign(body)
    )
    assert answer.status_code == 200


def test_a_request_that_names_no_length_or_an_encoding_is_refused(receiver: Receiver) -> None:
    assert receiver.exchange(b"POST /webhook HTTP/1.1\r\nhost: x\r\n\r\n").startswith(b"HTTP/1.1 411 ")
    packed = gzip.compress(message("m_1"))
    answer = receiver.post(packed, {**sign(packed), "content-encoding": "gzip"})
    assert answer.status_code == 415


CHUNKED = (
    b"POST /webhook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
    b"x-hub-signature-256: sha256=" + b"0" * 64 + b"\r\n\r\n"
)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 7\r\ncontent-length: 8\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length : 3\r\n\r\n",
        b"GET / HTTP/1.1\nhost: x\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 7\r\ncontent-length: 7\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 7, 7\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: +7\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\na: b\x00c\r\n\r\n",
        CHUNKED + b"1\r\nxx\r\n0\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    ],
    ids=[
        "two framings",
        "two lengths",
        "negative length",
        "space before colon",
        "bare line feeds",
        "tls",
        "two equal lengths",
        "list of lengths",
        "signed length",
        "folded header",
        "zero byte",
        "chunks that do not end",
        "chunked twice",
        "framing in disguise",
    ],
)
def test_a_request_that_two_servers_could_read_differently_is_refused(
    receiver: Receiver, request_bytes: bytes
) -> None:
    assert receiver.exchange(request_bytes).startswith(b"HTTP/1.1 400 ")


def test_a_request_hidden_in_another_is_not_served(receiver: Receiver) -> None:
    hidden = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    both = b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = receiver.exchange(both % (len(hidden) + 5) + b"0\r\n\r\n" + hidden)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    # As a body it is a body, and a refused one is not read on.
    unsigned = b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(hidden)
    answer = receiver.exchange(unsigned + hidden)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_another_protocol_is_not_spoken(receiver: Receiver, protocol: bytes) -> None:
    head = b"POST /webhook HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: " + protocol
    answer = receiver.exchange(head + b"\r\ncontent-length: 2\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_signature_in_any_other_form_is_refused_on_the_wire(receiver: Receiver) -> None:
    digest = sign(b"{}")["x-hub-signature-256"].encode()
    head = b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nx-hub-signature-256: "
    for value in (
        digest.upper(),
        digest + b"0",
        digest[:-1],
        b"",
        digest.replace(b"=", b"\xb2"),
        digest + b"," + digest,
    ):
        assert receiver.exchange(head + value + b"\r\n\r\n{}").startswith(b"HTTP/1.1 401 "), value
    assert receiver.exchange(head + digest + b"\r\nconnection: close\r\n\r\n{}").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("header", [b"x: " + b"y" * 20_000, b"x: y\r\n" * 5_000, b"x" * 30_000])
def test_a_head_beyond_sixteen_kibibytes_is_refused(receiver: Receiver, header: bytes) -> None:
    answer = receiver.exchange(b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + header)
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("framing", [b"0\r\n", b"0\r\na: b\r\n", b"1;", b"1\r\nx\r\n0\r\n"])
@pytest.mark.parametrize("path", [b"/webhook", b"/healthz"])
def test_framing_of_a_body_without_end_is_refused_at_once(
    receiver: Receiver, path: bytes, framing: bytes
) -> None:
    head = b"POST " + path + b" HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
    head += b"x-hub-signature-256: sha256=" + b"0" * 64 + b"\r\n\r\n"
    answer = receiver.exchange(head + framing + b"a" * 1_000_000)
    assert b" 408 " not in answer  # it did not wait for the deadline
    assert answer.count(b"HTTP/1.1") <= 1


def test_requests_that_are_sent_before_the_last_is_answered_are_few(receiver: Receiver) -> None:
    request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    assert receiver.exchange(request * 4 + last).count(b"HTTP/1.1 200 ") == 5
    answers = receiver.exchange(request * 100_000 + last)
    assert answers.count(b"HTTP/1.1 200 ") < 100
    assert b" 400 " not in answers  # it would be taken for the answer to a request that waits


def test_large_forged_bodies_do_not_shut_out_small_deliveries(folder: DataFolder) -> None:
    forged = {"x-hub-signature-256": "sha256=" + "0" * 64}

    async def deliver(
        webhook: Webhook, body: bytes, headers: dict[str, str], *, is_whole: bool = True
    ) -> int:
        messages: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": not is_whole}]
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            if not messages:
                await asyncio.Event().wait()  # the rest never comes
            return messages.pop()

        async def send(answer: Any) -> None:
            statuses.extend([answer["status"]] if "status" in answer else [])

        fields = {**headers, "content-length": "4194304"}
        scope = {
            "type": "http",
            "method": "POST",
            "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        }
        await webhook(scope, receive, send)
        return statuses[0]

    async def session() -> None:
        journal = Journal(folder, lambda: None)
        journal.open("run-1")
        webhook = Webhook(ReceiverSettings((APP_SECRET.encode(),), VERIFY_TOKEN), journal, Tally())
        large = bytes(4_194_303)
        stalled = [asyncio.create_task(deliver(webhook, large, forged, is_whole=False)) for _ in range(16)]
        await asyncio.sleep(0)
        small = message("m_small")
        assert await deliver(webhook, bytes(200_000), forged) == 503
        assert await deliver(webhook, small, sign(small)) == 200
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)
        assert await deliver(webhook, bytes(200_000), forged) == 401
        await journal.close()

    asyncio.run(session())


def test_a_trailer_is_no_header(receiver: Receiver) -> None:
    body = message("m_trailer")
    framed = b"%x\r\n%b\r\n0\r\n" % (len(body), body)
    ((name, value),) = sign(body).items()
    head = b"POST /webhook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n"
    signature = f"{name}: {value}\r\n".encode()
    assert receiver.exchange(head + b"\r\n" + framed + signature + b"\r\n").startswith(b"HTTP/1.1 401 ")
    answer = receiver.exchange(head + signature + b"\r\n" + framed + signature + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def many_files() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limits[1]), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("hard_limit", [1024, 4096])
def test_idle_connections_without_number_do_not_end_the_receiver(
    start: Start, hard_limit: int, data: Path
) -> None:
    receiver = start(limits={resource.RLIMIT_NOFILE: (1024, hard_limit)})
    assert receiver.post(message("m_before")).status_code == 200
    with contextlib.ExitStack() as connections:
        for _ in range(1_100):
            connections.enter_context(receiver.connect())
        if hard_limit > 1024:
            assert receiver.post(message("m_beside")).status_code == 200
        wait_until(lambda: published(data))  # so that a new segment has been opened meanwhile
    # Until it has noticed that they are closed, one more connection is one too many.
    wait_until(lambda: receiver.post(message("m_after")).status_code == 200)


def test_a_receiver_that_is_not_to_hear_hangups_goes_on(start: Start, data: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        receiver = start()
    finally:
        signal.signal(signal.SIGHUP, before)
    os.killpg(receiver.process.pid, signal.SIGHUP)
    assert receiver.post(message("m_1")).status_code == 200
    wait_until(lambda: published(data))
    assert receiver.post(message("m_2")).status_code == 200
    assert receiver.stop() == 0


def test_a_connection_cut_within_the_body_stores_nothing(start: Start, data: Path) -> None:
    receiver = start()
    address = httpx.URL(receiver.url)
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(
            b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n"
            b"x-hub-signature-256: sha256=" + b"0" * 64 + b"\r\n\r\nhalf"
        )
    assert receiver.post(message("m_1")).status_code == 200
    assert receiver.stop() == 0
    assert len(published(data)) == 1


def test_metrics_and_readiness_are_on_the_private_port_only(start: Start) -> None:
    receiver = start()
    receiver.post(message("m_1"))
    receiver.post(message("m_1"), {})
    assert receiver.get_private("/readyz").text == "ready"
    assert receiver.get_private("/webhook").status_code == 404
    metrics = receiver.get_private("/metrics").text
    assert 'ctm_deliveries_total{result="stored"} 1' in metrics
    assert 'ctm_signatures_refused_total{reason="absent"} 1' in metrics
    assert "127.0.0.1" in receiver.private_url


def test_nothing_personal_and_no_secret_is_logged_or_counted_in_a_whole_run(
    start: Start, data: Path, tmp_path: Path
) -> None:
    data.mkdir(mode=0o700)
    settings = data / "ctm.toml"
    settings.write_text("store_text = true")
    receiver = start(
        "--forward", "http://127.0.0.1:9/canary-of-the-bot", CTM_INSTAGRAM_APP_SECRET="canary-secret"
    )
    receiver.post(message("m_canary", text="a private word"))
    receiver.post(message("m_canary", text="a private word"), {})
    receiver.post(message("m_canary"), sign(message("m_canary"), "canary-secret"))
    receiver.post(b"canary that is not json")
    handshake(receiver, verify_token="canary")
    handshake(receiver)
    receiver.exchange(b"GET /canary\x00 HTTP/1.1\r\n\r\n")
    receiver.exchange(b"GET /canary?canary=1 HTTP/1.1\r\nx-canary: 1\r\nconnection: close\r\n\r\n")
    settings.write_text("canary = 'of the settings'\nstore_text = 'canary?'")
    receiver.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "The settings in use stay" in receiver.log)
    os.kill(receiver.publisher_pid(), signal.SIGKILL)
    wait_until(lambda: "the publisher has failed" in receiver.log)
    wait_until(lambda: published(data))
    said = receiver.get_private("/metrics").text + receiver.get_private("/readyz").text
    assert receiver.stop() == 0
    said += receiver.log.replace("'canary?'", "")  # the setting that is wrong is named, as it should be
    for word in (
        "canary", "private word", "7219453208114", "1906385232743451", "an-app-secret", "a-verify-token",
    ):  # fmt: skip
        assert word not in said


def test_everything_on_disk_belongs_to_the_receiver_alone(start: Start, data: Path) -> None:
    receiver = start()
    receiver.post(message("m_1"))
    assert receiver.stop() == 0
    for path in [data, *data.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_each_run_leaves_one_heartbeat(start: Start, data: Path) -> None:
    for _ in range(2):
        assert start().stop() == 0
    beats = [pq.read_table(file).to_pylist() for file in sorted(data.glob("heartbeats/*.parquet"))]
    assert [len(rows) for rows in beats] == [1, 1]
    for (row,) in beats:
        assert row["started_at"] < row["beat_at"]
    assert beats[0][0]["beat_at"] < beats[1][0]["started_at"]


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"CTM_APP_SECRET": ""}, "CTM_APP_SECRET is not set"),
        ({"CTM_VERIFY_TOKEN": ""}, "CTM_VERIFY_TOKEN is not set"),
        ({"CTM_STORE_TEXT": "perhaps"}, "store_text: 'perhaps' is not a switch"),
    ],
)
def test_the_receiver_does_not_start_on_a_wrong_setting(
    start: Start, environ: dict[str, str], sentence: str, data: Path
) -> None:
    receiver = start(**environ)
    assert receiver.process.wait(30) == 2
    assert receiver.log.startswith(f"receiver: {sentence}")
    assert receiver.log.count("\n") == 1
    assert not data.exists()


def test_a_second_receiver_on_the_same_folder_is_refused(start: Start) -> None:
    first = start()
    second = start()
    assert second.process.wait(30) == 1
    assert "another receiver publishes from this folder" in second.log
    assert first.post(message("m_1")).status_code == 200


def test_a_port_in_use_is_said_in_one_sentence(start: Start) -> None:
    port = httpx.URL(start().url).port
    second = start("--port", str(port))
    assert second.process.wait(30) == 1
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use." in second.log


def test_when_the_publisher_dies_deliveries_are_still_stored_and_another_publishes_them(
    start: Start, data: Path
) -> None:
    receiver = start()
    assert receiver.post(message("m_1")).status_code == 200
    os.kill(receiver.publisher_pid(), signal.SIGKILL)
    wait_until(lambda: "the publisher has failed" in receiver.log)
    assert receiver.post(message("m_2")).status_code == 200
    wait_until(lambda: len(published(data)) == 2)
    assert "ctm_publisher_failures_total 1" in receiver.get_private("/metrics").text
    assert receiver.stop() == 0


def test_a_receiver_that_stops_without_a_publisher_leaves_all_to_the_next(start: Start, data: Path) -> None:
    receiver = start()
    assert receiver.post(message("m_1")).status_code == 200
    os.kill(receiver.publisher_pid(), signal.SIGKILL)
    wait_until(lambda: "the publisher has failed" in receiver.log)
    assert "the publisher has ended" in receiver.get_private("/readyz").text
    assert receiver.stop() == 70
    assert "not everything is published" in receiver.log
    assert start().stop() == 0
    assert len(published(data)) == 1


def test_the_process_that_answers_does_without_what_writes_parquet(receiver: Receiver) -> None:
    libraries = {
        process: Path(f"/proc/{process}/maps").read_text()
        for process in (receiver.process.pid, receiver.publisher_pid())
    }
    assert ["arrow" in maps for maps in libraries.values()] == [False, True]


def test_a_receiver_whose_disk_refuses_at_the_start_answers_503_until_it_works(
    start: Start, data: Path
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    receiver = start(limits={resource.RLIMIT_FSIZE: (100_000, limits[1])})
    assert "the disk refuses: [Errno 27] File too large" in receiver.log
    answer = receiver.post(message("m_1"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert receiver.get_private("/readyz").status_code == 503
    assert receiver.get("/healthz").status_code == 200
    assert 'result="unavailable"} 1' in receiver.get_private("/metrics").text
    resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, limits)
    wait_until(lambda: receiver.get_private("/readyz").status_code == 200)
    assert receiver.post(message("m_2")).status_code == 200
    assert receiver.stop() == 0
    assert [row["message_id"] for row in published(data)] == ["m_2"]


def test_a_receiver_whose_disk_never_works_can_be_stopped(start: Start, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    receiver = start()
    assert receiver.post(message("m_1")).status_code == 503
    assert receiver.get_private("/metrics").status_code == 200
    assert receiver.stop() == 70


def test_a_request_that_does_not_go_on_is_ended_by_its_deadline(stalled: dict[str, Future[bytes]]) -> None:
    answers = {what: answer.result() for what, answer in stalled.items()}
    assert answers["nothing"] == answers["empty line"] == b""
    assert answers["half a head"].startswith(b"HTTP/1.1 408 ")
    assert answers["half a body"].startswith(b"HTTP/1.1 408 ")
    assert answers["line after a request"].startswith(b"HTTP/1.1 200 ")
    assert answers["line after a request"].count(b"HTTP/1.1") == 1
