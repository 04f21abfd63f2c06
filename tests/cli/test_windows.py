"""A time series from the table to forecasts, with windows that never see the future."""

import json

import numpy as np
import pytest
from tests.cli.samples import rows_of

from trainsmith.data.tabular import read_table
from trainsmith.training import JobConfig, load_artefact, prepare

WINDOWS = "[windows]\nsize = 6\nhorizon = 2\n"


def wave(rows=160, groups=1, seed=0):
    """A sine whose next values follow from the last ones; series of several groups are mixed and out of order."""
    noise = np.random.default_rng(seed).normal(scale=0.01, size=(groups, rows))
    lines = [
        (step, f"s{group}", np.sin(step / 5 + group) + noise[group, step])
        for step in range(rows)
        for group in range(groups)
    ]
    np.random.default_rng(seed).shuffle(lines)
    return "t,g,y\n" + "".join(f"{step},{group},{float(value):.6f}\n" for step, group, value in lines)


@pytest.mark.parametrize("model", ["dlinear", "lstm", "mlp", "resnet"])
def test_every_model_of_windows_learns_a_wave(run, job, tmp_path, model):
    text = f'time = "t"\ngroup = "g"\n{WINDOWS}[model]\ntype = "{model}"\n'
    config = job(wave(), text, epochs=60)
    assert run("train", config, "--set", "training.learning_rate=1e-2", "--set", "run.output=out")[0] == 0
    scores = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert scores["test"]["r2"] > 0.8
    assert scores["test"]["r2"] > scores["baseline"]["r2"]


@pytest.fixture
def trained(run, job, tmp_path):
    config = job(wave(groups=2), f'time = "t"\ngroup = "g"\n{WINDOWS}[model]\ntype = "dlinear"\n', epochs=3)
    assert run("train", config)[0] == 0
    return tmp_path / "out"


def test_a_forecast_stands_at_the_last_row_of_its_window(run, trained, tmp_path):
    assert run("predict", trained, tmp_path / "t.csv", "-o", "p.csv")[0] == 0
    table, found = rows_of(tmp_path / "t.csv"), rows_of(tmp_path / "p.csv")
    assert len(found) == len(table)
    for row, one in zip(table, found):
        assert (one["prediction"] == "") == (int(row["t"]) < 5)


def test_a_forecast_depends_on_its_window_alone(run, trained, tmp_path):
    table = rows_of(tmp_path / "t.csv")
    changed = [{**row, "y": "9.5"} if (row["g"], row["t"]) == ("s1", "100") else row for row in table]
    (tmp_path / "u.csv").write_text("t,g,y\n" + "".join(f"{r['t']},{r['g']},{r['y']}\n" for r in changed))
    for name in ("t", "u"):
        assert run("predict", trained, tmp_path / f"{name}.csv", "-o", f"p{name}.csv")[0] == 0
    differ = [
        (row["g"], int(row["t"]))
        for row, one, other in zip(table, rows_of(tmp_path / "pt.csv"), rows_of(tmp_path / "pu.csv"))
        if one != other
    ]
    assert sorted(differ) == [("s1", step) for step in range(100, 106)]


def test_validate_gives_the_scores_of_training(run, trained, tmp_path):
    artefact = load_artefact(trained)
    split = json.loads((trained / "split.json").read_text())
    metrics = json.loads((trained / "metrics.json").read_text())
    lines = (tmp_path / "t.csv").read_text().splitlines()
    late = sorted(int(lines[row + 1].split(",")[0]) for row in split["test"])
    kept = [line for line in lines[1:] if int(line.split(",")[0]) >= late[0] - 7]
    (tmp_path / "late.csv").write_text("\n".join([lines[0], *kept]) + "\n")
    scores = artefact.score(read_table(tmp_path / "late.csv"))
    assert scores["rows"] == len(split["test"])
    assert scores["loss"] == pytest.approx(metrics["test"]["loss"])
    code, out, _ = run("validate", trained, tmp_path / "late.csv")
    assert code == 0
    assert out.split()[:1] == ["rows"]


def test_no_window_leaves_its_part_or_its_series(job, tmp_path):
    path = job(wave(groups=3), "")
    config = JobConfig.from_sections(
        {
            "data": {"path": str(path.with_name("t.csv")), "target": "y", "time": "t", "group": "g"},
            "windows": {"size": 4, "horizon": 3},
            "run": {"dtype": "float64"},
        }
    )
    prepared = prepare(config)
    table = prepared.table
    value = {
        (table.columns["g"][row], int(table.columns["t"][row])): (float(table.columns["y"][row]), row)
        for row in range(table.rows)
    }
    seen = {}
    for part, arrays, rows in (
        ("train", prepared.train, prepared.split.train),
        ("validation", prepared.validation, prepared.split.validation),
        ("test", prepared.test, prepared.split.test),
    ):
        assert arrays.rows == rows.size > 0
        for x, y, row in zip(arrays.x, arrays.y, rows.tolist()):
            group, step = table.columns["g"][row], int(table.columns["t"][row])
            past = [value[group, step - back] for back in (6, 5, 4, 3)]
            np.testing.assert_allclose(prepared.target.decode(x[:, -1]), [one for one, _ in past], atol=1e-9)
            np.testing.assert_allclose(prepared.target.decode(y), [value[group, step][0]], atol=1e-9)
            for one in [*(place for _, place in past), row]:
                assert seen.setdefault(one, part) == part


def test_cross_validation_of_windows_predicts_the_future_from_the_past(run, job, tmp_path):
    text = f'time = "t"\n{WINDOWS}[model]\ntype = "dlinear"\n'
    split = '[split]\nstrategy = "walk_forward"\ntrain_size = 60\ntest_size = 30\n'
    config = job(wave(), 'drop = ["g"]\n' + text + split, epochs=30)
    code, _, err = run("cv", config, "--set", "training.learning_rate=1e-2", "-o", "folds")
    assert code == 0, err
    found = json.loads((tmp_path / "folds" / "cv.json").read_text())
    assert len(found["fold_results"]) == 3
    assert found["extensions"]["pooled_metrics"]["r2"] > 0.8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[windows]\nsize = 6\nhorizon = 0\n", "horizon"),
        ('[windows]\nsize = 6\n[split]\nstrategy = "random"\n', "divided in time"),
        ('[model]\ntype = "lstm"\n', "needs windows"),
        ("[windows]\nsize = 500\n", "hold a window"),
    ],
)
def test_what_gives_no_windows_is_a_user_error(run, job, text, said):
    code, _, err = run("train", job(wave(), text))
    assert code == 2
    assert said in err
