"""Clients that deliver without a pause, and note how each delivery was answered."""

import threading
from collections import Counter
from http.client import HTTPConnection, HTTPException

from receiving import PATIENCE_SECONDS, message, sign

CLIENTS = 6


class Load:
    """Each client keeps its connection, as a proxy does, until the receiver says that an answer is the last on it.

    Attributes
    ----------
    acknowledged : list of str, message ids that were answered with 200
    faults : Counter of str, what else became of requests: a status, or how the connection failed
    """

    def __init__(self, url: str, name: str, secret: str) -> None:
        self.acknowledged: list[str] = []
        self.faults: Counter[str] = Counter()
        self.secret = secret
        self._address = url.removeprefix("http://")
        self._name = name
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._deliver, args=(number,), daemon=True) for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _deliver(self, client: int) -> None:
        connection = HTTPConnection(self._address, timeout=PATIENCE_SECONDS)
        number = 0
        while not self._stop.is_set():
            mid = f"m_{self._name}_{client}_{number}"
            number += 1
            body = message(mid)
            try:
                connection.request("POST", "/webhook", body, sign(body, self.secret))
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException) as error:
                self.faults[type(error).__name__] += 1
                connection.close()
                if isinstance(error, ConnectionRefusedError):
                    return  # nobody is there any more
                continue
            if answer.status == 200:
                self.acknowledged.append(mid)
            else:
                self.faults[str(answer.status)] += 1
        connection.close()
