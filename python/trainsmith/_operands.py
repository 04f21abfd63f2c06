"""Operands of composed functions: a common dtype and shape before the first op."""

from trainsmith._arrays import asarray
from trainsmith._core import Tensor
from trainsmith._dtypes import float32, result_type
from trainsmith._manipulation import broadcast
from trainsmith._typing import Operand


def floating_pair(op: str, x1: Operand, x2: Operand) -> tuple[Tensor, Tensor]:
    """Gives two operands as tensors of their common floating dtype and shape; integers become float32."""
    given = [x if isinstance(x, Tensor | bool | int | float) else asarray(x) for x in (x1, x2)]
    tensors = [x for x in given if isinstance(x, Tensor)]
    dtype = result_type(*given) if tensors else float32
    dtype = dtype if dtype.is_floating else float32
    place = tensors[0].device if tensors else None
    first, second = (asarray(x, dtype=dtype, device=None if isinstance(x, Tensor) else place) for x in given)
    return broadcast(op, first, second)
