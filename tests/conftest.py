"""What every test can ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from object_store import events_url, line, s3_port
from worlds import World

__all__ = ["events_url", "line", "s3_port"]

# No test measures time, and CI draws the same examples each time.
settings.register_profile("ctm", deadline=None, derandomize=True)
settings.load_profile("ctm")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "data")


@pytest.fixture
def new_world(tmp_path: Path) -> Callable[[str], World]:
    """Make several worlds in one test."""
    return lambda name: World(tmp_path / name)
