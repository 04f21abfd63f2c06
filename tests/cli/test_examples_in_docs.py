"""Every example in a docstring of these packages runs."""

import doctest
import importlib
import pkgutil

import pytest

import trainsmith.cli
import trainsmith.data
import trainsmith.errors
import trainsmith.models
import trainsmith.testing
import trainsmith.training

PACKAGES = (trainsmith.cli, trainsmith.data, trainsmith.models, trainsmith.testing, trainsmith.training)
MODULES = ["trainsmith.errors"] + [
    module.name
    for package in PACKAGES
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name)).failed == 0
