"""What the library counts while it runs: for tests, and for finding out why a step is slow."""

from trainsmith import _capture, _core

__all__ = ["counters"]


def counters() -> dict[str, int]:
    """Gives the counts so far in this process.

    Returns:
        Name and count of each event: `eager_ops` run at once, `recordings` made, `captured_steps` run, `fresh_buffers`
        allocated for outputs of captured steps, `host_buffers` allocated for anything, `gpu_dispatches` recorded,
        `gpu_objects` (buffers, bind groups, pipelines) made, `gpu_reads` that waited for values, `plan_hits` and
        `plans_evicted` of compiled functions, and `checks` against eager runs.

    Example:
        >>> import trainsmith as ts
        >>> before = ts.debug.counters()
        >>> all(count >= 0 for count in before.values())
        True
    """
    return {**_core.counters(), **_capture.counts}
