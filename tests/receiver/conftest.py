"""Every test of the receiver may run one, or publish without one."""

import signal
from collections.abc import Iterator

import pytest
from receiving import data, receiver, start
from segments import folder

__all__ = ["data", "folder", "receiver", "start"]


@pytest.fixture(autouse=True)
def _hangups_are_heard() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests run under nohup
    yield
    signal.signal(signal.SIGHUP, before)
