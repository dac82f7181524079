"""What every test can ask for."""

import sys
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

# A process of pytest-xdist has no main file: pyspark would take it for its own doctests, and end it.
sys.modules["__main__"].__dict__.setdefault("__file__", __file__)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "data")


@pytest.fixture
def new_world(tmp_path: Path) -> Callable[[str], World]:
    """Make several worlds in one test."""
    return lambda name: World(tmp_path / name)
