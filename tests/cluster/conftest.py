"""A Spark Connect server for the tests: Sail, or with CTM_CLUSTER=spark a standalone cluster of Apache Spark."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.hard_world import hard_world
from cluster.servers import running_sail, running_spark


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one server for all tests; its URL."""
    running = {"sail": running_sail, "spark": running_spark}[os.environ.get("CTM_CLUSTER", "sail")]
    with running(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture(scope="session")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hard_world(tmp_path_factory.mktemp("hard") / "data")
