"""Divides the rows of a table into training, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from trainsmith.data._wording import counted, worded
from trainsmith.errors import ConfigError, DataError, ShapeError

Strategy = Literal["random", "stratified", "group", "chronological"]
Rows = npt.NDArray[np.int64]

_OP = "split_rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Three disjoint sets of rows that together are the table.

    Args:
        train: training rows, counted from 0, ascending, int64.
        validation: validation rows; may be empty.
        test: test rows; may be empty.

    Example:
        >>> split_rows(10, validation=0.2, test=0.1, seed=0).sizes
        (7, 2, 1)
    """

    train: Rows
    validation: Rows
    test: Rows

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The numbers of training, validation and test rows."""
        return self.train.size, self.validation.size, self.test.size


def split_rows(
    count: int,
    *,
    strategy: Strategy = "random",
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    labels: npt.ArrayLike | None = None,
    groups: Sequence[str] | None = None,
    times: npt.ArrayLike | None = None,
) -> Split:
    """Divides rows by a strategy; the same arguments always give the same split.

    `random` draws rows. `stratified` keeps the shares of the classes, by largest remainder, and leaves at least one row
    of each class in training. `group` keeps rows of one group together. `chronological` trains on the earliest rows,
    validates on later ones and tests on the latest; rows of one time are never separated.

    Args:
        count: the number of rows.
        strategy: how to divide.
        validation: share of the rows, in [0, 1); at least one row where above 0.
        test: share of the rows, in [0, 1); at least one row where above 0.
        seed: of the draw, at least 0; `chronological` does not draw.
        labels: for `stratified`: the class of each row, shape (count,), integers.
        groups: for `group`: the group of each row.
        times: for `chronological`: the time of each row, shape (count,); without it the row order is the time.

    Returns:
        The split.

    Raises:
        ConfigError: shares below 0 or with a sum of 1 or more, or an unknown strategy.
        ShapeError: labels, groups or times are absent or not one per row.
        DataError: too few rows, groups or times to fill every part.

    Example:
        >>> split = split_rows(6, strategy="stratified", validation=0.0, test=0.34, labels=[0, 0, 0, 1, 1, 1])
        >>> split.sizes, sorted(row // 3 for row in split.test.tolist())
        ((4, 0, 2), [0, 1])
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise worded(
            ConfigError,
            _OP,
            "validation and test must leave rows to train on",
            expected="shares of at least 0 with a sum below 1",
            got=f"{validation} and {test}",
            step="make them smaller, such as 0.15 and 0.15",
        )
    generator = np.random.default_rng(seed)
    wanted = _sizes(count, validation, test)
    if strategy == "random":
        return _cut(generator.permutation(count), wanted)
    if strategy == "stratified":
        return _stratified(np.asarray(_per_row(labels, count, "labels")), wanted, generator)
    if strategy == "group":
        return _grouped(np.asarray(_per_row(groups, count, "groups")), validation, test, generator)
    if strategy == "chronological":
        moments = np.arange(count) if times is None else np.asarray(_per_row(times, count, "times"))
        return _chronological(moments.astype(np.float64), wanted)
    raise worded(
        ConfigError,
        _OP,
        "strategy must be known",
        expected="random, stratified, group or chronological",
        got=repr(strategy),
        step="choose one of them",
    )


def _per_row(values: npt.ArrayLike | None, count: int, name: str) -> npt.ArrayLike:
    length = None if values is None else len(np.asarray(values))
    if values is None or length != count:
        raise worded(
            ShapeError,
            _OP,
            f"{name} must have one entry per row",
            expected=counted(count, "entry", "entries"),
            got="none" if length is None else str(length),
            step=f"pass {name}",
        )
    return values


def _check_enough(count: int, shares: tuple[float, float], noun: str, step: str) -> None:
    needed = 1 + sum(share > 0 for share in shares)
    if count < needed:
        raise worded(
            DataError,
            _OP,
            f"every part needs at least one {noun}",
            expected=f"at least {counted(needed, noun)}",
            got=str(count),
            step=f"{step}, or set split.validation or split.test to 0",
        )


def _sizes(count: int, validation: float, test: float) -> tuple[int, int]:
    """Returns the numbers of validation and test rows, at least 1 for each share above 0."""
    _check_enough(count, (validation, test), "row", "add rows")
    sizes = [max(1, int(count * share + 0.5)) if share > 0 else 0 for share in (validation, test)]
    while sum(sizes) >= count:
        sizes[int(np.argmax(sizes))] -= 1
    return sizes[0], sizes[1]


def _cut(order: Rows, wanted: tuple[int, int]) -> Split:
    """Takes the test rows from the end of an order and the validation rows before them."""
    validation, test = wanted
    train = order.size - validation - test
    return Split(
        train=np.sort(order[:train]),
        validation=np.sort(order[train : train + validation]),
        test=np.sort(order[train + validation :]),
    )


def _stratified(labels: npt.NDArray[np.int64], wanted: tuple[int, int], generator: np.random.Generator) -> Split:
    classes = [generator.permutation(np.flatnonzero(labels == one)) for one in np.unique(labels)]
    sizes = np.array([members.size for members in classes])
    _check_enough(1 + int((sizes - 1).sum()), wanted, "row", "add rows, as the first row of each class is for training")
    test = _shares(sizes, wanted[1], sizes - 1)
    validation = _shares(sizes, wanted[0], sizes - 1 - test)
    parts = [_cut(members, (int(v), int(t))) for members, v, t in zip(classes, validation, test, strict=True)]
    return Split(
        train=np.sort(np.concatenate([part.train for part in parts])),
        validation=np.sort(np.concatenate([part.validation for part in parts])),
        test=np.sort(np.concatenate([part.test for part in parts])),
    )


def _shares(sizes: npt.NDArray[np.int64], wanted: int, limits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Divides `wanted` rows over classes in proportion to their sizes, by largest remainder, within limits."""
    wanted = min(wanted, int(limits.sum()))
    quota = sizes * (wanted / sizes.sum())
    shares = np.minimum(np.floor(quota).astype(np.int64), limits)
    while shares.sum() < wanted:
        remainder = np.where(shares < limits, quota - shares, -np.inf)
        shares[int(np.argmax(remainder))] += 1
    return shares


def _grouped(groups: npt.NDArray[np.str_], validation: float, test: float, generator: np.random.Generator) -> Split:
    names, members = np.unique(groups, return_inverse=True)
    sizes = np.bincount(members)
    _check_enough(names.size, (validation, test), "group", "check data.group")
    free = generator.permutation(names.size).tolist()
    chosen: list[list[int]] = []
    for position, share in enumerate((test, validation)):
        reserve = 1 + (position == 0 and validation > 0)
        part = _groups_near(groups.size * share, free, sizes, reserve) if share > 0 else []
        free = [group for group in free if group not in part]
        chosen.append(part)
    return Split(
        train=np.flatnonzero(np.isin(members, free)),
        validation=np.flatnonzero(np.isin(members, chosen[1])),
        test=np.flatnonzero(np.isin(members, chosen[0])),
    )


def _groups_near(wanted: float, free: list[int], sizes: npt.NDArray[np.int64], reserve: int) -> list[int]:
    """Takes groups in their drawn order while each brings the part closer to its size; `reserve` groups stay free."""
    part: list[int] = []
    rows = 0
    for group in free:
        size = int(sizes[group])
        if len(part) < len(free) - reserve and abs(rows + size - wanted) < abs(rows - wanted):
            part.append(group)
            rows += size
    return part or [min(free, key=lambda group: int(sizes[group]))]


def _chronological(times: npt.NDArray[np.float64], wanted: tuple[int, int]) -> Split:
    order = np.argsort(times, kind="stable")
    moments, starts = np.unique(times[order], return_index=True)
    _check_enough(moments.size, wanted, "time", "check data.time")
    borders = [times.size - wanted[1], times.size - wanted[1] - wanted[0]]
    last = moments.size
    cuts: list[int] = []
    for position, (border, share) in enumerate(zip(borders, wanted[::-1], strict=True)):
        if share > 0:
            before = 1 + (position == 0 and wanted[0] > 0)
            last = int(np.clip(np.argmin(np.abs(starts - border)), before, last - 1))
        cuts.append(int(starts[last]) if last < moments.size else times.size)
    return Split(
        train=np.sort(order[: cuts[1]]),
        validation=np.sort(order[cuts[1] : cuts[0]]),
        test=np.sort(order[cuts[0] :]),
    )
