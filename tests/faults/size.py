"""The fault tests come in two sizes from the same code: seconds in `make test`, sweeps in `make faults`."""

import os
from typing import TypeVar

IS_SWEEP = os.environ.get("CTM_FAULTS") == "sweep"
# Sweeps can be made shorter while one works on them, or on a busy machine: 0.1 is a tenth of all counts and minutes.
SCALE = float(os.environ.get("CTM_FAULTS_SCALE", "1"))

Size = TypeVar("Size")


def sized(in_test: Size, in_sweep: Size) -> Size:
    """Choose between what `make test` and what `make faults` does."""
    return in_sweep if IS_SWEEP else in_test


def scaled(number: float) -> int:
    """How many of ``number`` repetitions or seconds a sweep does; at least one."""
    return max(1, round(number * SCALE))
