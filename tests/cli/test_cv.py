import json

import numpy as np
import pytest
from tests.cli.samples import rows_of, two_classes

from trainsmith.cli import main


def numbers(rows=60, seed=0):
    a = np.random.default_rng(seed).normal(size=rows)
    return "a,y\n" + "".join(f"{value:.4f},{3 * value + 1:.4f}\n" for value in a)


def test_every_row_is_predicted_once_and_the_result_is_saved(run, job, tmp_path):
    code, out, err = run("cv", job(two_classes(), epochs=3), "--folds", "4", "-o", "folds")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert [line[0] for line in lines[:8]] == ["fold", "0", "1", "2", "3", "mean", "std", "pooled"]
    saved = json.loads((tmp_path / "folds" / "cv.json").read_text())
    losses = [fold["loss"] for fold in saved["fold_results"]]
    assert saved["mean_loss"] == pytest.approx(np.mean(losses))
    assert saved["std_loss"] == pytest.approx(np.std(losses))
    found = rows_of(tmp_path / "folds" / "out_of_fold.csv")
    assert [int(row["row"]) for row in found] == list(range(40))
    assert all(abs(float(row["probability_yes"]) + float(row["probability_no"]) - 1) < 1e-6 for row in found)
    assert run("cv", tmp_path / "c.toml", "-o", "folds")[0] == 2
    assert run("cv", tmp_path / "c.toml", "--folds", "4", "-o", "folds", "--overwrite")[0] == 0


def test_processes_give_the_same(run, job, tmp_path):
    config = job(numbers(), epochs=2)
    assert run("cv", config, "--folds", "3", "-o", "one")[0] == 0
    assert run("cv", config, "--folds", "3", "-o", "two", "--workers", "2")[0] == 0
    assert (tmp_path / "one" / "out_of_fold.csv").read_bytes() == (tmp_path / "two" / "out_of_fold.csv").read_bytes()


def test_walk_forward_predicts_each_block_from_the_past(run, job, tmp_path):
    split = '[split]\nstrategy = "walk_forward"\ntrain_size = 20\ntest_size = 10\npurge = 2\n'
    code, out, _ = run("cv", job(numbers(), split, epochs=2), "-o", "folds")
    assert code == 0
    assert "pooled" in out
    found = rows_of(tmp_path / "folds" / "out_of_fold.csv")
    assert [int(row["row"]) for row in found] == list(range(22, 52))
    code, _, err = run("train", tmp_path / "c.toml")
    assert code == 2
    assert "trainsmith cv" in err


def test_scalers_are_fitted_in_each_fold(run, job, tmp_path):
    rows = 40
    table = "a,y\n" + "".join(f"{1e6 if i >= 30 else i % 7},{i}\n" for i in range(rows))
    split = '[split]\nstrategy = "chronological"\n'
    assert run("cv", job(table, split, epochs=1), "--folds", "3", "-o", "folds")[0] == 0
    assert len(json.loads((tmp_path / "folds" / "cv.json").read_text())["fold_results"]) == 3


def test_shuffled_labels_are_at_chance(run, job, tmp_path):
    generator = np.random.default_rng(1)
    table = "a,b,y\n" + "".join(
        f"{a:.4f},{b:.4f},{'uv'[int(c)]}\n"
        for a, b, c in zip(generator.normal(size=300), generator.normal(size=300), generator.integers(0, 2, 300))
    )
    assert run("cv", job(table, epochs=15), "-o", "folds")[0] == 0
    pooled = json.loads((tmp_path / "folds" / "cv.json").read_text())["extensions"]["pooled_metrics"]
    assert 0.4 < pooled["accuracy"] < 0.6


@pytest.mark.parametrize("words", [("--folds", "1"), ("--workers", "0"), ("--folds", "100")])
def test_wrong_counts_are_user_errors(run, job, words):
    assert run("cv", job(two_classes()), *words)[0] == 2


def test_ctrl_c_writes_nothing(run, job, tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("trainsmith.cli._cv.cross_validate_job", interrupted)
    assert run("cv", job(two_classes()), "-o", "folds")[0] == 130
    assert not (tmp_path / "folds").exists()


def test_main_is_the_entry(capsys):
    assert main(["cv", "no-such.toml"]) == 2
    assert "trainsmith init" in capsys.readouterr().err
