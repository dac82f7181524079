from datetime import date

import pytest

from ctm_analytics.simulation.world import World, simulate

UNTIL = date(2026, 11, 15)


@pytest.fixture(scope="session")
def small_shop() -> World:
    """A tenth of the shop: some 400 conversations."""
    return simulate(seed=3, until=UNTIL, scale=0.1)


@pytest.fixture(scope="session")
def shop() -> World:
    """The shop as the demo plays it."""
    return simulate(seed=3, until=UNTIL)
