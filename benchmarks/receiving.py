"""What does durability cost? Our receiver beside what one would write instead, in one run, as ratios.

Each server runs alone for a few seconds, in turn, several rounds; the same signed deliveries, each new,
come over keep-alive connections from another process. The table is Markdown.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from receiver.app import public_app
from receiver.guard import GuardedProtocol
from receiver.metrics import Tally
from receiver.settings import ReceiverSettings
from receiver.store.folder import DataFolder
from receiver.store.journal import Journal

SECRET = b"an-app-secret"
WARM_UP_SECONDS = 0.5


# The servers. Each takes a folder for its files.


class NoJournal:
    """Where our application would store, and nothing is."""

    failure = None

    def has_room(self, _body_bytes: int) -> bool:
        """Whether a delivery is accepted: always."""
        return True

    def append(self, _body: bytes, _signature: bytes) -> asyncio.Future[None]:
        """Forget a delivery."""
        stored = asyncio.get_running_loop().create_future()
        stored.set_result(None)
        return stored


def storing_nothing(folder: Path) -> Starlette:
    settings = ReceiverSettings(app_secrets=(SECRET,), verify_token="unused")
    journal: Journal = NoJournal()  # type: ignore[assignment]  # it has what is asked of a journal
    return public_app(settings, journal, Tally(), DataFolder(folder))


def sqlite_row_per_event(folder: Path) -> Starlette:
    connection = sqlite3.connect(folder / "events.sqlite")
    connection.execute(
        "CREATE TABLE events (account_id TEXT, contact_id TEXT, sent_at INTEGER, payload TEXT)"
    )

    def store(body: bytes) -> None:
        for entry in json.loads(body)["entry"]:
            for item in entry["messaging"]:
                row = entry["id"], item["sender"]["id"], item["timestamp"], json.dumps(item)
                connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)
        connection.commit()

    return plain_handler(store)


def append_without_sync(folder: Path) -> Starlette:
    file = (folder / "events.jsonl").open("ab")

    def store(body: bytes) -> None:
        file.write(body + b"\n")
        file.flush()

    return plain_handler(store)


def plain_handler(store: Callable[[bytes], None]) -> Starlette:
    async def webhook(request: Request) -> Response:
        body = await request.body()
        expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("x-hub-signature-256", "")):
            return Response(status_code=401)
        store(body)
        return Response()

    return Starlette(routes=[Route("/webhook", webhook, methods=["POST"])])


APPS = {
    "the same application, storing nothing": storing_nothing,
    "a row in SQLite per event": sqlite_row_per_event,
    "append to a file, no sync": append_without_sync,
}
OURS = "our receiver, synced before each 200"


def serve(name: str, folder: Path) -> None:
    """Be one of the servers, on a free port, until SIGTERM."""
    protocol = GuardedProtocol if APPS[name] is storing_nothing else "httptools"
    config = uvicorn.Config(APPS[name](folder), port=0, http=protocol, log_level="info", access_log=False)
    uvicorn.Server(config).run()


# The load.


@dataclass
class Load:
    """What the clients saw after warming up.

    Attributes
    ----------
    seconds : list of float, from request to answer
    statuses : set of bytes, first lines of the answers
    """

    requests: Iterator[bytes]
    counts_from: float
    ends_at: float
    seconds: list[float] = field(default_factory=list)
    statuses: set[bytes] = field(default_factory=set)


class Client(asyncio.Protocol):
    """A connection that sends the next delivery as soon as the last is answered."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first delivery."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Note an answer, and send the next delivery while there is time."""
        now = time.perf_counter()
        self._load.statuses.add(data.partition(b"\r\n")[0])
        if self._sent_at >= self._load.counts_from:
            self._load.seconds.append(now - self._sent_at)
        if now < self._load.ends_at:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell that this client has ended."""
        self.ended.set_result(None)

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._load.requests))  # type: ignore[attr-defined]  # TCP transports have it


def requests(number: int) -> list[bytes]:
    """Signed deliveries of one message each, some 700 bytes, as Meta sends them."""
    made = []
    for mid in range(number):
        item = {
            "sender": {"id": str(7_000_000_000 + mid % 5_000)},
            "recipient": {"id": "1906385232743451"},
            "timestamp": 1783075200000 + mid,
            "message": {"mid": f"m_{os.getpid()}_{mid}", "text": "How much is the blue one? " * 15},
        }
        entry = {"id": "1906385232743451", "time": 1783075200842, "messaging": [item]}
        body = json.dumps({"object": "page", "entry": [entry]}).encode()
        signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest().encode()
        head = b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        head += b"x-hub-signature-256: sha256=%b\r\ncontent-length: %d\r\n\r\n" % (signature, len(body))
        made.append(head + body)
    return made


async def drive(port: int, connections: int, seconds: float, deliveries: Iterator[bytes]) -> Load:
    begin = time.perf_counter() + WARM_UP_SECONDS
    load = Load(deliveries, begin, begin + seconds)
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: Client(load), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    await asyncio.gather(*(client.ended for client in clients))
    return load


# One run.


@dataclass
class Figures:
    """Of one server, a value for each round.

    Attributes
    ----------
    options : list of str or None, of our receiver's command; ``None`` for the others
    """

    options: list[str] | None = None
    per_second: list[float] = field(default_factory=list)
    p50_milliseconds: list[float] = field(default_factory=list)
    p99_milliseconds: list[float] = field(default_factory=list)


def measure(
    name: str, connections: int, seconds: float, deliveries: Iterator[bytes], figures: Figures
) -> None:
    with tempfile.TemporaryDirectory(prefix="ctm-benchmark-", dir=Path.cwd()) as folder:
        log = Path(folder) / "log"
        arguments = [__file__, "--serve", name, "--folder", folder]
        if figures.options is not None:
            arguments = ["-m", "receiver", "--data", f"{folder}/data", "--port", "0", *figures.options]
        environ = {**os.environ, "CTM_APP_SECRET": SECRET.decode(), "CTM_VERIFY_TOKEN": "unused"}
        with log.open("wb") as stderr:
            server = subprocess.Popen([sys.executable, *arguments], stderr=stderr, env=environ)
        try:
            port = listening_port(server, log)
            load = uvloop.run(drive(port, connections, seconds, deliveries))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        if load.statuses != {b"HTTP/1.1 200 OK"}:
            raise SystemExit(f"{name}: answered {sorted(load.statuses)}")
        hundredths = statistics.quantiles(load.seconds, n=100)
        figures.per_second.append(len(load.seconds) / seconds)
        figures.p50_milliseconds.append(hundredths[49] * 1000)
        figures.p99_milliseconds.append(hundredths[98] * 1000)


def listening_port(server: subprocess.Popen[bytes], log: Path) -> int:
    give_up = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < give_up:
        said = re.search(r"(?:listening|running) on http://127\.0\.0\.1:(\d+)", log.read_text())
        if said:
            return int(said[1])
        time.sleep(0.05)
    raise SystemExit(f"the server did not start:\n{log.read_text()}")


def table(measured: dict[str, Figures]) -> str:
    base = measured["the same application, storing nothing"]
    lines = [
        "| server | throughput | p50 | p99 | deliveries/s | p99, ms |",
        "|---|---|---|---|---|---|",
    ]
    for name, figures in measured.items():
        ratios = [
            statistics.median(mine / theirs for mine, theirs in zip(ours, others, strict=True))
            for ours, others in (
                (figures.per_second, base.per_second),
                (figures.p50_milliseconds, base.p50_milliseconds),
                (figures.p99_milliseconds, base.p99_milliseconds),
            )
        ]
        absolute = statistics.median(figures.per_second), statistics.median(figures.p99_milliseconds)
        cells = [*(f"{ratio:.2f}" for ratio in ratios), f"{absolute[0]:,.0f}", f"{absolute[1]:.0f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4.0, help="per server and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, help="measure our receiver with so many workers, too")
    parser.add_argument("--serve", choices=APPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve, chosen.folder)
        return
    measured = {OURS: Figures([])}
    if chosen.workers is not None:
        measured[f"{OURS}, {chosen.workers} workers"] = Figures(["--workers", str(chosen.workers)])
    measured.update({name: Figures() for name in APPS})
    made = requests(int(20_000 * (chosen.seconds + WARM_UP_SECONDS)))
    for number in range(chosen.rounds):
        for name, figures in measured.items():
            print(f"round {number + 1} of {chosen.rounds}: {name}", file=sys.stderr)
            measure(name, chosen.connections, chosen.seconds, iter(made), figures)
    print(table(measured))


if __name__ == "__main__":
    main()
