import json
import shutil
from itertools import chain

import numpy as np
import pytest

from trainsmith.data.tabular import Table, read_csv
from trainsmith.errors import DataError, IoError
from trainsmith.training import JobConfig, load_artefact, prepare, run_job, save_artefact

FILES = {
    *("config.toml", "history.json", "manifest.json", "metrics.json"),
    *("model.safetensors", "preprocessing.json", "split.json"),
}


def make(folder, target, missing="error", model=None):
    generator = np.random.default_rng(0)
    values = generator.normal(size=60)
    lines = ["a,c,y", *(f"{a:.3f},{'uv'[i % 2]},{target(a, i)}" for i, a in enumerate(values.tolist()))]
    path = folder / "t.csv"
    path.write_text("\n".join(lines) + "\n")
    sections = {
        "data": {"path": str(path), "target": "y", "missing": missing},
        "training": {"num_epochs": 5, "random_seed": 3},
        **({} if model is None else {"model": model}),
    }
    config = JobConfig.from_sections(sections)
    prepared = prepare(config)
    outcome = run_job(config, prepared)
    save_artefact(
        folder / "out",
        model=outcome.model,
        config=config,
        config_text="",
        prepared=prepared,
        result=outcome.result,
        metrics=outcome.metrics,
    )
    return path, prepared, outcome


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    return folder, *make(folder, lambda a, i: ("low", "mid", "high")[(a > -0.5) + (a > 0.5)])


@pytest.fixture(scope="module")
def regressor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regressor")
    return folder, *make(folder, lambda a, i: f"{1e6 * a + 5e7:.2f}", missing="drop")


def test_the_folder_holds_what_it_should(classifier):
    folder, _, prepared, outcome = classifier
    assert {file.name for file in (folder / "out").iterdir()} == FILES
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    assert manifest["random_seed"] == 3
    assert manifest["data"]["sha256"] == prepared.table.sha256
    assert {"trainsmith", "python", "numpy"} <= set(manifest["versions"])
    metrics = json.loads((folder / "out" / "metrics.json").read_text())
    assert metrics["test"] == outcome.metrics["test"]
    split = json.loads((folder / "out" / "split.json").read_text())
    assert sorted(chain(*split.values())) == list(range(60))
    assert len(json.loads((folder / "out" / "history.json").read_text())) == 5


def test_predictions_come_from_the_folder_alone(classifier, tmp_path):
    folder, path, prepared, outcome = classifier
    table = read_csv(path)
    shutil.copytree(folder / "out", tmp_path / "moved")
    predictions = load_artefact(tmp_path / "moved").predict(table)
    assert predictions.probabilities.shape == (60, 3)
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1)
    test = prepared.split.test
    true = np.array(table.columns["y"])[test]
    assert np.mean(predictions.values[test] == true) == pytest.approx(outcome.metrics["test"]["accuracy"])


def test_regression_predictions_are_in_the_targets_unit(regressor):
    folder, path, prepared, outcome = regressor
    table = read_csv(path)
    predictions = load_artefact(folder / "out").predict(table)
    test = prepared.split.test
    errors = predictions.values[test] - np.array(table.columns["y"], dtype=float)[test]
    assert predictions.probabilities is None
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(outcome.metrics["test"]["rmse"], rel=1e-4)


def test_the_target_may_be_absent_and_columns_in_any_order(classifier):
    folder, path, _, _ = classifier
    artefact = load_artefact(folder / "out")
    table = read_csv(path)
    other = Table(
        source="o.csv",
        columns={"more": ["?"] * 60, "c": table.columns["c"], "a": table.columns["a"]},
        lines=table.lines,
    )
    np.testing.assert_array_equal(artefact.predict(other).probabilities, artefact.predict(table).probabilities)


def test_incomplete_rows_are_left_out_where_they_were_in_training(regressor):
    folder, _, _, _ = regressor
    table = Table(source="o.csv", columns={"a": ["", "1", "2"], "c": ["u", "NA", "v"]}, lines=[2, 3, 4])
    predictions = load_artefact(folder / "out").predict(table)
    assert predictions.rows.tolist() == [2]
    empty = load_artefact(folder / "out").predict(Table(source="o.csv", columns={"a": [""], "c": [""]}, lines=[2]))
    assert empty.rows.size == empty.values.size == 0


def test_equal_runs_give_equal_files(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        make(tmp_path / name, lambda a, i: "yn"[a > 0])
    for file in FILES - {"manifest.json"}:
        assert (tmp_path / "one" / "out" / file).read_bytes() == (tmp_path / "two" / "out" / file).read_bytes()


def test_a_folder_that_is_no_artefact_is_refused(tmp_path):
    with pytest.raises(IoError, match=r"manifest\.json"):
        load_artefact(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "error"),
    [
        ("manifest.json", "{}", DataError),
        ("manifest.json", '{"format": "trainsmith-artefact", "format_version": 99}', DataError),
        ("manifest.json", "{", IoError),
        ("preprocessing.json", "{}", IoError),
        ("preprocessing.json", None, IoError),
        ("model.safetensors", None, IoError),
    ],
)
def test_a_damaged_folder_is_one_line(classifier, tmp_path, file, content, error):
    shutil.copytree(classifier[0] / "out", tmp_path / "out")
    if content is None:
        (tmp_path / "out" / file).unlink()
    else:
        (tmp_path / "out" / file).write_text(content)
    with pytest.raises(error) as caught:
        load_artefact(tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_residual_network_is_saved_as_well(tmp_path):
    make(tmp_path, lambda a, i: f"{a:.2f}", model={"type": "resnet", "architecture": {"blocks": 1}})
    artefact = load_artefact(tmp_path / "out")
    assert artefact.manifest["model"]["type"] == "resnet"
    assert artefact.manifest["model"]["architecture"] == {"width": 64, "blocks": 1, "hidden": 128, "dropout": 0.0}
    table = read_csv(tmp_path / "t.csv")
    first, second = (load_artefact(tmp_path / "out").predict(table) for _ in range(2))
    np.testing.assert_array_equal(first.values, second.values)
    assert np.isfinite(first.values).all()
