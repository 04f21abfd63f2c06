"""The regression example against scikit-learn's Ridge on the same rows."""

import json

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.cli.samples import EXAMPLES, rows_of


def test_diabetes_is_as_good_as_ridge(run, tmp_path):
    rows = rows_of(EXAMPLES / "diabetes.csv")
    X = np.array([[float(cell) for name, cell in row.items() if name != "progression"] for row in rows])
    y = np.array([float(row["progression"]) for row in rows])
    ours, theirs = [], []
    for seed in range(5):
        words = ["--set", f"training.random_seed={seed}", "--set", f"run.output=run{seed}"]
        assert run("train", EXAMPLES / "diabetes.toml", *words)[0] == 0
        folder = tmp_path / f"run{seed}"
        ours.append(json.loads((folder / "metrics.json").read_text())["test"]["r2"])
        split = json.loads((folder / "split.json").read_text())
        seen = split["train"] + split["validation"]
        model = make_pipeline(StandardScaler(), Ridge()).fit(X[seen], y[seen])
        theirs.append(model.score(X[split["test"]], y[split["test"]]))
    assert np.mean(ours) >= np.mean(theirs) - 0.03
