"""The mutants of `make faults` fit the code: each changes it in one place."""

import pytest
from faults.mutants import MUTANTS, Mutant, content_with


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_applies(mutant: Mutant) -> None:
    compile(content_with(mutant), mutant.file, "exec")
