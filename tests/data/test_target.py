import json

import numpy as np
import pytest

from trainsmith.data.tabular import Table, Target, detect_task
from trainsmith.errors import DataError


def table(cells, **options):
    return Table(source="t.csv", columns={"y": cells}, lines=list(range(2, len(cells) + 2)), **options)


def fit(cells, task="auto", train=None, **options):
    data = table(cells, **options)
    return Target.fit(data, "y", train=np.arange(len(cells)) if train is None else np.array(train), task=task), data


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["no", "yes"], "classification"),
        (["True", "False"], "classification"),
        (["0", "1"] * 2, "classification"),
        (["0", "1"], "classification"),
        (["1.0", "2.0", "3.0"] * 5, "classification"),
        (["1", "2", "3"], "regression"),
        ([str(i % 30) for i in range(300)], "regression"),
        (["0.5", "1.5"] * 9, "regression"),
        (["-1", "1"] * 4, "classification"),
    ],
)
def test_task(cells, task):
    assert detect_task(table(cells), "y") == task


def test_classes_are_sorted_and_keep_their_spelling():
    assert fit(["b", "a", "c", "a"])[0].classes == ("a", "b", "c")
    assert fit(["10", "9", "2"] * 4)[0].classes == ("2", "9", "10")
    assert fit(["1.0", "0.0"] * 4)[0].classes == ("0.0", "1.0")
    assert fit(["01", "02"] * 4)[0].classes == ("01", "02")


def test_one_class_may_have_two_spellings():
    target, data = fit(["1", "1.0", "0", "0"])
    assert target.classes == ("0", "1")
    assert target.encode(data).tolist() == [1, 1, 0, 0]


def test_numbers_and_texts_may_be_classes_together():
    target, data = fit(["1", "2", "x", "1", "2", "x"])
    assert target.classes == ("1", "2", "x")
    assert target.encode(data).tolist() == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30, 1e200])
def test_regression_is_standardised_on_the_training_rows_and_mapped_back(scale):
    values = np.array([3.0, 5.0, 1.0, 100.0]) * scale
    target, data = fit([repr(value) for value in values.tolist()], train=[0, 1, 2])
    np.testing.assert_allclose(target.mean, values[:3].mean(), rtol=1e-12)
    encoded = target.encode(data)
    np.testing.assert_allclose([encoded[:3].mean(), encoded[:3].std()], [0, 1], atol=1e-12)
    np.testing.assert_allclose(target.decode(encoded), values, rtol=1e-12)


def test_whole_numbers_can_be_a_regression_target():
    target, data = fit(["1", "2", "3", "1"], task="regression")
    assert target.task == "regression"
    np.testing.assert_allclose(target.decode(target.encode(data)), [1, 2, 3, 1])


@pytest.mark.parametrize(
    ("cells", "task", "expected"),
    [
        (["a", ""], "auto", "got '' on line 3 of t.csv"),
        (["1.5", "nan"], "auto", "got 'nan' on line 3 of t.csv"),
        (["a", "a"], "auto", "at least 2 classes, got 'a' only"),
        (["1.5", "1.5"], "auto", "at least 2 different numbers"),
        (["1", "1"], "regression", "at least 2 different numbers"),
        (["1.5", "2.5", "3.5", "oops"], "auto", "got 'oops' on line 5"),
        (["a", "b"], "regression", "got 'a' on line 2"),
        ([f"name{i}" for i in range(60)], "auto", "60 different values in 60 rows"),
    ],
)
def test_a_target_that_cannot_be_learned_is_one_line(cells, task, expected):
    with pytest.raises(DataError) as caught:
        fit(cells, task)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_training_rows_of_one_class_are_refused():
    with pytest.raises(DataError, match="must vary in the training part"):
        fit(["a", "a", "b"], train=[0, 1])


@pytest.mark.parametrize("cells", [["b", "a", "b", "ü"], ["0.1", "0.7", "0.2"]])
def test_json_round_trip_is_exact(cells):
    target, _ = fit(cells)
    assert Target.from_dict(json.loads(json.dumps(target.to_dict()))) == target
