"""A real S3 server for the tests, and a line to it that can be cut."""

import contextlib
import random
import socket
import subprocess
import sysconfig
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from receiving import wait_until

from receiver.store.object_store import ObjectStore, StoreUnavailable

SERVER = Path(sysconfig.get_path("scripts")) / "weed"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_REGION": "us-east-1",
}
READER = {"AWS_ACCESS_KEY_ID": "reader-key", "AWS_SECRET_ACCESS_KEY": "reader-secret"}
# This one may not make a bucket.
GUEST = {"AWS_ACCESS_KEY_ID": "guest-key", "AWS_SECRET_ACCESS_KEY": "guest-secret"}
IDENTITIES = """{"identities": [
 {"name": "owner", "credentials": [{"accessKey": "test-key", "secretKey": "test-secret"}],
  "actions": ["Admin", "Read", "Write", "List"]},
 {"name": "guest", "credentials": [{"accessKey": "guest-key", "secretKey": "guest-secret"}],
  "actions": ["Read", "Write", "List"]},
 {"name": "reader", "credentials": [{"accessKey": "reader-key", "secretKey": "reader-secret"}],
  "actions": ["Read", "List"]}]}"""
_buckets = count()


def _free_ports(number: int) -> list[int]:
    """Find ports of which those 10,000 higher are free, too: the server takes both."""
    found: list[int] = []
    while len(found) < number:
        port = random.randrange(20_000, 32_000)
        with (
            contextlib.suppress(OSError),
            socket.create_server(("127.0.0.1", port)),
            socket.create_server(("127.0.0.1", port + 10_000)),
        ):
            found += [port] if port not in found else []
    return found


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run one server for all tests of the session."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "s3.json").write_text(IDENTITIES)
    s3, master, volume, filer = _free_ports(4)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                SERVER, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={master}",
                f"-volume.port={volume}", f"-filer.port={filer}", "-s3", f"-s3.port={s3}",
                f"-s3.config={folder / 's3.json'}", "-master.volumeSizeLimitMB=64", "-volume.max=50",
                "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
            ],
            stdout=log,
            stderr=log,
        )  # fmt: skip
    try:
        with pytest.MonkeyPatch.context() as environ:
            for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}"}.items():
                environ.setenv(name, value)
            store = ObjectStore("s3://ready", timeout_seconds=2)
            wait_until(lambda: _answers(store))
        yield s3
    finally:
        server.kill()
        server.wait()


def _answers(store: ObjectStore) -> bool:
    with contextlib.suppress(StoreUnavailable):
        store.write("ready", b"yes")
        return True
    return False


class Line:
    """A line to the server.

    Attributes
    ----------
    port : int, what clients connect to
    is_up : bool, whether it lets anything through
    stops_at : bytes or None, what is never passed on, nor anything behind it on the same connection
    has_stopped : Event, set once it has stopped anything
    """

    def __init__(self, target: int) -> None:
        self.is_up = True
        self.stops_at: bytes | None = None
        self.has_stopped = threading.Event()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.is_up = False
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if not self.is_up:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._target))
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (content := source.recv(65536)) and self.is_up:
                if self.stops_at is not None and self.stops_at in content:
                    sink.sendall(content[: content.index(self.stops_at)])
                    self.has_stopped.set()
                    return  # and says nothing, as a line that is broken
                sink.sendall(content)
            for end in (source, sink):
                end.close()


@pytest.fixture
def line(s3_port: int) -> Iterator[Line]:
    line = Line(s3_port)
    yield line
    line.close()


@pytest.fixture
def events_url(line: Line, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give an empty place in a bucket, and the environment that leads there."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{line.port}"}.items():
        monkeypatch.setenv(name, value)
    return f"s3://events/test-{next(_buckets)}"
