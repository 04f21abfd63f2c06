"""The examples in the documentation of `trainsmith.optim` run."""

import doctest
import importlib
import pkgutil

import pytest

from trainsmith import optim

NAMES = ["trainsmith.optim", *(found.name for found in pkgutil.walk_packages(optim.__path__, "trainsmith.optim."))]


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
