"""Handles that take hooks away again."""

from collections.abc import Callable
from types import TracebackType


class RemovableHandle:
    """What registering a hook returns; `with handle:` removes the hook at the end of the block.

    Args:
        remove: takes the hook away; called once.

    Example:
        >>> from trainsmith import nn
        >>> layer = nn.Linear(2, 1)
        >>> handle = layer.register_forward_hook(lambda module, args, output: output * 0)
        >>> handle.remove()
    """

    def __init__(self, remove: Callable[[], None]) -> None:
        self._remove: Callable[[], None] | None = remove

    def remove(self) -> None:
        """Takes the hook away; a second call does nothing."""
        remove, self._remove = self._remove, None
        if remove is not None:
            remove()

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()
