"""The examples of this room's docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import noisylabels

LEFT_OUT = ("noisylabels.learning", "noisylabels.bundles")  # the learning room runs its own
MODULES = [
    module.name
    for module in pkgutil.walk_packages(noisylabels.__path__, "noisylabels.")
    if not module.name.startswith(LEFT_OUT)
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_to_run():
    parser = doctest.DocTestFinder()
    examples = sum(len(case.examples) for name in MODULES for case in parser.find(importlib.import_module(name)))
    assert examples > 60
