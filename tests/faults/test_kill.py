"""Everything that was answered with 200 is published once, however often the receiver is killed."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from receiving import Receiver, message, published, sign, wait_until

KILLS = 10
CLIENTS = 8


class Load:
    """Clients that deliver without a pause, each message with the next number, and note what was acknowledged."""

    def __init__(self, url: str) -> None:
        self.acknowledged: list[str] = []
        self._address = url.removeprefix("http://")
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._deliver, args=(name,)) for name in range(CLIENTS)]
        self._first = random.randrange(10**9)
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[str]:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.acknowledged

    def _deliver(self, name: int) -> None:
        number = 0
        connection = HTTPConnection(self._address, timeout=30)
        with contextlib.closing(connection):
            while not self._stop.is_set():
                mid = f"m_{self._first}_{name}_{number}"
                body = message(mid)
                try:
                    connection.request("POST", "/webhook", body, sign(body))
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, HTTPException):
                    return  # the receiver is dead
                if answer.status == 200:
                    self.acknowledged.append(mid)
                number += 1


def test_every_acknowledged_event_is_published_once_after_ten_kills_under_load(
    start: Callable[..., Receiver], data: Path
) -> None:
    acknowledged: list[str] = []
    random.seed(20261123)
    for _ in range(KILLS):
        receiver = start()
        load = Load(receiver.url)
        # Kills fall at random into the two seconds of a segment, so also into sealing and publishing.
        enough = random.randrange(50, 800)
        wait_until(lambda load=load, enough=enough: len(load.acknowledged) >= enough)
        receiver.kill()
        acknowledged += load.stop()
    assert start().stop() == 0
    stored = Counter(row["message_id"] for row in published(data))
    assert set(acknowledged) <= stored.keys()
    assert set(stored.values()) == {1}
    assert len(acknowledged) >= KILLS * 50
