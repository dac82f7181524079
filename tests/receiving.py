"""A real receiver process on a real socket, what is delivered to it, and what it has published."""

import contextlib
import hmac
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import setrlimit
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from receiver.store.folder import DataFolder
from receiver.store.manifest import current_manifest, live_files

APP_SECRET = "an-app-secret"
VERIFY_TOKEN = "a-verify-token"
PATIENCE_SECONDS = 30

Limits = dict[int, tuple[int, int]]  # the soft and the hard limit of a resource


def wait_until(condition: Callable[[], Any], patience_seconds: float = PATIENCE_SECONDS) -> Any:
    """Poll until a condition is truthy; fail when patience runs out."""
    give_up = time.monotonic() + patience_seconds
    while not (found := condition()):
        assert time.monotonic() < give_up, "it did not become true"
        time.sleep(0.02)
    return found


def sign(body: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()}


def message(mid: str, text: str = "hello") -> bytes:
    """A Messenger delivery of one message, escaped as Meta writes it."""
    return json.dumps(
        {
            "object": "page",
            "entry": [
                {
                    "id": "1906385232743451",
                    "time": 1783075200842,
                    "messaging": [
                        {
                            "sender": {"id": "7219453208114"},
                            "recipient": {"id": "1906385232743451"},
                            "timestamp": 1783075200000,
                            "message": {"mid": mid, "text": text},
                        }
                    ],
                }
            ],
        }
    ).encode()


def published(data: Path) -> list[dict[str, Any]]:
    """Every event row that a reader of the folder sees."""
    rows: list[dict[str, Any]] = []
    folder = DataFolder(data)
    for file in live_files(folder, current_manifest(folder)).values():
        rows += pq.read_table(file, partitioning=None).to_pylist()
    return rows


class Receiver:
    """One run of the receiver, in a process group of its own."""

    def __init__(
        self,
        data: Path,
        arguments: list[str],
        environ: dict[str, str],
        *,
        limits: Limits | None = None,
        python: str = sys.executable,
        log_folder: Path | None = None,
    ) -> None:
        self.data = data
        self._log = (log_folder or data.parent) / f"receiver-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "-m", "receiver", "--data", str(data), "--port", "0", *arguments],
                stderr=log,
                env={
                    **{name: value for name, value in os.environ.items() if not name.startswith("CTM_")},
                    "CTM_APP_SECRET": APP_SECRET,
                    "CTM_VERIFY_TOKEN": VERIFY_TOKEN,
                    **environ,
                },
                start_new_session=True,
                preexec_fn=lambda: [setrlimit(*limit) for limit in (limits or {}).items()],
            )
        self.client = httpx.Client()
        wait_until(lambda: "listening on" in self.log or self.process.poll() is not None)

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def url(self) -> str:
        return re.search(r"listening on (http://\S+)/webhook", self.log)[1]  # type: ignore[index]  # a search without a match fails the test

    @property
    def private_url(self) -> str:
        return re.search(r"private: (http://\S+)/readyz", self.log)[1]  # type: ignore[index]  # a search without a match fails the test

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        signed = sign(body) if headers is None else headers
        return self.client.post(f"{self.url}/webhook", content=body, headers=signed)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(f"{self.url}{path}")

    def get_private(self, path: str) -> httpx.Response:
        return self.client.get(f"{self.private_url}{path}")

    def published(self) -> list[dict[str, Any]]:
        """Every event row that a reader of its folder sees."""
        return published(self.data)

    def exchange(self, request: bytes) -> bytes:
        """Send bytes and return all that comes back until the receiver closes the connection."""
        answer = b""
        with self.connect() as connection, contextlib.suppress(ConnectionError):
            connection.sendall(request)
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    def connect(self) -> socket.socket:
        address = httpx.URL(self.url)
        return socket.create_connection((address.host, address.port or 0), timeout=PATIENCE_SECONDS)

    def publisher_pid(self) -> int:
        """The process id of its publisher, once there is one."""
        return int(wait_until(lambda: self._children("receiver.store.publishing"))[0])

    def worker_pids(self) -> list[int]:
        """The process ids of its workers, where they are processes of their own."""
        return self._children("receiver.working")

    def _children(self, module: str) -> list[int]:
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in pids if module.encode() in _command(pid)]

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End the whole process group without any warning."""
        self.client.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)


def _command(pid: str) -> list[bytes]:
    with contextlib.suppress(OSError):  # it has just ended
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def start(data: Path) -> Iterator[Callable[..., Receiver]]:
    """Start receivers on the test's data folder: ``start("--host", "::1", CTM_STORE_TEXT="1")``."""
    receivers: list[Receiver] = []

    def start_one(
        *arguments: str, limits: Limits | None = None, python: str = sys.executable, **environ: str
    ) -> Receiver:
        receivers.append(Receiver(data, list(arguments), environ, limits=limits, python=python))
        return receivers[-1]

    yield start_one
    for receiver in receivers:
        receiver.kill()


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """One receiver for all tests of a module that ask nothing of its data."""
    receiver = Receiver(tmp_path_factory.mktemp("shared") / "data", [], {})
    yield receiver
    receiver.kill()
