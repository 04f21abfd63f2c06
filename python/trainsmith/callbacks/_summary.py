"""What a model is made of: parameters, shapes, arithmetic, memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import trainsmith as ts
from trainsmith import nn
from trainsmith._core import Tensor
from trainsmith.callbacks._table import table_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """One layer.

    Args:
        name: its dotted name.
        kind: its class.
        output_shape: of its last output.
        parameters: trained numbers.
        flops: operations of its products in one pass: two per multiply-add; 0 for layers without products.

    Example:
        `summarize` shows one.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    flops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """A model on some inputs; `str` gives a table.

    Args:
        layers: the layers without layers inside, in the order in which they run.
        parameters: numbers in all parameters, shared ones once.
        trainable: of these, the trained ones.
        flops: operations of all products in one forward pass.
        memory_bytes: parameters, buffers, inputs, output and working memory of one captured forward pass.

    Example:
        `summarize` shows one.
    """

    layers: tuple[LayerSummary, ...]
    parameters: int
    trainable: int
    flops: int
    memory_bytes: int

    def __str__(self) -> str:
        """Draws a table with a line of totals."""
        rows: list[list[Any]] = [
            [one.name, one.kind, str(one.output_shape), f"{one.parameters:,}", f"{one.flops:,}"] for one in self.layers
        ]
        totals = (
            f"{self.parameters:,} parameters ({self.trainable:,} trained), {self.flops:,} FLOPs forward, "
            f"{self.memory_bytes / 2**20:.2f} MiB"
        )
        return "\n".join([*table_lines(["layer", "kind", "output", "parameters", "FLOPs"], rows), totals])


def summarize(model: nn.Module, *inputs: Tensor) -> ModelSummary:
    """Runs a model once in evaluation mode and describes it; its mode and the random numbers stay as they are.

    Args:
        model: the module.
        inputs: one tensor per argument of the module.

    Returns:
        The summary.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> model = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 1))
        >>> summary = summarize(model, ts.zeros((256, 32)))
        >>> summary.parameters, summary.flops
        (4353, 2162688)
        >>> print(str(summary).splitlines()[1])
        0      Linear  (256, 128)       4,224  2,097,152
    """
    layers: list[LayerSummary] = []
    handles = [
        module.register_forward_hook(_hook(name or type(module).__name__, layers))
        for name, module in model.named_modules()
        if not list(module.children())
    ]
    modes = [(module, module.training) for module in model.modules()]
    generator = ts.default_generator().get_state()
    model.eval()
    try:
        with ts.no_grad():
            output = model(*inputs)
            for handle in handles:
                handle.remove()
            step = ts.compile(model.__call__)
            step(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
        ts.default_generator().set_state(generator)
    parameters = list(model.parameters())
    tensors = [*parameters, *model.buffers(), *inputs, *_tensors(output)]
    return ModelSummary(
        layers=tuple(layers),
        parameters=sum(one.size for one in parameters),
        trainable=sum(one.size for one in parameters if one.requires_grad),
        flops=sum(one.flops for one in layers),
        memory_bytes=sum(one.size * one.dtype.itemsize for one in tensors) + step.plans[0].arena_bytes,
    )


def _hook(name: str, layers: list[LayerSummary]) -> Any:
    def note(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        first = _tensors(output)[0]
        layers.append(
            LayerSummary(
                name=name,
                kind=type(module).__name__,
                output_shape=tuple(first.shape),
                parameters=sum(one.size for one in module.parameters()),
                flops=_flops(module, args, first),
            )
        )

    return note


def _flops(module: Any, args: tuple[Any, ...], output: Tensor) -> int:
    """Counts two operations per multiply-add of the layer's products."""
    if isinstance(module, nn.Linear):
        return 2 * output.size * module.in_features
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return 2 * output.size * math.prod(module.weight.shape[1:])
    if isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        return 2 * int(args[0].size) * math.prod(module.weight.shape[1:])
    if isinstance(module, nn.RNN | nn.LSTM | nn.GRU):
        # Each weight matrix meets each time step of each row once.
        matrices = sum(one.size for one in module.parameters() if one.ndim == 2)
        return 2 * matrices * math.prod(cast(Tensor, args[0]).shape[:-1])
    return 0


def _tensors(output: Any) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    parts = cast(Sequence[Any], output) if isinstance(output, list | tuple) else ()
    return [one for part in parts for one in _tensors(part)]
