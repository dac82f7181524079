"""One receiver, from its first lock to its last published segment."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from receiver.app import private_app
from receiver.capture import Capture
from receiver.disk import disk_warnings
from receiver.errors import ReceiverError
from receiver.forwarder_process import LATE_SECONDS, ForwarderProcess
from receiver.metrics import Exposition
from receiver.server import MAX_PRIVATE_CONNECTIONS, http_server, listen
from receiver.settings import ReceiverSettings, load_settings
from receiver.store.folder import DataFolder
from receiver.store.publisher_process import PublisherProcess
from receiver.worker import Worker
from receiver.workers import WorkerProcesses

logger = logging.getLogger("receiver")


@dataclass(frozen=True)
class Addresses:
    """Where to listen, and with how many workers; port 0 means a free one.

    Attributes
    ----------
    host : str, address that Meta, or the proxy in front, reaches
    port : int
    private_port : int, on the loopback address only
    workers : int, ``>= 1``; one answers in this process, several are processes of their own
    """

    host: str
    port: int
    private_port: int
    workers: int = 1


async def serve(
    settings: ReceiverSettings,
    folder: DataFolder,
    addresses: Addresses,
    environ: Mapping[str, str],
    forward_url: str | None = None,
) -> int:
    """Receive until SIGTERM or SIGINT, then let every acknowledged event be published.

    SIGHUP has the settings read anew, and the workers and the publisher replaced one by one.

    Parameters
    ----------
    forward_url : str or None, where every stored delivery is relayed to

    Returns
    -------
    int
        0 after a signal; ``EXIT_STORAGE`` when the journal or the publisher has failed.

    Raises
    ------
    ReceiverError
        If the receiver cannot start.
    """
    forwarder = ForwarderProcess(folder, forward_url, environ) if forward_url else None
    stop, hangup = asyncio.Event(), asyncio.Event()
    for number, event in ((signal.SIGTERM, stop), (signal.SIGINT, stop), (signal.SIGHUP, hangup)):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
            asyncio.get_running_loop().add_signal_handler(number, event.set)
    public = listen(addresses.host, addresses.port, addresses.workers)
    (private,) = listen("127.0.0.1", addresses.private_port)
    publisher = PublisherProcess(folder, settings.reading, environ, settings.events_url)
    workers = (
        Worker(folder, settings, public[0], stop.set)
        if len(public) == 1
        else WorkerProcesses(folder, settings, public, environ)
    )
    capture = Capture(folder, workers, publisher, stop)
    await capture.open()
    if forwarder is not None:
        forwarder.start()
    await workers.listen()
    trust = asyncio.create_task(_distrust_the_disk(folder))
    exposition = Exposition(folder, publisher, forwarder)
    server = http_server(
        private_app(
            lambda: _readiness(capture, publisher, forwarder), lambda: exposition.text(workers.figures)
        ),
        MAX_PRIVATE_CONNECTIONS,
    )
    serving = asyncio.create_task(server.serve([private]))
    _say_where(public[0], private, folder)
    replacing = asyncio.create_task(_replace_at(hangup, capture, lambda: load_settings(folder.root, environ)))

    await capture.keep_up()
    if forwarder is not None:
        await forwarder.stop()
    exit_code = await capture.close()
    server.should_exit = True
    replacing.cancel()
    await asyncio.gather(serving, replacing, trust, return_exceptions=True)
    return exit_code


def _readiness(
    capture: Capture, publisher: PublisherProcess, forwarder: ForwarderProcess | None
) -> tuple[bool, str]:
    """Whether deliveries can be acknowledged now, and a sentence that also tells what is wrong beside it."""
    is_ready, sentence = capture.readiness()
    if sentence == "ready":
        silent = publisher.gauges.get("silent_accounts", 0)
        if forwarder is not None and forwarder.lag_seconds > LATE_SECONDS:
            sentence += f"; but the bot is {forwarder.lag_seconds:.0f} seconds behind"
        elif silent:
            sentence += (
                f"; but {silent:.0f} accounts are silent for unusually long: look at their subscriptions"
            )
    return is_ready, sentence


async def _replace_at(hangup: asyncio.Event, capture: Capture, load: Callable[[], ReceiverSettings]) -> None:
    while True:
        await hangup.wait()
        hangup.clear()
        try:
            settings = load()
        except ReceiverError as error:
            logger.error("SIGHUP: %s The settings in use stay.", error)
            continue
        if await capture.replace(settings):
            logger.info("SIGHUP: the settings are read anew and in use")
        else:
            logger.error("SIGHUP: a new worker did not become ready: those in use go on")


async def _distrust_the_disk(folder: DataFolder) -> None:
    with contextlib.suppress(OSError):  # a disk that does not work at all is said elsewhere
        for sentence in await asyncio.to_thread(disk_warnings, folder.root):
            logger.warning("%s", sentence)


def _say_where(public: socket.socket, private: socket.socket, folder: DataFolder) -> None:
    host, port = public.getsockname()[:2]
    print(f"private: http://127.0.0.1:{private.getsockname()[1]}/readyz and /metrics", file=sys.stderr)
    host = f"[{host}]" if ":" in host else host
    print(f"listening on http://{host}:{port}/webhook (data: {folder.root})", file=sys.stderr, flush=True)
