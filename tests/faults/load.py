"""Clients that deliver without a pause and remember what was acknowledged."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any

from receiving import message, sign

CLIENTS = 8


class Load:
    """Clients that deliver without a pause, each message with the next number, and note what was acknowledged.

    Attributes
    ----------
    acknowledged : list of str, message ids in the order of their answers
    refused : int, deliveries that were answered with 503
    """

    def __init__(self, url: str) -> None:
        self.acknowledged: list[str] = []
        self.refused = 0
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
                else:
                    assert answer.status == 503
                    self.refused += 1
                number += 1


def assert_stored_once(acknowledged: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Assert that each message that was acknowledged is in one row, and no message is in two."""
    stored = Counter(row["message_id"] for row in rows)
    assert set(acknowledged) - stored.keys() == set()
    assert {mid for mid, times in stored.items() if times > 1} == set()
