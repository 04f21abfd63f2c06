from dataclasses import dataclass

import pytest

from trainsmith.data._options import check, file_options, option, read, required, to_dict
from trainsmith.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    name: str = required("a name", "str")
    count: int = option(1, "a count", "int", low=1, high=9)
    rate: float = option(0.5, "a rate", "float", above=0, below=1, key="speed")
    sizes: tuple[int, ...] = option((), "sizes", "ints", low=1)
    mode: str = option("a", "a mode", "str", choices=("a", "b"))
    on: bool = option(False, "a switch", "bool")
    hidden: int = option(0, "not for files", "int", in_file=False)

    def __post_init__(self) -> None:
        check(self)


def test_read_and_to_dict_are_inverse():
    sample = read(Sample, {"name": "x", "count": 2, "rate": 0.25, "sizes": [1, 2]}, "sample")
    assert read(Sample, to_dict(sample), "sample") == sample
    assert sample.sizes == (1, 2)


def test_file_keys_may_differ_from_names():
    assert "hidden" not in file_options(Sample)
    assert read(Sample, {"name": "x", "speed": 0.1}, "sample", file=True).rate == 0.1
    with pytest.raises(ConfigError, match=r"sample\.hidden is no known key"):
        read(Sample, {"name": "x", "hidden": 1}, "sample", file=True)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"count": 0}, "expected a whole number at least 1 and at most 9, got 0"),
        ({"count": 1.0}, "got 1.0"),
        ({"count": True}, "got True"),
        ({"rate": 1}, "expected a number above 0 and below 1, got 1"),
        ({"rate": float("nan")}, "got nan"),
        ({"rate": "fast"}, "got 'fast'"),
        ({"sizes": [1, 0]}, "got [1, 0]"),
        ({"sizes": 3}, "expected a list of whole numbers"),
        ({"mode": "c"}, 'expected "a" or "b", got \'c\''),
        ({"on": 1}, "expected true or false"),
        ({"cuont": 1}, "did you mean 'count'?"),
    ],
)
def test_a_broken_rule_says_what_is_expected(entry, expected):
    with pytest.raises(ConfigError) as caught:
        read(Sample, {"name": "x", **entry}, "sample")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    if entry.keys() <= {"count", "rate", "mode", "on"}:
        with pytest.raises(ConfigError):
            Sample(name="x", **entry)


def test_all_problems_come_in_one_error():
    with pytest.raises(ConfigError) as caught:
        read(Sample, {"count": 0, "rate": 2, "other": 1}, "sample")
    assert str(caught.value).splitlines()[0] == "config: 4 problems"
    for expected in ("sample.count", "sample.rate", "sample.other", "sample.name must be given"):
        assert expected in str(caught.value)
