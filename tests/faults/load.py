"""Clients that deliver without a pause and remember what was acknowledged."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any

from receiving import message, sign

CLIENTS = 8


class Load:
    """Clients that deliver, each message with the next number, and note what was acknowledged.

    Parameters
    ----------
    url : str, of the receiver
    pause_seconds : float, how long a client rests after each answer
    text_bytes : int, how long each message is
    forged_every : int, each so-many-th delivery of a client has a wrong signature; 0: none

    Attributes
    ----------
    acknowledged : list of str, message ids in the order of their answers
    acknowledged_at : list of float, their instants on the monotonic clock
    begun : int, deliveries that were sent, answered or not
    refused : int, deliveries that were answered with 503
    forged : int, forged deliveries, all of them answered with 401
    """

    def __init__(
        self, url: str, *, pause_seconds: float = 0.0, text_bytes: int = 5, forged_every: int = 0
    ) -> None:
        self.acknowledged: list[str] = []
        self.acknowledged_at: list[float] = []
        self.begun = self.refused = self.forged = 0
        self._pause_seconds, self._forged_every = pause_seconds, forged_every
        self._text = "x" * text_bytes
        self._lock = threading.Lock()
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
                body = message(mid, self._text)
                is_forged = self._forged_every > 0 and number % self._forged_every == 0
                with self._lock:
                    self.begun += not is_forged
                try:
                    connection.request(
                        "POST", "/webhook", body, sign(body, "forged") if is_forged else sign(body)
                    )
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, HTTPException):
                    return  # the receiver is dead
                with self._lock:
                    self._note(mid, answer.status, is_forged=is_forged)
                number += 1
                self._stop.wait(self._pause_seconds)

    def _note(self, mid: str, status: int, *, is_forged: bool) -> None:
        if is_forged:
            assert status == 401
            self.forged += 1
        elif status == 200:
            self.acknowledged.append(mid)
            self.acknowledged_at.append(time.monotonic())
        else:
            assert status == 503
            self.refused += 1


def assert_stored_once(acknowledged: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Assert that each message that was acknowledged is in one row, and no message is in two."""
    stored = Counter(row["message_id"] for row in rows)
    assert set(acknowledged) - stored.keys() == set()
    assert {mid for mid, times in stored.items() if times > 1} == set()
