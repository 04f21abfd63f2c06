import tomllib

import pytest
from tests.cli.samples import EXAMPLES, two_classes

from trainsmith.training import JobConfig


@pytest.mark.parametrize(("name", "target"), [("breast_cancer", "diagnosis"), ("diabetes", "progression")])
def test_the_configuration_of_a_real_table_trains(run, tmp_path, name, target):
    code, out, _ = run("init", EXAMPLES / f"{name}.csv", "--target", target)
    assert code == 0
    (tmp_path / "c.toml").write_text(out)
    assert run("train", "c.toml", "--set", "training.num_epochs=2")[0] == 0


def test_it_says_what_it_found(run, tmp_path):
    lines = two_classes().splitlines()
    rows = ["id,when," + lines[0], *(f"{i},day {i},{line}" for i, line in enumerate(lines[1:]))]
    rows[3] = rows[3].replace(",u,", ",,").replace(",v,", ",,")
    (tmp_path / "t.csv").write_text("\n".join(rows))
    out = run("init", "t.csv", "--target", "y")[1]
    data = tomllib.loads(out)["data"]
    assert data["drop"] == ["id", "when"]
    assert data["missing"] == "mean"
    assert "target y: classification" in out
    assert "found by their texts: c" in out
    assert "1 missing cell" in out


@pytest.mark.parametrize("target", ["y", 'a "quoted" name', "back\\slash", "größe", "tab\there"])
def test_any_column_name_gives_valid_toml(run, tmp_path, target):
    quoted = target.replace('"', '""')
    (tmp_path / "t.csv").write_text(f'a,"{quoted}"\n' + "".join(f"{i},{i % 2}\n" for i in range(20)), encoding="utf-8")
    code, out, err = run("init", "t.csv", "--target", target)
    assert (code, err) == (0, "")
    sections = tomllib.loads(out)
    assert sections["data"]["target"] == target
    assert JobConfig.from_sections(sections).workflow.num_epochs == 200


def test_every_section_is_commented(run, tmp_path):
    (tmp_path / "t.csv").write_text(two_classes())
    out = run("init", "t.csv", "--target", "y")[1]
    assert set(tomllib.loads(out)) == {"data", "split", "model", "training", "optimizer", "schedule", "run"}
    assert out.count("#") > 15


def test_a_wrong_target_is_told_with_exit_code_2(run, tmp_path):
    (tmp_path / "t.csv").write_text(two_classes().replace("y\n", "target\n", 1))
    code, out, err = run("init", "t.csv", "--target", "taget")
    assert (code, out) == (2, "")
    assert "did you mean 'target'?" in err
