"""Every test of a fault may run receivers, publish without one, and let calls of the operating system fail."""

import pytest
from faults.faulty_calls import FaultyCalls
from faults.size import IS_SWEEP
from receiving import data, start
from segments import folder

__all__ = ["data", "folder", "start"]

# What takes minutes, root or a file system of its own: `make faults`.
collect_ignore_glob = [] if IS_SWEEP else ["sweeps/*"]


@pytest.fixture(scope="session")
def faulty_calls(tmp_path_factory: pytest.TempPathFactory) -> FaultyCalls:
    return FaultyCalls(tmp_path_factory.mktemp("faulty_calls") / "faulty_calls.so")
