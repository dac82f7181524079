"""Plays deliveries through the real receiver: a process of its own, signed bodies, HTTP."""

import hashlib
import hmac
import os
import queue
import re
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Lock, Thread
from types import FrameType
from typing import IO, NamedTuple

from ctm_analytics.errors import CtmError

_CONNECTIONS = 8
_START_SECONDS = 30
_RETRY_SECONDS = 30
_STOP_SECONDS = 60
_PROGRESS_EVERY = 1_000
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")


class ReceiverFailed(CtmError):
    """The receiver did not start, did not take a delivery, or did not end as it should."""


class ReplayCounts(NamedTuple):
    """How the replay went.

    Attributes
    ----------
    deliveries : int, bodies that the receiver acknowledged
    retries : int, posts that were answered 503 or cut off, and sent again
    """

    deliveries: int
    retries: int


def replay(data: Path, bodies: Sequence[bytes], *, progress: Callable[[str], None]) -> ReplayCounts:
    """Post every body, in order but for what a few connections at a time overtake, and wait for the Parquet.

    Parameters
    ----------
    data : Path, the data folder of the receiver
    bodies : sequence of bytes
    progress : callable, gets a sentence now and then

    Raises
    ------
    ReceiverFailed
        If the receiver does not start, refuses a body, or does not end with exit code 0 after publishing.
    """
    secret = secrets.token_hex(16)
    with running_receiver(data, secret) as (process, port, last_words):
        counts = post_all(port, secret, bodies, progress)
        progress("Publishing to Parquet")
        process.send_signal(signal.SIGTERM)
        try:
            exit_code = process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise ReceiverFailed(f"The receiver did not stop within {_STOP_SECONDS} s.") from None
        if exit_code != 0:
            raise ReceiverFailed(f"The receiver ended with exit code {exit_code}. {_quoted(last_words)}")
    return counts


@contextmanager
def running_receiver(data: Path, secret: str) -> Iterator[tuple[subprocess.Popen[str], int, deque[str]]]:
    """Run a receiver in a process group of its own, which ends with the block, however that ends.

    Yields
    ------
    (Popen, int, deque of str)
        The process, the port of its webhook, and the last lines that it wrote to standard error.

    Raises
    ------
    ReceiverFailed
        If it does not start.
    """
    command = [sys.executable, "-m", "receiver", "--data", str(data), "--host", "127.0.0.1", "--port", "0"]
    # Settings of this shell must not reach a receiver whose data folder has settings of its own.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CTM_")}
    environment.update(CTM_APP_SECRET=secret, CTM_VERIFY_TOKEN=secrets.token_hex(16))
    with (
        _termination_as_exit(),
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            assert process.stderr is not None
            ports: queue.Queue[int | None] = queue.Queue()
            last_words: deque[str] = deque(maxlen=5)
            listener = Thread(target=_listen, args=(process.stderr, ports, last_words), daemon=True)
            listener.start()
            yield process, _port(ports, last_words), last_words
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            listener.join()


@contextmanager
def _termination_as_exit() -> Iterator[None]:
    """Let SIGTERM end this process through its ``finally`` blocks, so that no receiver is left behind."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _listen(stream: IO[str], ports: "queue.Queue[int | None]", last_words: deque[str]) -> None:
    for line in stream:
        last_words.append(line.strip())
        if match := _LISTENING.search(line):
            ports.put(int(match[1]))
    ports.put(None)


def _port(ports: "queue.Queue[int | None]", last_words: deque[str]) -> int:
    try:
        port = ports.get(timeout=_START_SECONDS)
    except queue.Empty:
        raise ReceiverFailed(f"The receiver did not start within {_START_SECONDS} s.") from None
    if port is None:
        raise ReceiverFailed(f"The receiver did not start. {_quoted(last_words)}")
    return port


def _quoted(last_words: Sequence[str]) -> str:
    return f"Its last words: {' / '.join(last_words)}" if last_words else "It said nothing."


def post_all(
    port: int, secret: str, bodies: Sequence[bytes], progress: Callable[[str], None]
) -> ReplayCounts:
    """Sign and post every body over a few connections.

    Raises
    ------
    ReceiverFailed
        If the receiver refuses a body, or does not take it within 30 s.
    """
    waiting = iter(bodies)
    lock = Lock()
    given_up = Event()
    counts: Counter[str] = Counter()

    def post_until_none_is_left() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=_RETRY_SECONDS)
        try:
            while True:
                with lock:
                    body = None if given_up.is_set() else next(waiting, None)
                if body is None:
                    return
                retries = _post(connection, secret, body)
                with lock:
                    counts["deliveries"] += 1
                    counts["retries"] += retries
                    if counts["deliveries"] % _PROGRESS_EVERY == 0:
                        progress(f"{counts['deliveries']:,} of {len(bodies):,} deliveries posted")
        finally:
            connection.close()

    with ThreadPoolExecutor(_CONNECTIONS) as executor:
        try:
            for posted in [executor.submit(post_until_none_is_left) for _ in range(_CONNECTIONS)]:
                posted.result()
        finally:
            # Whoever is still posting when one has failed, or when this process is to end, stops too.
            given_up.set()
    return ReplayCounts(counts["deliveries"], counts["retries"])


def _post(connection: HTTPConnection, secret: str, body: bytes) -> int:
    """Post one body until it is acknowledged, as Meta does; returns how often it had to be sent again."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    deadline = time.monotonic() + _RETRY_SECONDS
    retries = 0
    while True:
        status: int | str
        try:
            connection.request("POST", "/webhook", body, headers)
            response = connection.getresponse()
            response.read()
            status = response.status
        except (HTTPException, OSError) as error:
            connection.close()
            status = f"{type(error).__name__}: {error}"
        if status == 200:
            return retries
        if (isinstance(status, int) and status != 503) or time.monotonic() > deadline:
            raise ReceiverFailed(f"The receiver answered {status} to a signed delivery of {len(body)} bytes.")
        retries += 1
        time.sleep(min(0.05 * 2**retries, 1.0))
