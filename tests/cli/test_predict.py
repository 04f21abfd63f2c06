import shutil

import pytest
from tests.cli.samples import rows_of, two_classes


@pytest.fixture
def artefact(run, job, tmp_path):
    assert run("train", job(two_classes(80), epochs=30), "--set", "training.learning_rate=0.01")[0] == 0
    return tmp_path / "out"


def test_columns_of_the_predictions(run, artefact, tmp_path):
    code, _, err = run("predict", artefact, "t.csv", "-o", "p.csv")
    assert (code, err) == (0, "")
    rows = rows_of(tmp_path / "p.csv")
    assert list(rows[0]) == ["prediction", "probability_no", "probability_yes"]
    for row in rows:
        shares = {name: float(row[f"probability_{name}"]) for name in ("no", "yes")}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-6)
        assert row["prediction"] == max(shares, key=shares.get)
    true = [row["y"] for row in rows_of(tmp_path / "t.csv")]
    assert sum(row["prediction"] == label for row, label in zip(rows, true)) > 70


def test_regression_gives_one_column_of_numbers(run, job, tmp_path):
    table = "\n".join(["a,y", *(f"{i},{1e9 + i * 1e6 + 0.5}" for i in range(60))])
    run("train", job(table, epochs=200), "--set", "training.learning_rate=0.02")
    assert run("predict", "out", "t.csv", "-o", "p.csv")[0] == 0
    rows = rows_of(tmp_path / "p.csv")
    assert list(rows[0]) == ["prediction"]
    assert float(rows[30]["prediction"]) == pytest.approx(1.03e9, rel=0.01)


def test_the_target_may_be_absent_and_the_folder_moved(run, artefact, tmp_path):
    lines = (tmp_path / "t.csv").read_text().splitlines()
    swapped = [",".join([*line.split(",")[1::-1], "more"]) for line in lines]
    (tmp_path / "u.csv").write_text("\n".join(swapped) + "\n")
    shutil.move(artefact, tmp_path / "moved")
    one = run("predict", "moved", "u.csv")
    (tmp_path / "c.toml").unlink()
    assert one[0] == 0
    assert one == run("predict", "moved", "t.csv")


def test_an_unseen_category_is_predicted_with_a_note(run, artefact, tmp_path):
    (tmp_path / "u.csv").write_text("a,c\n1,u\n1,w\n")
    code, out, err = run("predict", artefact, "u.csv")
    assert code == 0
    assert err == "note: column 'c': 1 cell of a category unseen in training\n"
    assert len(out.splitlines()) == 3


def test_incomplete_rows_get_an_empty_prediction_where_training_dropped_them(run, job, tmp_path):
    run("train", job(two_classes(), 'missing = "drop"'))
    (tmp_path / "u.csv").write_text("a,c\n1,u\n,v\n2,u\n")
    code, out, err = run("predict", "out", "u.csv")
    assert code == 0
    assert out.splitlines()[2] == ",,"
    assert "1 row with missing cells" in err


def test_class_names_that_need_quotes(run, job, tmp_path):
    table = "\n".join(["a,y", *(f'{i},"{("x, y", "z")[i % 2]}"' for i in range(40))])
    run("train", job(table))
    run("predict", "out", "t.csv", "-o", "p.csv")
    assert list(rows_of(tmp_path / "p.csv")[0]) == ["prediction", "probability_x, y", "probability_z"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["none", "t.csv"], "manifest.json"),
        (["out", "none.csv"], "must exist"),
        (["out", "short.csv"], "expected 'c'"),
        (["out", "text.csv"], "got 'x' on line 2 of text.csv"),
        (["out", "gap.csv"], "got '' on line 3 of gap.csv"),
        (["out", "t.csv", "-o", "t.csv"], "must not replace their data"),
        (["out", "t.csv", "-o", "none/p.csv"], "must be writable"),
        (["out"], "required"),
    ],
)
def test_a_mistake_is_told_with_exit_code_2(run, artefact, tmp_path, words, expected):
    (tmp_path / "short.csv").write_text("a\n1\n")
    (tmp_path / "text.csv").write_text("a,c\nx,u\n")
    (tmp_path / "gap.csv").write_text("a,c\n1,u\n2,\n")
    before = (tmp_path / "t.csv").read_bytes()
    code, _, err = run("predict", *words)
    assert code == 2
    assert expected in err
    assert (tmp_path / "t.csv").read_bytes() == before
