"""Sub-packages that are loaded when they are asked for first.

`import trainsmith` shall not take much longer than `import numpy`.
"""

import importlib
import sys
from types import ModuleType

_LATER = frozenset({"data", "debug", "linalg", "nn", "optim"})


def load(name: str) -> ModuleType:
    """Answers `trainsmith.name` for what is not there yet."""
    if name in _LATER:
        return importlib.import_module(f"trainsmith.{name}")
    raise AttributeError(f"module 'trainsmith' has no attribute {name!r}")


def names() -> list[str]:
    """Answers `dir(trainsmith)`."""
    return sorted({*vars(sys.modules["trainsmith"]), *_LATER})
