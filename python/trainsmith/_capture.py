"""Captured steps: a function is recorded once for each signature and runs as one plan from then on."""

import functools
import itertools
import threading
import types
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from trainsmith import _core, _guards, errors
from trainsmith._arrays import asarray
from trainsmith._non_finite import NonFinite
from trainsmith._signature import Call, difference, without_arrays
from trainsmith._tree import flatten, unflatten

Tensor = _core.Tensor

#: Captured steps a compiled function keeps; the least recently used goes first.
MAX_PLANS = 64
#: Recordings in a row, each for another signature, after which a compiled function warns.
WARN_AFTER = 8

counts = {"plans_evicted": 0, "checks": 0}

# Stands for a tensor in the structure of a result.
_HOLE = object()


@dataclass(frozen=True, slots=True)
class StepMemory:
    """Memory that a captured step takes, in bytes.

    Args:
        device: where.
        given: arguments, parameters, optimizer state and constants.
        results: what gets memory of its own; parameters are written in place and need none.
        working: values in between. Of the CPU's kernels it counts what they share, not what each thread keeps.
    """

    device: str
    given: int
    results: int
    working: int

    @property
    def total(self) -> int:
        """All of it; other tensors of the process come on top."""
        return self.given + self.results + self.working


class _Entry:
    """One captured step, and how its results become what the function gave."""

    def __init__(self, step: Callable[..., Any], call: Call, keep_grads: bool) -> None:
        shape: dict[str, Any] = {}

        def traced() -> list[Tensor]:
            args, kwargs = call.rebuild(call.tensors)
            leaves, shape["tree"] = flatten(step(*args, **kwargs))
            leaves = without_arrays(leaves)
            shape["leaves"] = [None if isinstance(leaf, Tensor) else leaf for leaf in leaves]
            shape["is_tensor"] = [isinstance(leaf, Tensor) for leaf in leaves]
            return [leaf for leaf in leaves if isinstance(leaf, Tensor)]

        self.guards = _guards.begin()
        try:
            self.captured = _core.record(traced, call.tensors, keep_grads)
        finally:
            _guards.end()
        self._tree = shape["tree"]
        self._leaves: list[Any] = shape["leaves"]
        self._is_tensor: list[bool] = shape["is_tensor"]

    def misfit(self) -> str | None:
        """Say why the step does not fit any more; None where it does."""
        return self.guards.changed() or self.captured.misfit()

    def tensors_of(self, leaves: list[Any]) -> list[Tensor]:
        """Pick from the function's results those that the step gives."""
        return [asarray(leaf) for leaf, is_tensor in zip(leaves, self._is_tensor, strict=True) if is_tensor]

    def results(self, tensors: Iterable[object]) -> Any:
        """Put results in the places where the function had them."""
        rest = iter(tensors)
        pairs = zip(self._leaves, self._is_tensor, strict=True)
        return unflatten(self._tree, [next(rest) if is_tensor else leaf for leaf, is_tensor in pairs])


class Compiled:
    """A function that runs as captured steps. Made by `compile`.

    Attributes:
        plans: captured steps that are kept now.
    """

    def __init__(self, function: Callable[..., Any], check: int, rtol: float | None, keep_grads: bool) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._check = check
        self._rtol = rtol
        self._keep_grads = keep_grads
        self._entries: dict[Any, list[_Entry]] = {}
        self._routes = _core.Routes()
        self._lock = threading.RLock()
        self._calls = 0
        self._misses: list[str] = []
        self._last_key: tuple[Any, ...] | None = None

    def __repr__(self) -> str:
        return f"<compiled {getattr(self._function, '__qualname__', self._function)!s}, {len(self.plans)} plans>"

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    @property
    def plans(self) -> list[Any]:
        """The captured steps."""
        return [entry.captured for entries in self._entries.values() for entry in entries]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the step that fits the arguments; record it first where there is none."""
        results = self._routes.call(args, kwargs)
        return results if results is not NotImplemented else self._look_up(args, kwargs)

    def _look_up(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if _core.recording():
            return self._function(*args, **kwargs)
        call = Call(args, kwargs)
        entry = self._find(call)
        if self._check:
            self._calls += 1
            if self._calls % self._check == 0:
                return self._checked(entry, call)
        else:
            holes = entry.results(itertools.repeat(_HOLE))
            args, kwargs = call.rebuild(call.tensors)
            self._routes.add(entry.captured, args, kwargs, entry.guards.changed, holes, _HOLE)
        return entry.results(entry.captured.run(call.tensors))

    def run_steps(self, *args: Any, stop_flag: _core.StopFlag | None = None, **kwargs: Any) -> Any:
        """Run one step for each position of the tensors' leading axis, in one call.

        Args:
            *args: as for a call, each tensor or array with a leading axis K over the steps.
            stop_flag: once it is set, also by another thread, no further step begins after the first; a
                `training.RunContext` has one in its `flag`.
            **kwargs: likewise.

        Returns:
            What the function gives, each tensor with a leading axis K, or as long as the steps that ran.

        Raises:
            ShapeError: when the leading axes differ.
        """
        call = Call(args, kwargs)
        steps, done = call.steps(), 0
        stacked: list[list[Tensor]] = []
        while True:
            entry = self._find(call.slices(done))
            # A step may change what it depends on, such as whether there are gradients; then another one goes on.
            count, tensors = entry.captured.run_steps(call.tensors, done, steps, stop_flag)
            stacked.append(tensors)
            done += count
            if done == steps or (stop_flag is not None and stop_flag.is_set()):
                break
        if len(stacked) == 1:
            return entry.results(stacked[0])
        return entry.results([_core.apply("concat", parts, {"axis": 0}) for parts in zip(*stacked, strict=True)])

    def find_non_finite(self, *args: Any, **kwargs: Any) -> NonFinite | None:
        """Run the step op by op, change nothing, and say what made the first value that is not finite.

        A mask of infinities that ends in finite values is no finding. This is slow; it is for a step that has failed.

        Args:
            *args: as for a call.
            **kwargs: likewise.

        Returns:
            The op with file and line, or the argument or cell that came in so; None where all is finite.

        Example:
            >>> import trainsmith as ts
            >>> step = ts.compile(lambda x: ts.log(x - 1).sum())
            >>> found = step.find_non_finite(ts.asarray([2.0, 0.0]))
            >>> found.kind, found.source
            ('nan', 'log')
        """
        call = Call(args, kwargs)
        found = self._find(call).captured.first_non_finite(call.tensors)
        return None if found is None else NonFinite(found[0], found[1], found[2], tuple(found[3]), *found[4:])

    def memory(self, *args: Any, **kwargs: Any) -> StepMemory:
        """Says what memory a step takes, before it runs: the step is recorded where that was not done, and not run.

        Args:
            *args: as for a call.
            **kwargs: likewise.

        Returns:
            Bytes of what is given, of results and of values in between.

        Raises:
            DeviceError: the GPU cannot be used.

        Example:
            >>> import trainsmith as ts
            >>> step = ts.compile(lambda x: ts.exp(x).sum())
            >>> step.memory(ts.ones((256, 256))).given
            262144
        """
        return StepMemory(*self._find(Call(args, kwargs)).captured.memory())

    def _find(self, call: Call) -> _Entry:
        with self._lock:
            if self._routes.take_hits():
                self._misses.clear()
            entries = self._entries.get(call.key)
            reason = None
            for entry in entries or ():
                reason = entry.misfit()
                if reason is None:
                    self._misses.clear()
                    _core.count_hit()
                    return entry
            self._explain(call, reason)
            entry = _Entry(self._function, call, self._keep_grads)
            self._entries.setdefault(call.key, []).append(entry)
            self._evict()
            return entry

    def _evict(self) -> None:
        while len(self.plans) > MAX_PLANS:
            held = [(key, entry) for key, entries in self._entries.items() for entry in entries]
            key, oldest = min(held, key=lambda item: item[1].captured.last_run)
            self._routes.remove(oldest.captured)
            self._entries[key].remove(oldest)
            counts["plans_evicted"] += 1
            if not self._entries[key]:
                del self._entries[key]

    def _explain(self, call: Call, reason: str | None) -> None:
        """Note why a recording is needed; warn when that happens at call after call."""
        if self._last_key is not None:
            self._misses.append(reason or difference(self._last_key, call.key))
        self._last_key = call.key
        if len(self._misses) == WARN_AFTER:
            warnings.warn(
                f"compile: {self._function.__name__} was recorded anew at {WARN_AFTER} calls in a row, last because "
                f"{self._misses[-1]}; each new signature costs a recording",
                RuntimeWarning,
                stacklevel=5,
            )

    def _checked(self, entry: _Entry, call: Call) -> Any:
        """Run captured, then eagerly from the same start, and compare what both did."""
        counts["checks"] += 1
        captured, tensors = entry.captured, call.tensors
        before = captured.snapshot(tensors)
        results = captured.run(tensors)
        after = captured.snapshot(tensors)
        captured.restore(before)
        captured.rollback()
        args, kwargs = call.rebuild(tensors)
        eager, _ = flatten(self._function(*args, **kwargs))
        eager_after = captured.snapshot(tensors)
        expected = entry.tensors_of(eager)
        captured.restore(after)
        for place, (got, want) in enumerate(zip(results, expected, strict=True)):
            self._compare(f"result {place + 1}", got, want)
        for (name, got), (_, want) in zip(captured.cells(after), captured.cells(eager_after), strict=True):
            self._compare(name, got, want)
        return entry.results(results)

    def _compare(self, what: str, got: Tensor, want: Tensor) -> None:
        a, b = np.asarray(got.detach()), np.asarray(want.detach())
        rtol = self._rtol if self._rtol is not None else (1e-9 if a.dtype == np.float64 else 1e-4)
        if a.dtype.kind != "f":
            rtol = 0.0
        scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0)) if b.dtype.kind == "f" else 0.0
        if not np.allclose(a, b, rtol=rtol, atol=rtol * scale, equal_nan=a.dtype.kind == "f"):
            worst = float(np.nanmax(np.abs(a.astype(np.float64) - b.astype(np.float64))))
            raise errors.GraphError(
                f"compile: expected the captured step to give the eager step's {what} within rtol={rtol}, "
                f"got a difference of {worst:.3g}; the function may read state that capture cannot see",
                op="compile",
                expected=f"{what} within rtol={rtol}",
                got=f"a difference of {worst:.3g}",
            )


@overload
def compile(
    f: Callable[..., Any], *, check: int = 0, rtol: float | None = None, keep_grads: bool = False
) -> Compiled: ...
@overload
def compile(
    f: None = None, *, check: int = 0, rtol: float | None = None, keep_grads: bool = False
) -> Callable[[Callable[..., Any]], Compiled]: ...
def compile(
    f: Callable[..., Any] | None = None, *, check: int = 0, rtol: float | None = None, keep_grads: bool = False
) -> Any:
    """Record a function once for each signature, then run it as one plan.

    The function runs as Python only while it is recorded. Tensor and array arguments are inputs of the plan; so is
    every other tensor that the function reaches, read anew at each call. Python numbers and strings are part of the
    signature. Optimizer numbers such as the rate are read before every step. If a step fails, no parameter has changed.

    Args:
        f: function of tensors, arrays and hashable values, in tuples, lists and dicts. Without it: a decorator.
        check: rerun every `check`-th call eagerly and compare; 0 never does.
        rtol: relative difference that `check` allows; by default 1e-4 in float32 and 1e-9 in float64.
        keep_grads: keep `.grad` after a step whose optimizer has used it; by default it is None then.

    Returns:
        The function in compiled form, with `run_steps` for many steps in one call.

    Raises:
        GraphError: while recording, where the function reads a tensor's value or has no derivative for an op.

    Example:
        >>> import trainsmith as ts
        >>> double = ts.compile(lambda x: x * 2)
        >>> double(ts.asarray([1.0, 2.0])).tolist()
        [2.0, 4.0]
    """
    if f is None:
        return functools.partial(compile, check=check, rtol=rtol, keep_grads=keep_grads)
    if not callable(f):
        raise errors.ArgumentError(
            f"compile: expected a function, got a {type(f).__name__}", op="compile", expected="a function", got=repr(f)
        )
    return Compiled(f, check, rtol, keep_grads)
