"""The tests are tested: what durability and honesty rest on cannot be taken away unnoticed."""

from pathlib import Path

import pytest
from faults.mutants import MUTANTS, Mutant, a_test_fails, copy_project


def test_without_a_mutant_the_same_tests_pass(tmp_path: Path) -> None:
    tests = sorted({test for mutant in MUTANTS for test in mutant.tests})
    assert not a_test_fails(copy_project(tmp_path), tests)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_noticed(tmp_path: Path, mutant: Mutant) -> None:
    assert a_test_fails(copy_project(tmp_path, mutant), mutant.tests)
