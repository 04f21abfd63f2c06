"""A pool of fresh processes for folds."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


class SpawnExecutor(ProcessPoolExecutor):
    """Runs calls in processes of their own, which start anew and inherit neither threads nor locks.

    Functions and arguments must be picklable, and a script must guard its start with `if __name__ == "__main__":`.

    Args:
        max_workers: processes; as many as processors by default.

    Example:
        >>> with SpawnExecutor(1) as executor:
        ...     executor.submit(max, 1, 2).result()
        2
    """

    def __init__(self, max_workers: int | None = None) -> None:
        super().__init__(max_workers, mp_context=get_context("spawn"))
