"""The examples in the documentation of `trainsmith.nn` run."""

import doctest
import importlib
import pkgutil

import pytest

from trainsmith import nn

NAMES = ["trainsmith.nn", *(found.name for found in pkgutil.walk_packages(nn.__path__, "trainsmith.nn."))]


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_every_public_name_is_documented():
    for module in (nn, nn.functional, nn.init, nn.utils):
        for name in getattr(module, "__all__", [n for n in vars(module) if n.endswith("_") and n[0] != "_"]):
            assert getattr(module, name).__doc__, name
