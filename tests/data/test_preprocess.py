import json

import numpy as np
import pytest

from trainsmith.data.tabular import Preprocessor, Table, complete_rows
from trainsmith.errors import DataError


def table(**columns):
    rows = len(next(iter(columns.values())))
    return Table(source="t.csv", columns=columns, lines=list(range(2, rows + 2)))


def fit(data, train, **options):
    return Preprocessor.fit(data, list(data.columns), train=np.array(train), **options)


def test_mean_and_deviation_come_from_the_training_rows_only():
    first = table(a=["1", "3", "5", "1000"])
    second = table(a=["1", "3", "5", "-7"])
    assert fit(first, [0, 1, 2]) == fit(second, [0, 1, 2])
    encoded = fit(first, [0, 1, 2]).transform(first)[:3, 0]
    np.testing.assert_allclose([encoded.mean(), encoded.std()], [0, 1], atol=1e-12)


def test_categories_come_from_the_training_rows_only():
    data = table(c=["x", "y", "z"])
    preprocessor = fit(data, [0, 1])
    assert preprocessor.feature_names == ["c=x", "c=y"]
    np.testing.assert_array_equal(preprocessor.transform(data), [[1, 0], [0, 1], [0, 0]])
    assert preprocessor.unseen(data) == {"c": 1}


def test_a_constant_column_becomes_zero_even_for_other_values():
    data = table(a=["0.1", "0.1", "0.1", "9"])
    np.testing.assert_array_equal(fit(data, [0, 1, 2]).transform(data), np.zeros((4, 1)))


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1.0, 1e12, 1e300])
def test_any_magnitude_is_standardised(scale):
    data = table(a=[repr(value * scale) for value in (1.0, 2.0, 3.0)])
    np.testing.assert_allclose(fit(data, [0, 1, 2]).transform(data)[:, 0], [-1.2247449, 0, 1.2247449], rtol=1e-6)


def test_a_far_value_stays_finite_in_float32():
    data = table(a=["1", "2", "1e308"])
    assert np.isfinite(fit(data, [0, 1]).transform(data).astype(np.float32)).all()


def test_numbers_listed_as_categorical_are_categories():
    data = table(code=["1", "2.0", "2", "NA"])
    preprocessor = fit(data, [0, 1, 2], categorical=["code"], missing="mean")
    assert preprocessor.feature_names == ["code=1", "code=2"]


def test_rare_categories_beyond_the_limit_are_left_out():
    cells = [f"c{i:03}" for i in range(150)] + ["c149", "c148"]
    preprocessor = fit(table(c=cells), range(152))
    assert len(preprocessor.feature_names) == 100
    assert {"c=c148", "c=c149", "c=c000"} <= set(preprocessor.feature_names)


def test_missing_cells_by_policy():
    data = table(a=["1", "3", ""], c=["x", "", "y"])
    with pytest.raises(DataError, match=r"column 'a'.*line 4 of t\.csv.*data\.missing"):
        fit(data, [0, 1]).transform(data)
    preprocessor = fit(data, [0, 1], missing="mean")
    assert preprocessor.feature_names == ["a", "c=", "c=x"]
    np.testing.assert_array_equal(preprocessor.transform(data), [[-1, 0, 1], [1, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(complete_rows(data, ["a", "c"]), [0])


def test_a_text_in_a_numeric_column_of_a_later_table_is_named():
    preprocessor = fit(table(a=["1", "2"]), [0, 1])
    with pytest.raises(DataError, match=r"got 'x' on line 3 of t\.csv"):
        preprocessor.transform(table(a=["1", "x"]))


def test_columns_are_found_by_name_and_missing_ones_are_all_named():
    data = table(alpha=["1", "2"], beta=["3", "4"])
    preprocessor = fit(data, [0, 1])
    np.testing.assert_array_equal(
        preprocessor.transform(data), preprocessor.transform(table(beta=["3", "4"], extra=["?", "?"], alpha=["1", "2"]))
    )
    with pytest.raises(DataError, match=r"expected 'alpha', 'beta'.*did you mean 'alpa'"):
        preprocessor.transform(table(alpa=["1"]))


def test_json_round_trip_is_exact():
    preprocessor = fit(table(a=["0.1", "0.7", "0.3"], c=["x", "ü", ""]), [0, 1, 2], missing="mean")
    assert Preprocessor.from_dict(json.loads(json.dumps(preprocessor.to_dict()))) == preprocessor
