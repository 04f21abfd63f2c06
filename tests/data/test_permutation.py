from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsmith.data import Permutation
from trainsmith.errors import ConfigError, IndexRangeError


@given(st.integers(0, 3000), st.integers(0, 2**64 - 1), st.integers(0, 1000))
def test_it_is_a_permutation(size, seed, epoch):
    assert sorted(Permutation(size, seed, epoch).at(np.arange(size)).tolist()) == list(range(size))


@pytest.mark.parametrize("size", [*range(70), 255, 256, 257, 1023, 1024, 1025, 4096, 65535, 65537])
def test_sizes_around_powers_of_two_are_permuted(size):
    assert np.array_equal(np.sort(Permutation(size, seed=3).at(np.arange(size))), np.arange(size))


@given(st.integers(1, 500), st.data())
def test_a_position_depends_on_nothing_but_seed_epoch_and_position(size, data):
    order = Permutation(size, seed=(4, 5), epoch=6).at(np.arange(size))
    position = data.draw(st.integers(0, size - 1))
    again = Permutation(size, seed=(4, 5), epoch=6)
    assert again[position] == order[position] == again[position - size]
    assert np.array_equal(again.at([[position]]), [[order[position]]])


def test_seeds_and_epochs_give_different_orders():
    orders = {tuple(Permutation(50, seed, epoch).at(np.arange(50)).tolist()) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25


def test_small_orders_are_close_to_uniform():
    counts = dict.fromkeys(permutations(range(3)), 0)
    for seed in range(6000):
        counts[tuple(Permutation(3, seed).at(np.arange(3)).tolist())] += 1
    assert min(counts.values()) > 850
    assert max(counts.values()) < 1150


def test_neighbours_are_scattered():
    order = Permutation(10_000, seed=1).at(np.arange(10_000)).astype(float)
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.05
    assert abs(np.corrcoef(order, np.arange(10_000))[0, 1]) < 0.05


def test_a_huge_order_is_entered_anywhere():
    order = Permutation(2**62, seed=1)
    values = order.at([0, 1, 2**61, 2**62 - 1])
    assert len(set(values.tolist())) == 4
    assert values.min() >= 0


def test_what_is_out_of_range_is_refused():
    for arguments in ((-1,), (5, -1), (5, 0, -1), (2**63,)):
        with pytest.raises(ConfigError, match="permutation"):
            Permutation(*arguments)
    for position in (5, -6):
        with pytest.raises(IndexRangeError):
            Permutation(5)[position]
