"""Everything that was answered with 200 is published once, however often the receiver is killed."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

KILLS = 10
CLIENTS = 8


class Load:
    """Clients that deliver without a pause, each message with the next number, and note what was acknowledged."""

    def __init__(
        self, url: str, message: Callable[[str], bytes], sign: Callable[[bytes], dict[str, str]]
    ) -> None:
        self.acknowledged: list[str] = []
        self._url, self._message, self._sign = url, message, sign
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
        with httpx.Client() as client:
            while not self._stop.is_set():
                mid = f"m_{self._first}_{name}_{number}"
                body = self._message(mid)
                try:
                    answer = client.post(f"{self._url}/webhook", content=body, headers=self._sign(body))
                except httpx.TransportError:
                    return  # the receiver is dead
                if answer.status_code == 200:
                    self.acknowledged.append(mid)
                number += 1


def test_every_acknowledged_event_is_published_once_after_ten_kills_under_load(
    start: Callable[..., Any],
    message: Callable[[str], bytes],
    sign: Callable[[bytes], dict[str, str]],
    published: Callable[[], list[dict[str, Any]]],
    wait_until: Callable[[Callable[[], Any]], Any],
) -> None:
    acknowledged: list[str] = []
    random.seed(20261123)
    for _ in range(KILLS):
        receiver = start()
        load = Load(receiver.url, message, sign)
        # Kills fall at random into the two seconds of a segment, so also into sealing and publishing.
        enough = random.randrange(50, 800)
        wait_until(lambda load=load, enough=enough: len(load.acknowledged) >= enough)
        receiver.kill()
        acknowledged += load.stop()
    assert start().stop() == 0
    stored = Counter(row["message_id"] for row in published())
    assert set(acknowledged) <= stored.keys()
    assert set(stored.values()) == {1}
    assert len(acknowledged) >= KILLS * 50
