"""Tables that the tests of the command line share."""

import csv
from pathlib import Path

import numpy as np

EXAMPLES = Path(__file__).parents[2] / "examples"


def two_classes(rows=40, seed=0):
    generator = np.random.default_rng(seed)
    lines = [
        f"{value:.3f},{'uv'[i % 2]},{'yes' if value > 0 else 'no'}"
        for i, value in enumerate(generator.normal(size=rows))
    ]
    return "\n".join(["a,c,y", *lines]) + "\n"


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
