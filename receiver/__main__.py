"""The receiver's command line."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

import uvloop

from receiver.errors import ReceiverError
from receiver.service import Addresses, serve
from receiver.settings import load_forward_url, load_settings
from receiver.store.folder import DataFolder

MAX_WORKERS = 64


def main(argv: list[str] | None = None) -> int:
    """Run the receiver until it is told to stop.

    Parameters
    ----------
    argv : list of str or None, the arguments; ``None`` means those of the process

    Returns
    -------
    int
        Exit code: 0 stopped and everything published · 1 cannot start · 2 wrong setting ·
        70 the disk or the publisher failed, and a supervisor should start it again.
    """
    arguments = _parser().parse_args(argv)
    # Everything this process writes holds what people wrote: no other account may read it.
    os.umask(0o077)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    # Its warnings say that strangers sent nonsense, as often as they please.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    port = arguments.port
    private_port = arguments.private_port if arguments.private_port is not None else port and port + 1
    data = arguments.data.absolute()
    try:
        settings = load_settings(data, os.environ)
        addresses = Addresses(arguments.host, port, private_port, arguments.workers)
        forward_url = arguments.forward or load_forward_url(os.environ)
        service = serve(settings, DataFolder(data), addresses, os.environ, forward_url)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(service)
    except ReceiverError as error:
        print(f"receiver: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"receiver: {error.filename or data}: {error.strerror}.", file=sys.stderr)
        return ReceiverError.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="receiver",
        description="Receive Meta's webhooks: every delivery is on disk before it is answered.",
        epilog="Needs CTM_APP_SECRET and CTM_VERIFY_TOKEN. Example: python -m receiver --data data",
    )
    parser.add_argument(
        "--data", type=_folder, default=os.environ.get("CTM_DATA", "data"), help="the data folder"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 picks a free one")
    parser.add_argument(
        "--private-port",
        type=int,
        help="port of /readyz and /metrics, on the loopback address only (default: the one after --port)",
    )
    parser.add_argument(
        "--workers",
        type=_worker_count,
        default=os.environ.get("CTM_WORKERS", "1"),
        help=f"processes that answer, 1 to {MAX_WORKERS} (default: %(default)s)",
    )
    parser.add_argument(
        "--forward",
        metavar="URL",
        help="relay every stored delivery, as Meta signed it, to the team's bot; it is never waited for"
        " (better in CTM_FORWARD_URL if it holds a token)",
    )
    return parser


def _folder(text: str) -> Path:
    if "://" in text:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no folder of this machine. Name one, for the journal; events_url says where events are"
            " published to."
        )
    return Path(text)


def _worker_count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= MAX_WORKERS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_WORKERS}.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
