"""The default random generator, used for a while and put back."""

import contextlib
from collections.abc import Generator

import trainsmith as ts


@contextlib.contextmanager
def kept_generator(seed: int | None = None) -> Generator[None]:
    """Puts the default generator back afterwards to where it was.

    Args:
        seed: where it starts meanwhile, 0 to 2**64 - 1; None goes on from where it is.

    Yields:
        Nothing.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.training._kept_generator import kept_generator
        >>> before = ts.default_generator().get_state()
        >>> with kept_generator(7):
        ...     drawn = ts.rand(3)
        >>> ts.default_generator().get_state() == before
        True
    """
    generator = ts.default_generator()
    before = generator.get_state()
    if seed is not None:
        generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.set_state(before)
