"""What is wrong with data is told in one line, and nothing is left behind."""

import pytest

GOOD = "a,c,y\n" + "".join(f"{i},{'uv'[i % 2]},{i * 2.5 + 1}\n" for i in range(30))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "must not be empty"),
        ("a,y\n", "hold data below its header"),
        ("a,y\n1,2\n3\n", "line 3"),
        (GOOD + "7,u,8,9\n", "line 32"),
        (GOOD + ",u,8\n", "line 32"),
        (GOOD + "7,u,\n", "line 32"),
        (GOOD + "7,u,nan\n", "line 32"),
        (GOOD + "seven,u,8\n", "'seven' on line 32"),
        (b"\xff\xfea", "t.csv"),
        (b"PAR1\x00\x00", "zero byte"),
    ],
)
@pytest.mark.parametrize("command", ["train", "cv"])
def test_a_table_that_does_not_fit_is_one_line(run, job, tmp_path, command, table, said):
    config = job(table)
    before = sorted(path.name for path in tmp_path.iterdir())
    code, out, err = run(command, config)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert said in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_an_unknown_category_is_counted_and_predicted(run, job, tmp_path):
    assert run("train", job(GOOD))[0] == 0
    (tmp_path / "new.csv").write_text("a,c\n1,w\n2,u\n")
    code, out, err = run("predict", "out", "new.csv")
    assert code == 0
    assert "1 cell of a category unseen in training" in err
    assert len(out.splitlines()) == 3


def test_a_column_of_the_wrong_kind_at_predict_is_one_line(run, job, tmp_path):
    assert run("train", job(GOOD))[0] == 0
    (tmp_path / "new.csv").write_text("a,c\nmany,u\n")
    code, _, err = run("predict", "out", "new.csv", "-o", "p.csv")
    assert code == 2
    assert "'many' on line 2" in err
    assert not (tmp_path / "p.csv").exists()
