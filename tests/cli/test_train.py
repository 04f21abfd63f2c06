import json
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.cli.samples import EXAMPLES, two_classes


def test_a_run_prints_a_line_per_epoch_and_the_scores(run, job, tmp_path):
    code, out, err = run("train", job(two_classes(), epochs=3))
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert [line[0] for line in lines[4:7]] == ["1", "2", "3"]
    assert "stratified" in out
    assert {"train", "validation", "test", "baseline"} <= {line[0] for line in lines}
    assert lines[-1] == ["saved", "out"]
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_the_resolved_configuration_repeats_the_run(run, job, tmp_path):
    assert run("train", job(two_classes()), "--set", "training.random_seed=5", "--set", "run.output=deep/one")[0] == 0
    assert run("train", tmp_path / "deep" / "one" / "config.toml", "--set", "run.output=two")[0] == 0
    for name in ("model.safetensors", "metrics.json", "history.json", "split.json", "preprocessing.json"):
        assert (tmp_path / "deep" / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_dry_run_checks_everything_and_writes_nothing(run, job, tmp_path):
    config = job(two_classes())
    before = sorted(path.name for path in tmp_path.iterdir())
    code, out, _ = run("train", config, "--dry-run")
    assert code == 0
    assert "parameters" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert run("train", config, "--dry-run", "--set", "data.target=x")[0] == 2


def test_an_existing_folder_is_refused_before_training_unless_overwritten(run, job, tmp_path):
    config = job(two_classes())
    assert run("train", config)[0] == 0
    code, out, err = run("train", config)
    assert (code, out) == (2, "")
    assert "run.output=out-2" in err
    assert run("train", config, "--overwrite", "--set", "training.num_epochs=1")[0] == 0
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["total_epochs"] == 1


def test_paths_in_the_file_and_on_the_command_line(run, job, tmp_path, monkeypatch):
    config = job(two_classes())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run("train", "../c.toml")[0] == 0
    assert (tmp_path / "elsewhere" / "out").is_dir()
    (tmp_path / "elsewhere" / "u.csv").write_text(two_classes(seed=1))
    assert run("train", config, "--set", "data.path=u.csv", "--set", "run.output=other")[0] == 0


TABLES = {
    "categories and many classes": "\n".join(["c,n,y", *(f"{'uvw'[i % 3]},{i % 5},{'xyz'[i % 3]}" for i in range(60))]),
    "whole numbers to predict": "\n".join(["a,y", *(f"{i % 7},{3 * (i % 7) + i % 40}" for i in range(120))]),
    "boolean texts": "\n".join(["a,b,y", *(f"{i},{i % 2 == 0},{i % 3 == 0}" for i in range(40))]),
    "mark of byte order, CRLF, quotes": ("\ufeff" + two_classes().replace("u", '"u, v"')).replace("\n", "\r\n"),
    "semicolons and decimal commas": two_classes().replace(",", ";").replace(".", ","),
    "a constant column": "\n".join(["k,a,y", *(f"7,{i},{i % 2}" for i in range(40))]),
    "a class with one row": "\n".join(["a,y", *(f"{i},{'r' if i == 3 else 'st'[i % 2]}" for i in range(40))]),
    "five rows": "a,y\n1,u\n2,v\n3,u\n4,v\n5,u\n",
    "four numbers": "a,y\n1,0.5\n2,1.5\n3,0.25\n4,2.5\n",
    "a huge target": "\n".join(["a,y", *(f"{i},{1e12 + i * 1e9}" for i in range(40))]),
    "one input of text only": "\n".join(["c,y", *(f"{'uv'[i % 2]},{i % 2 + 0.5}" for i in range(20))]),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_all_kinds_train_and_predict(run, job, name, tmp_path):
    assert run("train", job(TABLES[name]))[0] == 0
    code, out, _ = run("predict", "out", "t.csv")
    assert code == 0
    assert len(out.splitlines()) == len(TABLES[name].strip().splitlines())


@pytest.mark.parametrize(
    ("table", "text", "expected"),
    [
        ("", "", "must not be empty"),
        ("a,y\n", "", "at least 1 data row"),
        ("a,y\n1,2,3\n", "", "line 2 of t.csv"),
        ("a,a,y\n1,1,2\n", "", "'a' again"),
        ("a,b\n1,2\n", "", "valid names: a, b"),
        (two_classes().replace("0.126", "abc", 1), "", "got 'abc' on line 2 of t.csv"),
        ("a,y\n1,0.5\n2,\n3,1.5\n", "", "got '' on line 3"),
        ("a,y\n1,k\n2,k\n3,k\n", "", "at least 2 classes"),
        ("a,y\n1,0\n,1\n3,1\n4,0\n", "", 'data.missing to "mean" or "drop"'),
        (two_classes(), "wieght = 3", "did you mean 'weight'?"),
        (two_classes(), "missing = 3", '"error" or "mean" or "drop"'),
        (two_classes(), "missing = error", "must be TOML"),
        (b"\x89PNG\r\n\x1a\n\0\0", "", "must be UTF-8"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_2(run, job, tmp_path, table, text, expected):
    code, out, err = run("train", job(table, text))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert expected in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["none.toml"], "trainsmith init"),
        (["c.toml", "--set", "training.learning_rat=1"], "did you mean 'learning_rate'?"),
        (["c.toml", "--set", "training"], "training.learning_rate=3e-4"),
        (["c.toml", "--set", "trainng.num_epochs=1"], "did you mean 'training'?"),
        (["c.toml", "--set", "data.path=none.csv"], "must exist"),
        (["c.toml", "--device", "tpu"], '"cpu"'),
        (["c.toml", "--set", "run.output=t.csv/out"], "must be writable"),
        (["c.toml", "--unknown"], "unrecognized arguments"),
        ([], "required"),
    ],
)
def test_wrong_words_end_with_exit_code_2(run, job, words, expected):
    job(two_classes())
    code, _, err = run("train", *words)
    assert code == 2
    assert expected in err
    assert "Traceback" not in err


def test_all_problems_of_a_configuration_are_told(run, job):
    code, _, err = run("train", job(two_classes(), "drp = []"), "--set", "run.dtype=int8", "--set", "training.epochs=3")
    assert code == 2
    assert "3 problems" in err
    assert err.count("\n") == 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one child")
def test_an_interrupt_saves_and_ends_with_130(job, tmp_path):
    config = job(two_classes(400), epochs=1_000_000)
    words = [sys.executable, "-m", "trainsmith.cli", "train", str(config), "--set", "training.max_no_improve=0"]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.split()[:1] == ["3"]:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted after" in out
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["status"] == "interrupted"
    assert metrics["total_epochs"] >= 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_run_leaves_no_folder(job, tmp_path):
    config = job(two_classes(400), epochs=1_000_000)
    words = [sys.executable, "-m", "trainsmith.cli", "train", str(config), "--set", "training.max_no_improve=0"]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    process.kill()
    process.wait()
    assert not (tmp_path / "out").exists()


def test_breast_cancer_reaches_its_accuracy(run, tmp_path):
    scores = []
    for seed in range(5):
        words = ["--set", f"training.random_seed={seed}", "--set", f"run.output=run{seed}"]
        assert run("train", EXAMPLES / "breast_cancer.toml", *words)[0] == 0
        scores.append(json.loads((tmp_path / f"run{seed}" / "metrics.json").read_text())["test"]["accuracy"])
    assert sum(scores) / len(scores) >= 0.96
