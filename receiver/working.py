"""The process of one of several workers: it answers what comes to its socket, and does what the receiver says.

It reads one line, an assignment, and then words: ``open`` the journal, ``leave`` gently, ``close`` at once.
It writes its figures, one JSON object a line, every second and whenever they have changed by a word.
"""

import asyncio
import contextlib
import logging
import os
import pickle
import signal
import socket
import sys
from pathlib import Path
from typing import NamedTuple

import uvloop

from receiver.errors import EXIT_STORAGE
from receiver.settings import ReceiverSettings
from receiver.store.folder import DataFolder, write_all
from receiver.worker import Worker

SAY_SECONDS = 1.0
LONGEST_LINE_BYTES = 1024 * 1024

logger = logging.getLogger("receiver")


class Assignment(NamedTuple):
    """What a worker has to know.

    Attributes
    ----------
    data : Path, the data folder
    settings : ReceiverSettings
    descriptor : int, of the socket to listen to
    is_open : bool, whether the folder is the receiver's, so that a journal may be opened
    """

    data: Path
    settings: ReceiverSettings
    descriptor: int
    is_open: bool

    def to_line(self) -> bytes:
        """Write the assignment for a process of the same program: it holds secrets, so it goes through a pipe."""
        return pickle.dumps(self).hex().encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Assignment":
        """Read what ``to_line`` wrote."""
        assignment: Assignment = pickle.loads(bytes.fromhex(line.decode()))
        return assignment


def main() -> int:
    """Work until the receiver says so on standard input, or is gone.

    Returns
    -------
    int
        0, or ``EXIT_STORAGE`` when the journal has failed.
    """
    # A terminal or a supervisor signals the whole group, but the receiver decides who ends when.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_work())


async def _work() -> int:
    words = asyncio.StreamReader(LONGEST_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    assignment = Assignment.from_line(await words.readline())
    failed = asyncio.Event()
    listener = socket.socket(fileno=assignment.descriptor)
    worker = Worker(DataFolder(assignment.data), assignment.settings, listener, failed.set)
    if assignment.is_open:
        await _open(worker)
    await worker.listen()
    await _end(worker, words, await _last_word(worker, words, failed))
    await _say(worker)
    return EXIT_STORAGE if worker.has_failed else 0


async def _last_word(worker: Worker, words: asyncio.StreamReader, failed: asyncio.Event) -> bytes:
    """Work until a word, or the end of all words, ends it."""
    failing = asyncio.create_task(failed.wait())
    hearing = asyncio.create_task(words.readline())
    while not failing.done():
        await _say(worker)
        await asyncio.wait({hearing, failing}, timeout=SAY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            word = hearing.result()
            if word != b"open\n":
                return word
            await _open(worker)
            hearing = asyncio.create_task(words.readline())
    return b"close\n"


async def _open(worker: Worker) -> None:
    if worker.accepting_since is None:
        try:
            await worker.open()
        except OSError as error:
            logger.critical("the disk refuses: %s. Deliveries are answered with 503 until it works.", error)


async def _end(worker: Worker, words: asyncio.StreamReader, word: bytes) -> None:
    if word == b"leave\n":
        leaving = asyncio.create_task(worker.leave())
        hearing = asyncio.create_task(words.readline())
        await asyncio.wait({leaving, hearing}, return_when=asyncio.FIRST_COMPLETED)
        if not leaving.done():  # there is no time to leave gently any more
            await worker.close()
        await leaving
    else:
        await worker.close()


async def _say(worker: Worker) -> None:
    line = worker.figures.to_json().encode() + b"\n"
    with contextlib.suppress(OSError):  # nobody is left to hear it
        # In a thread: a receiver that does not read must not hold up an answer.
        await asyncio.to_thread(write_all, sys.stdout.fileno(), line)


if __name__ == "__main__":
    sys.exit(main())
