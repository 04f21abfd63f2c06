import json

import pytest
from tests.cli.samples import two_classes


def test_the_scores_are_those_of_the_same_rows_in_training(run, job, tmp_path):
    assert run("train", job(two_classes()))[0] == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    rows = json.loads((tmp_path / "out" / "split.json").read_text())["test"]
    lines = (tmp_path / "t.csv").read_text().splitlines()
    (tmp_path / "test.csv").write_text("\n".join([lines[0], *(lines[row + 1] for row in rows)]) + "\n")
    code, out, err = run("validate", "out", "test.csv")
    assert (code, err) == (0, "")
    header, cells = (line.split() for line in out.splitlines())
    found = dict(zip(header, cells))
    assert int(found["rows"]) == len(rows)
    assert float(found["loss"]) == pytest.approx(metrics["test"]["loss"], abs=1e-3)
    assert float(found["accuracy"]) == pytest.approx(metrics["test"]["accuracy"], abs=1e-3)


def test_a_class_that_training_did_not_have_names_its_line(run, job, tmp_path):
    assert run("train", job(two_classes()))[0] == 0
    (tmp_path / "new.csv").write_text("a,c,y\n1.0,u,perhaps\n")
    code, _, err = run("validate", "out", "new.csv")
    assert code == 2
    assert "'perhaps' on line 2" in err
    (tmp_path / "new.csv").write_text("a,c\n1.0,u\n")
    assert run("validate", "out", "new.csv")[0] == 2


def test_plugins_and_devices_are_listed(run):
    code, out, _ = run("plugins")
    assert code == 0
    assert "  csv\n" in out
    assert "  walk_forward\n" in out
    assert "  standard\n" in out
    code, out, _ = run("devices")
    assert (code, "cpu" in out.split()) == (0, True)
