import threading
import time

import pytest

import trainsmith as ts
from trainsmith.errors import CancelledError, ConfigError, DeadlineError
from trainsmith.training import RunContext


def test_a_new_context_is_live():
    context = RunContext()
    assert (context.done, context.deadline, context.remaining(), context.reason) == (False, None, None, "")
    context.raise_if_done()


def test_cancel_reaches_descendants_and_not_ancestors():
    root = RunContext()
    child = root.child()
    grandchild = child.child()
    child.cancel("no more")
    child.cancel("a later reason")
    assert (root.done, child.cancelled, grandchild.cancelled) == (False, True, True)
    assert (child.reason, grandchild.reason) == ("no more", "no more")
    with pytest.raises(CancelledError, match=r"fit: .*no more"):
        grandchild.raise_if_done("fit")


def test_a_child_of_a_cancelled_context_is_cancelled():
    root = RunContext()
    root.cancel()
    assert root.child().done
    assert root.child().wait(0)


def test_the_deadline_of_a_child_is_never_later_than_its_parents():
    root = RunContext(timeout=10)
    assert root.child(timeout=60).deadline == root.deadline
    assert root.child(timeout=1).deadline < root.deadline
    assert root.child().deadline == root.deadline


def test_a_passed_deadline_is_its_own_error():
    context = RunContext(timeout=0)
    assert (context.cancelled, context.expired, context.done, context.remaining()) == (False, True, True, 0)
    with pytest.raises(DeadlineError, match="deadline"):
        context.raise_if_done()
    with pytest.raises(TimeoutError):
        context.raise_if_done()


def test_values_are_looked_up_through_the_ancestors():
    child = RunContext(values={"a": 1, "b": 2}).child(values={"b": 3})
    assert (child.value("a"), child.value("b"), child.value("c"), child.value("c", 4)) == (1, 3, None, 4)


def test_wait_ends_with_a_cancel_from_another_thread():
    context = RunContext()
    child = context.child()
    threading.Timer(0.05, context.cancel).start()
    started = time.monotonic()
    assert child.wait(10)
    assert time.monotonic() - started < 5


def test_wait_ends_with_the_deadline_and_with_its_limit():
    assert RunContext(timeout=0.02).wait(10)
    assert not RunContext().wait(0.02)


def test_a_shared_flag_cancels_the_context_and_is_set_by_it():
    class Flag:
        value = False

        def set(self):
            self.value = True

        def is_set(self):
            return self.value

    outside, inside = Flag(), Flag()
    context = RunContext(flag=outside)
    outside.set()
    assert context.cancelled
    assert context.reason == "cancelled"
    RunContext(flag=inside).cancel()
    assert inside.value


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_timeout_must_be_a_duration(timeout):
    with pytest.raises(ConfigError, match="timeout"):
        RunContext(timeout=timeout)


def test_a_cancel_ends_many_steps_that_run_in_the_core():
    context = RunContext()
    weight = ts.nn.Parameter(ts.zeros(()))
    optimizer = ts.optim.SGD([weight], lr=1.0)

    @ts.compile
    def step(x):
        optimizer.zero_grad()
        loss = (x.mT @ x).sum() * 0.0 - weight
        loss.backward()
        optimizer.step()
        return loss.detach()

    steps = 1_000_000  # seconds of them, of one matrix read again and again: no machine is done before the cancel
    many = ts.broadcast_to(ts.ones((64, 64)), (steps, 64, 64))
    step(many[0])
    assert step.run_steps(many[:3], stop_flag=context.flag).shape == (3,)
    threading.Timer(0.05, context.cancel).start()
    done = step.run_steps(many, stop_flag=context.flag).shape[0]
    assert 0 < done < steps
    assert float(weight) == done + 4
    assert step.run_steps(many, stop_flag=context.flag).shape == (1,)
