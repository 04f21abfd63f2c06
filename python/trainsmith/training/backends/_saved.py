"""The one file that a backend leaves: weights, configuration and scalers."""

import json
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import trainsmith as ts
from trainsmith import nn
from trainsmith._core import load_safetensors, save_safetensors
from trainsmith.data._wording import shown, worded
from trainsmith.errors import IoError, ShapeError
from trainsmith.models import create_model, create_windowed_model
from trainsmith.training._arrays import outputs_of
from trainsmith.training._kept_generator import kept_generator
from trainsmith.training._model_provider import ABOUT, about_of
from trainsmith.training.backends._scaler import Scaler

Task = Literal["regression", "classification"]
Array = npt.NDArray[np.float64]

_FORMAT = "trainsmith-backend-1"
_OP = "predict"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedModel:
    """A trained model with what it takes to predict.

    Args:
        type: of the model, such as `mlp`.
        architecture: its shape.
        sizes: `inputs` of rows, or `window` and `features` of windows.
        task: what its outputs are.
        classes: the labels of a classification, ascending; empty for a regression.
        dtype: of the weights.
        module: the model.
        inputs: scales features.
        target: scales labels of a regression.
    """

    type: str
    architecture: dict[str, Any]
    sizes: dict[str, int]
    task: Task
    classes: tuple[float, ...]
    dtype: str
    module: nn.Module
    inputs: Scaler
    target: Scaler

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the file, whole or not at all; one that is there is replaced."""
        tensors = {f"model.{name}": one for name, one in self.module.state_dict().items()}
        for place, scaler in (("inputs", self.inputs), ("target", self.target)):
            tensors |= {f"{place}.mean": ts.asarray(scaler.mean), f"{place}.std": ts.asarray(scaler.std)}
        names = ("type", "architecture", "sizes", "task", "classes", "dtype")
        about = json.dumps({"format": _FORMAT, **{name: getattr(self, name) for name in names}})
        save_safetensors(fspath(path), list(tensors.items()), [(ABOUT, about)])

    def predict(self, rows: Array) -> Array:
        """Predicts rows or windows.

        Args:
            rows: of the sizes that the model was trained on.

        Returns:
            A number in the labels' unit, or a class label, for each; shape (rows,).

        Raises:
            ShapeError: other sizes.
        """
        expected = tuple(self.sizes.values())
        if rows.shape[1:] != expected:
            raise worded(
                ShapeError,
                _OP,
                "rows must have the sizes that the model was trained on",
                expected=str(("rows", *expected)),
                got=str(rows.shape),
                step="pass the same features in the same order",
            )
        outputs = outputs_of(self.module, self.inputs.scaled(rows).astype(self.dtype))
        if self.task == "classification":
            return np.array(self.classes)[outputs.argmax(axis=1)]
        return self.target.restored(outputs)[:, 0]


def make_module(type: str, architecture: dict[str, Any], sizes: dict[str, int], outputs: int, dtype: str) -> nn.Module:
    """Makes an untrained model of rows or of windows, as the sizes say."""
    make: Any = create_windowed_model if "window" in sizes else create_model
    return make(type, architecture, **sizes, outputs=outputs, dtype=getattr(ts, dtype))


def load(path: str | PathLike[str]) -> SavedModel:
    """Reads what `SavedModel.save` wrote.

    Args:
        path: the file.

    Returns:
        The model, ready to predict.

    Raises:
        IoError: no such file, or one that no backend wrote.
    """
    tensors, metadata = load_safetensors(fspath(path), "cpu")
    kept = about_of(metadata, _FORMAT)
    if kept is None:
        raise worded(
            IoError,
            _OP,
            f"{shown(fspath(path))} must be a backend's model",
            expected=f"a safetensors file of format {_FORMAT}",
            got=shown(metadata),
            step="pass the model_path that a backend trained to",
        )
    del kept["format"]
    with kept_generator():
        module = make_module(
            kept["type"], kept["architecture"], kept["sizes"], max(1, len(kept["classes"])), kept["dtype"]
        )
    module.load_state_dict({name[6:]: one for name, one in tensors.items() if name.startswith("model.")})
    inputs, target = (
        Scaler(np.asarray(tensors[f"{place}.mean"]), np.asarray(tensors[f"{place}.std"]))
        for place in ("inputs", "target")
    )
    kept["classes"] = tuple(kept["classes"])
    return SavedModel(**kept, module=module, inputs=inputs, target=target)
