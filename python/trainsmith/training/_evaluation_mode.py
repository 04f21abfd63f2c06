"""A model in evaluation for a while."""

import contextlib
from collections.abc import Generator

from trainsmith import nn


@contextlib.contextmanager
def evaluation_mode(module: nn.Module) -> Generator[None]:
    """Switches a module and all below it to evaluation, and each back to what it was.

    Args:
        module: the module.

    Yields:
        Nothing.

    Example:
        >>> from trainsmith import nn
        >>> from trainsmith.training._evaluation_mode import evaluation_mode
        >>> model = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5).eval())
        >>> with evaluation_mode(model):
        ...     [one.training for one in model]
        [False, False]
        >>> [one.training for one in model]
        [True, False]
    """
    switched = [one for one in module.modules() if one.training]
    for one in switched:
        one.training = False
    try:
        yield
    finally:
        for one in switched:
            one.training = True
