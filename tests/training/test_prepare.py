import numpy as np
import pytest

from trainsmith.errors import DataError
from trainsmith.training import JobConfig, prepare


@pytest.fixture
def job(tmp_path):
    def make(columns, **sections):
        rows = zip(*columns.values(), strict=True)
        lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
        path = tmp_path / "t.csv"
        path.write_text("\n".join(lines) + "\n")
        data = {"path": str(path), "target": "y", **sections.pop("data", {})}
        return JobConfig.from_sections({"data": data, **sections})

    return make


def numbers(count, seed=0):
    return np.random.default_rng(seed).normal(size=count).round(3).tolist()


def test_changing_test_rows_changes_nothing_that_training_sees(job):
    columns = {"a": numbers(40), "c": ["u", "v"] * 20, "y": numbers(40, 1)}
    one = prepare(job(columns))
    changed = {name: list(cells) for name, cells in columns.items()}
    for row in [*one.split.test.tolist(), *one.split.validation.tolist()]:
        changed["a"][row], changed["c"][row], changed["y"][row] = 1e6, "w", -1e6
    other = prepare(job(changed))
    assert other.preprocessor == one.preprocessor
    assert other.target == one.target
    np.testing.assert_array_equal(other.train.x, one.train.x)
    np.testing.assert_array_equal(other.train.y, one.train.y)


def test_columns_with_a_role_are_no_inputs(job):
    columns = {"id": range(30), "t": range(30), "g": [f"g{i // 3}" for i in range(30)], "w": [1, 2, 3] * 10}
    columns |= {"a": numbers(30), "y": numbers(30, 1)}
    roles = {"drop": ["id"], "time": "t", "group": "g", "weight": "w"}
    prepared = prepare(job(columns, data=roles, split={"strategy": "chronological"}))
    assert prepared.preprocessor.feature_names == ["a"]
    assert prepared.split.test.tolist() == list(range(25, 30))
    assert prepared.train.weight.mean() == pytest.approx(1)
    grouped = prepare(job(columns, data=roles, split={"strategy": "group"}))
    assert {row // 3 for row in grouped.split.test.tolist()}.isdisjoint(
        row // 3 for row in grouped.split.train.tolist()
    )


def test_the_strategy_follows_the_task(job):
    labels = prepare(job({"a": numbers(40), "y": ["n", "y", "y", "y"] * 10}))
    assert labels.strategy == "stratified"
    assert labels.test.y.tolist().count(0) in (1, 2)
    assert prepare(job({"a": numbers(40), "y": numbers(40, 1)})).strategy == "random"


def test_a_stratified_split_of_numbers_covers_their_range(job):
    columns = {"a": numbers(200), "y": [*range(100), *range(1000, 1100)]}
    prepared = prepare(job(columns, split={"strategy": "stratified"}))
    assert np.count_nonzero(prepared.split.test < 100) == 15


def test_dropped_rows_keep_their_numbers_in_the_file(job):
    columns = {"a": ["", *numbers(19)], "y": [*numbers(19, 1), "NA"]}
    prepared = prepare(job(columns, data={"missing": "drop"}))
    assert prepared.rows_in_file.tolist() == list(range(1, 19))
    assert any("left out 2 rows" in note for note in prepared.notes)


def test_dtype_and_shapes(job):
    prepared = prepare(job({"a": numbers(20), "y": numbers(20, 1)}, run={"dtype": "float64"}))
    assert (prepared.train.x.dtype, prepared.train.y.dtype, prepared.train.y.shape) == ("float64", "float64", (14, 1))
    prepared = prepare(job({"a": numbers(20), "y": ["u", "v"] * 10}))
    assert (prepared.train.x.dtype, prepared.train.y.dtype, prepared.train.y.shape) == ("float32", "int64", (14,))


def test_notes_tell_what_a_reader_should_know(job):
    columns = {
        "a": numbers(20),
        "k": [3] * 20,
        "name": [f"n{i}" for i in range(20)],
        "y": ["r", *(["u", "v"] * 10)][:20],
    }
    notes = "\n".join(prepare(job(columns)).notes)
    assert "'k' does not vary" in notes
    assert "'name' differs in every row" in notes
    assert "1 class with one row only: 'r'" in notes


@pytest.mark.parametrize(
    ("columns", "data", "expected"),
    [
        ({"y": numbers(9)}, {}, "must have a column to predict from"),
        ({"a": numbers(9), "y": numbers(9)}, {"drop": ["b"]}, "data.drop must name a column"),
        ({"a": numbers(9), "y": numbers(9)}, {"categorical": ["b"]}, "data.categorical must name a column"),
        ({"a": numbers(9), "y": numbers(9)}, {"time": "tme"}, "data.time must name a column"),
        ({"target": numbers(9), "a": numbers(9)}, {"target": "taget"}, "did you mean 'target'?"),
        ({"a": [""] * 9, "y": numbers(9)}, {"missing": "drop"}, "column 'a' has the most missing cells"),
        ({"a": numbers(9), "w": [0] * 9, "y": numbers(9)}, {"weight": "w"}, "must carry weight"),
        ({"a": numbers(9), "w": [-1] * 9, "y": numbers(9)}, {"weight": "w"}, "numbers of at least 0"),
    ],
)
def test_a_table_that_does_not_fit_is_one_line(job, columns, data, expected):
    with pytest.raises(DataError) as caught:
        prepare(job(columns, data=data))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
