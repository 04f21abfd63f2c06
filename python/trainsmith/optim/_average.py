"""What averages of parameters share: updates, the swap, the state."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from trainsmith import _core
from trainsmith._arrays import asarray
from trainsmith._core import Parameter, Tensor, apply, read_together, to_device
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, GraphError
from trainsmith.nn._convert import was_replaced


class AveragedParameters:
    """The base of averages of parameters over steps.

    Averages start as copies of the parameters; those of float16 and bfloat16 parameters are float32.

    Args:
        params: parameters, such as `model.parameters()`.
        decay: share of an average that an update keeps, or None for the plain mean of all updates.

    Attributes:
        params: the parameters.

    Raises:
        ArgumentError: no parameter, or something that is none.
    """

    def __init__(self, params: Iterable[Parameter], decay: float | None) -> None:
        source: object = params
        given = [] if isinstance(source, Tensor | Mapping) else list(cast(Iterable[Any], source))
        self.params: list[Parameter] = given
        op = type(self).__name__
        if not self.params:
            rule = "at least one parameter in an iterable, such as model.parameters()"
            raise problem(ArgumentError, op, rule, type(cast(object, source)).__name__)
        for place, param in enumerate(self.params):
            if not isinstance(cast(object, param), Parameter):
                rule = "nn.Parameter objects, such as model.parameters()"
                raise problem(ArgumentError, op, rule, f"{type(param).__name__} at place {place}")
        self._core = _core.Average(self.params, decay)
        self._swapped = False

    @property
    def updates(self) -> int:
        """Updates so far."""
        return self._core.count

    def update(self) -> None:
        """Takes the parameters as they are into the averages; inside a compiled function, at every call of it.

        Raises:
            GraphError: inside `swapped()`, where the parameters are the averages, or after `Module.to` has replaced a
                parameter.
        """
        self._outside_swap("update")
        for param in self.params:
            if was_replaced(param):
                rule = "the parameters of the module; make the average after Module.to"
                raise problem(GraphError, f"{type(self).__name__}.update", rule, f"{param.name_}, which it replaced")
        self._core.update()

    @contextmanager
    def swapped(self) -> Generator[None]:
        """Puts the averages into the parameters for a while, such as for validation.

        Yields:
            Nothing; at the end, also after an error, the parameters have their own values again.

        Raises:
            GraphError: inside another swap, or inside a compiled function.
        """
        self._outside_swap("swapped")
        self._outside_recording("swapped")
        own = read_together(self.params)
        self._swapped = True
        try:
            self._write(read_together(self._core.shadows()))
            yield
        finally:
            self._write(own)
            self._swapped = False

    def averages(self) -> list[Tensor]:
        """Gives snapshots of the averages, in the order of the parameters."""
        self._outside_recording("averages")
        return read_together(self._core.shadows())

    def state_dict(self) -> dict[str, Any]:
        """Takes a snapshot.

        Returns:
            `updates`, the number of updates, and `averages`, a list of tensors.

        Raises:
            GraphError: inside a compiled function.
        """
        return {"updates": self.updates, "averages": self.averages()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Puts averages and their number of updates back; all of it or, after an error, nothing.

        Args:
            state_dict: what `state_dict` gave; tensors or NumPy arrays.

        Raises:
            ArgumentError: averages of other shapes, or another number of them.
            GraphError: inside a compiled function, or inside `swapped()`.
        """
        self._outside_swap("load_state_dict")
        self._outside_recording("load_state_dict")
        op = f"{type(self).__name__}.load_state_dict"
        if not {"updates", "averages"} <= set(state_dict):
            raise problem(ArgumentError, op, 'a mapping with "updates" and "averages"', str(sorted(state_dict)))
        given: Sequence[Any] = state_dict["averages"]
        values = [asarray(value) for value in given]
        shapes = [value.shape for value in values], [param.shape for param in self.params]
        if shapes[0] != shapes[1]:
            raise problem(ArgumentError, op, f"averages of shapes {shapes[1]}", f"shapes {shapes[0]}")
        for shadow, value in zip(self._core.shadows(), values):
            shadow.copy_(apply("astype", (to_device(value, shadow.device),), {"dtype": shadow.dtype}))
        self._core.count = int(state_dict["updates"])

    def __getstate__(self) -> dict[str, Any]:
        """Answers `pickle` and `copy`: copied together with its module, the copy averages the copied parameters."""
        self._outside_swap("__getstate__")
        return {**vars(self), "_core": self.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Makes the averages of what `__getstate__` gave."""
        held = state.pop("_core")
        self.__dict__.update(state)
        self._core = _core.Average(self.params, state.get("decay"))
        self.load_state_dict(held)

    def _write(self, values: Sequence[Tensor]) -> None:
        for param, value in zip(self.params, values):
            param.copy_(apply("astype", (value,), {"dtype": param.dtype}))

    def _outside_swap(self, what: str) -> None:
        if self._swapped:
            op = f"{type(self).__name__}.{what}"
            raise problem(GraphError, op, "a call after the swap has ended", "one inside swapped()")

    def _outside_recording(self, what: str) -> None:
        if _core.recording():
            op = f"{type(self).__name__}.{what}"
            raise problem(GraphError, op, "a call outside compiled functions; only update() goes inside", "one inside")
