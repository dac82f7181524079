"""A thousand connections that dawdle or flood are ended by their deadlines, while deliveries are answered."""

import contextlib
import re
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from faults.size import scaled
from receiving import Receiver, message, wait_until

CONNECTIONS = scaled(1_000)
HEAD = b"POST /webhook HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: sha256=" + b"0" * 64 + b"\r\n"
BEGINNINGS = [b"", HEAD, HEAD + b"content-length: 1000\r\n\r\n", HEAD + b"transfer-encoding: chunked\r\n\r\n"]
MAX_GROWTH_BYTES = 64 * 1024 * 1024


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, limits[1]), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def resident_bytes(receiver: Receiver) -> int:
    status = Path(f"/proc/{receiver.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]  # a search without a match fails the test


def dawdle(connection: socket.socket, is_over: threading.Event) -> None:
    """Send a byte a second until the receiver ends the connection."""
    with contextlib.suppress(OSError):
        while not is_over.wait(1):
            connection.sendall(b"1")


def is_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def test_a_thousand_slow_connections_are_ended_and_delay_nobody(start: Callable[..., Receiver]) -> None:
    receiver = start()
    is_over = threading.Event()
    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(receiver.connect()) for _ in range(CONNECTIONS)]
        opened.callback(is_over.set)
        for number, connection in enumerate(connections):
            connection.sendall(BEGINNINGS[number % len(BEGINNINGS)])
        slow = [connection for number, connection in enumerate(connections) if number % len(BEGINNINGS)]
        for connection in slow:
            threading.Thread(target=dawdle, args=(connection, is_over), daemon=True).start()
        begun_at = time.monotonic()
        waits = []
        for number in range(200):
            sent_at = time.monotonic()
            assert receiver.post(message(f"m_{number}")).status_code == 200
            waits.append(time.monotonic() - sent_at)
        wait_until(lambda: all(is_ended(connection) for connection in connections))
        print(
            f"{CONNECTIONS} slow connections ended after {time.monotonic() - begun_at:.0f} s;"
            f" an honest delivery waited {max(waits):.2f} s at most"
        )
    assert receiver.post(message("m_after")).status_code == 200


def test_floods_of_headers_are_refused_and_fill_no_memory(start: Callable[..., Receiver]) -> None:
    receiver = start()
    assert receiver.post(message("m_before")).status_code == 200
    before = resident_bytes(receiver)
    floods = [
        b"GET / HTTP/1.1\r\nx: " + b"y" * 10_000_000,
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20_000,
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"1;" + b"x" * 1_000_000,
    ]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(receiver.exchange, floods * scaled(100)))
    assert {answer[:12] for answer in answers} <= {b"HTTP/1.1 431", b"HTTP/1.1 400", b""}
    assert receiver.post(message("m_after")).status_code == 200
    growth = resident_bytes(receiver) - before
    print(f"{len(answers)} floods: {growth / 2**20:.0f} MiB more")
    assert growth < MAX_GROWTH_BYTES
