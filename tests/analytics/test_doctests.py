"""Every example in the statistics' docstrings runs and is true, and every public function has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

from ctm_analytics import statistics

MODULES = [
    importlib.import_module(f"{statistics.__name__}.{module.name}")
    for module in pkgutil.iter_modules(statistics.__path__)
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings_are_true(module):
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_function_shows_an_example(module):
    functions = [
        function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert functions
    assert [function.__name__ for function in functions if ">>>" not in (function.__doc__ or "")] == []
